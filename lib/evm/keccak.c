/* SPDX-License-Identifier: Apache-2.0 */
/* Keccak-256, the hash of Ethereum.  OpenSSL 3.0 has only SHA3-256, which pads
 * with another byte, so the sponge is here: rate 136 bytes, capacity 64. */
#include <x402/keccak.h>

#include <string.h>

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

/* Rho and pi walk the lanes in one cycle: where each goes, and how far it is
 * rotated on the way. */
static const unsigned pi_lane[24] = {10, 7,  11, 17, 18, 3,  5,  16,
                                     8,  21, 24, 4,  15, 23, 19, 13,
                                     12, 2,  20, 14, 22, 9,  6,  1};
static const unsigned rho_shift[24] = {1,  3,  6,  10, 15, 21, 28, 36,
                                       45, 55, 2,  14, 27, 41, 56, 8,
                                       25, 43, 62, 18, 39, 61, 20, 44};

static uint64_t
rotate(uint64_t lane, unsigned by)
{
    return lane << by | lane >> (64 - by);
}

static void
theta(uint64_t a[25])
{
    uint64_t column[5];

    for (unsigned x = 0; x < 5; x++)
        column[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    for (unsigned x = 0; x < 5; x++) {
        uint64_t mix = column[(x + 4) % 5] ^ rotate(column[(x + 1) % 5], 1);

        for (unsigned y = 0; y < 25; y += 5)
            a[x + y] ^= mix;
    }
}

static void
rho_pi(uint64_t a[25])
{
    uint64_t moving = a[1];

    for (unsigned i = 0; i < 24; i++) {
        uint64_t next = a[pi_lane[i]];

        a[pi_lane[i]] = rotate(moving, rho_shift[i]);
        moving = next;
    }
}

static void
chi(uint64_t a[25])
{
    for (unsigned y = 0; y < 25; y += 5) {
        uint64_t row[5];

        memcpy(row, a + y, sizeof row);
        for (unsigned x = 0; x < 5; x++)
            a[x + y] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
    }
}

static void
permute(uint64_t state[25])
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        theta(state);
        rho_pi(state);
        chi(state);
        state[0] ^= round_constants[round];
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

void
x402_keccak_add(struct x402_keccak *keccak, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    for (size_t i = 0; i < len; i++) {
        mix_byte(keccak->state, keccak->fill++, at[i]);
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
    mix_byte(keccak->state, keccak->fill, 0x01);
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
