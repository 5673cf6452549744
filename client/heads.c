/* SPDX-License-Identifier: Apache-2.0 */
/* Response header blocks. */
#include <string.h>
#include <strings.h>

#include "heads.h"

void
heads_begin(struct heads *heads)
{
    heads->lines = blob_max(HEADS_MAX);
}

void
heads_free(struct heads *heads)
{
    blob_free(&heads->lines);
}

bool
heads_add(struct heads *heads, const char *line, size_t len)
{
    if (len >= 5 && memcmp(line, "HTTP/", 5) == 0)
        blob_clear(&heads->lines);
    return blob_add(&heads->lines, line, len);
}

static struct x402_span
trim(struct x402_span text)
{
    while (text.len > 0 && strchr(" \t\r\n", text.at[0]) != NULL) {
        text.at++;
        text.len--;
    }
    while (text.len > 0 && strchr(" \t\r\n", text.at[text.len - 1]) != NULL)
        text.len--;
    return text;
}

/* The value when `line` is the field `name`. */
static bool
field(struct x402_span *out, struct x402_span line, const char *name)
{
    size_t len = strlen(name);

    if (line.len <= len || line.at[len] != ':' ||
        strncasecmp(line.at, name, len) != 0)
        return false;
    *out = trim((struct x402_span){line.at + len + 1, line.len - len - 1});
    return true;
}

unsigned
heads_get(struct x402_span *out, const struct heads *heads, const char *name)
{
    struct x402_span rest = blob_span(&heads->lines);
    struct x402_span value;
    unsigned count = 0;

    *out = (struct x402_span){NULL, 0};
    while (rest.len > 0) {
        const char *end = memchr(rest.at, '\n', rest.len);
        size_t len = end == NULL ? rest.len : (size_t)(end - rest.at) + 1;

        if (field(&value, (struct x402_span){rest.at, len}, name) &&
            count++ == 0)
            *out = value;
        rest.at += len;
        rest.len -= len;
    }
    return count;
}

struct x402_span
heads_single(const struct heads *heads, const char *name)
{
    struct x402_span value;

    if (heads_get(&value, heads, name) != 1)
        return (struct x402_span){NULL, 0};
    return value;
}
