/* SPDX-License-Identifier: Apache-2.0 */
/* EIP-712: typed data hashing, as far as payments need it. */
#ifndef X402_EIP712_H
#define X402_EIP712_H

#include <stdint.h>

#include <x402/address.h>
#include <x402/amount.h>
#include <x402/span.h>

/** domainSeparator of EIP712Domain(string name,string version,uint256 chainId,
 *  address verifyingContract). */
void x402_eip712_domain(uint8_t out32[32], struct x402_span name,
                        struct x402_span version, uint64_t chain_id,
                        const struct x402_address *contract);
/** keccak256(0x19 0x01 || domainSeparator || hashStruct(message)). */
void x402_eip712_digest(uint8_t out32[32], const uint8_t domain32[32],
                        const uint8_t struct32[32]);

/** hashStruct builder: typehash, then one 32-byte word per member. */
struct x402_eip712_struct {
    uint8_t word[16][32];
    unsigned count;
};
void x402_eip712_begin(struct x402_eip712_struct *s,
                       const char *type); /* "Foo(uint256 bar)" */
void x402_eip712_word(struct x402_eip712_struct *s, const uint8_t word32[32]);
void x402_eip712_address(struct x402_eip712_struct *s,
                         const struct x402_address *address);
void x402_eip712_amount(struct x402_eip712_struct *s,
                        const struct x402_amount *amount);
void x402_eip712_string(struct x402_eip712_struct *s,
                        struct x402_span text); /* hashed */
void x402_eip712_end(const struct x402_eip712_struct *s, uint8_t out32[32]);

#endif
