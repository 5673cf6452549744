/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of the configuration file, and setting one of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob.h"
#include "config_file.h"

bool
config_read_file(char text[CONFIG_FILE_MAX], size_t *len, const char *path)
{
    struct stat st;
    size_t have = 0;
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0)
        return false;
    /* it holds the limits of spending: nobody else may change them */
    if (fstat(fd, &st) != 0 || (st.st_mode & 022) != 0 ||
        (st.st_uid != geteuid() && st.st_uid != 0)) {
        close(fd);
        errno = EPERM;
        return false;
    }
    while (have < CONFIG_FILE_MAX &&
           (n = read(fd, text + have, CONFIG_FILE_MAX - have)) > 0)
        have += (size_t)n;
    close(fd);
    if (n < 0)
        return false;
    if (have == CONFIG_FILE_MAX) {
        errno = EFBIG;
        return false;
    }
    text[have] = '\0';
    *len = have;
    return true;
}

struct x402_span
config_trim(struct x402_span text)
{
    while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t')) {
        text.at++;
        text.len--;
    }
    while (text.len > 0 &&
           (text.at[text.len - 1] == ' ' || text.at[text.len - 1] == '\t' ||
            text.at[text.len - 1] == '\r'))
        text.len--;
    return text;
}

struct x402_span
config_next_line(struct x402_span *text)
{
    const char *end = memchr(text->at, '\n', text->len);
    size_t len = end == NULL ? text->len : (size_t)(end - text->at);
    size_t used = end == NULL ? len : len + 1;
    struct x402_span line = {text->at, len};

    text->at += used;
    text->len -= used;
    return line;
}

enum config_line
config_split_line(struct x402_span *key, struct x402_span *value,
                  struct x402_span line)
{
    const char *equals;

    line = config_trim(line);
    if (line.len == 0 || line.at[0] == '#')
        return CONFIG_LINE_EMPTY;
    equals = memchr(line.at, '=', line.len);
    if (equals == NULL)
        return CONFIG_LINE_BAD;
    *key = config_trim((struct x402_span){line.at, (size_t)(equals - line.at)});
    *value = config_trim((struct x402_span){
        equals + 1, (size_t)(line.at + line.len - equals) - 1});
    return CONFIG_LINE_PAIR;
}

static bool
is_key(struct x402_span line, const char *wanted)
{
    struct x402_span key, value;

    return config_split_line(&key, &value, line) == CONFIG_LINE_PAIR &&
           x402_span_eq(key, x402_span_of(wanted));
}

static bool
add_pair(struct blob *out, const char *key, const char *value)
{
    return blob_add(out, key, strlen(key)) && blob_add(out, " = ", 3) &&
           blob_add(out, value, strlen(value)) && blob_add(out, "\n", 1);
}

/* The old text with the key's lines replaced, or the pair appended. */
static bool
replace(struct blob *out, struct x402_span text, const char *key,
        const char *value)
{
    bool done = false, fits = true;

    while (text.len > 0 && fits) {
        struct x402_span line = config_next_line(&text);

        if (!is_key(line, key))
            fits = blob_add(out, line.at, line.len) && blob_add(out, "\n", 1);
        else if (!done)
            fits = done = add_pair(out, key, value);
    }
    return fits && (done || add_pair(out, key, value));
}

static bool
write_file(const char *path, struct x402_span text)
{
    char fresh[PATHS_MAX + 8];
    FILE *file;
    int fd;
    bool ok;

    (void)snprintf(fresh, sizeof(fresh), "%s.new", path);
    unlink(fresh);
    fd =
        open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL)
        return false;
    ok = fwrite(text.at, 1, text.len, file) == text.len && fflush(file) == 0 &&
         fsync(fd) == 0;
    ok = fclose(file) == 0 && ok;
    return ok && rename(fresh, path) == 0;
}

bool
config_set(const char *key, const char *value, char error[CONFIG_ERROR_MAX])
{
    static char text[CONFIG_FILE_MAX];
    struct blob fresh = blob_max(CONFIG_FILE_MAX - 1);
    char path[PATHS_MAX];
    size_t len = 0;
    bool ok;

    (void)snprintf(error, CONFIG_ERROR_MAX,
                   "there is no place for it: set "
                   "HOME");
    if (!paths_config(path))
        return false;
    ok = (config_read_file(text, &len, path) || errno == ENOENT) &&
         paths_make_parent(path) &&
         replace(&fresh, (struct x402_span){text, len}, key, value) &&
         write_file(path, blob_span(&fresh));
    if (!ok)
        (void)snprintf(error, CONFIG_ERROR_MAX, "%.300s: %s", path,
                       strerror(errno));
    blob_free(&fresh);
    return ok;
}
