/* SPDX-License-Identifier: Apache-2.0 */
/* See event.h: the writing half. */
#include "event.h"

#include <string.h>

#include "../failpoint.h"
#include "internal.h"

/* Numbers that stand in files must not move. */
_Static_assert(EVENT_RELEASED == 1 && EVENT_WORKER_GONE == 2 &&
                   EVENT_RESERVED_AGAIN == 3 && EVENT_REFUSED == 4 &&
                   EVENT_BROKEN == 5 && EVENT_REDEEMED == 6 &&
                   EVENT_ANSWERED_AGAIN == 7 && EVENT_NOTHING_TAKEN == 8 &&
                   EVENT_FACILITATED == 9 && EVENT_HANDED_OVER == 10 &&
                   EVENT_REQUEUED == 11 && EVENT_MINED == 12 &&
                   EVENT_REORGED == 13 && EVENT_FINAL == 14 &&
                   EVENT_FAILED == 15 && EVENT_ADOPTED == 16 &&
                   EVENT_LAPSED == 17 && EVENT_OVERDUE == 18,
               "events are stored");
_Static_assert(LEDGER_EVENTS_MAX == 64, "as in the statement and the schema");

void
event_note(struct ledger *ledger, enum ledger_rail rail, int64_t id,
           const struct ledger_step *step)
{
    sqlite3_stmt *stmt = db_use(&ledger->write, SQL_EVENT);

    if (mutant("no_history"))
        return;
    bind_int(stmt, 1, rail);
    bind_int(stmt, 2, id);
    bind_int(stmt, 3, (int64_t)step->at_ms);
    bind_int(stmt, 4, step->what);
    bind_int(stmt, 5, step->detail);
    bind_int(stmt, 6, step->reason);
    if (step->has_tx)
        bind_blob(stmt, 7, step->tx, sizeof step->tx);
    else
        (void)sqlite3_bind_null(stmt, 7);
    bind_int(stmt, 8, (int64_t)step->block);
    db_run_one(&ledger->write, stmt);
}

void
event_note_refused(struct ledger *ledger, int64_t payment, enum x402_err reason,
                   uint64_t now_ms)
{
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_EVENT_REFUSED);
    struct ledger_step step = {
        .what = EVENT_REFUSED, .at_ms = now_ms, .reason = reason};
    bool known;

    bind_int(stmt, 1, payment);
    bind_int(stmt, 2, reason);
    known = db_row(db, stmt);
    if (known)
        db_done(stmt);
    else
        event_note(ledger, LEDGER_PAYMENT, payment, &step);
}

struct ledger_step
event_on_chain(enum ledger_event what, uint64_t at_ms, const uint8_t tx[32],
               uint64_t block)
{
    struct ledger_step step = {
        .what = what, .at_ms = at_ms, .has_tx = true, .block = block};

    memcpy(step.tx, tx, sizeof step.tx);
    return step;
}
