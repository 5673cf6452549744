/* SPDX-License-Identifier: Apache-2.0 */
/* See view.h: the history of one payment or invoice, put together from the rows
 * that keep its times (event.h). */
#include "invoice.h"
#include "view_inside.h"

/* The columns of a step: when; which of two at the same time comes first; what
 * (enum ledger_event); detail, reason, tx, fee, block, more.  Most have
 * nothing but the first three. */
#define COLUMNS "step (at, rank, what, detail, reason, tx, fee, block, more) "
#define BARE ", 0, 0, NULL, NULL, 0, 0 "
#define EVENTS                                                                 \
    "SELECT at_ms, 400 + seq, what, detail, reason, tx, NULL, block_number, "  \
    "more FROM e "
#define ORDERED                                                                \
    "SELECT at, what, detail, reason, tx, fee, block, more FROM step "         \
    "ORDER BY coalesce(nullif(at, 0), (SELECT updated_ms FROM p)), rank "      \
    "LIMIT ?2"

/* All in one millisecond: it was reserved again, then captured. */
#define AFTER_EVENT(whats, at)                                                 \
    "(SELECT ifnull(max(400 + seq), 100) FROM e WHERE what IN (" whats         \
    ") AND at_ms <= " at ")"

/* b: the batches that it is or was in.  One that was adopted (16) begins with
 * that; after FACILITATED (9) it was a gateway's before.  A row of before there
 * were these columns was mined at a time that nobody kept: 0. */
#define PAYMENT_SQL                                                            \
    "WITH p AS (SELECT * FROM payment WHERE id = ?1), "                        \
    "e AS (SELECT * FROM event WHERE rail = 1 AND subject = ?1), "             \
    "b AS (SELECT batch AS id FROM p "                                         \
    "UNION SELECT t.batch FROM e JOIN tx t ON t.hash = e.tx), " COLUMNS        \
    "AS (SELECT created_ms, 0, iif(origin = 2 AND NOT EXISTS "                 \
    "(SELECT 1 FROM e WHERE what = 9), 33, 32)" BARE "FROM p WHERE NOT "       \
    "EXISTS (SELECT 1 FROM e WHERE what = 16 AND at_ms = created_ms) "         \
    "UNION ALL SELECT charged_ms, " AFTER_EVENT(                               \
        "3",                                                                   \
        "charged_ms") " + 0.3, 34" BARE "FROM p "                              \
                      "WHERE charged_ms > 0 AND runs > 0 AND mode = 1 AND "    \
                      "origin = 1 "                                            \
                      "UNION ALL SELECT delivered_ms, " AFTER_EVENT(           \
                          "3, 6, 7",                                           \
                          "delivered_ms") " + 0.6, 35" BARE "FROM p "          \
                                          "WHERE delivered_ms > 0 "            \
                                          "UNION ALL SELECT created_ms, 480, " \
                                          "iif(id = (SELECT min(id) FROM tx "  \
                                          "WHERE batch = t.batch), 36, 37), "  \
                                          "0, 0, hash, max_fee, 0, 0 FROM tx " \
                                          "t "                                 \
                                          "WHERE batch IN (SELECT id FROM b) " \
                                          "UNION ALL " EVENTS                  \
                                          "UNION ALL SELECT mined_ms, 500, "   \
                                          "12, 0, 0, tx, NULL, block_number, " \
                                          "0 "                                 \
                                          "FROM p JOIN batch ON batch.id = "   \
                                          "p.batch WHERE state BETWEEN 5 AND " \
                                          "6 "                                 \
                                          "UNION ALL SELECT final_ms, 600, "   \
                                          "14, 0, 0, tx, NULL, block_number, " \
                                          "0 "                                 \
                                          "FROM p JOIN batch ON batch.id = "   \
                                          "p.batch WHERE state = 6) " ORDERED

#define INVOICE_SQL                                                            \
    "WITH p AS (SELECT * FROM invoice WHERE id = ?1), "                        \
    "e AS (SELECT * FROM event WHERE rail = 2 AND subject = ?1), " COLUMNS     \
    "AS (SELECT created_ms, 0, 38" BARE "FROM p "                              \
    "UNION ALL SELECT paid_ms, 100, 39" BARE "FROM p WHERE paid_ms > 0 "       \
    "UNION ALL SELECT reserved_ms, 200, 32" BARE "FROM p "                     \
    "WHERE reserved_ms > 0 "                                                   \
    "UNION ALL SELECT captured_ms, 300, 34" BARE "FROM p "                     \
    "WHERE captured_ms > 0 "                                                   \
    "UNION ALL " EVENTS "UNION ALL SELECT delivered_ms, 500, 35" BARE          \
    "FROM p "                                                                  \
    "WHERE delivered_ms > 0 "                                                  \
    "UNION ALL SELECT resolved_ms, 600, 36 + hold" BARE "FROM p "              \
    "WHERE resolved_ms > 0 "                                                   \
    "UNION ALL SELECT updated_ms, 700, 17" BARE "FROM p "                      \
    "WHERE state = 5 AND hold <> 3 AND resolved_ms = 0) " ORDERED

_Static_assert(EVENT_FACILITATED == 9 && EVENT_MINED == 12 &&
                   EVENT_FINAL == 14 && EVENT_ADOPTED == 16 &&
                   EVENT_LAPSED == 17 && EVENT_RESERVED == 32 &&
                   EVENT_ASKED == 33 && EVENT_CAPTURED == 34 &&
                   EVENT_DELIVERED == 35 && EVENT_SIGNED == 36 &&
                   EVENT_REPLACED == 37 && EVENT_ISSUED == 38 &&
                   EVENT_PAID == 39 && EVENT_SETTLED == 36 + HOLD_SETTLED &&
                   EVENT_CANCELLED == 36 + HOLD_CANCELLED &&
                   EVENT_GIVEN_BACK == 36 + HOLD_LOST,
               "as the statements have them");

static void
step_read(struct db *db, sqlite3_stmt *stmt, struct ledger_step *out)
{
    *out = (struct ledger_step){
        .at_ms = (uint64_t)sqlite3_column_int64(stmt, 0),
        .what = (enum ledger_event)sqlite3_column_int(stmt, 1),
        .detail = (unsigned)sqlite3_column_int(stmt, 2),
        .reason = (enum x402_err)sqlite3_column_int(stmt, 3),
        .has_tx = sqlite3_column_type(stmt, 4) != SQLITE_NULL,
        .has_fee = sqlite3_column_type(stmt, 5) != SQLITE_NULL,
        .block = (uint64_t)sqlite3_column_int64(stmt, 6),
        .more = (uint64_t)sqlite3_column_int64(stmt, 7),
    };
    if (out->has_tx)
        column_blob(db, stmt, 4, out->tx, sizeof out->tx);
    if (out->has_fee)
        column_amount(db, stmt, 5, &out->max_fee);
}

bool
ledger_view_history(struct ledger_view *view, enum ledger_rail rail, int64_t id,
                    ledger_step_cb cb, void *arg)
{
    sqlite3_stmt *stmt =
        view_prepare(view, rail == LEDGER_PAYMENT ? PAYMENT_SQL : INVOICE_SQL);
    struct ledger_step step;

    if (stmt != NULL) {
        bind_int(stmt, 1, id);
        bind_int(stmt, 2, LEDGER_STEPS_MAX);
    }
    while (db_row(&view->db, stmt)) {
        step_read(&view->db, stmt, &step);
        if (view->db.rc == SQLITE_OK)
            cb(arg, &step);
    }
    return view_finish(view, stmt);
}
