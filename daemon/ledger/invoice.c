/* SPDX-License-Identifier: Apache-2.0 */
/* See invoice.h: rows come and go, and what the node says about them. */
#include <stdlib.h>
#include <string.h>

#include "invoice_inside.h"

struct issue {
    struct plain plain;
    struct ledger_invoice in;
};

struct news {
    struct plain plain;
    struct ledger_invoice_news in;
};

struct prune {
    struct plain plain;
    uint64_t before_s;
    unsigned limit;
};

/* -- rows -- */

void
invoice_read(struct db *db, sqlite3_stmt *stmt, struct invoice_row *out)
{
    out->id = sqlite3_column_int64(stmt, 0);
    out->state = (enum invoice_state)sqlite3_column_int(stmt, 1);
    column_blob(db, stmt, 2, out->payment_hash, sizeof out->payment_hash);
    column_blob(db, stmt, 3, out->request_hash, sizeof out->request_hash);
    out->amount.value = (uint64_t)sqlite3_column_int64(stmt, 4);
    out->paid.value = (uint64_t)sqlite3_column_int64(stmt, 5);
    out->expires_s = (uint64_t)sqlite3_column_int64(stmt, 6);
    out->open = sqlite3_column_int(stmt, 7) != 0;
    out->started = sqlite3_column_int(stmt, 8) != 0;
    out->releases = (unsigned)sqlite3_column_int(stmt, 9);
    out->runs = (unsigned)sqlite3_column_int(stmt, 10);
    out->updated_ms = (uint64_t)sqlite3_column_int64(stmt, 11);
    out->hold = (enum invoice_hold)sqlite3_column_int(stmt, 12);
    column_blob(db, stmt, 13, out->preimage, sizeof out->preimage);
}

bool
invoice_by_hash(struct db *db, const uint8_t hash[32], struct invoice_row *out)
{
    sqlite3_stmt *stmt = db_use(db, SQL_INVOICE_BY_HASH);

    bind_blob(stmt, 1, hash, 32);
    if (!db_row(db, stmt))
        return false;
    invoice_read(db, stmt, out);
    db_done(stmt);
    return db->rc == SQLITE_OK;
}

void
invoice_pay(struct ledger *ledger, const struct invoice_row *row,
            struct x402_msat paid, bool settled, uint64_t now_ms)
{
    sqlite3_stmt *stmt = db_use(&ledger->write, SQL_INVOICE_PAID);

    bind_int(stmt, 1, row->id);
    bind_int(stmt, 2, (int64_t)paid.value);
    bind_int(stmt, 3, ledger->epoch);
    bind_int(stmt, 4, (int64_t)now_ms);
    bind_int(stmt, 5, settled);
    db_run_one(&ledger->write, stmt);
    if (row->state == INVOICE_LAPSED)
        invoice_note(ledger, row, EVENT_LAPSED, row->updated_ms);
}

void
invoice_send_plain(struct ledger *ledger, struct plain *plain,
                   void (*run)(struct ledger *, struct command *), ledger_cb cb,
                   void *arg)
{
    plain->head.run = run;
    plain->head.fail = plain_fail;
    plain->head.deliver = plain_deliver;
    plain->cb = cb;
    plain->arg = arg;
    (void)command_send(ledger, &plain->head, false);
}

/* -- issue -- */

