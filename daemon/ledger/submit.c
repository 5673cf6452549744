/* SPDX-License-Identifier: Apache-2.0 */
/* submit: a signed transaction is stored before it is broadcast, and its
 * payments become SUBMITTED, all of them or none; or it is a gift (gift.h).  A
 * batch is one account nonce of one signer; its transactions differ in fees
 * only. */
#include <assert.h>
#include <stdlib.h>

#include "gift.h"
#include "internal.h"

struct submit {
    struct plain plain;
    struct ledger_tx tx; /* raw and payments are ours */
    uint64_t now_ms;
};

/* Their rows, in the order asked, when all of them may be submitted. */
static bool
all_submittable(struct ledger *ledger, const struct ledger_tx *tx,
                struct money *rows)
{
    struct db *db = &ledger->write;

    for (size_t i = 0; i < tx->payments_len; i++) {
        sqlite3_stmt *stmt = db_use(db, SQL_MONEY_BY_ID);

        bind_int(stmt, 1, tx->payments[i]);
        if (!db_row(db, stmt))
            return false;
        money_read(db, stmt, &rows[i]);
        db_done(stmt);
        if (rows[i].chain_id != tx->chain_id || !money_submittable(&rows[i]))
            return false;
    }
    return tx->payments_len > 0;
}

static int64_t
new_batch(struct ledger *ledger, const struct submit *s)
{
    sqlite3_stmt *stmt = db_use(&ledger->write, SQL_BATCH_NEW);

    bind_int(stmt, 1, (int64_t)s->tx.chain_id);
    bind_address(stmt, 2, &s->tx.signer);
    bind_int(stmt, 3, (int64_t)s->tx.account_nonce);
    bind_int(stmt, 4, ledger->epoch);
    bind_int(stmt, 5, (int64_t)s->now_ms);
    db_run_one(&ledger->write, stmt);
    return sqlite3_last_insert_rowid(ledger->write.handle);
}

/* "a replacement tx reuses the same account nonce" */
static bool
is_replacement(struct ledger *ledger, const struct ledger_tx *tx)
{
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_BATCH);
    struct x402_address signer;
    bool same;

    bind_int(stmt, 1, tx->batch_id);
    if (!db_row(db, stmt))
        return false;
    column_address(db, stmt, 1, &signer);
    same = (uint64_t)sqlite3_column_int64(stmt, 0) == tx->chain_id &&
           x402_address_eq(&signer, &tx->signer) &&
           (uint64_t)sqlite3_column_int64(stmt, 2) == tx->account_nonce &&
           sqlite3_column_int(stmt, 3) == 0;
    db_done(stmt);
    return same;
}

static void
store_tx(struct ledger *ledger, const struct submit *s, int64_t batch)
{
    sqlite3_stmt *stmt = db_use(&ledger->write, SQL_TX_NEW);

    bind_blob(stmt, 1, s->tx.hash, sizeof s->tx.hash);
    bind_int(stmt, 2, batch);
    bind_amount(stmt, 3, &s->tx.max_fee);
    bind_amount(stmt, 4, &s->tx.max_priority_fee);
    bind_int(stmt, 5, (int64_t)s->tx.gas_limit);
    bind_blob(stmt, 6, s->tx.raw, s->tx.raw_len);
    bind_int(stmt, 7, ledger->epoch);
    bind_int(stmt, 8, (int64_t)s->now_ms);
    db_run_one(&ledger->write, stmt);
}

static void
submit_payment(struct ledger *ledger, const struct submit *s, int64_t batch,
               const struct money *row)
{
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_SUBMIT);

    bind_int(stmt, 1, row->id);
    bind_int(stmt, 2, batch);
    bind_blob(stmt, 3, s->tx.hash, sizeof s->tx.hash);
    bind_int(stmt, 4, ledger->epoch);
    bind_int(stmt, 5, (int64_t)s->now_ms);
    bind_int(stmt, 6, (int64_t)s->tx.chain_id);
    db_run_one(db, stmt);
    row_count(ledger, row->state, row->run, PAY_SUBMITTED, row->run);
}

static void
replace(struct ledger *ledger, const struct submit *s)
{
    sqlite3_stmt *stmt;

    store_tx(ledger, s, s->tx.batch_id);
    stmt = db_use(&ledger->write, SQL_RESUBMIT);
    bind_int(stmt, 1, s->tx.batch_id);
    bind_blob(stmt, 2, s->tx.hash, sizeof s->tx.hash);
    bind_int(stmt, 3, ledger->epoch);
    bind_int(stmt, 4, (int64_t)s->now_ms);
    db_run(&ledger->write, stmt);
}

