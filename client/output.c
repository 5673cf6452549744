/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the answer. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"
#include "terminal.h"

void
output_begin(struct output *output, const char *path, bool include_headers,
             bool capture)
{
    *output = (struct output){.path = path,
                              .include_headers = include_headers,
                              .capture = capture,
                              .captured = blob_max(OUTPUT_CAPTURE_MAX),
                              .fd = -1};
}

static bool
fail(struct output *output)
{
    if (!output->failed)
        say_error("%s: %s",
                  output->path == NULL ? "standard output" : output->path,
                  strerror(errno));
    output->failed = true;
    return false;
}

static bool
write_all(struct output *output, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(output->fd, bytes, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return fail(output);
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

bool
output_open(struct output *output)
{
    if (output->fd >= 0 || output->capture)
        return true;
    if (output->path == NULL) {
        output->fd = STDOUT_FILENO;
        return true;
    }
    output->fd =
        open(output->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    output->created = output->fd >= 0;
    if (output->fd < 0 && errno == EEXIST)
        output->fd = open(output->path, O_WRONLY | O_CLOEXEC);
    return output->fd >= 0 || fail(output);
}

/* The first byte: from here on the old content is gone. */
static bool
begin_once(struct output *output)
{
    struct stat st;

    if (output->begun)
        return true;
    if (!output_open(output))
        return false;
    output->begun = true;
    if (output->path == NULL || output->created)
        return true;
    if (fstat(output->fd, &st) != 0)
        return fail(output);
    return !S_ISREG(st.st_mode) || ftruncate(output->fd, 0) == 0 ||
           fail(output);
}

/* A header that goes to a terminal is text for a person: cleaned. */
static bool
write_heads(struct output *output, struct x402_span rest)
{
    char clean[2048];

    if (!isatty(output->fd))
        return write_all(output, rest.at, rest.len);
    while (rest.len > 0) {
        const char *end = memchr(rest.at, '\n', rest.len);
        size_t used = end == NULL ? rest.len : (size_t)(end - rest.at) + 1;
        size_t len = used;

        while (len > 0 &&
               (rest.at[len - 1] == '\n' || rest.at[len - 1] == '\r'))
            len--;
        len = terminal_clean(clean, sizeof(clean) - 1,
                             (struct x402_span){rest.at, len});
        clean[len] = '\n';
        if (!write_all(output, clean, len + 1))
            return false;
        rest.at += used;
        rest.len -= used;
    }
    return true;
}

bool
output_head(struct output *output, const struct heads *heads)
{
    if (output->capture)
        return true;
    if (!begin_once(output))
        return false;
    return !output->include_headers ||
           write_heads(output, blob_span(&heads->lines));
}

bool
output_body(struct output *output, const char *bytes, size_t len)
{
    if (output->capture) {
        if (!output->capture_cut && !blob_add(&output->captured, bytes, len))
            output->capture_cut = true;
        return true;
    }
    return begin_once(output) && write_all(output, bytes, len);
}

bool
output_end(struct output *output)
{
    int fd = output->fd;

    output->fd = -1;
    if (fd >= 0 && fd != STDOUT_FILENO && close(fd) != 0)
        return fail(output);
    if (output->created && !output->begun)
        (void)unlink(output->path);
    return !output->failed;
}
