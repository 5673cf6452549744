/* SPDX-License-Identifier: Apache-2.0 */
/* The settler's edges after a broadcast: mined, unmined, requeued, final,
 * failed. */
#include <stdlib.h>
#include <string.h>

#include "settle_inside.h"

/* -- the edges -- */

static void
bind_block(sqlite3_stmt *stmt, const struct settle *s)
{
    bind_blob(stmt, 4, s->tx_hash, sizeof s->tx_hash);
    bind_int(stmt, 5, (int64_t)s->block_number);
    bind_blob(stmt, 6, s->block_hash, sizeof s->block_hash);
}

/* Exactly these rows take the edge, or it is an error of this program. */
static void
run_for(struct db *db, sqlite3_stmt *stmt, size_t rows)
{
    if ((size_t)db_run(db, stmt) != rows && db->rc == SQLITE_OK)
        db->rc = SQLITE_INTERNAL;
}

static void
count(struct ledger *ledger, const struct money *row, enum pay_state to)
{
    row_count(ledger, row->state, row->run, to, row->run);
}

static void
count_mined(struct ledger *ledger, const struct settle *s,
            const struct money *row)
{
    struct money now = *row;

    count(ledger, row, PAY_MINED);
    now.block_number = s->block_number;
    credit_close(ledger, row);
    credit_mined(ledger, &now);
}

static void
mine(struct ledger *ledger, const struct settle *s, const struct money *row,
     int64_t batch)
{
    sqlite3_stmt *stmt = settle_edge(ledger, s, SQL_MINE, row->id);

    bind_block(stmt, s);
    if (batch != 0)
        bind_int(stmt, 7, batch);
    else
        (void)sqlite3_bind_null(stmt, 7);
    db_run_one(&ledger->write, stmt);
    count_mined(ledger, s, row);
    if (batch == 0)
        settle_note(ledger, s, EVENT_MINED, row, s->now_ms);
}

static void
requeue(struct ledger *ledger, const struct settle *s, const struct money *row)
{
    db_run_one(&ledger->write, settle_edge(ledger, s, SQL_REQUEUE, row->id));
    count(ledger, row, PAY_CAPTURED);
    settle_note(ledger, s, EVENT_REQUEUED, row, s->now_ms);
}

/* -- mined, paid by somebody -- */

static struct money_list
submitted_of(struct ledger *ledger, int64_t batch)
{
    sqlite3_stmt *stmt = db_use(&ledger->write, SQL_SUBMITTED_OF_BATCH);

    bind_int(stmt, 1, batch);
    return money_list(&ledger->write, stmt);
}

/* Both lists have the same order, but for rows that are gone. */
static const struct ledger_outcome *
outcome_of(const struct settle *s, int64_t id, size_t *hint)
{
    for (size_t i = 0; i < s->len; i++) {
        size_t at = (*hint + i) % s->len;

        if (s->outcome[at].payment == id) {
            *hint = at + 1;
            return &s->outcome[at];
        }
    }
    return NULL;
}

static bool
all_paid(const struct settle *s, const struct money_list *rows)
{
    size_t hint = 0;

    for (size_t i = 0; i < rows->len; i++) {
        const struct ledger_outcome *outcome =
            outcome_of(s, rows->row[i].id, &hint);

        if (outcome == NULL || !outcome->paid)
            return false;
    }
    return true;
}

static void
mine_all(struct ledger *ledger, const struct settle *s,
         const struct money_list *rows)
{
    sqlite3_stmt *stmt = settle_edge(ledger, s, SQL_MINE_BATCH, s->batch);

    bind_block(stmt, s);
    run_for(&ledger->write, stmt, rows->len);
    for (size_t i = 0; i < rows->len; i++)
        count_mined(ledger, s, &rows->row[i]);
}

static void
mine_each(struct ledger *ledger, const struct settle *s,
          const struct money_list *rows)
{
    size_t hint = 0;

    for (size_t i = 0; i < rows->len; i++) {
        const struct ledger_outcome *outcome =
            outcome_of(s, rows->row[i].id, &hint);

        if (outcome == NULL)
            continue;
        if (outcome->paid)
            mine(ledger, s, &rows->row[i], s->batch);
        else
            requeue(ledger, s, &rows->row[i]);
    }
}

/* Rows that were told before, or that another transaction paid, are not among
 * the submitted ones any more. */
static void
mined_run(struct ledger *ledger, struct command *command)
{
    struct settle *s = (struct settle *)command;
    struct money_list rows;

    s->plain.err = X402_OK;
    if (s->batch == 0 ||
        settle_batch_of(&ledger->write, s->tx_hash) != s->batch) {
        s->plain.err = X402_ERR_INTERNAL;
        return;
    }
    rows = submitted_of(ledger, s->batch);
    if (all_paid(s, &rows))
        mine_all(ledger, s, &rows);
    else
        mine_each(ledger, s, &rows);
    settle_batch_mined(ledger, s, s->batch);
    free(rows.row);
}

