/* SPDX-License-Identifier: Apache-2.0 */
/* The request hash of the profile http:1. */
#include "lnbtc.h"

#include "hash.h"

/* RFC 9110, section 5.6.2: tchar. */
static bool
is_token(struct x402_span text, bool lower)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (c >= 'A' && c <= 'Z' && !lower)
            continue;
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
            (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return text.len > 0;
}

/* "Names MUST be lowercase HTTP field-name tokens [...] `payment-signature`
 * MUST NOT be included." */
enum x402_err
x402_lnbtc_check_name(struct x402_span name)
{
    if (name.len > X402_LNBTC_NAME_MAX || !is_token(name, true) ||
        x402_span_eq(name, x402_span_of("payment-signature")))
        return X402_ERR_LN_BINDING;
    return X402_OK;
}

/* "in ascending ASCII byte order, with no duplicates" */
static bool
comes_before(struct x402_span a, struct x402_span b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.at, b.at, len);

    return order < 0 || (order == 0 && a.len < b.len);
}

enum x402_err
lnbtc_check_names(const struct x402_span *names, size_t len)
{
    if (len > X402_LNBTC_HEADERS_MAX)
        return X402_ERR_LN_BINDING;
    for (size_t i = 0; i < len; i++) {
        if (x402_lnbtc_check_name(names[i]) != X402_OK ||
            (i > 0 && !comes_before(names[i - 1], names[i])))
            return X402_ERR_LN_BINDING;
    }
    return X402_OK;
}

static struct x402_span
trimmed(struct x402_span line)
{
    while (line.len > 0 && (*line.at == ' ' || *line.at == '\t')) {
        line.at++;
        line.len--;
    }
    while (line.len > 0 &&
           (line.at[line.len - 1] == ' ' || line.at[line.len - 1] == '\t'))
        line.len--;
    return line;
}

static bool
is_printable(struct x402_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] != '\t' && (text.at[i] < 0x20 || text.at[i] > 0x7e))
            return false;
    }
    return true;
}

/* RFC 9421, section 2.1: "Strip leading and trailing whitespace from each item
 * in the list. [...] Concatenate the list of values with a single comma (",")
 * and a single space (" ") between each item." */
enum x402_err
x402_lnbtc_value_hash(uint8_t out32[32], const struct x402_span *lines,
                      size_t lines_len)
{
    char memory[32768];
    struct x402_buf buf = x402_buf_on(memory, sizeof memory);

    /* "For each present bound header, `valueHash` MUST be SHA-256 of `0x01 ||
     * ASCII(value)` [...].  For an absent header it MUST be SHA-256 of the
     * single byte `0x00`." */
    x402_buf_char(&buf, lines_len > 0 ? 1 : 0);
    for (size_t i = 0; i < lines_len; i++) {
        struct x402_span line = trimmed(lines[i]);

        if (!is_printable(line))
            return X402_ERR_LN_BINDING;
        if (i > 0)
            x402_buf_text(&buf, ", ");
        x402_buf_add(&buf, line);
    }
    if (buf.full)
        return X402_ERR_LN_BINDING;
    hash_sha256(out32, x402_buf_span(&buf));
    return X402_OK;
}

static enum x402_err
write_headers(struct x402_buf *buf, const struct x402_lnbtc_request *request)
{
    for (size_t i = 0; i < request->headers_len; i++) {
        const struct x402_lnbtc_header *header = &request->headers[i];
        uint8_t hash[32];
        enum x402_err err =
            x402_lnbtc_value_hash(hash, header->lines, header->lines_len);

        if (err != X402_OK)
            return err;
        x402_buf_text(buf, i > 0 ? ",{\"name\":\"" : "{\"name\":\"");
        x402_buf_add(buf, header->name);
        x402_buf_text(buf, "\",\"valueHash\":\"");
        x402_buf_hex_bare(buf, hash, sizeof hash);
        x402_buf_text(buf, "\"}");
    }
    return X402_OK;
}

static enum x402_err
check(const struct x402_lnbtc_request *request)
{
    struct x402_span names[X402_LNBTC_HEADERS_MAX];

    if (request->headers_len > X402_LNBTC_HEADERS_MAX)
        return X402_ERR_LN_BINDING;
    for (size_t i = 0; i < request->headers_len; i++)
        names[i] = request->headers[i].name;
    if (request->method.len > X402_LNBTC_NAME_MAX ||
        !is_token(request->method, false))
        return X402_ERR_LN_BINDING;
    if (x402_lnbtc_check_url(request->url) != X402_OK)
        return X402_ERR_LN_BINDING;
    return lnbtc_check_names(names, request->headers_len);
}

/* "The client and server MUST construct a JSON object, `binding`, with exactly
 * these members": domain, method, url, bodyHash, headers.  Written as JCS wants
 * it: in the names' order, and no allowed character needs an escape. */
enum x402_err
x402_lnbtc_request_hash(uint8_t out32[32],
                        const struct x402_lnbtc_request *request)
{
    char memory[X402_LNBTC_URL_MAX + 256 + X402_LNBTC_NAME_MAX +
                X402_LNBTC_HEADERS_MAX * (X402_LNBTC_NAME_MAX + 96)];
    struct x402_buf buf = x402_buf_on(memory, sizeof memory);
    enum x402_err err = check(request);

    if (err != X402_OK)
        return err;
    x402_buf_text(&buf, "{\"bodyHash\":\"");
    x402_buf_hex_bare(&buf, request->body_hash, sizeof request->body_hash);
    x402_buf_text(&buf, "\",\"domain\":\"x402:exact:lnbtc:bolt11:http:1\","
                        "\"headers\":[");
    err = write_headers(&buf, request);
    if (err != X402_OK)
        return err;
    x402_buf_text(&buf, "],\"method\":\"");
    x402_buf_add(&buf, request->method);
    x402_buf_text(&buf, "\",\"url\":\"");
    x402_buf_add(&buf, request->url);
    x402_buf_text(&buf, "\"}");
    if (buf.full)
        return X402_ERR_INTERNAL;
    hash_sha256(out32, x402_buf_span(&buf));
    return X402_OK;
}
