/* SPDX-License-Identifier: Apache-2.0 */
/* See view.h.  These questions are asked by people, now and then, and may read
 * every row: they have no statements of their own among those of the daemon. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "view_inside.h"

static struct ledger_view *
refuse(struct ledger_view *view, const char *path, const char *why, char *error,
       size_t error_len)
{
    snprintf(error, error_len, "%s: %s", path, why);
    db_close(&view->db);
    free(view);
    return NULL;
}

struct ledger_view *
ledger_view_open(const char *path, bool to_change, char *error,
                 size_t error_len)
{
    struct ledger_view *view = command_new(sizeof *view);
    struct db *db = &view->db;
    int64_t id, version;

    if (!db_open(db, path,
                 to_change ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY))
        return refuse(view, path, sqlite3_errstr(db->rc), error, error_len);
    id = db_number(db, "PRAGMA application_id");
    version = db_number(db, "PRAGMA user_version");
    if (db->rc != SQLITE_OK)
        return refuse(view, path, sqlite3_errmsg(db->handle), error, error_len);
    if (id != SCHEMA_APPLICATION_ID)
        return refuse(view, path, "the file is not a ledger of x402d", error,
                      error_len);
    if (version > SCHEMA_VERSION)
        return refuse(view, path, "the file was written by a newer x402d",
                      error, error_len);
    if (version < SCHEMA_VERSION)
        return refuse(view, path,
                      "the file was written by an older x402d: start this one "
                      "on it first",
                      error, error_len);
    return view;
}

void
ledger_view_close(struct ledger_view *view)
{
    if (view == NULL)
        return;
    db_close(&view->db);
    free(view);
}

sqlite3_stmt *
view_prepare(struct ledger_view *view, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(view->db.handle, sql, -1, &stmt, NULL);

    if (rc != SQLITE_OK)
        view->db.rc = rc;
    return stmt;
}

bool
view_finish(struct ledger_view *view, sqlite3_stmt *stmt)
{
    bool good = view->db.rc == SQLITE_OK;

    sqlite3_finalize(stmt);
    view->db.rc = SQLITE_OK;
    return good;
}

/* -- payments -- */

#define PAYMENTS_SQL                                                           \
    "SELECT " ROW_COLUMNS ", resource FROM payment "                           \
    "WHERE (?1 = 0 OR (1 << state) & ?1) AND (?2 = 0 OR chain_id = ?2) "       \
    "AND (?3 IS NULL OR payee = ?3) AND (?4 IS NULL OR payer = ?4) "           \
    "AND created_ms >= ?5 AND created_ms < ?6 AND (?7 = 0 OR id = ?7) "        \
    "AND (?8 IS NULL OR nonce = ?8 OR tx = ?8) AND id > ?10 ORDER BY id "

static void
bind_filter(sqlite3_stmt *stmt, const struct ledger_filter *filter)
{
    bool endless = filter->until_ms == 0 || filter->until_ms > INT64_MAX;

    bind_int(stmt, 1, filter->states);
    bind_int(stmt, 2, (int64_t)filter->chain_id);
    if (filter->payee != NULL)
        bind_address(stmt, 3, filter->payee);
    if (filter->payer != NULL)
        bind_address(stmt, 4, filter->payer);
    bind_int(stmt, 5, (int64_t)filter->since_ms);
    bind_int(stmt, 6, endless ? INT64_MAX : (int64_t)filter->until_ms);
    bind_int(stmt, 7, filter->id);
    if (filter->hash32 != NULL)
        bind_blob(stmt, 8, filter->hash32, 32);
    bind_int(stmt, 10, filter->after_id);
    bind_int(stmt, 9, filter->limit == 0 ? -1 : (int64_t)filter->limit);
}

bool
ledger_view_payments(struct ledger_view *view,
                     const struct ledger_filter *filter, ledger_view_cb cb,
                     void *arg)
{
    struct db *db = &view->db;
    sqlite3_stmt *stmt =
        view_prepare(view, filter->newest_first ? PAYMENTS_SQL "DESC LIMIT ?9"
                                                : PAYMENTS_SQL "LIMIT ?9");
    struct row row;

    if (stmt != NULL)
        bind_filter(stmt, filter);
    while (db_row(db, stmt)) {
        int last = sqlite3_column_count(stmt) - 1;
        const char *resource = (const char *)sqlite3_column_text(stmt, last);

        row_read(db, stmt, &row);
        cb(arg, &row.pay, resource != NULL ? resource : "");
    }
    return view_finish(view, stmt);
}

int64_t
ledger_view_newest(struct ledger_view *view)
{
    int64_t id =
        db_number(&view->db, "SELECT coalesce(max(id), 0) FROM payment");

    view->db.rc = SQLITE_OK;
    return id > 0 ? id : 0;
}

/* -- invoices -- */

/* those that nobody paid are left out, but where one is asked for */
#define INVOICES_SQL                                                           \
    "SELECT id, state, hold, payment_hash, amount_msat, paid_msat, "           \
    "expires_s, created_ms, updated_ms, releases, runs, open, resource "       \
    "FROM invoice WHERE id > ?1 AND (?2 = 0 OR id = ?2) "                      \
    "AND (?3 IS NULL OR payment_hash = ?3) "                                   \
    "AND (state BETWEEN 2 AND 4 OR paid_ms > 0 OR ?2 <> 0 "                    \
    "OR ?3 IS NOT NULL) ORDER BY id DESC LIMIT ?4"

