/* SPDX-License-Identifier: Apache-2.0 */
/* Which Permit2 payment did a stranger's transaction carry out?  Neither
 * Permit2 nor its proxies log a nonce, so the call itself is read. */
#ifndef X402D_PROOF_H
#define X402D_PROOF_H

#include <jansson.h>
#include <x402/abi.h>

#include "../ledger/ledger.h"
#include "receipt.h"

enum proof {
    PROOF_PAID,  /* it carried out this very payment */
    PROOF_OTHER, /* something else: nothing of the proxy's, or other nonces */
    PROOF_DOUBT, /* the proxy moved this payer's money, by a call that cannot
                    be read */
};

/** The calls of a Permit2 proxy that a transaction makes, directly or through
 * Multicall3 in the form that we use ourselves; target is set in each.
 *  In:  seen  room for LOOK_MAX; tx  eth_getTransactionByHash's result
 *  Returns: false: it cannot be read. */
bool proof_read_calls(struct x402_abi_seen *seen, size_t *n,
                      const uint8_t tx_hash[32], const json_t *tx);

/** In: tx  eth_getTransactionByHash's result, of the receipt's transaction. */
enum proof proof_permit2(const struct pay_row *row,
                         const struct receipt *receipt, const json_t *tx);

#endif
