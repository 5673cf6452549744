/* SPDX-License-Identifier: Apache-2.0 */
/* A payer's own transaction `approve(Permit2, amount)` on the token that he
 * pays in, signed and not yet sent: the extension erc20ApprovalGasSponsoring.
 *
 * Only this one call shape is taken, and only its numbers are kept
 * (x402_sponsor's data: nonce, gas limit and fees of 64 bits each, the amount,
 * r, s, v).  What is broadcast is written anew from them, so it cannot be
 * anything else. */
#ifndef X402_APPROVAL_H
#define X402_APPROVAL_H

#include <stddef.h>
#include <stdint.h>

#include <x402/permit2.h>

struct x402_approval {
    uint64_t nonce; /* of the payer's account */
    uint64_t gas_limit;
    uint64_t max_fee, max_priority_fee; /* wei per gas */
    struct x402_amount amount;
};

/** Read a signed transaction of type 2 into out.  Its signature is not looked
 *  at: x402_approval_check.
 *
 *  Source:  extension erc20ApprovalGasSponsoring, Verification Logic.
 *  In:      least  the amount of the payment: less is of no use
 *  Returns: X402_ERR_APPROVAL_PARSE     not a transaction of type 2 on chain_id
 *                                       with an empty access list
 *           X402_ERR_APPROVAL_TARGET    not to the token
 *           X402_ERR_APPROVAL_SELECTOR  not approve()
 *           X402_ERR_APPROVAL_CALLDATA  not exactly its two words, with ether,
 *                                       or for less
 *           X402_ERR_APPROVAL_TX_SPENDER  not for Permit2 */
X402_MUST_CHECK enum x402_err
x402_approval_read(struct x402_sponsor *out, const uint8_t *raw, size_t raw_len,
                   uint64_t chain_id, const struct x402_address *token,
                   const struct x402_amount *least);
/** The numbers of a sponsor of kind APPROVAL. */
void x402_approval_of(struct x402_approval *out,
                      const struct x402_sponsor *sponsor);

/** The transaction again, byte by byte.  raw holds X402_APPROVAL_RAW_MAX.
 *  Returns its length. */
#define X402_APPROVAL_RAW_MAX 512
size_t x402_approval_write(uint8_t *raw, uint8_t hash32[32],
                           const struct x402_sponsor *sponsor,
                           uint64_t chain_id, const struct x402_address *token);
/** Is it the payer's signature?  Returns X402_ERR_APPROVAL_SIGNER, or
 *  X402_ERR_APPROVAL_SIGNATURE when it is nobody's. */
X402_MUST_CHECK enum x402_err
x402_approval_check(const struct x402_sponsor *sponsor, uint64_t chain_id,
                    const struct x402_address *token,
                    const struct x402_address *payer);
/** The call by itself, approve(Permit2, amount). */
void x402_approval_calldata(uint8_t out[68], const struct x402_amount *amount);

#endif
