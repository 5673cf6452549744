/* SPDX-License-Identifier: Apache-2.0 */
/* The run that an invoice bought: capture, release, started, done.  See run.c,
 * which calls these. */
#include "../failpoint.h"
#include "invoice_inside.h"

#define INVOICE_BIT 0x80

bool
rid_is_invoice(const struct x402_rid *rid)
{
    return (rid->byte[0] & INVOICE_BIT) != 0;
}

struct x402_rid
rid_of_invoice(int64_t id)
{
    struct x402_rid rid = rid_new(id);

    rid.byte[0] |= INVOICE_BIT;
    return rid;
}

static bool
find(struct ledger *ledger, const struct x402_rid *rid, struct invoice_row *out)
{
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_INVOICE_BY_RID);

    bind_int(stmt, 1, rid_row(rid) & INT64_MAX);
    bind_blob(stmt, 2, rid->byte, sizeof rid->byte);
    if (!db_row(db, stmt))
        return false;
    invoice_read(db, stmt, out);
    db_done(stmt);
    return db->rc == SQLITE_OK;
}

void
invoice_edge(struct ledger *ledger, const struct invoice_row *row,
             enum statement which, uint64_t now_ms)
{
    sqlite3_stmt *stmt = db_use(&ledger->write, which);

    bind_int(stmt, 1, row->id);
    bind_int(stmt, 2, ledger->epoch);
    bind_int(stmt, 3, (int64_t)now_ms);
    db_run_one(&ledger->write, stmt);
}

void
invoice_note(struct ledger *ledger, const struct invoice_row *row,
             enum ledger_event what, uint64_t at_ms)
{
    struct ledger_step step = {.what = what, .at_ms = at_ms};

    event_note(ledger, LEDGER_INVOICE, row->id, &step);
}

/* Not to the end, and not by the client's doing: good for another run. */
static void
run_failed(struct ledger *ledger, const struct invoice_row *row,
           const struct ledger_step *why)
{
    if (row->state == INVOICE_RESERVED && row->hold == HOLD_OPEN &&
        !mutant("hold_kept"))
        invoice_edge(ledger, row, SQL_INVOICE_CANCEL, why->at_ms);
    else if (row->state == INVOICE_FINAL && row->runs >= LEDGER_RUNS_MAX)
        invoice_edge(ledger, row, SQL_INVOICE_OVER, why->at_ms);
    else
        invoice_edge(ledger, row, SQL_INVOICE_BACK, why->at_ms);
    event_note(ledger, LEDGER_INVOICE, row->id, why);
}

enum x402_err
invoice_capture(struct ledger *ledger, const struct x402_rid *rid,
                uint64_t now_ms)
{
    struct invoice_row row;

    if (!find(ledger, rid, &row))
        return X402_ERR_UNKNOWN_RESERVATION;
    if (row.state == INVOICE_FINAL)
        return X402_OK;
    if (row.state != INVOICE_RESERVED)
        return X402_ERR_UNKNOWN_RESERVATION;
    invoice_edge(ledger, &row, SQL_INVOICE_CAPTURE, now_ms);
    if (row.runs > 0)
        invoice_note(ledger, &row, EVENT_ANSWERED_AGAIN, now_ms);
    return X402_OK;
}

void
invoice_break(struct ledger *ledger, const struct x402_rid *rid,
              const struct ledger_step *why)
{
    struct invoice_row row;

    if (find(ledger, rid, &row) && row.open)
        run_failed(ledger, &row, why);
}

enum x402_err
invoice_started(struct ledger *ledger, const struct x402_rid *rid)
{
    struct invoice_row row;
    sqlite3_stmt *stmt;

    if (!find(ledger, rid, &row))
        return X402_ERR_UNKNOWN_RESERVATION;
    stmt = db_use(&ledger->write, SQL_INVOICE_STARTED);
    bind_int(stmt, 1, row.id);
    bind_int(stmt, 2, ledger->epoch);
    db_run(&ledger->write, stmt);
    return X402_OK;
}

/* The client left in the middle: what was sent cannot be had again. */
static void
end_run(struct ledger *ledger, const struct invoice_row *row,
        const struct ledger_step *why)
{
    bool captured = row->state == INVOICE_FINAL;

    if (captured && why->detail == X402_TILL_END_COMPLETE) {
        invoice_edge(ledger, row, SQL_INVOICE_DELIVERED, why->at_ms);
    } else if (captured && why->detail == X402_TILL_END_CLIENT &&
               row->started) {
        invoice_edge(ledger, row, SQL_INVOICE_OVER, why->at_ms);
        event_note(ledger, LEDGER_INVOICE, row->id, why);
    } else {
        run_failed(ledger, row, why);
    }
}

enum x402_err
invoice_done(struct ledger *ledger, const struct x402_rid *rid,
             enum x402_till_end end, uint64_t now_ms)
{
    struct ledger_step why = {
        .what = EVENT_BROKEN, .at_ms = now_ms, .detail = end};
    struct invoice_row row;

    if (!find(ledger, rid, &row))
        return X402_ERR_UNKNOWN_RESERVATION;
    if (row.open)
        end_run(ledger, &row, &why);
    return X402_OK;
}
