/* SPDX-License-Identifier: Apache-2.0 */
/* After a stop, or with a ledger that was put back from a backup, the chain may
 * know of payments that the ledger has forgotten.  Until it has been read since
 * the ledger's mark, nothing is given on credit. */
#ifndef X402D_CATCHUP_H
#define X402D_CATCHUP_H

#include "inside.h"

struct catchup *catchup_new(struct chain *chain);
/** Stop; free after the loop turned once more. */
void catchup_close(struct catchup *catchup, void (*closed)(void *arg),
                   void *arg);
void catchup_free(struct catchup *catchup);

/** Whose income to read: copied. */
void catchup_payees(struct catchup *catchup, const struct x402_address *payees,
                    size_t len);

#endif