/* By whichever transaction it says, ours or not. */
static void
mine_by(struct ledger *ledger, const struct settle *s, const struct money *row)
{
    int64_t batch = settle_batch_of(&ledger->write, s->tx_hash);

    mine(ledger, s, row, batch);
    settle_batch_mined(ledger, s, batch);
}

void
settle_mine(struct ledger *ledger, const struct money *row,
            const struct ledger_block *block, uint64_t now_ms)
{
    struct settle s = {.block_number = block->number, .now_ms = now_ms};

    memcpy(s.tx_hash, block->tx_hash, sizeof s.tx_hash);
    memcpy(s.block_hash, block->hash, sizeof s.block_hash);
    mine_by(ledger, &s, row);
}

bool
settle_is_own(struct ledger *ledger, const uint8_t tx_hash[32])
{
    return settle_batch_of(&ledger->write, tx_hash) != 0;
}

/* The payment that it is about.  What comes of it is BUSY until it is said
 * otherwise. */
static bool
read_payment(struct ledger *ledger, struct settle *s, struct row *row)
{
    s->plain.err = X402_ERR_BUSY;
    s->plain.payment = s->payment;
    return row_by_id(&ledger->write, s->payment, row);
}

static void
paid_by_run(struct ledger *ledger, struct command *command)
{
    struct settle *s = (struct settle *)command;
    struct money money;
    struct row row;

    if (!read_payment(ledger, s, &row))
        return;
    money = money_of(&row.pay);
    if (money.state != PAY_SUBMITTED && !money_submittable(&money))
        return;
    mine_by(ledger, s, &money);
    s->plain.err = X402_OK;
}

/* -- by transaction or batch: the rows first, then their edge -- */

static struct money_list
mined_by(struct ledger *ledger, const uint8_t tx_hash[32])
{
    sqlite3_stmt *stmt = db_use(&ledger->write, SQL_MINED_BY);

    bind_blob(stmt, 1, tx_hash, 32);
    return money_list(&ledger->write, stmt);
}

static void
run_by_tx(struct ledger *ledger, const struct settle *s, enum statement which,
          size_t rows)
{
    sqlite3_stmt *stmt = settle_edges(ledger, s, which);

    bind_blob(stmt, 1, s->tx_hash, sizeof s->tx_hash);
    run_for(&ledger->write, stmt, rows);
}

static void
unmined_run(struct ledger *ledger, struct command *command)
{
    struct settle *s = (struct settle *)command;
    int64_t batch = settle_batch_of(&ledger->write, s->tx_hash);
    struct money_list rows = mined_by(ledger, s->tx_hash);

    s->plain.err = X402_OK;
    run_by_tx(ledger, s, batch != 0 ? SQL_UNMINE : SQL_UNMINE_FOREIGN,
              rows.len);
    for (size_t i = 0; i < rows.len; i++) {
        credit_unmined(ledger, &rows.row[i]);
        credit_open(ledger, &rows.row[i]);
        count(ledger, &rows.row[i], batch != 0 ? PAY_SUBMITTED : PAY_CAPTURED);
    }
    settle_note_reorg(ledger, s, batch, &rows);
    if (batch != 0)
        settle_batch_reopen(ledger, s, batch, rows.len > 0);
    free(rows.row);
}

static void
finish_by_tx(struct ledger *ledger, const struct settle *s, bool ours)
{
    struct money_list rows = mined_by(ledger, s->tx_hash);

    run_by_tx(ledger, s, SQL_FINAL, rows.len);
    for (size_t i = 0; i < rows.len; i++) {
        count(ledger, &rows.row[i], PAY_FINAL);
        credit_unmined(ledger, &rows.row[i]);
    }
    if (!ours)
        settle_note_all(ledger, s, EVENT_FINAL, &rows, s->now_ms);
    free(rows.row);
}

static void
final_run(struct ledger *ledger, struct command *command)
{
    struct settle *s = (struct settle *)command;
    int64_t batch = settle_batch_of(&ledger->write, s->tx_hash);

    s->plain.err = X402_OK;
    finish_by_tx(ledger, s, batch != 0);
    if (batch != 0)
        settle_batch_final(ledger, s, batch);
}

/* -- settled, by a remote facilitator's word -- */

/* A transaction was there before the payment: it cannot have carried it.
 * Several payments of one time may share one (facilitators batch). */