static bool
submit_new(struct ledger *ledger, struct submit *s)
{
    struct money rows[LEDGER_TX_PAYMENTS_MAX];
    int64_t batch;

    if (!s->tx.empty && !all_submittable(ledger, &s->tx, rows))
        return false;
    batch = new_batch(ledger, s);
    store_tx(ledger, s, batch);
    for (size_t i = 0; i < s->tx.payments_len; i++)
        submit_payment(ledger, s, batch, &rows[i]);
    s->plain.payment = batch;
    return true;
}

/* The payment stays as it is; it may be given for once. */
static bool
submit_gift(struct ledger *ledger, struct submit *s)
{
    struct db *db = &ledger->write;
    const struct ledger_tx *tx = &s->tx;
    struct ledger_tx of_payment = {.chain_id = tx->chain_id,
                                   .payments = &tx->gift.payment,
                                   .payments_len = 1};
    struct money row;

    if (!all_submittable(ledger, &of_payment, &row) ||
        gift_word(db, &tx->gift, s->now_ms) != LEDGER_GIFT_MAY)
        return false;
    s->plain.payment = new_batch(ledger, s);
    store_tx(ledger, s, s->plain.payment);
    gift_add(db, &tx->gift, s->plain.payment, s->now_ms);
    return true;
}

static bool
submit_replacement(struct ledger *ledger, struct submit *s)
{
    s->plain.payment = s->tx.batch_id;
    if (!is_replacement(ledger, &s->tx))
        return false;
    replace(ledger, s);
    return true;
}

static void
submit_run(struct ledger *ledger, struct command *command)
{
    struct submit *s = (struct submit *)command;
    bool good = s->tx.batch_id != 0       ? submit_replacement(ledger, s)
                : s->tx.gift.payment != 0 ? submit_gift(ledger, s)
                                          : submit_new(ledger, s);

    s->plain.err = good ? X402_OK : X402_ERR_BUSY;
}

static void
submit_deliver(struct command *command)
{
    struct submit *s = (struct submit *)command;

    free((void *)s->tx.raw);
    free((void *)s->tx.payments);
    plain_deliver(command);
}

void
ledger_submit(struct ledger *ledger, const struct ledger_tx *tx,
              uint64_t now_ms, ledger_cb cb, void *arg)
{
    struct submit *s = command_new(sizeof *s);

    assert(tx->raw_len <= LEDGER_TX_RAW_MAX);
    assert(tx->payments_len <= LEDGER_TX_PAYMENTS_MAX);
    s->plain.head.run = submit_run;
    s->plain.head.fail = plain_fail;
    s->plain.head.deliver = submit_deliver;
    s->plain.cb = cb;
    s->plain.arg = arg;
    s->now_ms = now_ms;
    s->tx = *tx;
    s->tx.raw = command_copy(tx->raw, tx->raw_len);
    s->tx.payments =
        command_copy(tx->payments, tx->payments_len * sizeof *tx->payments);
    (void)command_send(ledger, &s->plain.head, false);
}

/* -- to a remote facilitator -- */

struct hand_over {
    struct plain plain;
    int64_t payment;
    uint64_t now_ms;
};

static void
hand_over_run(struct ledger *ledger, struct command *command)
{
    struct hand_over *h = (struct hand_over *)command;
    struct ledger_step step = {.what = EVENT_HANDED_OVER, .at_ms = h->now_ms};
    struct money money;
    struct row row;
    sqlite3_stmt *stmt;

    h->plain.payment = h->payment;
    h->plain.err = X402_ERR_BUSY;
    if (!row_by_id(&ledger->write, h->payment, &row))
        return;
    money = money_of(&row.pay);
    if (!money_submittable(&money))
        return;
    stmt = db_use(&ledger->write, SQL_HAND_OVER);
    bind_int(stmt, 1, h->payment);
    bind_int(stmt, 2, ledger->epoch);
    bind_int(stmt, 3, (int64_t)h->now_ms);
    db_run_one(&ledger->write, stmt);
    row_count(ledger, money.state, money.run, PAY_SUBMITTED, money.run);
    event_note(ledger, LEDGER_PAYMENT, h->payment, &step);
    h->plain.err = X402_OK;
}

void
ledger_hand_over(struct ledger *ledger, int64_t payment, uint64_t now_ms,
                 ledger_cb cb, void *arg)
{
    struct hand_over *h = command_new(sizeof *h);

    h->plain.head.run = hand_over_run;
    h->plain.head.fail = plain_fail;
    h->plain.head.deliver = plain_deliver;
    h->plain.cb = cb;
    h->plain.arg = arg;
    h->payment = payment;
    h->now_ms = now_ms;
    (void)command_send(ledger, &h->plain.head, false);
}
