/* SPDX-License-Identifier: Apache-2.0 */
/* Hex as Ethereum writes it: "0x", two digits a byte, any case read, lower case
 * written.  Lightning leaves the "0x" out and reads lower case only. */
#include <x402/encode.h>

#include <stdbool.h>

/* 16 + the value of a digit, or 0: in a table, because answers of nodes are
 * thousands of digits. */
static const uint8_t nibble[256] = {
    ['0'] = 0x10, ['1'] = 0x11, ['2'] = 0x12, ['3'] = 0x13, ['4'] = 0x14,
    ['5'] = 0x15, ['6'] = 0x16, ['7'] = 0x17, ['8'] = 0x18, ['9'] = 0x19,
    ['a'] = 0x1a, ['b'] = 0x1b, ['c'] = 0x1c, ['d'] = 0x1d, ['e'] = 0x1e,
    ['f'] = 0x1f, ['A'] = 0x1a, ['B'] = 0x1b, ['C'] = 0x1c, ['D'] = 0x1d,
    ['E'] = 0x1e, ['F'] = 0x1f,
};

/* "0x", then an even number of hex digits and nothing else. */
static bool
is_hex(struct x402_span text)
{
    uint8_t all = 0x10;

    if (text.len < 2 || text.len % 2 != 0)
        return false;
    if (text.at[0] != '0' || text.at[1] != 'x')
        return false;
    for (size_t i = 2; i < text.len; i++)
        all &= nibble[(uint8_t)text.at[i]];
    return all != 0;
}

static void
read_bytes(uint8_t *out, size_t len, const char *digits)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(nibble[(uint8_t)digits[2 * i]] << 4 |
                           (nibble[(uint8_t)digits[2 * i + 1]] & 15));
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
        if (nibble[(uint8_t)text.at[i]] == 0 ||
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
