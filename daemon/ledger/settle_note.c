/* SPDX-License-Identifier: Apache-2.0 */
/* What the settler's edges leave behind them: their times in the row of the
 * batch, and in the history of each payment what no row would say later. */
#include <string.h>

#include "settle_inside.h"

/* The batch that a stored transaction belongs to; 0: it is not ours. */
int64_t
settle_batch_of(struct db *db, const uint8_t hash[32])
{
    sqlite3_stmt *stmt = db_use(db, SQL_TX_BATCH);
    int64_t batch = 0;

    bind_blob(stmt, 1, hash, 32);
    if (db_row(db, stmt)) {
        batch = sqlite3_column_int64(stmt, 0);
        db_done(stmt);
    }
    return batch;
}

/* -- the edges: ?1 says which rows, ?2 and ?3 are the same everywhere -- */

sqlite3_stmt *
settle_edges(struct ledger *ledger, const struct settle *s,
             enum statement which)
{
    sqlite3_stmt *stmt = db_use(&ledger->write, which);

    bind_int(stmt, 2, ledger->epoch);
    bind_int(stmt, 3, (int64_t)s->now_ms);
    return stmt;
}

sqlite3_stmt *
settle_edge(struct ledger *ledger, const struct settle *s, enum statement which,
            int64_t id)
{
    sqlite3_stmt *stmt = settle_edges(ledger, s, which);

    bind_int(stmt, 1, id);
    return stmt;
}

/* Mined once: what another of its payments said before stays. */
void
settle_batch_mined(struct ledger *ledger, const struct settle *s, int64_t batch)
{
    if (batch != 0)
        db_run(&ledger->write, settle_edge(ledger, s, SQL_BATCH_MINED, batch));
}

void
settle_batch_final(struct ledger *ledger, const struct settle *s, int64_t batch)
{
    db_run_one(&ledger->write, settle_edge(ledger, s, SQL_BATCH_FINAL, batch));
}

void
settle_batch_reopen(struct ledger *ledger, const struct settle *s,
                    int64_t batch, bool unmined)
{
    sqlite3_stmt *stmt = settle_edge(ledger, s, SQL_BATCH_REOPENED, batch);

    bind_int(stmt, 4, unmined);
    db_run_one(&ledger->write, stmt);
}

/* -- what no row would say later, see event.h -- */

void
settle_note(struct ledger *ledger, const struct settle *s,
            enum ledger_event what, const struct money *row, uint64_t at_ms)
{
    struct ledger_step step = event_on_chain(
        what, at_ms, s->tx_hash,
        s->block_number != 0 ? s->block_number : row->block_number);

    event_note(ledger, LEDGER_PAYMENT, row->id, &step);
}

void
settle_note_all(struct ledger *ledger, const struct settle *s,
                enum ledger_event what, const struct money_list *rows,
                uint64_t at_ms)
{
    for (size_t i = 0; i < rows->len; i++)
        settle_note(ledger, s, what, &rows->row[i], at_ms);
}

void
settle_note_reason(struct ledger *ledger, const struct settle *s,
                   enum ledger_event what, int64_t id)
{
    struct ledger_step step = {
        .what = what, .at_ms = s->now_ms, .reason = s->reason};

    event_note(ledger, LEDGER_PAYMENT, id, &step);
}

/* When the batch was mined, while its row says so. */
static uint64_t
mined_ms_of(struct db *db, int64_t batch)
{
    sqlite3_stmt *stmt = db_use(db, SQL_BATCH_MINED_MS);
    uint64_t out = 0;

    bind_int(stmt, 1, batch);
    if (db_row(db, stmt)) {
        out = (uint64_t)sqlite3_column_int64(stmt, 0);
        db_done(stmt);
    }
    return out;
}

void
settle_note_reorg(struct ledger *ledger, const struct settle *s, int64_t batch,
                  const struct money_list *rows)
{
    if (batch != 0 && rows->len > 0)
        settle_note_all(ledger, s, EVENT_MINED, rows,
                        mined_ms_of(&ledger->write, batch));
    settle_note_all(ledger, s, EVENT_REORGED, rows, s->now_ms);
}

/* Which of its transactions: the newest, for the history. */
void
settle_newest_tx(struct ledger *ledger, struct settle *s)
{
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_BATCH_NEWEST_TX);

    bind_int(stmt, 1, s->batch);
    if (!db_row(db, stmt))
        return;
    column_blob(db, stmt, 0, s->tx_hash, sizeof s->tx_hash);
    db_done(stmt);
}
