/* SPDX-License-Identifier: Apache-2.0 */
/* The settler's edges after a broadcast: mined, unmined, requeued, final,
 * failed. */
#include <stdlib.h>
#include <string.h>

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

/* The batch that a stored transaction belongs to; 0: it is not ours. */
static int64_t
batch_of_tx(struct db *db, const uint8_t hash[32])
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

static void
set_closed(struct ledger *ledger, int64_t batch, bool closed)
{
    sqlite3_stmt *stmt = db_use(&ledger->write, SQL_BATCH_CLOSED);

    bind_int(stmt, 1, batch);
    bind_int(stmt, 2, closed);
    bind_int(stmt, 3, ledger->epoch);
    db_run_one(&ledger->write, stmt);
}

/* -- the edges of one row -- */

static void
mine(struct ledger *ledger, const struct settle *s, const struct row *row,
     int64_t batch)
{
    struct db *db = &ledger->write;
    struct pay_row now = row->pay;
    sqlite3_stmt *stmt = db_use(db, SQL_MINE);

    bind_int(stmt, 1, row->pay.id);
    if (batch != 0)
        bind_int(stmt, 2, batch);
    else
        (void)sqlite3_bind_null(stmt, 2);
    bind_blob(stmt, 3, s->tx_hash, sizeof s->tx_hash);
    bind_int(stmt, 4, (int64_t)s->block_number);
    bind_blob(stmt, 5, s->block_hash, sizeof s->block_hash);
    bind_int(stmt, 6, ledger->epoch);
    bind_int(stmt, 7, (int64_t)s->now_ms);
    db_run_one(db, stmt);
    row_count(ledger, row->pay.state, row->pay.run, PAY_MINED, row->pay.run);
    now.block_number = s->block_number;
    credit_close(ledger, &row->pay);
    credit_mined(ledger, &now);
}

static void
requeue(struct ledger *ledger, const struct settle *s, const struct row *row)
{
    sqlite3_stmt *stmt = db_use(&ledger->write, SQL_REQUEUE);

    bind_int(stmt, 1, row->pay.id);
    bind_int(stmt, 2, ledger->epoch);
    bind_int(stmt, 3, (int64_t)s->now_ms);
    db_run_one(&ledger->write, stmt);
    row_count(ledger, row->pay.state, row->pay.run, PAY_CAPTURED, row->pay.run);
}

static void
unmine(struct ledger *ledger, const struct settle *s, const struct row *row)
{
    sqlite3_stmt *stmt = db_use(&ledger->write, SQL_UNMINE);

    bind_int(stmt, 1, row->pay.id);
    bind_int(stmt, 2, ledger->epoch);
    bind_int(stmt, 3, (int64_t)s->now_ms);
    db_run_one(&ledger->write, stmt);
    row_count(ledger, PAY_MINED, row->pay.run, PAY_SUBMITTED, row->pay.run);
}

static void
finish(struct ledger *ledger, const struct settle *s, const struct row *row)
{
    sqlite3_stmt *stmt = db_use(&ledger->write, SQL_FINAL);

    bind_int(stmt, 1, row->pay.id);
    bind_int(stmt, 2, ledger->epoch);
    bind_int(stmt, 3, (int64_t)s->now_ms);
    db_run_one(&ledger->write, stmt);
    row_count(ledger, PAY_MINED, row->pay.run, PAY_FINAL, row->pay.run);
    credit_unmined(ledger, &row->pay);
}

/* -- mined, paid by somebody -- */

static void
mined_run(struct ledger *ledger, struct command *command)
{
    struct settle *s = (struct settle *)command;
    struct row row;

    s->plain.err = X402_OK;
    if (s->batch == 0 || batch_of_tx(&ledger->write, s->tx_hash) != s->batch) {
        s->plain.err = X402_ERR_INTERNAL;
        return;
    }
    for (size_t i = 0; i < s->len; i++) {
        if (!row_by_id(&ledger->write, s->outcome[i].payment, &row))
            continue;
        if (row.pay.state != PAY_SUBMITTED || row.pay.batch_id != s->batch)
            continue; /* told before, or paid by another transaction */
        if (s->outcome[i].paid)
            mine(ledger, s, &row, s->batch);
        else
            requeue(ledger, s, &row);
    }
}