static bool
claim_is_old(struct ledger *ledger, const struct settle *s,
             const struct row *row)
{
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_CLAIM_NEW);
    int64_t first_ms = (int64_t)s->now_ms;

    bind_blob(stmt, 1, s->tx_hash, sizeof s->tx_hash);
    bind_int(stmt, 2, first_ms);
    db_run(db, stmt);
    stmt = db_use(db, SQL_CLAIM);
    bind_blob(stmt, 1, s->tx_hash, sizeof s->tx_hash);
    if (db_row(db, stmt)) {
        first_ms = sqlite3_column_int64(stmt, 0);
        db_done(stmt);
    }
    return first_ms < (int64_t)row->pay.created_ms;
}

static void
paid_word_run(struct ledger *ledger, struct command *command)
{
    struct settle *s = (struct settle *)command;
    struct money money;
    struct row row;

    if (!read_payment(ledger, s, &row) || row.pay.state != PAY_SUBMITTED)
        return;
    s->plain.err = X402_ERR_TRANSACTION;
    if (claim_is_old(ledger, s, &row))
        return;
    money = money_of(&row.pay);
    mine(ledger, s, &money, 0);
    finish_by_tx(ledger, s, false);
    s->plain.err = X402_OK;
}

static void
requeue_run(struct ledger *ledger, struct command *command)
{
    struct settle *s = (struct settle *)command;
    struct money_list rows = submitted_of(ledger, s->batch);

    settle_newest_tx(ledger, s);
    s->plain.err = X402_OK;
    s->plain.payment = s->batch;
    for (size_t i = 0; i < rows.len; i++)
        requeue(ledger, s, &rows.row[i]);
    free(rows.row);
    db_run_one(&ledger->write,
               settle_edge(ledger, s, SQL_BATCH_DROPPED, s->batch));
}

/* -- failed -- */

static void
release_unsubmitted(struct ledger *ledger, const struct settle *s,
                    const struct money *row)
{
    sqlite3_stmt *stmt = settle_edge(ledger, s, SQL_RELEASE, row->id);

    bind_int(stmt, 4, 0);
    bind_int(stmt, 5, s->reason);
    db_run_one(&ledger->write, stmt);
    row_count(ledger, row->state, row->run, PAY_RELEASED, PAY_RUN_NONE);
    credit_close(ledger, row);
    settle_note_reason(ledger, s, EVENT_RELEASED, row->id);
}

static void
fail_with_proof(struct ledger *ledger, const struct settle *s,
                const struct money *row, bool given)
{
    enum pay_run run =
        row->run == PAY_RUN_REDEEMABLE ? PAY_RUN_DELIVERED : row->run;
    sqlite3_stmt *stmt = settle_edge(ledger, s, SQL_FAILED, row->id);

    bind_int(stmt, 4, s->reason);
    db_run_one(&ledger->write, stmt);
    row_count(ledger, row->state, row->run, PAY_FAILED, run);
    credit_close(ledger, row);
    if (given)
        credit_lost(ledger, row, s->now_ms);
    settle_note_reason(ledger, s, EVENT_FAILED, row->id);
}

static void
failed_run(struct ledger *ledger, struct command *command)
{
    struct settle *s = (struct settle *)command;
    struct money money;
    struct row row;

    if (!read_payment(ledger, s, &row))
        return;
    money = money_of(&row.pay);
    /* without a captured run nothing was given for it */
    if (money.state == PAY_CAPTURED || money.state == PAY_SUBMITTED)
        fail_with_proof(ledger, s, &money, row.pay.runs > 0);
    else if (money_submittable(&money))
        release_unsubmitted(ledger, s, &money);
    else
        return;
    s->plain.err = X402_OK;
}

/* It is on the chain no more, and nobody here has its signature. */
static void
not_adopted_run(struct ledger *ledger, struct command *command)
{
    struct settle *s = (struct settle *)command;
    struct money money;
    struct row row;

    if (!read_payment(ledger, s, &row) || row.pay.state != PAY_CAPTURED ||
        row.pay.signature_len > 0)
        return;
    money = money_of(&row.pay);
    db_run_one(&ledger->write,
               settle_edge(ledger, s, SQL_NOT_ADOPTED, s->payment));
    row_count(ledger, money.state, money.run, PAY_RELEASED, PAY_RUN_NONE);
    credit_close(ledger, &money);
    settle_note_reason(ledger, s, EVENT_RELEASED, s->payment);
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
ledger_paid_word(struct ledger *ledger, int64_t payment,
                 const uint8_t tx_hash[32], uint64_t now_ms, ledger_cb cb,
                 void *arg)
{
    struct settle *s = new_settle(paid_word_run, now_ms, cb, arg);

    s->payment = payment;
    memcpy(s->tx_hash, tx_hash, sizeof s->tx_hash);
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

void
ledger_not_adopted(struct ledger *ledger, int64_t payment, uint64_t now_ms,
                   ledger_cb cb, void *arg)
{
    struct settle *s = new_settle(not_adopted_run, now_ms, cb, arg);

    s->payment = payment;
    (void)command_send(ledger, &s->plain.head, false);
}
