/* SPDX-License-Identifier: Apache-2.0 */
/* Which Permit2 payment did a stranger's transaction carry out?  Neither
 * Permit2 nor its proxies log a nonce, so the call itself is read. */
#ifndef X402D_PROOF_H
#define X402D_PROOF_H

#include <jansson.h>

#include "../ledger/ledger.h"
#include "receipt.h"

enum proof {
    PROOF_PAID,  /* it carried out this very payment */
    PROOF_OTHER, /* something else: nothing of the proxy's, or other nonces */
    PROOF_DOUBT, /* the proxy moved this payer's money, by a call that cannot
                    be read */
};

/** In: tx  eth_getTransactionByHash's result, of the receipt's transaction. */
enum proof proof_permit2(const struct pay_row *row,
                         const struct receipt *receipt, const json_t *tx);

#endif
