/* SPDX-License-Identifier: Apache-2.0 */
/* Keccak-256 as Ethereum uses it (padding byte 0x01, not SHA3's 0x06). */
#ifndef X402_KECCAK_H
#define X402_KECCAK_H

#include <stddef.h>
#include <stdint.h>

struct x402_keccak {
    uint64_t state[25];
    size_t fill; /* bytes absorbed into the current block of 136 */
};

void x402_keccak_begin(struct x402_keccak *keccak);
void x402_keccak_add(struct x402_keccak *keccak, const void *bytes, size_t len);
void x402_keccak_end(struct x402_keccak *keccak, uint8_t out32[32]);
void x402_keccak256(uint8_t out32[32], const void *bytes, size_t len);

#endif
