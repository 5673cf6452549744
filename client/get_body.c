/* SPDX-License-Identifier: Apache-2.0 */
/* -d and --data-binary, as curl reads them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "get_options.h"

/* "Carriage returns and newlines will be stripped out" of @file by -d; curl
 * strips NUL bytes too. */
static size_t
strip(char *bytes, size_t len)
{
    size_t kept = 0;

    for (size_t i = 0; i < len; i++) {
        if (bytes[i] != '\r' && bytes[i] != '\n' && bytes[i] != '\0')
            bytes[kept++] = bytes[i];
    }
    return kept;
}

static bool
too_large(void)
{
    say_error("the request's body is larger than %d bytes", GET_BODY_MAX);
    return false;
}

static bool
add_stream(struct blob *body, FILE *file, bool binary, const char *name)
{
    char chunk[16384];
    size_t len;

    while ((len = fread(chunk, 1, sizeof(chunk), file)) > 0) {
        if (!binary)
            len = strip(chunk, len);
        if (!blob_add(body, chunk, len))
            return too_large();
    }
    if (ferror(file) != 0) {
        say_error("%s: %s", name, strerror(errno));
        return false;
    }
    return true;
}

bool
get_body_add(struct blob *body, const char *argument, bool binary)
{
    FILE *file;
    bool ok;

    if (body->at != NULL && !blob_add(body, "&", 1))
        return too_large();
    if (!blob_add(body, "", 0))
        return too_large();
    if (argument[0] != '@')
        return blob_add(body, argument, strlen(argument)) || too_large();
    if (strcmp(argument, "@-") == 0)
        return add_stream(body, stdin, binary, "standard input");
    file = fopen(argument + 1, "re");
    if (file == NULL) {
        say_error("%s: %s", argument + 1, strerror(errno));
        return false;
    }
    ok = add_stream(body, file, binary, argument + 1);
    fclose(file);
    return ok;
}
