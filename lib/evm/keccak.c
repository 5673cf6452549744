/* SPDX-License-Identifier: Apache-2.0 */
/* Keccak-256, the hash of Ethereum.  OpenSSL 3.0 has only SHA3-256, which pads
 * with another byte, so the sponge is here: rate 136 bytes, capacity 64. */
#include <x402/keccak.h>

#include <endian.h>
#include <string.h>

#include "../mutant.h"

#define RATE 136
#define ROUNDS 24

static const uint64_t round_constants[ROUNDS] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a,
    0x8000000080008000, 0x000000000000808b, 0x0000000080000001,
    0x8000000080008081, 0x8000000000008009, 0x000000000000008a,
    0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
    0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080,
    0x000000000000800a, 0x800000008000000a, 0x8000000080008081,
    0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

/* Lanes are numbered x + 5 y.  A round goes from one array into another, a row
 * at a time, so that what is in work fits into the machine's registers, and is
 * written out, because the compilers do not unroll it by themselves: a payment
 * costs about fifteen permutations in all. */

static inline uint64_t
rotate(uint64_t lane, unsigned by)
{
    return lane << by | lane >> (64 - by);
}

static inline void
chi(uint64_t row[5], uint64_t b0, uint64_t b1, uint64_t b2, uint64_t b3,
    uint64_t b4)
{
    row[0] = b0 ^ (~b1 & b2);
    row[1] = b1 ^ (~b2 & b3);
    row[2] = b2 ^ (~b3 & b4);
    row[3] = b3 ^ (~b4 & b0);
    row[4] = b4 ^ (~b0 & b1);
}

/* Theta mixes columns (d), rho rotates each lane, pi moves it, chi mixes rows,
 * iota adds the constant. */
static inline __attribute__((always_inline)) void
one_round(uint64_t out[25], const uint64_t a[25], uint64_t constant)
{
    uint64_t c0 = a[0] ^ a[5] ^ a[10] ^ a[15] ^ a[20];
    uint64_t c1 = a[1] ^ a[6] ^ a[11] ^ a[16] ^ a[21];
    uint64_t c2 = a[2] ^ a[7] ^ a[12] ^ a[17] ^ a[22];
    uint64_t c3 = a[3] ^ a[8] ^ a[13] ^ a[18] ^ a[23];
    uint64_t c4 = a[4] ^ a[9] ^ a[14] ^ a[19] ^ a[24];
    uint64_t d0 = c4 ^ rotate(c1, 1);
    uint64_t d1 = c0 ^ rotate(c2, 1);
    uint64_t d2 = c1 ^ rotate(c3, 1);
    uint64_t d3 = c2 ^ rotate(c4, 1);
    uint64_t d4 = c3 ^ rotate(c0, 1);

    chi(out, a[0] ^ d0, rotate(a[6] ^ d1, 44), rotate(a[12] ^ d2, 43),
        rotate(a[18] ^ d3, 21), rotate(a[24] ^ d4, 14));
    out[0] ^= constant;
    chi(out + 5, rotate(a[3] ^ d3, 28), rotate(a[9] ^ d4, 20),
        rotate(a[10] ^ d0, 3), rotate(a[16] ^ d1, 45), rotate(a[22] ^ d2, 61));
    chi(out + 10, rotate(a[1] ^ d1, 1), rotate(a[7] ^ d2, 6),
        rotate(a[13] ^ d3, 25), rotate(a[19] ^ d4, 8), rotate(a[20] ^ d0, 18));
    chi(out + 15, rotate(a[4] ^ d4, 27), rotate(a[5] ^ d0, 36),
        rotate(a[11] ^ d1, 10), rotate(a[17] ^ d2, 15), rotate(a[23] ^ d3, 56));
    chi(out + 20, rotate(a[2] ^ d2, 62), rotate(a[8] ^ d3, 55),
        rotate(a[14] ^ d4, 39), rotate(a[15] ^ d0, 41), rotate(a[21] ^ d1, 2));
}

static void
permute(uint64_t a[25])
{
    uint64_t b[25];

    for (unsigned round = 0; round < ROUNDS; round += 2) {
        one_round(b, a, round_constants[round]);
        one_round(a, b, round_constants[round + 1]);
    }
}

/* Lanes are little-endian on every machine. */
static void
mix_byte(uint64_t state[25], size_t at, uint8_t byte)
{
    state[at / 8] ^= (uint64_t)byte << (8 * (at % 8));
}

void
x402_keccak_begin(struct x402_keccak *keccak)
{
    *keccak = (struct x402_keccak){{0}, 0};
}

/* Eight bytes that begin a lane. */
static void
mix_lane(uint64_t state[25], size_t at, const uint8_t byte[8])
{
    uint64_t lane;

    memcpy(&lane, byte, sizeof lane);
    state[at / 8] ^= le64toh(lane);
}

void
x402_keccak_add(struct x402_keccak *keccak, const void *bytes, size_t len)
{
    const uint8_t *at = bytes, *end = at + len;

    while (at < end) {
        if (keccak->fill % 8 == 0 && end - at >= 8) {
            mix_lane(keccak->state, keccak->fill, at);
            keccak->fill += 8;
            at += 8;
        } else {
            mix_byte(keccak->state, keccak->fill++, *at++);
        }
        if (keccak->fill == RATE) {
            permute(keccak->state);
            keccak->fill = 0;
        }
    }
}

void
x402_keccak_end(struct x402_keccak *keccak, uint8_t out32[32])
{
    /* The original padding: one bit, zeros, one bit.  FIPS 202 would begin
     * with 0x06. */
    mix_byte(keccak->state, keccak->fill, mutant("sha3_padding") ? 0x06 : 0x01);
    mix_byte(keccak->state, RATE - 1, 0x80);
    permute(keccak->state);
    for (unsigned i = 0; i < 32; i++)
        out32[i] = (uint8_t)(keccak->state[i / 8] >> (8 * (i % 8)));
}

void
x402_keccak256(uint8_t out32[32], const void *bytes, size_t len)
{
    struct x402_keccak keccak;

    x402_keccak_begin(&keccak);
    x402_keccak_add(&keccak, bytes, len);
    x402_keccak_end(&keccak, out32);
}
