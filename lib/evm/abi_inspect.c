/* SPDX-License-Identifier: Apache-2.0 */
/* The last look at calldata before it is signed.  Shares no code with the
 * writer, on purpose: a fault there must not hide itself here.  Only the exact
 * bytes that the writer should have made pass, read from front to back. */
#include <x402/abi.h>

#include <string.h>

#define WORD 32

/* Bytes not yet read.  After a fault `bad` stays set and reads give zeros, so
 * callers check once. */
struct cursor {
    const uint8_t *at;
    size_t left;
    bool bad;
};

static const uint8_t *
take(struct cursor *c, size_t len)
{
    static const uint8_t zeros[WORD];
    const uint8_t *at = c->at;

    if (c->bad || len > c->left) {
        c->bad = true;
        return len <= WORD ? zeros : NULL;
    }
    c->at += len;
    c->left -= len;
    return at;
}

static bool
all_zero(const uint8_t *at, size_t len)
{
    uint8_t any = 0;

    for (size_t i = 0; i < len; i++)
        any |= at[i];
    return any == 0;
}

static uint64_t
take_u64(struct cursor *c)
{
    const uint8_t *word = take(c, WORD);
    uint64_t value = 0;

    if (!all_zero(word, WORD - 8))
        c->bad = true;
    for (unsigned i = WORD - 8; i < WORD; i++)
        value = value << 8 | word[i];
    return value;
}

static void
take_this(struct cursor *c, uint64_t wanted)
{
    if (take_u64(c) != wanted)
        c->bad = true;
}

static void
take_address(struct x402_address *out, struct cursor *c)
{
    const uint8_t *word = take(c, WORD);

    if (!all_zero(word, 12))
        c->bad = true;
    memcpy(out->byte, word + 12, 20);
}

/* `bytes` of at most max: length, bytes, zeros to the end of the word. */
static struct cursor
take_bytes(struct cursor *c, uint64_t max)
{
    uint64_t len = take_u64(c);
    const uint8_t *at, *pad;
    size_t gap;

    if (c->bad || len > max || len > c->left) {
        c->bad = true;
        return (struct cursor){NULL, 0, true};
    }
    at = take(c, (size_t)len);
    gap = (WORD - (size_t)len % WORD) % WORD;
    pad = take(c, gap);
    if (!all_zero(pad, gap))
        c->bad = true;
    return (struct cursor){at, (size_t)len, c->bad};
}

static void
take_authorization(struct x402_authorization *out, struct cursor *c)
{
    take_address(&out->from, c);
    take_address(&out->to, c);
    x402_amount_from_be32(&out->value, take(c, WORD));
    out->valid_after_s = take_u64(c);
    out->valid_before_s = take_u64(c);
    memcpy(out->nonce, take(c, WORD), WORD);
}

static void
take_vrs(struct cursor *c)
{
    uint64_t v = take_u64(c);

    if (v != 27 && v != 28)
        c->bad = true;
    take(c, WORD);
    take(c, WORD);
}

/* One transferWithAuthorization, all of the cursor. */
static bool
read_transfer(struct x402_authorization *out, struct cursor *c)
{
    const uint8_t *selector = take(c, 4);

    if (memcmp(selector, "\xe3\xee\x16\x0e", 4) == 0) {
        take_authorization(out, c);
        take_vrs(c);
    } else if (memcmp(selector, "\xcf\x09\x29\x95", 4) == 0) {
        take_authorization(out, c);
        take_this(c, 7 * WORD);
        /* 65 bytes go through the other overload, always. */
        if (take_bytes(c, X402_SIGNATURE_MAX).left == 65)
            return false;
    } else {
        return false;
    }
    return !c->bad && c->left == 0;
}

/* One (address target, bool allowFailure, bytes callData). */
static bool
read_call(struct x402_abi_seen *out, struct cursor *c)
{
    struct cursor inner;

    take_address(&out->token, c);
    if (take_u64(c) > 1)
        return false;
    take_this(c, 3 * WORD);
    inner = take_bytes(c, X402_ABI_TRANSFER_MAX);
    return !c->bad && read_transfer(&out->auth, &inner);
}

static enum x402_err
read_aggregate3(struct x402_abi_seen *out, size_t *out_len, size_t cap,
                struct cursor c)
{
    struct cursor offsets;
    uint64_t count;
    size_t base;

    take_this(&c, WORD);
    count = take_u64(&c);
    if (c.bad || count > c.left / WORD)
        return X402_ERR_SYNTAX;
    if (count > cap)
        return X402_ERR_TOO_LARGE;
    base = c.left;
    offsets = (struct cursor){c.at, (size_t)count * WORD, false};
    take(&c, (size_t)count * WORD);
    for (size_t i = 0; i < count; i++) {
        take_this(&offsets, base - c.left);
        if (offsets.bad || !read_call(&out[i], &c))
            return X402_ERR_SYNTAX;
    }
    if (c.bad || c.left != 0)
        return X402_ERR_SYNTAX;
    *out_len = (size_t)count;
    return X402_OK;
}

static enum x402_err
read_single(struct x402_abi_seen *out, size_t *out_len, size_t cap,
            struct cursor c)
{
    struct x402_abi_seen seen = {.token = {{0}}};

    if (!read_transfer(&seen.auth, &c))
        return X402_ERR_SYNTAX;
    if (cap == 0)
        return X402_ERR_TOO_LARGE;
    out[0] = seen;
    *out_len = 1;
    return X402_OK;
}

enum x402_err
x402_abi_inspect(struct x402_abi_seen *out, size_t *out_len, size_t cap,
                 const uint8_t *data, size_t data_len)
{
    struct cursor c = {data, data_len, false};

    if (data_len >= 4 && memcmp(data, "\x82\xad\x56\xcb", 4) == 0) {
        take(&c, 4);
        return read_aggregate3(out, out_len, cap, c);
    }
    return read_single(out, out_len, cap, c);
}
