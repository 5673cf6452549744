/* SPDX-License-Identifier: Apache-2.0 */
/* Which transaction used an authorization, and did it pay what was signed?  For
 * a payment that the ledger does not know: somebody else carried it. */
#ifndef X402D_USE_H
#define X402D_USE_H

#include "inside.h"
#include "receipt.h"

enum use_status {
    USE_PAID,   /* this payee got this value: see the receipt */
    USE_OTHER,  /* used otherwise, cancelled, or not found */
    USE_UNKNOWN /* the node does not say */
};
/** Once, later. */
typedef void (*use_cb)(void *arg, enum use_status status,
                       const struct receipt *receipt);
/** In: row  what was signed; copied. */
void use_find(struct chain *chain, const struct pay_row *row, use_cb cb,
              void *arg);

#endif
