/* SPDX-License-Identifier: Apache-2.0 */
/* The URL-safe base64, read and written through the standard one. */
#include <x402/encode.h>

/* The same character of the standard alphabet; '=' for one that has no place
 * here, which the standard decoder refuses inside a text. */
static char
standard_of(char c)
{
    if (c == '-')
        return '+';
    if (c == '_')
        return '/';
    return c == '+' || c == '/' ? '=' : c;
}

/* Complete padding goes; what is left of a partial one is refused later. */
static struct x402_span
without_padding(struct x402_span text)
{
    for (int i = 0; i < 2 && text.len % 4 != 1; i++) {
        if ((text.len + (size_t)i) % 4 != 0 || text.len == 0 ||
            text.at[text.len - 1] != '=')
            break;
        text.len--;
    }
    return text;
}

enum x402_err
x402_base64url_decode(uint8_t *out, size_t *len, size_t cap,
                      struct x402_span text)
{
    size_t used = 0;

    text = without_padding(text);
    if (text.len / 4 * 3 > cap)
        return X402_ERR_TOO_LARGE;
    for (size_t i = 0; i < text.len; i += 4) {
        size_t n = text.len - i < 4 ? text.len - i : 4, got;
        char four[4];
        enum x402_err err;

        for (size_t k = 0; k < n; k++) {
            four[k] = standard_of(text.at[i + k]);
            if (four[k] == '=')
                return X402_ERR_SYNTAX;
        }
        err = x402_base64_decode(out + used, &got, cap - used,
                                 (struct x402_span){four, n});
        if (err != X402_OK)
            return err;
        used += got;
    }
    *len = used;
    return X402_OK;
}

size_t
x402_base64url_encode(char *out, const uint8_t *bytes, size_t len)
{
    size_t n = x402_base64_encode(out, bytes, len);

    while (n > 0 && out[n - 1] == '=')
        n--;
    for (size_t i = 0; i < n; i++) {
        if (out[i] == '+')
            out[i] = '-';
        else if (out[i] == '/')
            out[i] = '_';
    }
    return n;
}
