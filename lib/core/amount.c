/* SPDX-License-Identifier: Apache-2.0 */
/* 256-bit unsigned arithmetic, exact or refused: money never wraps around. */
#include <x402/amount.h>

#include <endian.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

struct x402_amount
x402_amount_of(uint64_t value)
{
    return (struct x402_amount){{value, 0, 0, 0}};
}

bool
x402_amount_u64(uint64_t *out, const struct x402_amount *amount)
{
    if ((amount->limb[1] | amount->limb[2] | amount->limb[3]) != 0)
        return false;
    *out = amount->limb[0];
    return true;
}

void
x402_amount_to_be32(uint8_t out32[32], const struct x402_amount *amount)
{
    for (unsigned i = 0; i < 4; i++) {
        uint64_t be = htobe64(amount->limb[3 - i]);

        memcpy(out32 + 8 * i, &be, sizeof be);
    }
}

void
x402_amount_from_be32(struct x402_amount *out, const uint8_t in32[32])
{
    for (unsigned i = 0; i < 4; i++) {
        uint64_t be;

        memcpy(&be, in32 + 8 * i, sizeof be);
        out->limb[3 - i] = be64toh(be);
    }
}

int
x402_amount_cmp(const struct x402_amount *a, const struct x402_amount *b)
{
    for (int i = 3; i >= 0; i--) {
        if (a->limb[i] != b->limb[i])
            return a->limb[i] < b->limb[i] ? -1 : 1;
    }
    return 0;
}

bool
x402_amount_is_zero(const struct x402_amount *amount)
{
    return (amount->limb[0] | amount->limb[1] | amount->limb[2] |
            amount->limb[3]) == 0;
}

bool
x402_amount_add(struct x402_amount *out, const struct x402_amount *a,
                const struct x402_amount *b)
{
    struct x402_amount sum;
    u128 carry = 0;

    for (int i = 0; i < 4; i++) {
        carry += (u128)a->limb[i] + b->limb[i];
        sum.limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    if (carry != 0)
        return false;
    *out = sum;
    return true;
}

bool
x402_amount_sub(struct x402_amount *out, const struct x402_amount *a,
                const struct x402_amount *b)
{
    struct x402_amount rest;
    uint64_t borrow = 0;

    if (x402_amount_cmp(a, b) < 0)
        return false;
    for (int i = 0; i < 4; i++) {
        u128 diff = (u128)a->limb[i] - b->limb[i] - borrow;

        rest.limb[i] = (uint64_t)diff;
        borrow = (uint64_t)(diff >> 64) & 1;
    }
    *out = rest;
    return true;
}

bool
x402_amount_mul_u64(struct x402_amount *out, const struct x402_amount *a,
                    uint64_t b)
{
    struct x402_amount product;
    u128 carry = 0;

    for (int i = 0; i < 4; i++) {
        carry += (u128)a->limb[i] * b;
        product.limb[i] = (uint64_t)carry;
        carry >>= 64;
    }
    if (carry != 0)
        return false;
    *out = product;
    return true;
}

uint64_t
x402_amount_div_u64(struct x402_amount *out, const struct x402_amount *a,
                    uint64_t by)
{
    u128 rest = 0;

    for (int i = 3; i >= 0; i--) {
        rest = rest << 64 | a->limb[i];
        out->limb[i] = (uint64_t)(rest / by);
        rest %= by;
    }
    return (uint64_t)rest;
}
