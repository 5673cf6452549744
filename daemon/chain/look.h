/* SPDX-License-Identifier: Apache-2.0 */
/* One look at the chain: a single aggregate3 that reads the block, the payers'
 * balances and the authorizations' states (with Permit2 its allowances too),
 * and then tries the transfers, but for those that need not be tried.
 * Everything in it is of one block.
 *
 * The reads come first, so several payments of one payer may stand in one look:
 * the balance is the one before all of them, and the ledger compares it with
 * the sum.  A transfer that fails beside another one of the same payer says
 * nothing yet (the first may have taken the money): `shared` marks it. */
#ifndef X402D_LOOK_H
#define X402D_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <x402/abi.h>
#include <x402/eip3009.h>
#include <x402/erc6492.h>
#include <x402/error.h>

#define LOOK_MAX 200 /* payments in one look, and in one transaction */

/** A payment, borrowed from whoever owns it. */
struct look_payment {
    const struct x402_address *asset;
    const struct x402_authorization *auth;
    const uint8_t *signature; /* what the token is given */
    size_t signature_len;
    /* an ERC-6492 wallet that this payment deploys first; NULL: none */
    const struct x402_erc6492 *deploy;
    enum x402_method method;
    /* Permit2 only */
    const struct x402_address *facilitator; /* upto */
    const struct x402_amount *charge;       /* upto: what is taken */
    const struct x402_sponsor *sponsor;     /* NULL: the allowance is there */
    /* one like it was seen to go through a moment ago: it is not tried */
    bool shown;
};

/** The call that carries it out: whom, and with what.  out holds LOOK_CALL_MAX.
 */
#define LOOK_CALL_MAX X402_ABI_SETTLE_MAX
const struct x402_address *look_target(const struct look_payment *payment);
size_t look_calldata(uint8_t *out, const struct look_payment *payment);

/** What goes along in the proxy's call: a permit.  NULL: nothing does. */
const struct x402_sponsor *look_sponsor(const struct x402_sponsor *sponsor);

/** What was seen of one payment. */
struct look_seen {
    bool token;         /* the asset answered like a token */
    bool used;          /* authorizationState, or Permit2's nonceBitmap */
    bool tried;         /* the transfer was in the look */
    bool moved;         /* and it went through */
    bool shared;        /* another payment of this payer was in the same look */
    bool bad_signature; /* the token's text of refusal says so, or the payer's
                           contract */
    bool not_deployed;  /* its factory did not make the payer's contract */
    struct x402_amount balance;
    struct x402_amount allowance; /* Permit2's, of the payer */
};
struct look_block {
    uint64_t number;
    uint64_t time_s; /* as the calls saw it */
};

/** Calldata for Multicall3.  Memory: malloc'd. */
uint8_t *look_encode(size_t *len, uint64_t chain_id,
                     const struct look_payment *payments, size_t n,
                     bool transfers);
/** Read the answer to it.  false: not an answer to this question. */
bool look_decode(struct look_seen *seen, struct look_block *block,
                 const struct look_payment *payments, size_t n, bool transfers,
                 const uint8_t *answer, size_t answer_len);

/** The token's text of refusal is about the signature. */
bool look_bad_signature(const uint8_t *revert, size_t len);

/** What it means: X402_OK ASSET NONCE_USED FUNDS ALLOWANCE NOT_YET_VALID
 * EXPIRED SIGNATURE SIMULATION.  In: time_s  the time that the calls saw. */
enum x402_err look_judge(const struct look_seen *seen,
                         const struct look_payment *payment, uint64_t time_s);

#endif
