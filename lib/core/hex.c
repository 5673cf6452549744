/* SPDX-License-Identifier: Apache-2.0 */
/* Hex as Ethereum writes it: "0x", two digits a byte, any case read, lower case
 * written.  Lightning leaves the "0x" out and reads lower case only. */
#include <x402/encode.h>

#include <stdbool.h>
#include <string.h>

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

/* "000102...ff": two digits at a time. */
/* clang-format off */
#define SIXTEEN(h)                                                             \
    h "0" h "1" h "2" h "3" h "4" h "5" h "6" h "7"                            \
    h "8" h "9" h "a" h "b" h "c" h "d" h "e" h "f"
static const char digits[] =
    SIXTEEN("0") SIXTEEN("1") SIXTEEN("2") SIXTEEN("3")
    SIXTEEN("4") SIXTEEN("5") SIXTEEN("6") SIXTEEN("7")
    SIXTEEN("8") SIXTEEN("9") SIXTEEN("a") SIXTEEN("b")
    SIXTEEN("c") SIXTEEN("d") SIXTEEN("e") SIXTEEN("f");
/* clang-format on */

void
x402_hex_encode_bare(char *out, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        memcpy(out + 2 * i, digits + 2 * (size_t)bytes[i], 2);
}

void
x402_hex_encode(char *out, const uint8_t *bytes, size_t len)
{
    out[0] = '0';
    out[1] = 'x';
    x402_hex_encode_bare(out + 2, bytes, len);
    out[2 + 2 * len] = '\0';
}
