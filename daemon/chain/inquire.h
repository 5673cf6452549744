/* SPDX-License-Identifier: Apache-2.0 */
/* What became of a payment that cannot be settled any more?  Somebody used its
 * authorization (then the logs say whom it paid), it was cancelled, or it
 * expired.  Nothing is FAILED without proof at a final block. */
#ifndef X402D_INQUIRE_H
#define X402D_INQUIRE_H

#include "inside.h"

#define INQUIRE_MAX 8 /* at once */

/** Ask, tell the ledger what was proven, then settle_put_back the payment.
 *  false: too many are being asked for; later. */
bool inquire(struct chain *chain, const struct pay_row *row,
             enum x402_err reason);

/** Of an adopted payment whose block is gone: used again?  MINED or FAILED as
 *  above; unused at a final block: RELEASED. */
bool inquire_adopted(struct chain *chain, const struct pay_row *row);

/* -- for payments that a remote facilitator settles -- */

/** Did it happen by now?  Looks at the newest block and proves nothing but a
 * use.  false: as above. */
bool inquire_use(struct chain *chain, const struct pay_row *row,
                 enum x402_err reason);
/** This transaction is said to have settled it.  Believed when its receipt
 * shows the use and the transfer; otherwise the use is looked for. */
void inquire_claim(struct chain *chain, const struct pay_row *row,
                   const uint8_t tx_hash[32]);

#endif
