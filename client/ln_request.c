/* SPDX-License-Identifier: Apache-2.0 */
/* The request hash of the request that is really sent. */
#include <string.h>
#include <strings.h>

#include "ln_request.h"

#define LINES_MAX FETCH_HEADERS_MAX

/* What libcurl or we add by ourselves to a request that has no such -H. */
static const char *
default_value(const struct fetch *fetch, const char *name)
{
    if (strcmp(name, "accept") == 0)
        return "*/*";
    if (strcmp(name, "user-agent") == 0)
        return "x402/" X402_VERSION;
    if (strcmp(name, "content-type") == 0 && fetch->has_body)
        return "application/x-www-form-urlencoded";
    return NULL;
}

/* Headers whose value libcurl decides late, or that do not come to the server's
 * ears as they were sent. */
static bool
is_beyond_us(const char *name)
{
    static const char *const names[] = {
        "connection", "content-length",    "expect", "host", "te",
        "trailer",    "transfer-encoding", "upgrade"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

/* The value of "Name: value" or "Name;" (empty).  "Name:" alone takes a header
 * away: *removed. */
static struct x402_span
value_of(const char *header, bool *removed)
{
    const char *at = header + strcspn(header, ":;");
    struct x402_span value = x402_span_of(at + 1);

    *removed = *at == ':' && strspn(at + 1, " \t") == value.len;
    return value;
}

static enum x402_err
lines_of(struct x402_span *lines, size_t *len, const struct fetch *fetch,
         const char *name)
{
    const char *fallback = default_value(fetch, name);
    bool named = false;

    *len = 0;
    if (is_beyond_us(name))
        return X402_ERR_LN_BINDING;
    for (size_t i = 0; i < fetch->options->headers_len; i++) {
        const char *header = fetch->options->headers[i];
        bool removed;
        struct x402_span value = value_of(header, &removed);

        if (strlen(name) != strcspn(header, ":;") ||
            strncasecmp(header, name, strlen(name)) != 0 ||
            !fetch_sends_header(fetch, header))
            continue;
        named = true;
        if (!removed)
            lines[(*len)++] = value;
    }
    if (!named && fallback != NULL)
        lines[(*len)++] = x402_span_of(fallback);
    return X402_OK;
}

enum x402_err
ln_request_hash(uint8_t out32[32], const struct fetch *fetch,
                const struct x402_lnbtc_terms *terms)
{
    static struct x402_span lines[X402_LNBTC_HEADERS_MAX][LINES_MAX + 1];
    struct x402_lnbtc_header headers[X402_LNBTC_HEADERS_MAX];
    struct x402_lnbtc_request request = {.method = x402_span_of(fetch->method),
                                         .url = x402_span_of(fetch->url.text),
                                         .headers = headers,
                                         .headers_len = terms->headers_len};

    memcpy(request.body_hash, fetch->body32, 32);
    for (size_t i = 0; i < terms->headers_len; i++) {
        char name[X402_LNBTC_NAME_MAX + 1];
        enum x402_err err;

        memcpy(name, terms->header[i].at, terms->header[i].len);
        name[terms->header[i].len] = '\0';
        headers[i].name = terms->header[i];
        headers[i].lines = lines[i];
        /* it changes while a hold invoice is being paid: fetch_headers.c */
        if (terms->held && strcmp(name, "accept-payment") == 0)
            return X402_ERR_LN_BINDING;
        err = lines_of(lines[i], &headers[i].lines_len, fetch, name);
        if (err != X402_OK)
            return err;
    }
    return x402_lnbtc_request_hash(out32, &request);
}