static void
issue_run(struct ledger *ledger, struct command *command)
{
    struct issue *issue = (struct issue *)command;
    const struct ledger_invoice *in = &issue->in;
    struct db *db = &ledger->write;
    struct invoice_row old;
    sqlite3_stmt *stmt;

    issue->plain.err = X402_ERR_LN_USED;
    if (invoice_by_hash(db, in->payment_hash, &old))
        return;
    stmt = db_use(db, SQL_INVOICE_NEW);
    bind_blob(stmt, 1, in->payment_hash, sizeof in->payment_hash);
    bind_blob(stmt, 2, in->request_hash, sizeof in->request_hash);
    bind_int(stmt, 3, (int64_t)in->amount.value);
    bind_int(stmt, 4, in->unit);
    bind_amount(stmt, 5, &in->price);
    bind_int(stmt, 6, in->decimals);
    bind_int(stmt, 7, (int64_t)in->rate);
    bind_int(stmt, 8, (int64_t)in->expires_s);
    (void)sqlite3_bind_text(stmt, 9, in->resource, -1, SQLITE_STATIC);
    bind_int(stmt, 10, ledger->epoch);
    bind_int(stmt, 11, (int64_t)in->now_ms);
    bind_int(stmt, 12, in->held ? HOLD_OPEN : HOLD_NONE);
    bind_blob(stmt, 13, in->preimage, sizeof in->preimage);
    db_run_one(db, stmt);
    issue->plain.err = X402_OK;
}

void
ledger_invoice_issue(struct ledger *ledger, const struct ledger_invoice *in,
                     ledger_cb cb, void *arg)
{
    struct issue *issue = command_new(sizeof *issue);

    issue->in = *in;
    invoice_send_plain(ledger, &issue->plain, issue_run, cb, arg);
}

/* -- what the node says -- */

static void
move_cursor(struct ledger *ledger, const struct ledger_invoice_news *in)
{
    sqlite3_stmt *stmt;

    if (in->add_index == 0 && in->settle_index == 0)
        return;
    stmt = db_use(&ledger->write, SQL_INVOICE_CURSOR_SET);
    bind_int(stmt, 1, (int64_t)in->add_index);
    bind_int(stmt, 2, (int64_t)in->settle_index);
    db_run_one(&ledger->write, stmt);
}

static void
lapse(struct ledger *ledger, const struct invoice_row *row, uint64_t now_ms)
{
    sqlite3_stmt *stmt = db_use(&ledger->write, SQL_INVOICE_LAPSED);

    bind_int(stmt, 1, row->id);
    bind_int(stmt, 2, ledger->epoch);
    bind_int(stmt, 3, (int64_t)now_ms);
    db_run_one(&ledger->write, stmt);
}

/* The event and the cursor in one transaction: the cursor never passes an
 * event that was not taken. */
static void
news_run(struct ledger *ledger, struct command *command)
{
    struct news *news = (struct news *)command;
    const struct ledger_invoice_news *in = &news->in;
    struct invoice_row row;

    news->plain.err = X402_OK;
    news->plain.payment = 0;
    move_cursor(ledger, in);
    if (!invoice_by_hash(&ledger->write, in->payment_hash, &row))
        return;
    if (in->settled &&
        (row.state == INVOICE_ISSUED || row.state == INVOICE_LAPSED)) {
        invoice_pay(ledger, &row, in->paid, true, in->now_ms);
        news->plain.payment = row.id;
    } else if (in->lapsed && row.state == INVOICE_ISSUED) {
        lapse(ledger, &row, in->now_ms);
    } else if (in->overdue && row.state == INVOICE_ISSUED &&
               row.hold == HOLD_OPEN) {
        invoice_edge(ledger, &row, SQL_INVOICE_CANCEL, in->now_ms);
        invoice_note(ledger, &row, EVENT_OVERDUE, in->now_ms);
    }
}

void
ledger_invoice_news(struct ledger *ledger, const struct ledger_invoice_news *in,
                    ledger_cb cb, void *arg)
{
    struct news *news = command_new(sizeof *news);

    news->in = *in;
    news->plain.head.lazy = !in->settled;
    invoice_send_plain(ledger, &news->plain, news_run, cb, arg);
}

static void
prune_run(struct ledger *ledger, struct command *command)
{
    struct prune *prune = (struct prune *)command;
    sqlite3_stmt *stmt = db_use(&ledger->write, SQL_INVOICES_PRUNE);

    prune->plain.err = X402_OK;
    bind_int(stmt, 1, (int64_t)prune->before_s);
    bind_int(stmt, 2, prune->limit);
    db_run(&ledger->write, stmt);
}

