/* SPDX-License-Identifier: Apache-2.0 */
/* The URL of the profile http:1: read, never changed. */
#include <x402/lnbtc.h>

static bool
is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
           (c >= 'A' && c <= 'F');
}

static bool
is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z');
}

/* RFC 3986: unreserved, sub-delims and what else `more` names, or a percent
 * escape of two hex digits. */
static bool
is_made_of(struct x402_span text, const char *more)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (c == '%') {
            if (text.len - i < 3 || !is_hex(text.at[i + 1]) ||
                !is_hex(text.at[i + 2]))
                return false;
            i += 2;
        } else if (c == '\0' || (!is_letter_or_digit(c) &&
                                 strchr("-._~!$&'()*+,;=", c) == NULL &&
                                 strchr(more, c) == NULL)) {
            return false;
        }
    }
    return true;
}

/* Takes "https://" or "http://" off. */
static bool
take_scheme(struct x402_span *url)
{
    static const char *const schemes[] = {"https://", "http://"};

    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(schemes[i]);

        if (url->len > len && memcmp(url->at, schemes[i], len) == 0) {
            url->at += len;
            url->len -= len;
            return true;
        }
    }
    return false;
}

/* ":443"; nothing at all is fine, so is a colon alone (RFC 3986). */
static bool
port_is_good(struct x402_span port)
{
    uint32_t number = 0;

    if (port.len == 0 || (port.len == 1 && port.at[0] == ':'))
        return true;
    if (port.at[0] != ':')
        return false;
    for (size_t i = 1; i < port.len; i++) {
        if (port.at[i] < '0' || port.at[i] > '9')
            return false;
        number = number * 10 + (uint32_t)(port.at[i] - '0');
        if (number > 65535)
            return false;
    }
    return number > 0;
}

/* "[::1]:8443": the brackets' content is hex, colons and dots. */
static bool
literal_is_good(struct x402_span authority)
{
    const char *end = memchr(authority.at, ']', authority.len);
    size_t len;

    if (end == NULL)
        return false;
    len = (size_t)(end - authority.at);
    for (size_t i = 1; i < len; i++) {
        if (!is_hex(authority.at[i]) && authority.at[i] != ':' &&
            authority.at[i] != '.')
            return false;
    }
    return len > 2 &&
           port_is_good((struct x402_span){end + 1, authority.len - len - 1});
}

static bool
authority_is_good(struct x402_span authority)
{
    const char *colon;
    size_t len = authority.len;

    if (authority.len == 0)
        return false;
    if (authority.at[0] == '[')
        return literal_is_good(authority);
    colon = memchr(authority.at, ':', authority.len);
    if (colon != NULL)
        len = (size_t)(colon - authority.at);
    return len > 0 && is_made_of((struct x402_span){authority.at, len}, "") &&
           port_is_good(
               (struct x402_span){authority.at + len, authority.len - len});
}

/* "The URL MUST be an absolute `http` or `https` URL in ASCII URI syntax,
 * including the query string, without a fragment or user information." */
enum x402_err
x402_lnbtc_check_url(struct x402_span url)
{
    size_t end = 0;

    if (url.len > X402_LNBTC_URL_MAX || !take_scheme(&url))
        return X402_ERR_LN_BINDING;
    while (end < url.len && url.at[end] != '/' && url.at[end] != '?')
        end++;
    if (!authority_is_good((struct x402_span){url.at, end}))
        return X402_ERR_LN_BINDING;
    return is_made_of((struct x402_span){url.at + end, url.len - end}, ":@/?")
               ? X402_OK
               : X402_ERR_LN_BINDING;
}
