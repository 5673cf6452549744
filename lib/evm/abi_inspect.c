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

static uint64_t
take_u64(struct cursor *c)
{
    const uint8_t *word = take(c, WORD);
    uint64_t value = 0;

    if (!x402_all_zero(word, WORD - 8))
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

    if (!x402_all_zero(word, 12))
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
    if (!x402_all_zero(pad, gap))
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

/* One of the proxies' four calls. */
struct shape {
    const char *selector;
    enum x402_method method;
    bool with_permit;
    unsigned head_words; /* where the signature begins */
};
static const struct shape shapes[] = {
    /* settle(((address,uint256),uint256,uint256),address,(address,uint256),
     * bytes) */
    {"\x13\xcd\x3b\x53", X402_METHOD_PERMIT2_EXACT, false, 8},
    {"\xfa\x34\x03\x78", X402_METHOD_PERMIT2_EXACT, true, 13},
    /* settle(((address,uint256),uint256,uint256),uint256,address,(address,
     * address,uint256),bytes) */
    {"\xff\x11\xe7\xb4", X402_METHOD_PERMIT2_UPTO, false, 10},
    {"\x01\x6c\x17\x48", X402_METHOD_PERMIT2_UPTO, true, 15},
};

static const struct shape *
shape_of(const uint8_t *selector)
{
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        if (memcmp(selector, shapes[i].selector, 4) == 0)
            return &shapes[i];
    }
    return NULL;
}

/* value, deadline, r, s, v: only the value is ours to compare. */
static void
take_permit(struct x402_amount *value, struct cursor *c)
{
    x402_amount_from_be32(value, take(c, WORD));
    take(c, WORD);
    take(c, WORD);
    take(c, WORD);
    if (take_u64(c) > 255)
        c->bad = true;
}

static bool
read_settle(struct x402_abi_seen *out, const struct shape *shape,
            struct cursor *c)
{
    struct x402_amount value;

    out->method = shape->method;
    out->with_permit = shape->with_permit;
    if (shape->with_permit)
        take_permit(&value, c);
    take_address(&out->token, c);
    x402_amount_from_be32(&out->auth.value, take(c, WORD));
    memcpy(out->auth.nonce, take(c, WORD), WORD);
    out->auth.valid_before_s = take_u64(c);
    out->charge = out->auth.value;
    if (shape->method == X402_METHOD_PERMIT2_UPTO)
        x402_amount_from_be32(&out->charge, take(c, WORD));
    take_address(&out->auth.from, c);
    take_address(&out->auth.to, c);
    if (shape->method == X402_METHOD_PERMIT2_UPTO)
        take_address(&out->facilitator, c);
    out->auth.valid_after_s = take_u64(c);
    take_this(c, shape->head_words * WORD);
    (void)take_bytes(c, X402_SIGNATURE_MAX);
    return !c->bad && c->left == 0 &&
           x402_amount_cmp(&out->charge, &out->auth.value) <= 0 &&
           (!shape->with_permit ||
            x402_amount_cmp(&value, &out->auth.value) == 0);
}

/* One transferWithAuthorization or settle, all of the cursor. */
static bool
read_transfer(struct x402_abi_seen *out, struct cursor *c)
{
    const uint8_t *selector = take(c, 4);
    const struct shape *shape = shape_of(selector);
    struct cursor signature;

    if (shape != NULL)
        return read_settle(out, shape, c);
    if (memcmp(selector, "\xe3\xee\x16\x0e", 4) == 0) {
        take_authorization(&out->auth, c);
        take_vrs(c);
    } else if (memcmp(selector, "\xcf\x09\x29\x95", 4) == 0) {
        take_authorization(&out->auth, c);
        take_this(c, 7 * WORD);
        signature = take_bytes(c, X402_SIGNATURE_MAX);
        /* An account's go through the other overload, always. */
        if (signature.left == 65 &&
            (signature.at[64] == 27 || signature.at[64] == 28))
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

    memset(out, 0, sizeof *out);
    take_address(&out->target, c);
    if (take_u64(c) > 1)
        return false;
    take_this(c, 3 * WORD);
    inner = take_bytes(c, X402_ABI_SETTLE_MAX);
    return !c->bad && read_transfer(out, &inner);
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
    struct x402_abi_seen seen = {.target = {{0}}};

    if (!read_transfer(&seen, &c))
        return X402_ERR_SYNTAX;
    if (cap == 0)
        return X402_ERR_TOO_LARGE;
    out[0] = seen;
    *out_len = 1;
    return X402_OK;
}

/* (factory, allowFailure = true, calldata) */
static bool
read_factory_call(struct x402_abi_deploy *out, struct cursor *c)
{
    struct cursor inner;

    take_address(&out->factory, c);
    take_this(c, true);
    take_this(c, 3 * WORD);
    inner = take_bytes(c, X402_SIGNATURE_MAX);
    out->calldata = inner.at;
    out->calldata_len = inner.left;
    return !c->bad;
}

/* (token, allowFailure = false, transferWithAuthorization) */
static bool
read_deployed_transfer(struct x402_abi_seen *out, struct cursor *c)
{
    struct cursor inner;

    memset(out, 0, sizeof *out);
    take_address(&out->target, c);
    take_this(c, false);
    take_this(c, 3 * WORD);
    inner = take_bytes(c, X402_ABI_TRANSFER_MAX);
    return !c->bad && read_transfer(out, &inner) &&
           out->method == X402_METHOD_EIP3009;
}

enum x402_err
x402_abi_inspect_deploy(struct x402_abi_deploy *out, const uint8_t *data,
                        size_t data_len)
{
    struct cursor c = {data, data_len, false};
    struct cursor offsets;
    size_t base;

    if (memcmp(take(&c, 4), "\x82\xad\x56\xcb", 4) != 0)
        return X402_ERR_SYNTAX;
    take_this(&c, WORD);
    take_this(&c, 2);
    base = c.left;
    offsets = (struct cursor){c.at, 2 * WORD, c.bad || c.left < 2 * WORD};
    take(&c, WORD);
    take(&c, WORD);
    take_this(&offsets, base - c.left);
    if (offsets.bad || !read_factory_call(out, &c))
        return X402_ERR_SYNTAX;
    take_this(&offsets, base - c.left);
    if (offsets.bad || !read_deployed_transfer(&out->transfer, &c) ||
        c.left != 0)
        return X402_ERR_SYNTAX;
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
