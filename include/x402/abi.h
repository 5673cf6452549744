/* SPDX-License-Identifier: Apache-2.0 */
/* The few contract calls we make and the few answers and logs we read.
 * Call shapes are fixed: target, selector and length cannot be chosen by a
 * payer. */
#ifndef X402_ABI_H
#define X402_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <x402/address.h>
#include <x402/amount.h>
#include <x402/eip3009.h>
#include <x402/error.h>
#include <x402/payment.h>

#define X402_MULTICALL3 "0xcA11bde05977b3631167028862bE2a173976CA11"

#define X402_ABI_TRANSFER_VRS_LEN (4 + 9 * 32)
#define X402_ABI_TRANSFER_MAX (4 + 8 * 32 + X402_SIGNATURE_MAX + 32)

/** transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)
 *  for 65-byte signatures that end with 27 or 28, the overload with `bytes
 *  signature` for all others.
 *  out holds X402_ABI_TRANSFER_MAX.  Returns the length. */
size_t x402_abi_transfer(uint8_t *out, const struct x402_authorization *auth,
                         const uint8_t *signature, size_t signature_len);

/** A Permit2 payment as its proxy is asked to carry it out. */
struct x402_abi_permit2 {
    enum x402_method method; /* not EIP3009 */
    const struct x402_address *token;
    const struct x402_authorization *auth;
    const struct x402_amount *charge;       /* upto: what is taken */
    const struct x402_address *facilitator; /* upto */
    const struct x402_sponsor *sponsor; /* NULL: settle, not settleWithPermit */
    const uint8_t *signature;
    size_t signature_len;
};
#define X402_ABI_SETTLE_MAX (4 + 17 * 32 + X402_SIGNATURE_MAX)
/** The proxy's settle() or settleWithPermit().  out holds X402_ABI_SETTLE_MAX.
 *  Source:  x402ExactPermit2Proxy, x402UptoPermit2Proxy.  Returns the length.
 */
size_t x402_abi_settle(uint8_t *out, const struct x402_abi_permit2 *payment);
/** token.allowance(owner, Permit2) */
size_t x402_abi_allowance(uint8_t out[68], const struct x402_address *owner);
/** Permit2.nonceBitmap(owner, nonce >> 8); the bit is nonce & 255. */
size_t x402_abi_nonce_bitmap(uint8_t out[68], const struct x402_address *owner,
                             const uint8_t nonce32[32]);
/** Is the nonce's bit set in the word that nonceBitmap answered? */
bool x402_abi_nonce_bit(const uint8_t word32[32], const uint8_t nonce32[32]);

size_t x402_abi_balance_of(uint8_t out[36], const struct x402_address *owner);
size_t x402_abi_authorization_state(uint8_t out[68],
                                    const struct x402_address *owner,
                                    const uint8_t nonce32[32]);
size_t x402_abi_block_number(uint8_t out[4]); /* Multicall3.getBlockNumber() */
size_t x402_abi_block_timestamp(
    uint8_t out[4]); /* Multicall3.getCurrentBlockTimestamp() */
size_t x402_abi_domain_separator(uint8_t out[4]); /* token.DOMAIN_SEPARATOR() */

/** ERC-1271: isValidSignature(bytes32 hash, bytes signature).
 *  out holds X402_ABI_IS_VALID_MAX.  Returns the length. */
#define X402_ABI_IS_VALID_MAX (4 + 3 * 32 + X402_SIGNATURE_MAX + 32)
size_t x402_abi_is_valid_signature(uint8_t *out, const uint8_t hash32[32],
                                   const uint8_t *signature,
                                   size_t signature_len);
/** "MUST return the bytes4 magic value 0x1626ba7e when function passes": the
 *  first word, exactly, whatever follows. */
bool x402_abi_is_valid_answer(const uint8_t *answer, size_t answer_len);

/** One inner call of Multicall3.aggregate3. */
struct x402_abi_call {
    struct x402_address target;
    bool allow_failure;
    const uint8_t *data; /* borrowed */
    size_t data_len;
};
size_t x402_abi_aggregate3_len(const struct x402_abi_call *calls,
                               size_t calls_len);
/** out holds x402_abi_aggregate3_len(). Returns the length. */
size_t x402_abi_aggregate3(uint8_t *out, const struct x402_abi_call *calls,
                           size_t calls_len);

struct x402_abi_result {
    bool success;
    const uint8_t *data; /* borrows from the answer */
    size_t data_len;
};
/** Read aggregate3's answer; exactly results_len results or X402_ERR_SYNTAX. */
X402_MUST_CHECK enum x402_err
x402_abi_aggregate3_decode(struct x402_abi_result *results, size_t results_len,
                           const uint8_t *answer, size_t answer_len);
/** Error(string) text of a revert, {NULL,0} when it is something else. */
struct x402_span x402_abi_revert_text(const uint8_t *data, size_t data_len);

extern const uint8_t
    x402_abi_topic_transfer[32]; /* Transfer(address,address,uint256) */
extern const uint8_t
    x402_abi_topic_authorization_used[32]; /* AuthorizationUsed(address,bytes32)
                                            */
extern const uint8_t x402_abi_topic_authorization_canceled[32];
extern const uint8_t x402_abi_topic_settled[32]; /* the proxies' Settled() */
extern const uint8_t
    x402_abi_topic_settled_with_permit[32]; /* SettledWithPermit() */

/** Re-read the calldata of x402_abi_aggregate3, x402_abi_transfer or
 * x402_abi_settle with code of its own, as a last look before signing: the
 * authorizations it would execute, in order. Returns X402_ERR_SYNTAX for any
 * other shape. */
struct x402_abi_seen {
    struct x402_address target; /* of the call; unset when it stands alone */
    struct x402_authorization auth;
    enum x402_method method;
    /* Permit2 only */
    struct x402_address token;
    struct x402_address facilitator; /* upto */
    struct x402_amount charge;       /* upto; exact: the permitted amount */
    bool with_permit;
};
X402_MUST_CHECK enum x402_err x402_abi_inspect(struct x402_abi_seen *out,
                                               size_t *out_len, size_t cap,
                                               const uint8_t *data,
                                               size_t data_len);

/** The other shape that is ever signed: an ERC-6492 wallet is deployed and
 * pays, in one aggregate3 of two calls.  The first, which may fail, is a
 * factory's; the second, which may not, is the transfer. */
struct x402_abi_deploy {
    struct x402_address factory;
    const uint8_t *calldata; /* borrows from data */
    size_t calldata_len;
    struct x402_abi_seen transfer;
};
X402_MUST_CHECK enum x402_err
x402_abi_inspect_deploy(struct x402_abi_deploy *out, const uint8_t *data,
                        size_t data_len);

#endif
