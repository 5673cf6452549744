/* SPDX-License-Identifier: Apache-2.0 */
/* Permit2: payments in any ERC-20 token, through Uniswap's contract and one of
 * the two x402 proxies.
 *
 * An authorization of Permit2 is kept in the common form of EIP-3009:
 *
 *     from           the owner
 *     to             witness.to: the proxy pays nobody else
 *     value          permitted.amount; with upto the most that may be taken
 *     valid_after_s  witness.validAfter
 *     valid_before_s deadline
 *     nonce          the uint256, big-endian
 *
 * What it says beyond that (method, token, facilitator) stands beside it. */
#ifndef X402_PERMIT2_H
#define X402_PERMIT2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <x402/eip3009.h>

/** How a payment moves tokens.  Stored in the ledger, sent in till frames:
 * append only. */
enum x402_method {
    X402_METHOD_EIP3009 = 0,       /* scheme exact, by the token itself */
    X402_METHOD_PERMIT2_EXACT = 1, /* scheme exact, x402ExactPermit2Proxy */
    X402_METHOD_PERMIT2_UPTO = 2,  /* scheme upto, x402UptoPermit2Proxy */
};
#define X402_METHOD_LAST X402_METHOD_PERMIT2_UPTO

/* The same on every chain (CREATE2). */
extern const struct x402_address x402_permit2_contract;
extern const struct x402_address x402_permit2_exact_proxy;
extern const struct x402_address x402_permit2_upto_proxy;

/** "exact" or "upto". */
const char *x402_method_scheme(enum x402_method method);
/** Who keeps the nonces, and whose domain is signed: the token, or Permit2. */
const struct x402_address *
x402_method_contract(enum x402_method method, const struct x402_address *token);
/** Whom a settlement calls: the token, or the proxy (the signed `spender`). */
const struct x402_address *x402_method_target(enum x402_method method,
                                              const struct x402_address *token);
/** The separator of the domain that a payment in this asset is signed in. */
void x402_method_domain(uint8_t out32[32], enum x402_method method,
                        const struct x402_asset *asset);

/** How the allowance comes about that Permit2 needs.  Stored: append only. */
enum x402_sponsor_kind {
    X402_SPONSOR_NONE = 0,     /* it is there */
    X402_SPONSOR_EIP2612 = 1,  /* settleWithPermit: a signed EIP-2612 permit */
    X402_SPONSOR_APPROVAL = 2, /* the payer's signed approve(): approval.h */
};
#define X402_SPONSOR_LAST X402_SPONSOR_APPROVAL

#define X402_SPONSOR_MAX 160
struct x402_sponsor {
    enum x402_sponsor_kind kind;
    /* EIP2612: the words value, deadline, r, s, v of the proxy's struct;
     * APPROVAL: approval.h.  Both fill it */
    uint8_t data[X402_SPONSOR_MAX];
    size_t len;
};

/** The digest that the owner signs: PermitWitnessTransferFrom with the witness
 * of the method (not EIP3009).
 *
 *  Source:  Permit2, PermitHash.hashWithWitness; x402 schemes exact and upto
 * on EVM.
 *  In:      facilitator  read for upto only
 *           domain32     of x402_method_domain */
void x402_permit2_digest_in(uint8_t out32[32], enum x402_method method,
                            const struct x402_authorization *auth,
                            const struct x402_address *token,
                            const struct x402_address *facilitator,
                            const uint8_t domain32[32]);

#endif