void
ledger_invoices_prune(struct ledger *ledger, uint64_t before_s, unsigned limit,
                      ledger_cb cb, void *arg)
{
    struct prune *prune = command_new(sizeof *prune);

    prune->before_s = before_s;
    prune->limit = limit;
    prune->plain.head.lazy = true;
    invoice_send_plain(ledger, &prune->plain, prune_run, cb, arg);
}

/* -- lists and look-ups -- */

void
invoice_list_read(struct ledger *ledger, struct invoice_list *list,
                  sqlite3_stmt *stmt)
{
    struct db *db = &ledger->write;

    list->len = 0;
    while (list->len < list->limit && db_row(db, stmt))
        invoice_read(db, stmt, &list->row[list->len++]);
    db_done(stmt);
}

static void
issued_run(struct ledger *ledger, struct command *command)
{
    struct invoice_list *list = (struct invoice_list *)command;
    sqlite3_stmt *stmt = db_use(&ledger->write, SQL_INVOICES_ISSUED);

    bind_int(stmt, 1, (int64_t)list->expires_s);
    bind_int(stmt, 2, list->id);
    bind_int(stmt, 3, (int64_t)list->limit);
    invoice_list_read(ledger, list, stmt);
}

static void
list_deliver(struct command *command)
{
    struct invoice_list *list = (struct invoice_list *)command;

    list->cb(list->arg, list->row, list->len);
    free(list->row);
    free(list);
}

struct invoice_list *
invoice_list_new(size_t limit, ledger_invoices_cb cb, void *arg)
{
    struct invoice_list *list = command_new(sizeof *list);

    list->limit = limit < LEDGER_LIST_MAX ? limit : LEDGER_LIST_MAX;
    list->row = command_new((list->limit + 1) * sizeof *list->row);
    list->cb = cb;
    list->arg = arg;
    list->head.reads = true;
    list->head.deliver = list_deliver;
    return list;
}

void
ledger_invoices_issued(struct ledger *ledger, uint64_t expires_s, int64_t id,
                       size_t limit, ledger_invoices_cb cb, void *arg)
{
    struct invoice_list *list = invoice_list_new(limit, cb, arg);

    list->expires_s = expires_s;
    list->id = id;
    list->head.run = issued_run;
    (void)command_send(ledger, &list->head, false);
}

bool
ledger_invoice_find(struct ledger *ledger, const uint8_t payment_hash[32],
                    struct invoice_row *out)
{
    struct db *db = &ledger->read;
    bool found = invoice_by_hash(db, payment_hash, out);

    db->rc = SQLITE_OK;
    return found;
}

struct invoice_cursor
ledger_invoice_cursor(struct ledger *ledger)
{
    struct db *db = &ledger->read;
    sqlite3_stmt *stmt = db_use(db, SQL_INVOICE_CURSOR);
    struct invoice_cursor cursor = {0, 0};

    if (db_row(db, stmt)) {
        cursor.add_index = (uint64_t)sqlite3_column_int64(stmt, 0);
        cursor.settle_index = (uint64_t)sqlite3_column_int64(stmt, 1);
        db_done(stmt);
    }
    db->rc = SQLITE_OK;
    return cursor;
}

uint64_t
ledger_invoices_outstanding(struct ledger *ledger, uint64_t now_s,
                            uint64_t limit)
{
    struct db *db = &ledger->read;
    sqlite3_stmt *stmt = db_use(db, SQL_INVOICES_OUTSTANDING);
    uint64_t count = limit; /* what cannot be counted counts as full */

    bind_int(stmt, 1, (int64_t)now_s);
    bind_int(stmt, 2, (int64_t)limit);
    if (db_row(db, stmt)) {
        count = (uint64_t)sqlite3_column_int64(stmt, 0);
        db_done(stmt);
    }
    db->rc = SQLITE_OK;
    return count;
}
