/* SPDX-License-Identifier: Apache-2.0 */
/* What the chain knows of our payments and the ledger does not: after a backup
 * was put back, or when somebody else's transaction carried a payment that
 * nobody had told us of.  And how far the chain has been read for that. */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct adopt {
    struct plain plain;
    struct ledger_adopt in;
};

/* -- the command -- */

/* NULL where all of the value is taken. */
static void
bind_charge(sqlite3_stmt *stmt, int at, const struct ledger_adopt *in)
{
    if (in->method == X402_METHOD_PERMIT2_UPTO)
        bind_amount(stmt, at, &in->charge);
    else
        (void)sqlite3_bind_null(stmt, at);
}

static void
insert(struct ledger *ledger, struct adopt *a)
{
    const struct ledger_adopt *in = &a->in;
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_ADOPT);

    a->plain.payment = ++ledger->last_id;
    bind_int(stmt, 1, a->plain.payment);
    bind_int(stmt, 2, ledger->epoch);
    bind_int(stmt, 3, (int64_t)in->now_ms);
    bind_int(stmt, 4, (int64_t)in->chain_id);
    bind_address(stmt, 5, x402_method_contract(in->method, &in->asset));
    bind_address(stmt, 6, &in->auth.from);
    bind_blob(stmt, 7, in->auth.nonce, sizeof in->auth.nonce);
    bind_address(stmt, 8, &in->auth.to);
    bind_amount(stmt, 9, &in->auth.value);
    bind_int(stmt, 10, (int64_t)in->auth.valid_after_s);
    bind_int(stmt, 11, (int64_t)in->auth.valid_before_s);
    (void)sqlite3_bind_text(stmt, 12, in->resource, -1, SQLITE_STATIC);
    bind_int(stmt, 13, in->method);
    if (in->method != X402_METHOD_EIP3009)
        bind_address(stmt, 14, &in->asset);
    else
        (void)sqlite3_bind_null(stmt, 14);
    if (in->method == X402_METHOD_PERMIT2_UPTO)
        bind_address(stmt, 15, &in->facilitator);
    else
        (void)sqlite3_bind_null(stmt, 15);
    bind_charge(stmt, 16, in);
    seen_add(&ledger->seen, &in->auth.from, in->auth.nonce);
    db_run_one(db, stmt);
}

/* RELEASED says that nobody was charged, and somebody was. */
static void
revive(struct ledger *ledger, const struct adopt *a, int64_t id)
{
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_ADOPT_RELEASED);

    bind_int(stmt, 1, id);
    bind_int(stmt, 2, ledger->epoch);
    bind_int(stmt, 3, (int64_t)a->in.now_ms);
    bind_charge(stmt, 4, &a->in);
    db_run_one(db, stmt);
}

/** The row is CAPTURED now, and was not open before. */
static void
mine_opened(struct ledger *ledger, struct adopt *a, enum pay_state from)
{
    struct ledger_step step = {.what = EVENT_ADOPTED, .at_ms = a->in.now_ms};
    struct row row;
    struct money money;

    if (!row_by_id(&ledger->write, a->plain.payment, &row))
        return;
    event_note(ledger, LEDGER_PAYMENT, row.pay.id, &step);
    row_count(ledger, from, PAY_RUN_NONE, row.pay.state, row.pay.run);
    money = money_of(&row.pay);
    credit_open(ledger, &money);
    settle_mine(ledger, &money, &a->in.block, a->in.now_ms);
}

static enum x402_err
mine_open(struct ledger *ledger, const struct adopt *a, const struct row *row)
{
    struct money money = money_of(&row->pay);

    /* a run that goes on will be captured, and then the settler finds out; a
     * transaction of our own is the follower's to tell of */
    if ((money.state != PAY_SUBMITTED && !money_submittable(&money)) ||
        settle_is_own(ledger, a->in.block.tx_hash))
        return X402_ERR_BUSY;
    settle_mine(ledger, &money, &a->in.block, a->in.now_ms);
    return X402_OK;
}

static bool
same_terms(const struct ledger_adopt *in, const struct pay_row *row)
{
    /* of upto's the row knows what is taken when the work is done */
    bool charged = row->state == PAY_CAPTURED || row->state == PAY_SUBMITTED ||
                   row->state == PAY_MINED || row->state == PAY_FINAL;

    if (in->method == X402_METHOD_PERMIT2_UPTO &&
        (!x402_address_eq(&in->facilitator, &row->facilitator) ||
         (charged && x402_amount_cmp(&in->charge, &row->charge) != 0)))
        return false;
    return in->method == row->method &&
           x402_address_eq(&in->asset, &row->asset) &&
           x402_address_eq(&in->auth.to, &row->auth.to) &&
           x402_amount_cmp(&in->auth.value, &row->auth.value) == 0;
}

