/* SPDX-License-Identifier: Apache-2.0 */
/* Keccak-256, the hash of Ethereum.  OpenSSL 3.0 has only SHA3-256, which pads
 * with another byte, so the sponge is here: rate 136 bytes, capacity 64. */
#include <x402/keccak.h>

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

/* Lanes are numbered x + 5 y.  The steps are written out because the compilers
 * do not unroll them by themselves, and a payment costs four permutations. */

static inline uint64_t
rotate(uint64_t lane, unsigned by)
{
    return lane << by | lane >> (64 - by);
}

static inline void
theta(uint64_t a[25])
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

    for (unsigned y = 0; y < 25; y += 5) {
        a[y] ^= d0;
        a[y + 1] ^= d1;
        a[y + 2] ^= d2;
        a[y + 3] ^= d3;
        a[y + 4] ^= d4;
    }
}

/* Rho rotates each lane, pi moves it: b is a after both. */
static inline void
rho_pi(uint64_t b[25], const uint64_t a[25])
{
    b[0] = a[0];
    b[1] = rotate(a[6], 44);
    b[2] = rotate(a[12], 43);
    b[3] = rotate(a[18], 21);
    b[4] = rotate(a[24], 14);
    b[5] = rotate(a[3], 28);
    b[6] = rotate(a[9], 20);
    b[7] = rotate(a[10], 3);
    b[8] = rotate(a[16], 45);
    b[9] = rotate(a[22], 61);
    b[10] = rotate(a[1], 1);
    b[11] = rotate(a[7], 6);
    b[12] = rotate(a[13], 25);
    b[13] = rotate(a[19], 8);
    b[14] = rotate(a[20], 18);
    b[15] = rotate(a[4], 27);
    b[16] = rotate(a[5], 36);
    b[17] = rotate(a[11], 10);
    b[18] = rotate(a[17], 15);
    b[19] = rotate(a[23], 56);
    b[20] = rotate(a[2], 62);
    b[21] = rotate(a[8], 55);
    b[22] = rotate(a[14], 39);
    b[23] = rotate(a[15], 41);
    b[24] = rotate(a[21], 2);
}

static inline void
chi(uint64_t a[25], const uint64_t b[25])
{
    for (unsigned y = 0; y < 25; y += 5) {
        a[y] = b[y] ^ (~b[y + 1] & b[y + 2]);
        a[y + 1] = b[y + 1] ^ (~b[y + 2] & b[y + 3]);
        a[y + 2] = b[y + 2] ^ (~b[y + 3] & b[y + 4]);
        a[y + 3] = b[y + 3] ^ (~b[y + 4] & b[y]);
        a[y + 4] = b[y + 4] ^ (~b[y] & b[y + 1]);
    }
}

static void
permute(uint64_t a[25])
{
    uint64_t b[25];

    for (unsigned round = 0; round < ROUNDS; round++) {
        theta(a);
        rho_pi(b, a);
        chi(a, b);
        a[0] ^= round_constants[round];
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
    uint64_t lane = 0;

    for (unsigned i = 0; i < 8; i++)
        lane |= (uint64_t)byte[i] << (8 * i);
    state[at / 8] ^= lane;
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
