/* SPDX-License-Identifier: Apache-2.0 */
/* RLP (Ethereum yellow paper, appendix B).  One value has one encoding here:
 * the reader refuses what the writer would not have written. */
#include <x402/rlp.h>

#include <string.h>

#include "../mutant.h"

/* Lengths up to this stand in the first byte. */
#define SHORT_MAX 55

#define STRING_SHORT 0x80
#define STRING_LONG 0xb7
#define LIST_SHORT 0xc0
#define LIST_LONG 0xf7

static void
put(struct x402_rlp_writer *w, const uint8_t *bytes, size_t len)
{
    if (w->full || len > w->start) {
        w->full = true;
        return;
    }
    w->start -= len;
    if (len > 0)
        memcpy(w->at + w->start, bytes, len);
}

/* Big-endian without leading zeros: zero is the empty string. */
static void
put_minimal(struct x402_rlp_writer *w, const uint8_t *bytes, size_t len)
{
    while (len > 0 && bytes[0] == 0 && !mutant("rlp_zeros")) {
        bytes++;
        len--;
    }
    x402_rlp_bytes(w, bytes, len);
}

/* The header of a payload that stands at the writer's start. */
static void
put_header(struct x402_rlp_writer *w, size_t len, uint8_t short_base,
           uint8_t long_base)
{
    uint8_t header[1 + sizeof len];
    size_t n = 0;

    if (len <= SHORT_MAX) {
        header[0] = (uint8_t)(short_base + len);
        put(w, header, 1);
        return;
    }
    for (size_t rest = len; rest > 0; rest >>= 8)
        n++;
    header[0] = (uint8_t)(long_base + n);
    for (size_t i = 0; i < n; i++)
        header[n - i] = (uint8_t)(len >> (8 * i));
    put(w, header, 1 + n);
}

void
x402_rlp_bytes(struct x402_rlp_writer *w, const uint8_t *bytes, size_t len)
{
    put(w, bytes, len);
    /* "If the byte-array contains solely a single byte and that single byte is
     * less than 128, then the input is exactly equal to the output." */
    if (len == 1 && bytes[0] < 0x80)
        return;
    put_header(w, len, STRING_SHORT, STRING_LONG);
}

void
x402_rlp_u64(struct x402_rlp_writer *w, uint64_t value)
{
    struct x402_amount amount = x402_amount_of(value);

    x402_rlp_amount(w, &amount);
}

void
x402_rlp_amount(struct x402_rlp_writer *w, const struct x402_amount *value)
{
    uint8_t word[32];

    x402_amount_to_be32(word, value);
    put_minimal(w, word, sizeof word);
}

void
x402_rlp_list(struct x402_rlp_writer *w, size_t end)
{
    if (!w->full)
        put_header(w, end - w->start, LIST_SHORT, LIST_LONG);
}

/* Read n length bytes: no leading zero, and only what a short header could not
 * have said. */
static enum x402_err
read_long(size_t *len, const uint8_t *at, size_t n, size_t left)
{
    size_t value = 0;

    if (n > left || n > sizeof value || at[0] == 0)
        return X402_ERR_SYNTAX;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | at[i];
    if (value <= SHORT_MAX || value > left - n)
        return X402_ERR_SYNTAX;
    *len = value;
    return X402_OK;
}

/* Header of a string or list whose short form begins at `base`: how many bytes
 * the header takes, and how long the payload is. */
static enum x402_err
read_header(size_t *header, size_t *payload, const uint8_t *in, size_t len,
            uint8_t base)
{
    size_t code = (size_t)in[0] - base;

    if (code <= SHORT_MAX) {
        *header = 1;
        *payload = code;
        return code <= len - 1 ? X402_OK : X402_ERR_SYNTAX;
    }
    *header = 1 + code - SHORT_MAX;
    return read_long(payload, in + 1, code - SHORT_MAX, len - 1);
}

enum x402_err
x402_rlp_read(struct x402_rlp_item *out, const uint8_t **in, size_t *len)
{
    const uint8_t *at = *in;
    size_t header = 0, payload = 1;
    bool list;
    enum x402_err err;

    if (*len == 0)
        return X402_ERR_SYNTAX;
    list = at[0] >= LIST_SHORT;
    if (at[0] >= STRING_SHORT) {
        err = read_header(&header, &payload, at, *len,
                          list ? LIST_SHORT : STRING_SHORT);
        if (err != X402_OK)
            return err;
        /* A byte below 0x80 is its own encoding. */
        if (!list && header == 1 && payload == 1 && at[1] < 0x80)
            return X402_ERR_SYNTAX;
    }
    *out = (struct x402_rlp_item){list, at + header, payload};
    *in = at + header + payload;
    *len -= header + payload;
    return X402_OK;
}
