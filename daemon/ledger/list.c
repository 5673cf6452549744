/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that only read, in order with the writes around them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../failpoint.h"
#include "internal.h"

struct list {
    struct command head;
    ledger_rows_cb cb;
    void *arg;
    uint64_t chain_id;
    enum statement which;
    enum pay_state state;
    size_t limit;
    int64_t *but; /* ascending */
    size_t but_len;
    struct row_list rows;
};

struct workers {
    struct command head;
    ledger_workers_cb cb;
    void *arg;
    uint8_t (*id)[16];
    size_t len;
};

struct txs {
    struct command head;
    ledger_txs_cb cb;
    void *arg;
    uint64_t chain_id;
    struct ledger_batch_tx *tx;
    size_t len;
};

/* -- rows -- */

static int
by_id(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static bool
is_wanted(const void *arg, int64_t id)
{
    const struct list *list = arg;

    return list->but_len == 0 || bsearch(&id, list->but, list->but_len,
                                         sizeof *list->but, by_id) == NULL;
}

static void
list_run(struct ledger *ledger, struct command *command)
{
    struct list *list = (struct list *)command;
    sqlite3_stmt *stmt = db_use(&ledger->write, list->which);

    list->rows.len = 0;
    bind_int(stmt, 1, (int64_t)list->chain_id);
    bind_int(stmt, 2, (int64_t)(list->limit + list->but_len));
    if (list->which == SQL_IN_STATE)
        bind_int(stmt, 3, list->state);
    row_list_read(&ledger->write, stmt, is_wanted, list, &list->rows);
}

static void
list_deliver(struct command *command)
{
    struct list *list = (struct list *)command;

    list->cb(list->arg, list->rows.row, list->rows.len);
    row_list_free(&list->rows);
    free(list->but);
    free(list);
}

static void
send_list(struct ledger *ledger, struct list *list, uint64_t chain_id,
          size_t limit, ledger_rows_cb cb, void *arg)
{
    list->head.run = list_run;
    list->head.reads = true;
    list->head.deliver = list_deliver;
    list->cb = cb;
    list->arg = arg;
    list->chain_id = chain_id;
    list->limit = limit < LEDGER_LIST_MAX ? limit : LEDGER_LIST_MAX;
    (void)command_send(ledger, &list->head, false);
}

void
ledger_due(struct ledger *ledger, uint64_t chain_id, size_t limit,
           const int64_t *but, size_t but_len, ledger_rows_cb cb, void *arg)
{
    struct list *list = command_new(sizeof *list);

    list->which = SQL_DUE;
    if (mutant("due_any_order")) {
        list->which = SQL_IN_STATE;
        list->state = PAY_CAPTURED;
    }
    list->but = command_copy(but, but_len * sizeof *but);
    list->but_len = but_len;
    qsort(list->but, but_len, sizeof *list->but, by_id);
    send_list(ledger, list, chain_id, limit, cb, arg);
}

/* SUBMITTED and MINED have an index of their own, which only a statement with
 * the state written out can use. */
static enum statement
statement_of(enum pay_state state)
{
    switch (state) {
    case PAY_SUBMITTED:
        return SQL_IN_SUBMITTED;
    case PAY_MINED:
        return SQL_IN_MINED;
    case PAY_RESERVED:
    case PAY_RELEASED:
    case PAY_CAPTURED:
    case PAY_FINAL:
    case PAY_FAILED:
        break;
    }
    return SQL_IN_STATE;
}

void
ledger_in_state(struct ledger *ledger, uint64_t chain_id, enum pay_state state,
                size_t limit, ledger_rows_cb cb, void *arg)
{
    struct list *list = command_new(sizeof *list);

    list->state = state;
    list->which = statement_of(state);
    send_list(ledger, list, chain_id, limit, cb, arg);
}

/* -- workers -- */

static void
workers_run(struct ledger *ledger, struct command *command)
{
    struct workers *w = (struct workers *)command;
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_WORKERS);

    w->len = 0;
    while (w->len < LEDGER_LIST_MAX && db_row(db, stmt))
        column_blob(db, stmt, 0, w->id[w->len++], sizeof *w->id);
    db_done(stmt);
}

static void
workers_deliver(struct command *command)
{
    struct workers *w = (struct workers *)command;

    w->cb(w->arg, (const uint8_t(*)[16])w->id, w->len);
    free(w->id);
    free(w);
}

void
ledger_workers(struct ledger *ledger, ledger_workers_cb cb, void *arg)
{
    struct workers *w = command_new(sizeof *w);

    w->id = command_new(LEDGER_LIST_MAX * sizeof *w->id);
    w->head.run = workers_run;
    w->head.reads = true;
    w->head.deliver = workers_deliver;
    w->cb = cb;
    w->arg = arg;
    (void)command_send(ledger, &w->head, false);
}

/* -- transactions of open batches -- */

static void
txs_forget(struct txs *txs)
{
    for (size_t i = 0; i < txs->len; i++)
        free((void *)txs->tx[i].raw);
    txs->len = 0;
}

