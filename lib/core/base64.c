/* SPDX-License-Identifier: Apache-2.0 */
/* Standard base64, one text per value: what is not canonical is refused, so
 * that two headers with the same bytes look the same. */
#include <x402/encode.h>

#include <stdbool.h>
#include <string.h>

#include "../mutant.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* A table, since every payment comes through here and branches on random text
 * are guessed wrong.  Six bits, or NO for a character that is not one of ours.
 */
#define NO 0x40
/* clang-format off */
static const uint8_t values[256] = {
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, 62, NO, NO, NO, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, NO, NO, NO, NO, NO, NO,
    NO,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO, NO, NO, NO, NO,
    NO, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
};
/* clang-format on */

/* Take the padding off.  It is either complete or absent. */
static enum x402_err
strip_padding(struct x402_span *text)
{
    size_t pad = 0;

    while (pad < 2 && pad < text->len && text->at[text->len - 1 - pad] == '=')
        pad++;
    if (pad > 0 && text->len % 4 != 0)
        return X402_ERR_SYNTAX;
    text->len -= pad;
    /* One character holds six bits: never a byte. */
    return text->len % 4 == 1 ? X402_ERR_SYNTAX : X402_OK;
}

/* Four characters as 24 bits, the first one highest.  NO shows in *seen when
 * one of them is none of the alphabet: once for a whole text, without a branch.
 */
static inline uint32_t
bits_of(const char at[4], uint8_t *seen)
{
    uint8_t a = values[(uint8_t)at[0]], b = values[(uint8_t)at[1]],
            c = values[(uint8_t)at[2]], d = values[(uint8_t)at[3]];

    *seen |= a | b | c | d;
    return (uint32_t)a << 18 | (uint32_t)b << 12 | (uint32_t)c << 6 | d;
}

/* RFC 4648, section 3.5: "The padding step in base 64 and base 32 encoding can,
 * if improperly implemented, lead to non-significant alterations of the encoded
 * data."  So bits beyond the last byte must be zero. */
static bool
has_trailing_bits(uint32_t bits, size_t n)
{
    return (bits & (n == 2 ? 0xffff : 0xff)) != 0;
}

/* The two or three characters after the last four: one or two bytes. */
static enum x402_err
decode_rest(uint8_t *out, const char *at, size_t n, uint8_t *seen)
{
    char four[4] = {'A', 'A', 'A', 'A'};
    uint32_t bits;

    memcpy(four, at, n);
    bits = bits_of(four, seen);
    out[0] = (uint8_t)(bits >> 16);
    if (n == 3)
        out[1] = (uint8_t)(bits >> 8);
    return has_trailing_bits(bits, n) && !mutant("base64_bits")
               ? X402_ERR_SYNTAX
               : X402_OK;
}

enum x402_err
x402_base64_decode(uint8_t *out, size_t *len, size_t cap, struct x402_span text)
{
    enum x402_err err = strip_padding(&text);
    size_t rest = text.len % 4, whole = text.len - rest;
    size_t total = whole / 4 * 3 + (rest > 0 ? rest - 1 : 0);
    uint8_t seen = 0;

    if (err != X402_OK)
        return err;
    if (total > cap)
        return X402_ERR_TOO_LARGE;
    for (size_t i = 0; i < whole; i += 4, out += 3) {
        uint32_t bits = bits_of(text.at + i, &seen);

        out[0] = (uint8_t)(bits >> 16);
        out[1] = (uint8_t)(bits >> 8);
        out[2] = (uint8_t)bits;
    }
    if (rest > 0)
        err = decode_rest(out, text.at + whole, rest, &seen);
    *len = total;
    return seen & NO ? X402_ERR_SYNTAX : err;
}

size_t
x402_base64_encode(char *out, const uint8_t *bytes, size_t len)
{
    size_t at = 0;

    for (size_t i = 0; i < len; i += 3) {
        size_t n = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)bytes[i] << 16;

        if (n > 1)
            bits |= (uint32_t)bytes[i + 1] << 8;
        if (n > 2)
            bits |= bytes[i + 2];
        out[at++] = alphabet[bits >> 18];
        out[at++] = alphabet[bits >> 12 & 63];
        out[at++] = n > 1 ? alphabet[bits >> 6 & 63] : '=';
        out[at++] = n > 2 ? alphabet[bits & 63] : '=';
    }
    return at;
}
