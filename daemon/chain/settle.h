/* SPDX-License-Identifier: Apache-2.0 */
/* The settler: takes what is due from the ledger, earliest deadline first, puts
 * many payments into one transaction, and hands it to the follower. */
#ifndef X402D_SETTLE_H
#define X402D_SETTLE_H

#include "inside.h"
#include "look.h"

#define SETTLE_URGENT_MS 200 /* settle-first waits at most this for company */

struct settler *settle_new(struct chain *chain);
void settle_close(struct settler *settler, void (*closed)(void *arg),
                  void *arg);
void settle_free(struct settler *settler);

/** Look at the ledger as soon as possible: something changed. */
void settle_look(struct settler *settler);
/** A transaction was mined and paid this one. */
void settle_paid(struct settler *settler, int64_t payment);
/** A transaction was mined and did not pay this one: not again at once, and
 *  one of a contract's (wallet) only a few times at all. */
void settle_not_paid(struct settler *settler, int64_t payment, bool wallet);
/** An inquiry is over.  later: try again after a while, for this reason;
 *  X402_OK: the ledger knows what became of it. */
void settle_put_back(struct settler *settler, int64_t payment,
                     enum x402_err later);

/** A row as it is looked at and settled; borrows from it. */
struct look_payment look_of_row(const struct pay_row *row);
/** The same as a question to simulate. */
struct chain_ask settle_ask(const struct pay_row *row);

#endif
