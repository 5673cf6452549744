/* SPDX-License-Identifier: Apache-2.0 */
/* Native coin for payers who lack the gas of their approval: who may have it,
 * and that he got it. */
#ifndef X402D_LEDGER_GIFT_H
#define X402D_LEDGER_GIFT_H

#include "internal.h"

/** Threads: writer, or core with the reading connection. */
enum ledger_gift_word gift_word(struct db *db, const struct ledger_gift *gift,
                                uint64_t now_ms);
/** Threads: writer, inside the transaction that stores the transfer. */
void gift_add(struct db *db, const struct ledger_gift *gift, int64_t batch,
              uint64_t now_ms);

#endif
