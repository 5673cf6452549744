/* SPDX-License-Identifier: Apache-2.0 */
/* -v: the conversation, readable and harmless. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "terminal.h"
#include "trace.h"

enum { SHOWN_MAX = 2048 };

/* Who reads a signed payment before the server does can hand it in himself;
 * who reads the others can be us. */
static const char *const secret_fields[] = {
    "payment-signature:",   "x-payment:", "authorization:",
    "proxy-authorization:", "cookie:",    "set-cookie:"};

static bool
is_secret(const char *line, size_t len)
{
    for (size_t i = 0; i < sizeof(secret_fields) / sizeof(secret_fields[0]);
         i++) {
        size_t name = strlen(secret_fields[i]);

        if (len >= name && strncasecmp(line, secret_fields[i], name) == 0)
            return true;
    }
    return false;
}

static void
show_line(char mark, const char *line, size_t len)
{
    char clean[SHOWN_MAX];
    const char *colon;

    while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
        len--;
    colon = memchr(line, ':', len);
    if (colon != NULL && is_secret(line, len)) {
        size_t name = (size_t)(colon - line) + 1;

        terminal_clean(clean, sizeof(clean), (struct x402_span){line, name});
        fprintf(stderr, "%c %s ... (%zu bytes)\n", mark, clean, len - name);
        return;
    }
    terminal_clean(clean, sizeof(clean), (struct x402_span){line, len});
    fprintf(stderr, "%c %s\n", mark, clean);
}

static void
show_lines(char mark, const char *bytes, size_t len)
{
    while (len > 0) {
        const char *end = memchr(bytes, '\n', len);
        size_t used = end == NULL ? len : (size_t)(end - bytes) + 1;

        show_line(mark, bytes, used);
        bytes += used;
        len -= used;
    }
}

int
trace_curl(CURL *handle, curl_infotype type, char *bytes, size_t len,
           void *owner)
{
    (void)handle;
    (void)owner;
    if (type == CURLINFO_TEXT)
        show_lines('*', bytes, len);
    else if (type == CURLINFO_HEADER_OUT)
        show_lines('>', bytes, len);
    else if (type == CURLINFO_HEADER_IN)
        show_lines('<', bytes, len);
    return 0;
}
