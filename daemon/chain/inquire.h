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

#endif
