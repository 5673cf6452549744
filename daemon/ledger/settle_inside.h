/* SPDX-License-Identifier: Apache-2.0 */
/* What settle.c and settle_note.c share. */
#ifndef X402D_LEDGER_SETTLE_INSIDE_H
#define X402D_LEDGER_SETTLE_INSIDE_H

#include "internal.h"

struct settle {
    struct plain plain;
    int64_t batch, payment;
    uint8_t tx_hash[32];
    uint64_t block_number;
    uint8_t block_hash[32];
    struct ledger_outcome *outcome;
    size_t len;
    enum x402_err reason;
    uint64_t now_ms;
};

/** An edge: ?2 and ?3 are the same everywhere, ?1 says which rows. */
sqlite3_stmt *settle_edges(struct ledger *ledger, const struct settle *s,
                           enum statement which);
sqlite3_stmt *settle_edge(struct ledger *ledger, const struct settle *s,
                          enum statement which, int64_t id);

/** The batch that a stored transaction belongs to; 0: it is not ours. */
int64_t settle_batch_of(struct db *db, const uint8_t hash[32]);
/** The newest transaction of s->batch becomes s->tx_hash. */
void settle_newest_tx(struct ledger *ledger, struct settle *s);
/** Mined now, unless it was before. */
void settle_batch_mined(struct ledger *ledger, const struct settle *s,
                        int64_t batch);
/** Closed for good. */
void settle_batch_final(struct ledger *ledger, const struct settle *s,
                        int64_t batch);
/** Followed again.  unmined: payments of it are not mined any more. */
void settle_batch_reopen(struct ledger *ledger, const struct settle *s,
                         int64_t batch, bool unmined);

/** Write a step down, with the transaction and block of `s` or of the row. */
void settle_note(struct ledger *ledger, const struct settle *s,
                 enum ledger_event what, const struct money *row,
                 uint64_t at_ms);
void settle_note_all(struct ledger *ledger, const struct settle *s,
                     enum ledger_event what, const struct money_list *rows,
                     uint64_t at_ms);
/** With s->reason. */
void settle_note_reason(struct ledger *ledger, const struct settle *s,
                        enum ledger_event what, int64_t id);
/** Not mined any more, and when they were. */
void settle_note_reorg(struct ledger *ledger, const struct settle *s,
                       int64_t batch, const struct money_list *rows);

#endif