static void
paid_by_run(struct ledger *ledger, struct command *command)
{
    struct settle *s = (struct settle *)command;
    struct row row;

    s->plain.err = X402_ERR_BUSY;
    s->plain.payment = s->payment;
    if (!row_by_id(&ledger->write, s->payment, &row))
        return;
    if (row.pay.state != PAY_SUBMITTED && !row_submittable(&row.pay))
        return;
    mine(ledger, s, &row, batch_of_tx(&ledger->write, s->tx_hash));
    s->plain.err = X402_OK;
}

/* -- by transaction or batch: all rows first, then their edges -- */

struct rows {
    struct row *at;
    size_t len;
};

static void
rows_read(struct db *db, sqlite3_stmt *stmt, struct rows *out)
{
    size_t cap = 0;

    while (out->len < LEDGER_LIST_MAX && db_row(db, stmt)) {
        if (out->len == cap) {
            struct row *more = command_new((cap + 128) * sizeof *more);

            if (cap > 0)
                memcpy(more, out->at, cap * sizeof *more);
            free(out->at);
            out->at = more;
            cap += 128;
        }
        row_read(db, stmt, &out->at[out->len++]);
    }
    db_done(stmt);
}

static struct rows
rows_mined_by(struct ledger *ledger, const uint8_t tx_hash[32])
{
    sqlite3_stmt *stmt = db_use(&ledger->write, SQL_MINED_BY);
    struct rows rows = {NULL, 0};

    bind_blob(stmt, 1, tx_hash, 32);
    rows_read(&ledger->write, stmt, &rows);
    return rows;
}

static void
unmined_run(struct ledger *ledger, struct command *command)
{
    struct settle *s = (struct settle *)command;
    int64_t batch = batch_of_tx(&ledger->write, s->tx_hash);
    struct rows rows = rows_mined_by(ledger, s->tx_hash);

    s->plain.err = X402_OK;
    for (size_t i = 0; i < rows.len; i++) {
        credit_unmined(ledger, &rows.at[i].pay);
        credit_open(ledger, &rows.at[i].pay);
        if (batch != 0)
            unmine(ledger, s, &rows.at[i]);
        else
            requeue(ledger, s, &rows.at[i]);
    }
    if (batch != 0)
        set_closed(ledger, batch, false);
    free(rows.at);
}

static void
final_run(struct ledger *ledger, struct command *command)
{
    struct settle *s = (struct settle *)command;
    int64_t batch = batch_of_tx(&ledger->write, s->tx_hash);
    struct rows rows = rows_mined_by(ledger, s->tx_hash);

    s->plain.err = X402_OK;
    for (size_t i = 0; i < rows.len; i++)
        finish(ledger, s, &rows.at[i]);
    if (batch != 0)
        set_closed(ledger, batch, true);
    free(rows.at);
}

static void
requeue_run(struct ledger *ledger, struct command *command)
{
    struct settle *s = (struct settle *)command;
    sqlite3_stmt *stmt = db_use(&ledger->write, SQL_SUBMITTED_OF_BATCH);
    struct rows rows = {NULL, 0};

    s->plain.err = X402_OK;
    s->plain.payment = s->batch;
    bind_int(stmt, 1, s->batch);
    rows_read(&ledger->write, stmt, &rows);
    for (size_t i = 0; i < rows.len; i++)
        requeue(ledger, s, &rows.at[i]);
    free(rows.at);
    set_closed(ledger, s->batch, true);
}

/* -- failed -- */

static void
release_unsubmitted(struct ledger *ledger, const struct settle *s,
                    const struct row *row)
{
    sqlite3_stmt *stmt = db_use(&ledger->write, SQL_RELEASE);

    bind_int(stmt, 1, row->pay.id);
    bind_int(stmt, 2, 0);
    bind_int(stmt, 3, s->reason);
    bind_int(stmt, 4, ledger->epoch);
    bind_int(stmt, 5, (int64_t)s->now_ms);
    db_run_one(&ledger->write, stmt);
    row_count(ledger, row->pay.state, row->pay.run, PAY_RELEASED, PAY_RUN_NONE);
    credit_close(ledger, &row->pay);
}

static void
fail_with_proof(struct ledger *ledger, const struct settle *s,
                const struct row *row)
{
    enum pay_run run =
        row->pay.run == PAY_RUN_REDEEMABLE ? PAY_RUN_DELIVERED : row->pay.run;
    sqlite3_stmt *stmt = db_use(&ledger->write, SQL_FAILED);

    bind_int(stmt, 1, row->pay.id);
    bind_int(stmt, 2, s->reason);
    bind_int(stmt, 3, ledger->epoch);
    bind_int(stmt, 4, (int64_t)s->now_ms);
    db_run_one(&ledger->write, stmt);
    row_count(ledger, row->pay.state, row->pay.run, PAY_FAILED, run);
    credit_close(ledger, &row->pay);
    /* no run was captured: nothing was given for it */
    if (row->pay.runs > 0)
        credit_lost(ledger, &row->pay, s->now_ms);
}

