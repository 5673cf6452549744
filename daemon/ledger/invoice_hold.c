/* SPDX-License-Identifier: Apache-2.0 */
/* Hold invoices: what was decided, and that the node has done it. */
#include <string.h>

#include "invoice_inside.h"

struct resolve {
    struct plain plain;
    uint8_t payment_hash[32];
    enum invoice_hold hold;
    uint64_t now_ms;
};

static void
resolve_run(struct ledger *ledger, struct command *command)
{
    struct resolve *resolve = (struct resolve *)command;
    sqlite3_stmt *stmt = db_use(&ledger->write, SQL_INVOICE_RESOLVED);

    bind_blob(stmt, 1, resolve->payment_hash, sizeof resolve->payment_hash);
    bind_int(stmt, 2, resolve->hold);
    bind_int(stmt, 3, ledger->epoch);
    bind_int(stmt, 4, (int64_t)resolve->now_ms);
    db_run(&ledger->write, stmt);
    resolve->plain.err = X402_OK;
}

void
ledger_invoice_resolve(struct ledger *ledger, const uint8_t payment_hash[32],
                       enum invoice_hold hold, uint64_t now_ms, ledger_cb cb,
                       void *arg)
{
    struct resolve *resolve = command_new(sizeof *resolve);

    memcpy(resolve->payment_hash, payment_hash, sizeof resolve->payment_hash);
    resolve->hold = hold;
    resolve->now_ms = now_ms;
    invoice_send_plain(ledger, &resolve->plain, resolve_run, cb, arg);
}

static void
decided_run(struct ledger *ledger, struct command *command)
{
    struct invoice_list *list = (struct invoice_list *)command;
    sqlite3_stmt *stmt = db_use(&ledger->write, SQL_INVOICES_DECIDED);

    bind_int(stmt, 1, list->id);
    bind_int(stmt, 2, (int64_t)list->limit);
    invoice_list_read(ledger, list, stmt);
}

void
ledger_invoices_decided(struct ledger *ledger, int64_t id, size_t limit,
                        ledger_invoices_cb cb, void *arg)
{
    struct invoice_list *list = invoice_list_new(limit, cb, arg);

    list->id = id;
    list->head.run = decided_run;
    (void)command_send(ledger, &list->head, false);
}

bool
ledger_invoices_any_decided(struct ledger *ledger)
{
    struct db *db = &ledger->read;
    sqlite3_stmt *stmt = db_use(db, SQL_INVOICES_ANY_DECIDED);
    bool any = db_row(db, stmt);

    if (any)
        db_done(stmt);
    db->rc = SQLITE_OK;
    return any;
}