static void
invoice_view_read(struct db *db, sqlite3_stmt *stmt,
                  struct ledger_view_invoice *out)
{
    *out = (struct ledger_view_invoice){
        .id = sqlite3_column_int64(stmt, 0),
        .state = (enum invoice_state)sqlite3_column_int(stmt, 1),
        .hold = (enum invoice_hold)sqlite3_column_int(stmt, 2),
        .amount = {(uint64_t)sqlite3_column_int64(stmt, 4)},
        .paid = {(uint64_t)sqlite3_column_int64(stmt, 5)},
        .expires_s = (uint64_t)sqlite3_column_int64(stmt, 6),
        .created_ms = (uint64_t)sqlite3_column_int64(stmt, 7),
        .updated_ms = (uint64_t)sqlite3_column_int64(stmt, 8),
        .releases = (unsigned)sqlite3_column_int(stmt, 9),
        .runs = (unsigned)sqlite3_column_int(stmt, 10),
        .open = sqlite3_column_int(stmt, 11) != 0,
        .resource = (const char *)sqlite3_column_text(stmt, 12),
    };
    column_blob(db, stmt, 3, out->payment_hash, sizeof out->payment_hash);
    if (out->resource == NULL)
        out->resource = "";
}

bool
ledger_view_invoices(struct ledger_view *view,
                     const struct ledger_filter *filter,
                     ledger_view_invoice_cb cb, void *arg)
{
    struct db *db = &view->db;
    sqlite3_stmt *stmt = view_prepare(view, INVOICES_SQL);
    struct ledger_view_invoice invoice;

    if (stmt != NULL) {
        bind_int(stmt, 1, filter->after_id);
        bind_int(stmt, 2, filter->id);
        if (filter->hash32 != NULL)
            bind_blob(stmt, 3, filter->hash32, 32);
        bind_int(stmt, 4, filter->limit == 0 ? -1 : (int64_t)filter->limit);
    }
    while (db_row(db, stmt)) {
        invoice_view_read(db, stmt, &invoice);
        cb(arg, &invoice);
    }
    return view_finish(view, stmt);
}

int64_t
ledger_view_newest_invoice(struct ledger_view *view)
{
    int64_t id =
        db_number(&view->db, "SELECT coalesce(max(id), 0) FROM invoice");

    view->db.rc = SQLITE_OK;
    return id > 0 ? id : 0;
}

/* -- debts -- */

bool
ledger_view_debts(struct ledger_view *view, ledger_debt_cb cb, void *arg)
{
    bool good = debts_each(&view->db, cb, arg);

    view->db.rc = SQLITE_OK;
    return good;
}

int
ledger_view_clear(struct ledger_view *view, const struct x402_address *payer,
                  uint64_t chain_id)
{
    sqlite3_stmt *stmt = view_prepare(
        view, "UPDATE payer SET settle_first = 0, lost = zeroblob(32) "
              "WHERE payer = ?1 AND (?2 = 0 OR chain_id = ?2) "
              "AND (settle_first = 1 OR lost <> zeroblob(32))");
    int changed;

    if (stmt == NULL)
        return -1;
    bind_address(stmt, 1, payer);
    bind_int(stmt, 2, (int64_t)chain_id);
    db_exec(&view->db, "BEGIN IMMEDIATE");
    changed = db_run(&view->db, stmt);
    sqlite3_finalize(stmt);
    /* a daemon that runs remembers payers: this tells it to look again */
    db_exec(&view->db, "UPDATE meta SET outside = outside + 1");
    db_exec(&view->db, "COMMIT");
    return view_finish(view, NULL) ? changed : -1;
}

size_t
ledger_view_payees(struct ledger_view *view, uint64_t chain_id,
                   struct x402_address *out, size_t cap)
{
    sqlite3_stmt *stmt = view_prepare(
        view, "SELECT DISTINCT payee FROM payment WHERE chain_id = ?1");
    size_t len = 0;

    if (stmt != NULL)
        bind_int(stmt, 1, (int64_t)chain_id);
    while (db_row(&view->db, stmt)) {
        if (len < cap)
            column_address(&view->db, stmt, 0, &out[len]);
        len++;
    }
    (void)view_finish(view, stmt);
    return len;
}

bool
ledger_view_find(struct ledger_view *view, const struct pay_key *key,
                 struct pay_row *out)
{
    struct row row;
    bool found = row_by_key(&view->db, key, &row);

    view->db.rc = SQLITE_OK;
    if (found)
        *out = row.pay;
    return found;
}

static uint64_t
number_of_settled(struct ledger_view *view, const char *what, uint64_t chain_id)
{
    char sql[160];
    sqlite3_stmt *stmt;
    uint64_t out = 0;

    snprintf(sql, sizeof sql,
             "SELECT %s FROM payment WHERE chain_id = ?1 "
             "AND state BETWEEN 5 AND 6",
             what);
    stmt = view_prepare(view, sql);
    if (stmt != NULL)
        bind_int(stmt, 1, (int64_t)chain_id);
    if (db_row(&view->db, stmt))
        out = (uint64_t)sqlite3_column_int64(stmt, 0);
    (void)view_finish(view, stmt);
    return out;
}

uint64_t
ledger_view_first_block(struct ledger_view *view, uint64_t chain_id)
{
    return number_of_settled(view, "coalesce(min(block_number), 0)", chain_id);
}

uint64_t
ledger_view_settled(struct ledger_view *view, uint64_t chain_id)
{
    return number_of_settled(view, "count(*)", chain_id);
}