static void
failed_run(struct ledger *ledger, struct command *command)
{
    struct settle *s = (struct settle *)command;
    struct row row;

    s->plain.err = X402_ERR_BUSY;
    s->plain.payment = s->payment;
    if (!row_by_id(&ledger->write, s->payment, &row))
        return;
    if (row.pay.state == PAY_CAPTURED || row.pay.state == PAY_SUBMITTED)
        fail_with_proof(ledger, s, &row);
    else if (row_submittable(&row.pay))
        release_unsubmitted(ledger, s, &row);
    else
        return;
    s->plain.err = X402_OK;
}

/* -- sending -- */

static void
settle_deliver(struct command *command)
{
    free(((struct settle *)command)->outcome);
    plain_deliver(command);
}

static struct settle *
new_settle(void (*run)(struct ledger *, struct command *), uint64_t now_ms,
           ledger_cb cb, void *arg)
{
    struct settle *s = command_new(sizeof *s);

    s->plain.head.run = run;
    s->plain.head.fail = plain_fail;
    s->plain.head.deliver = settle_deliver;
    s->plain.cb = cb;
    s->plain.arg = arg;
    s->now_ms = now_ms;
    return s;
}

static void
set_block(struct settle *s, const uint8_t tx_hash[32], uint64_t number,
          const uint8_t hash[32])
{
    memcpy(s->tx_hash, tx_hash, sizeof s->tx_hash);
    s->block_number = number;
    memcpy(s->block_hash, hash, sizeof s->block_hash);
}

void
ledger_mined(struct ledger *ledger, int64_t batch_id, const uint8_t tx_hash[32],
             uint64_t block_number, const uint8_t block_hash[32],
             const struct ledger_outcome *outcomes, size_t len, uint64_t now_ms,
             ledger_cb cb, void *arg)
{
    struct settle *s = new_settle(mined_run, now_ms, cb, arg);

    s->batch = batch_id;
    s->plain.payment = batch_id;
    set_block(s, tx_hash, block_number, block_hash);
    s->outcome = command_copy(outcomes, len * sizeof *outcomes);
    s->len = len;
    (void)command_send(ledger, &s->plain.head, false);
}

void
ledger_paid_by(struct ledger *ledger, int64_t payment,
               const uint8_t tx_hash[32], uint64_t block_number,
               const uint8_t block_hash[32], uint64_t now_ms, ledger_cb cb,
               void *arg)
{
    struct settle *s = new_settle(paid_by_run, now_ms, cb, arg);

    s->payment = payment;
    set_block(s, tx_hash, block_number, block_hash);
    (void)command_send(ledger, &s->plain.head, false);
}

void
ledger_unmined(struct ledger *ledger, const uint8_t tx_hash[32],
               uint64_t now_ms, ledger_cb cb, void *arg)
{
    struct settle *s = new_settle(unmined_run, now_ms, cb, arg);

    memcpy(s->tx_hash, tx_hash, sizeof s->tx_hash);
    (void)command_send(ledger, &s->plain.head, false);
}

void
ledger_requeue(struct ledger *ledger, int64_t batch_id, uint64_t now_ms,
               ledger_cb cb, void *arg)
{
    struct settle *s = new_settle(requeue_run, now_ms, cb, arg);

    s->batch = batch_id;
    (void)command_send(ledger, &s->plain.head, false);
}

void
ledger_final(struct ledger *ledger, const uint8_t tx_hash[32], uint64_t now_ms,
             ledger_cb cb, void *arg)
{
    struct settle *s = new_settle(final_run, now_ms, cb, arg);

    memcpy(s->tx_hash, tx_hash, sizeof s->tx_hash);
    (void)command_send(ledger, &s->plain.head, false);
}

void
ledger_failed(struct ledger *ledger, int64_t payment, enum x402_err reason,
              uint64_t now_ms, ledger_cb cb, void *arg)
{
    struct settle *s = new_settle(failed_run, now_ms, cb, arg);

    s->payment = payment;
    s->reason = reason;
    (void)command_send(ledger, &s->plain.head, false);
}