static void
tx_read(struct db *db, sqlite3_stmt *stmt, struct ledger_batch_tx *out)
{
    size_t len = (size_t)sqlite3_column_bytes(stmt, 7);
    uint8_t *raw = command_new(len + 1);

    out->batch_id = sqlite3_column_int64(stmt, 0);
    column_address(db, stmt, 1, &out->signer);
    out->account_nonce = (uint64_t)sqlite3_column_int64(stmt, 2);
    column_blob(db, stmt, 3, out->hash, sizeof out->hash);
    column_amount(db, stmt, 4, &out->max_fee);
    column_amount(db, stmt, 5, &out->max_priority_fee);
    out->gas_limit = (uint64_t)sqlite3_column_int64(stmt, 6);
    if (len > 0)
        memcpy(raw, sqlite3_column_blob(stmt, 7), len);
    out->raw = raw;
    out->raw_len = len;
    out->created_ms = (uint64_t)sqlite3_column_int64(stmt, 8);
    out->gift_until_s = (uint64_t)sqlite3_column_int64(stmt, 9);
}

static void
txs_run(struct ledger *ledger, struct command *command)
{
    struct txs *txs = (struct txs *)command;
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_OPEN_TXS);

    txs_forget(txs);
    bind_int(stmt, 1, (int64_t)txs->chain_id);
    while (txs->len < LEDGER_LIST_MAX && db_row(db, stmt))
        tx_read(db, stmt, &txs->tx[txs->len++]);
    db_done(stmt);
}

static void
txs_deliver(struct command *command)
{
    struct txs *txs = (struct txs *)command;

    txs->cb(txs->arg, txs->tx, txs->len);
    txs_forget(txs);
    free(txs->tx);
    free(txs);
}

void
ledger_open_txs(struct ledger *ledger, uint64_t chain_id, ledger_txs_cb cb,
                void *arg)
{
    struct txs *txs = command_new(sizeof *txs);

    txs->tx = command_new(LEDGER_LIST_MAX * sizeof *txs->tx);
    txs->head.run = txs_run;
    txs->head.reads = true;
    txs->head.deliver = txs_deliver;
    txs->cb = cb;
    txs->arg = arg;
    txs->chain_id = chain_id;
    (void)command_send(ledger, &txs->head, false);
}

/* -- at once, from the read-only connection -- */

static bool
look(struct ledger *ledger, bool found, const struct row *row,
     struct pay_row *out)
{
    ledger->read.rc = SQLITE_OK; /* the next look-up tries again */
    if (found)
        *out = row->pay;
    return found;
}

bool
ledger_find(struct ledger *ledger, const struct pay_key *key,
            struct pay_row *out)
{
    struct row row;

    if (!seen_perhaps(&ledger->seen, &key->payer, key->nonce))
        return false;
    return look(ledger, row_by_key(&ledger->read, key, &row), &row, out);
}

bool
ledger_has_paid(struct ledger *ledger, const struct x402_address *payer)
{
    struct db *db = &ledger->read;
    sqlite3_stmt *stmt = db_use(db, SQL_PAYER_PAID);
    bool paid;

    bind_address(stmt, 1, payer);
    paid = db_row(db, stmt);
    if (paid)
        db_done(stmt);
    db->rc = SQLITE_OK;
    return paid;
}

bool
ledger_get(struct ledger *ledger, int64_t payment, struct pay_row *out)
{
    struct row row;

    return look(ledger, row_by_id(&ledger->read, payment, &row), &row, out);
}

bool
ledger_resource(struct ledger *ledger, int64_t payment, char out[X402_URL_MAX])
{
    sqlite3_stmt *stmt = db_use(&ledger->read, SQL_RESOURCE);
    bool found;

    bind_int(stmt, 1, payment);
    found = db_row(&ledger->read, stmt);
    if (found) {
        snprintf(out, X402_URL_MAX, "%s",
                 (const char *)sqlite3_column_text(stmt, 0));
        db_done(stmt);
    }
    ledger->read.rc = SQLITE_OK;
    return found;
}

static int64_t
read_number(struct db *db, enum statement which)
{
    sqlite3_stmt *stmt = db_use(db, which);
    int64_t out = 0;

    if (db_row(db, stmt)) {
        out = sqlite3_column_int64(stmt, 0);
        db_done(stmt);
    }
    db->rc = SQLITE_OK;
    return out;
}

void
ledger_stats(struct ledger *ledger, struct ledger_stats *out)
{
    memset(out, 0, sizeof *out);
    for (int i = 1; i <= PAY_FAILED; i++)
        out->count[i] = (uint64_t)ledger->count[i];
    out->redeemable = (uint64_t)ledger->redeemable;
    out->oldest_captured_ms =
        (uint64_t)read_number(&ledger->read, SQL_OLDEST_CAPTURED);
    out->open_batches = (uint64_t)read_number(&ledger->read, SQL_OPEN_BATCHES);
}

void
ledger_debts(struct ledger *ledger, ledger_debt_cb cb, void *arg)
{
    (void)debts_each(&ledger->read, cb, arg);
    ledger->read.rc = SQLITE_OK;
}

void
ledger_costs(struct ledger *ledger, uint64_t chain_id, uint64_t since_ms,
             ledger_cost_cb cb, void *arg)
{
    struct db *db = &ledger->read;
    sqlite3_stmt *stmt = db_use(db, SQL_TX_SINCE);

    bind_int(stmt, 1, (int64_t)chain_id);
    bind_int(stmt, 2, (int64_t)since_ms);
    while (db_row(db, stmt)) {
        struct ledger_cost cost = {
            .created_ms = (uint64_t)sqlite3_column_int64(stmt, 0),
            .gas_limit = (uint64_t)sqlite3_column_int64(stmt, 2),
            .batch_id = sqlite3_column_int64(stmt, 3),
            .gift_gwei = (uint64_t)sqlite3_column_int64(stmt, 4),
        };

        column_amount(db, stmt, 1, &cost.max_fee);
        cb(arg, &cost);
    }
    db_done(stmt);
    db->rc = SQLITE_OK;
}
