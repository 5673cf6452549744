/* SPDX-License-Identifier: Apache-2.0 */
/* Hex as Ethereum writes it: "0x", two digits a byte, any case read, lower case
 * written.  Lightning leaves the "0x" out and reads lower case only. */
#include <x402/encode.h>

#include <stdbool.h>

static int
nibble_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* "0x", then an even number of hex digits and nothing else. */
static bool
is_hex(struct x402_span text)
{
    if (text.len < 2 || text.len % 2 != 0)
        return false;
    if (text.at[0] != '0' || text.at[1] != 'x')
        return false;
    for (size_t i = 2; i < text.len; i++) {
        if (nibble_of(text.at[i]) < 0)
            return false;
    }
    return true;
}

static void
read_bytes(uint8_t *out, size_t len, const char *digits)
{
    for (size_t i = 0; i < len; i++) {
        int high = nibble_of(digits[2 * i]);
        int low = nibble_of(digits[2 * i + 1]);

        out[i] = (uint8_t)(high << 4 | low);
    }
}

enum x402_err
x402_hex_decode(uint8_t *out, size_t len, struct x402_span text)
{
    /* Length first: a long text costs nothing. */
    if (text.len < 2 || text.len % 2 != 0 || (text.len - 2) / 2 != len)
        return X402_ERR_SYNTAX;
    if (!is_hex(text))
        return X402_ERR_SYNTAX;
    read_bytes(out, len, text.at + 2);
    return X402_OK;
}

enum x402_err
x402_hex_decode_bare(uint8_t *out, size_t len, struct x402_span text)
{
    if (text.len % 2 != 0 || text.len / 2 != len)
        return X402_ERR_SYNTAX;
    for (size_t i = 0; i < text.len; i++) {
        if (nibble_of(text.at[i]) < 0 ||
            (text.at[i] >= 'A' && text.at[i] <= 'F'))
            return X402_ERR_SYNTAX;
    }
    read_bytes(out, len, text.at);
    return X402_OK;
}

enum x402_err
x402_hex_decode_any(uint8_t *out, size_t *len, size_t cap,
                    struct x402_span text)
{
    size_t n;

    if (text.len < 2 || text.len % 2 != 0)
        return X402_ERR_SYNTAX;
    n = (text.len - 2) / 2;
    if (n > cap)
        return X402_ERR_TOO_LARGE;
    if (!is_hex(text))
        return X402_ERR_SYNTAX;
    read_bytes(out, n, text.at + 2);
    *len = n;
    return X402_OK;
}

void
x402_hex_encode(char *out, const uint8_t *bytes, size_t len)
{
    static const char digit[] = "0123456789abcdef";

    out[0] = '0';
    out[1] = 'x';
    for (size_t i = 0; i < len; i++) {
        out[2 + 2 * i] = digit[bytes[i] >> 4];
        out[3 + 2 * i] = digit[bytes[i] & 15];
    }
    out[2 + 2 * len] = '\0';
}