static enum x402_err
adopt_row(struct ledger *ledger, struct adopt *a, const struct row *row)
{
    a->plain.payment = row->pay.id;
    if (!same_terms(&a->in, &row->pay))
        return X402_ERR_RESOURCE;
    switch (row->pay.state) {
    case PAY_RELEASED:
        revive(ledger, a, row->pay.id);
        mine_opened(ledger, a, PAY_RELEASED);
        return X402_OK;
    case PAY_RESERVED:
    case PAY_CAPTURED:
    case PAY_SUBMITTED:
        return mine_open(ledger, a, row);
    case PAY_MINED:
    case PAY_FINAL:
        return X402_OK;
    case PAY_FAILED:
        break;
    }
    return X402_ERR_RESOURCE;
}

static void
adopt_run(struct ledger *ledger, struct command *command)
{
    struct adopt *a = (struct adopt *)command;
    struct pay_key key = {.chain_id = a->in.chain_id,
                          .contract =
                              *x402_method_contract(a->in.method, &a->in.asset),
                          .payer = a->in.auth.from};
    struct row row;

    memcpy(key.nonce, a->in.auth.nonce, sizeof key.nonce);
    if (row_by_key(&ledger->write, &key, &row)) {
        a->plain.err = adopt_row(ledger, a, &row);
        return;
    }
    insert(ledger, a);
    mine_opened(ledger, a, 0);
    a->plain.err = X402_OK;
}

void
ledger_adopt(struct ledger *ledger, const struct ledger_adopt *in, ledger_cb cb,
             void *arg)
{
    struct adopt *a = command_new(sizeof *a);

    a->plain.head.run = adopt_run;
    a->plain.head.fail = plain_fail;
    a->plain.head.deliver = plain_deliver;
    a->plain.cb = cb;
    a->plain.arg = arg;
    a->in = *in;
    (void)command_send(ledger, &a->plain.head, false);
}

/* -- how far the chain was read -- */

struct mark {
    struct plain plain;
    uint64_t chain_id, block;
};

static void
mark_run(struct ledger *ledger, struct command *command)
{
    struct mark *mark = (struct mark *)command;
    sqlite3_stmt *stmt = db_use(&ledger->write, SQL_MARK_SET);

    bind_int(stmt, 1, (int64_t)mark->chain_id);
    bind_int(stmt, 2, (int64_t)mark->block);
    db_run_one(&ledger->write, stmt);
    mark->plain.err = X402_OK;
}

void
ledger_set_mark(struct ledger *ledger, uint64_t chain_id, uint64_t block,
                ledger_cb cb, void *arg)
{
    struct mark *mark = command_new(sizeof *mark);

    mark->plain.head.run = mark_run;
    mark->plain.head.fail = plain_fail;
    mark->plain.head.deliver = plain_deliver;
    mark->plain.head.lazy = true;
    mark->plain.cb = cb;
    mark->plain.arg = arg;
    mark->chain_id = chain_id;
    mark->block = block;
    (void)command_send(ledger, &mark->plain.head, false);
}

static bool
read_one(struct db *db, enum statement which, uint64_t chain_id, uint64_t *out)
{
    sqlite3_stmt *stmt = db_use(db, which);
    bool found;

    bind_int(stmt, 1, (int64_t)chain_id);
    found = db_row(db, stmt) && sqlite3_column_type(stmt, 0) != SQLITE_NULL;
    if (found)
        *out = (uint64_t)sqlite3_column_int64(stmt, 0);
    db_done(stmt);
    db->rc = SQLITE_OK;
    return found;
}

bool
ledger_mark(struct ledger *ledger, uint64_t chain_id, uint64_t *block)
{
    /* without a mark: a ledger from before there were any, or a new one */
    return read_one(&ledger->read, SQL_MARK, chain_id, block) ||
           read_one(&ledger->read, SQL_NEWEST_BLOCK, chain_id, block);
}

uint64_t
ledger_newest_ms(struct ledger *ledger)
{
    uint64_t newest_ms = 0;

    (void)read_one(&ledger->read, SQL_NEWEST_MS, 0, &newest_ms);
    return newest_ms;
}
