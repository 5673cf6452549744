/* SPDX-License-Identifier: Apache-2.0 */
/* Bech32, BIP 173. */
#include "bech32.h"

static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/* One step of the checksum's polynomial. */
static uint32_t
step(uint32_t sum, uint8_t value)
{
    static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa,
                                         0x3d4233dd, 0x2a1462b3};
    uint32_t top = sum >> 25;

    sum = (sum & 0x1ffffff) << 5 ^ value;
    for (int i = 0; i < 5; i++)
        sum ^= top >> i & 1 ? generator[i] : 0;
    return sum;
}

/* BIP 173: "the expansion of the human-readable part": high bits, a zero, low
 * bits; then the data. */
static uint32_t
checksum(const struct bech32 *in)
{
    uint32_t sum = 1;

    for (size_t i = 0; i < in->hrp_len; i++)
        sum = step(sum, (uint8_t)in->hrp[i] >> 5);
    sum = step(sum, 0);
    for (size_t i = 0; i < in->hrp_len; i++)
        sum = step(sum, in->hrp[i] & 31);
    for (size_t i = 0; i < in->len; i++)
        sum = step(sum, in->five[i]);
    return sum;
}

/* "Decoders MUST NOT accept strings where some characters are uppercase and
 * some are lowercase"; "characters [...] in the range 33-126". */
static bool
has_one_case(struct x402_span text)
{
    bool upper = false, lower = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (c < 33 || c > 126)
            return false;
        upper |= c >= 'A' && c <= 'Z';
        lower |= c >= 'a' && c <= 'z';
    }
    return !(upper && lower);
}

static char
lower_of(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* "The separator, which is always "1" [...] is the last one in the string". */
static size_t
separator(struct x402_span text)
{
    size_t at = text.len;

    while (at > 0 && text.at[at - 1] != '1')
        at--;
    return at == 0 ? text.len : at - 1;
}

static bool
read_data(struct bech32 *out, struct x402_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char *at = memchr(alphabet, lower_of(text.at[i]), 32);

        if (at == NULL)
            return false;
        out->five[i] = (uint8_t)(at - alphabet);
    }
    out->len = text.len;
    return true;
}

enum x402_err
bech32_decode(struct bech32 *out, struct x402_span text)
{
    size_t split;

    if (text.len > X402_BOLT11_MAX)
        return X402_ERR_TOO_LARGE;
    if (!has_one_case(text))
        return X402_ERR_SYNTAX;
    split = separator(text);
    if (split == 0 || split + 1 + BECH32_CHECKSUM > text.len)
        return X402_ERR_SYNTAX;
    for (size_t i = 0; i < split; i++)
        out->hrp[i] = lower_of(text.at[i]);
    out->hrp_len = split;
    if (!read_data(
            out, (struct x402_span){text.at + split + 1, text.len - split - 1}))
        return X402_ERR_SYNTAX;
    if (checksum(out) != 1)
        return X402_ERR_SYNTAX;
    out->len -= BECH32_CHECKSUM;
    return X402_OK;
}

void
bech32_encode(struct x402_buf *buf, const struct bech32 *in)
{
    uint32_t sum = checksum(in);

    for (int i = 0; i < BECH32_CHECKSUM; i++)
        sum = step(sum, 0);
    sum ^= 1;
    x402_buf_add(buf, (struct x402_span){in->hrp, in->hrp_len});
    x402_buf_char(buf, '1');
    for (size_t i = 0; i < in->len; i++)
        x402_buf_char(buf, alphabet[in->five[i]]);
    for (int i = BECH32_CHECKSUM - 1; i >= 0; i--)
        x402_buf_char(buf, alphabet[sum >> 5 * i & 31]);
}

/* Whole bytes out of groups; *rest keeps the bits left over, *left how many. */
static size_t
pack(uint8_t *out, uint32_t *rest, unsigned *left, const uint8_t *five,
     size_t len)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        bits = bits << 5 | five[i];
        have += 5;
        if (have >= 8) {
            have -= 8;
            out[n++] = (uint8_t)(bits >> have);
            bits &= (1u << have) - 1;
        }
    }
    *rest = bits;
    *left = have;
    return n;
}

bool
five_to_bytes(uint8_t *out, const uint8_t *five, size_t len)
{
    uint32_t rest;
    unsigned left;

    pack(out, &rest, &left, five, len);
    return left < 5 && rest == 0;
}

size_t
five_to_bytes_padded(uint8_t *out, const uint8_t *five, size_t len)
{
    uint32_t rest;
    unsigned left;
    size_t n = pack(out, &rest, &left, five, len);

    if (left > 0)
        out[n++] = (uint8_t)(rest << (8 - left));
    return n;
}

size_t
five_from_bytes(uint8_t *five, const uint8_t *bytes, size_t len)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        bits = (bits << 8 | bytes[i]) & 0xfff;
        have += 8;
        while (have >= 5) {
            have -= 5;
            five[n++] = bits >> have & 31;
        }
    }
    if (have > 0)
        five[n++] = (uint8_t)(bits << (5 - have) & 31);
    return n;
}

uint64_t
five_number(const uint8_t *five, size_t len)
{
    uint64_t value = 0;

    for (size_t i = 0; i < len; i++)
        value = value << 5 | five[i];
    return value;
}
