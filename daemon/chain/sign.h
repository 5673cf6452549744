/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where our keys sign.  What is signed is read again with other
 * code, before and after, and must be exactly the payments it was made of:
 * no input of a payer can choose target, selector or value. */
#ifndef X402D_SIGN_H
#define X402D_SIGN_H

#include "flight.h"
#include "look.h"

#define SIGN_GWEI 1000000000u

/** What a settlement calls. */
struct sign_calldata {
    struct x402_address to; /* the token, or Multicall3 */
    uint8_t *data;          /* malloc'd */
    size_t len;
};
/** One payment calls the token itself; several go through aggregate3, where
 *  with allow_failure one that fails does not take the others along.  One with
 *  a deployment is an aggregate3 of the two, all or nothing. */
void sign_calldata(struct sign_calldata *out,
                   const struct look_payment *payments, size_t n,
                   bool allow_failure);

/** The deployment and the payment.  Memory: malloc'd. */
uint8_t *sign_deployment(size_t *len, const struct look_payment *payment,
                         bool allow_failure);

struct sign_order {
    const struct config_network *network;
    uint64_t chain_id;
    const struct signer *signer;
    uint64_t account_nonce;
    struct fees fees;
    uint64_t gas_limit;
    const struct sign_calldata *calldata;
};
/** Sign a settlement of exactly these payments.  false: the second look did not
 *  agree (a fault of ours or of the memory); nothing may be sent.
 *  Memory: out->raw is malloc'd. */
bool sign_settlement(struct flight_tx *out, const struct sign_order *order,
                     const struct look_payment *payments, size_t n);
/** Sign a transfer of native coin to a payer; order's calldata does not matter.
 *  false: it is more than the configuration gives to one payer. */
bool sign_gift(struct flight_tx *out, const struct sign_order *order,
               const struct x402_address *payer, uint64_t gwei);
/** Sign nothing: an empty transaction of the signer to himself. */
bool sign_empty(struct flight_tx *out, const struct sign_order *order);
/** The same call with the same nonce at other fees; or with cancel an empty
 *  transaction of the signer to himself. */
bool sign_replacement(struct flight_tx *out, const struct flight_tx *before,
                      const struct signer *signer, const struct fees *fees,
                      bool cancel);

#endif
