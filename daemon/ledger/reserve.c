/* SPDX-License-Identifier: Apache-2.0 */
/* reserve: claim a payment.  First decide, reading only, then write: nobody
 * else writes in between, so that a refusal has changed nothing. */
#include <stdlib.h>
#include <string.h>

#include "../failpoint.h"
#include "internal.h"

struct reserve {
    struct command head;
    ledger_reserve_cb cb;
    void *arg;
    struct ledger_reserve in;
    struct ledger_reserved out;
};

/* What is to be done with a payment that may go on. */
enum step { STEP_NONE, STEP_INSERT, STEP_AGAIN, STEP_FACILITATE, STEP_REDEEM };

static bool
same_terms(const struct ledger_reserve *in, const struct pay_row *row)
{
    return x402_address_eq(&in->auth.to, &row->auth.to) &&
           x402_amount_cmp(&in->auth.value, &row->auth.value) == 0;
}

static bool
same_authorization(const struct ledger_reserve *in, const struct pay_row *row)
{
    return same_terms(in, row) &&
           in->auth.valid_after_s == row->auth.valid_after_s &&
           in->auth.valid_before_s == row->auth.valid_before_s;
}

/* Claims new money: the chain's word and the credit count. */
static enum x402_err
may_open(struct ledger *ledger, struct reserve *r)
{
    if (r->in.chain != X402_OK)
        return r->in.chain;
    return credit_check(ledger, &r->in, &r->out.mode);
}

static bool
still_redeemable(const struct reserve *r, const struct row *row)
{
    return row->pay.runs < LEDGER_RUNS_MAX &&
           r->in.now_ms <= row->charged_ms + LEDGER_REDEEM_MS;
}

/* A row whose money is ours or on its way. */
static enum x402_err
decide_charged(struct reserve *r, const struct row *row, enum step *step)
{
    bool mined = row->pay.state == PAY_MINED || row->pay.state == PAY_FINAL;

    switch (row->pay.run) {
    case PAY_RUN_OPEN:
        if (mutant("no_unique"))
            return X402_OK;
        return X402_ERR_IN_PROGRESS;
    case PAY_RUN_DELIVERED:
        return X402_ERR_REPLAYED;
    case PAY_RUN_NONE:
    case PAY_RUN_REDEEMABLE:
        break;
    }
    if (row->pay.mode == PAY_SETTLE_BEFORE && !mined)
        return X402_ERR_PENDING;
    if (row->pay.run != PAY_RUN_REDEEMABLE || !still_redeemable(r, row))
        return X402_ERR_REPLAYED;
    *step = STEP_REDEEM;
    return X402_OK;
}

static enum x402_err
decide_again(struct ledger *ledger, struct reserve *r, const struct row *row,
             enum step *step)
{
    if (r->in.look_up)
        return X402_ERR_EXPIRED;
    if (row->pay.releases >= LEDGER_RELEASES_MAX)
        return X402_ERR_RELEASE_LIMIT;
    *step = STEP_AGAIN;
    return may_open(ledger, r);
}

static enum x402_err
decide_gateway(struct ledger *ledger, struct reserve *r, const struct row *row,
               enum step *step)
{
    if (row->pay.origin != PAY_ORIGIN_GATEWAY ||
        memcmp(row->pay.fingerprint, r->in.fingerprint, 32) != 0 ||
        !same_authorization(&r->in, &row->pay))
        return X402_ERR_RESOURCE;
    switch (row->pay.state) {
    case PAY_RESERVED:
        return mutant("no_unique") ? X402_OK : X402_ERR_IN_PROGRESS;
    case PAY_RELEASED:
        return decide_again(ledger, r, row, step);
    case PAY_CAPTURED:
    case PAY_SUBMITTED:
    case PAY_MINED:
    case PAY_FINAL:
        return decide_charged(r, row, step);
    case PAY_FAILED:
        return X402_ERR_REPLAYED;
    }
    return X402_ERR_INTERNAL;
}

static enum x402_err
decide_facilitator(struct ledger *ledger, struct reserve *r,
                   const struct row *row, enum step *step)
{
    if (!same_terms(&r->in, &row->pay))
        return X402_ERR_RESOURCE;
    if (row->pay.state == PAY_RESERVED)
        return X402_ERR_IN_PROGRESS;
    if (row->pay.state != PAY_RELEASED)
        return X402_OK;
    *step = STEP_FACILITATE;
    return may_open(ledger, r);
}

static enum x402_err
decide_new(struct ledger *ledger, struct reserve *r, enum step *step)
{
    if (r->in.look_up)
        return X402_ERR_EXPIRED;
    *step = STEP_INSERT;
    return may_open(ledger, r);
}

/* -- writing -- */

static enum pay_state
opens_as(const struct reserve *r)
{
    return r->in.origin == PAY_ORIGIN_GATEWAY ? PAY_RESERVED : PAY_CAPTURED;
}

static void
fill_new_row(struct reserve *r, struct pay_row *row)
{
    const struct ledger_reserve *in = &r->in;
    bool gateway = in->origin == PAY_ORIGIN_GATEWAY;

    row->state = opens_as(r);
    row->run = gateway ? PAY_RUN_OPEN : PAY_RUN_NONE;
    row->mode = r->out.mode;
    row->origin = in->origin;
    row->chain_id = in->chain_id;
    row->asset = in->asset;
    row->auth = in->auth;
    row->signature_len = in->signature_len;
    memcpy(row->signature, in->signature, in->signature_len);
    memcpy(row->fingerprint, in->fingerprint, sizeof row->fingerprint);
    row->created_ms = in->now_ms;
    row->updated_ms = in->now_ms;
    row->alone = in->alone;
}

static void
bind_new_signed(sqlite3_stmt *stmt, const struct pay_row *row)
{
    bind_int(stmt, 6, (int64_t)row->chain_id);
    bind_address(stmt, 7, &row->asset);
    bind_address(stmt, 8, &row->auth.from);
    bind_blob(stmt, 9, row->auth.nonce, sizeof row->auth.nonce);
    bind_address(stmt, 10, &row->auth.to);
    bind_amount(stmt, 11, &row->auth.value);
    bind_int(stmt, 12, (int64_t)row->auth.valid_after_s);
    bind_int(stmt, 13, (int64_t)row->auth.valid_before_s);
    bind_blob(stmt, 14, row->signature, row->signature_len);
    bind_blob(stmt, 15, row->fingerprint, sizeof row->fingerprint);
}

static void
bind_new_rest(sqlite3_stmt *stmt, const struct ledger *ledger,
              const struct reserve *r, const struct pay_row *row)
{
    size_t len = strnlen(r->in.resource, sizeof r->in.resource - 1);

    (void)sqlite3_bind_text(stmt, 16, r->in.resource, (int)len, SQLITE_STATIC);
    bind_int(stmt, 17, row->alone);
    if (row->run == PAY_RUN_OPEN) {
        bind_blob(stmt, 18, r->out.rid.byte, sizeof r->out.rid.byte);
        bind_blob(stmt, 19, r->in.worker, sizeof r->in.worker);
    } else {
        (void)sqlite3_bind_null(stmt, 18);
        (void)sqlite3_bind_null(stmt, 19);
    }
    bind_int(stmt, 20, row->state == PAY_CAPTURED ? (int64_t)r->in.now_ms : 0);
    bind_int(stmt, 21, ledger->epoch);
    bind_int(stmt, 22, (int64_t)r->in.now_ms);
}

static void
write_new(struct ledger *ledger, struct reserve *r)
{
    struct pay_row *row = &r->out.row;
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_INSERT);

    fill_new_row(r, row);
    bind_int(stmt, 23, row->id);
    bind_int(stmt, 1, row->state);
    bind_int(stmt, 2, row->run);
    bind_int(stmt, 3, row->mode);
    bind_int(stmt, 4, row->origin);
    bind_int(stmt, 5, r->in.wire);
    bind_new_signed(stmt, row);
    bind_new_rest(stmt, ledger, r, row);
    db_run_one(db, stmt);
    row_count(ledger, 0, 0, row->state, row->run);
    credit_open(ledger, row);
    r->out.created = true;
}

static void
write_again(struct ledger *ledger, struct reserve *r)
{
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_RESERVE_AGAIN);

    bind_int(stmt, 1, r->out.row.id);
    bind_int(stmt, 2, r->out.mode);
    bind_blob(stmt, 3, r->out.rid.byte, sizeof r->out.rid.byte);
    bind_blob(stmt, 4, r->in.worker, sizeof r->in.worker);
    bind_blob(stmt, 5, r->in.signature, r->in.signature_len);
    bind_int(stmt, 6, r->in.alone);
    bind_int(stmt, 7, ledger->epoch);
    bind_int(stmt, 8, (int64_t)r->in.now_ms);
    db_run_one(db, stmt);
}

static void
write_facilitate(struct ledger *ledger, struct reserve *r)
{
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_FACILITATE);

    bind_int(stmt, 1, r->out.row.id);
    bind_int(stmt, 2, r->out.mode);
    bind_int(stmt, 3, (int64_t)r->in.auth.valid_after_s);
    bind_int(stmt, 4, (int64_t)r->in.auth.valid_before_s);
    bind_blob(stmt, 5, r->in.signature, r->in.signature_len);
    bind_int(stmt, 6, r->in.alone);
    bind_int(stmt, 7, ledger->epoch);
    bind_int(stmt, 8, (int64_t)r->in.now_ms);
    db_run_one(db, stmt);
}

static void
write_redeem(struct ledger *ledger, struct reserve *r)
{
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_REDEEM);

    bind_int(stmt, 1, r->out.row.id);
    bind_blob(stmt, 2, r->out.rid.byte, sizeof r->out.rid.byte);
    bind_blob(stmt, 3, r->in.worker, sizeof r->in.worker);
    bind_int(stmt, 4, ledger->epoch);
    bind_int(stmt, 5, (int64_t)r->in.now_ms);
    db_run_one(db, stmt);
    r->out.redeemed = true;
}

/* A row that was there: read it again as it stands now. */
static void
read_back(struct ledger *ledger, struct reserve *r, const struct pay_row *old)
{
    struct row now;

    if (!row_by_id(&ledger->write, old->id, &now))
        return;
    r->out.row = now.pay;
    r->out.mode = now.pay.mode;
    row_count(ledger, old->state, old->run, now.pay.state, now.pay.run);
    if (old->state == PAY_RELEASED)
        credit_open(ledger, &now.pay);
}

static void
write_step(struct ledger *ledger, struct reserve *r, enum step step)
{
    struct pay_row old = r->out.row;

    switch (step) {
    case STEP_NONE:
        return;
    case STEP_INSERT:
        write_new(ledger, r);
        return;
    case STEP_AGAIN:
        write_again(ledger, r);
        break;
    case STEP_FACILITATE:
        write_facilitate(ledger, r);
        break;
    case STEP_REDEEM:
        write_redeem(ledger, r);
        break;
    }
    read_back(ledger, r, &old);
}

/* -- the command -- */

static enum x402_err
decide(struct ledger *ledger, struct reserve *r, enum step *step)
{
    struct pay_key key = {.chain_id = r->in.chain_id,
                          .contract = r->in.asset,
                          .payer = r->in.auth.from};
    struct row row;

    memcpy(key.nonce, r->in.auth.nonce, sizeof key.nonce);
    if (!row_by_key(&ledger->write, &key, &row))
        return decide_new(ledger, r, step);
    r->out.row = row.pay;
    if (r->in.origin == PAY_ORIGIN_FACILITATOR)
        return decide_facilitator(ledger, r, &row, step);
    return decide_gateway(ledger, r, &row, step);
}

static void
reserve_run(struct ledger *ledger, struct command *command)
{
    struct reserve *r = (struct reserve *)command;
    enum step step = STEP_NONE;

    memset(&r->out, 0, sizeof r->out);
    r->out.mode = r->in.mode;
    r->out.err = decide(ledger, r, &step);
    if (r->out.err == X402_OK) {
        if (step == STEP_INSERT)
            r->out.row.id = ++ledger->last_id;
        if (r->in.origin == PAY_ORIGIN_GATEWAY)
            r->out.rid = rid_new(r->out.row.id);
        write_step(ledger, r, step);
    }
    r->out.payment = r->out.row.id;
    if (r->out.row.id != 0)
        r->out.mode = r->out.row.mode;
}

static void
reserve_fail(struct command *command, enum x402_err err)
{
    struct reserve *r = (struct reserve *)command;

    memset(&r->out, 0, sizeof r->out);
    r->out.err = err;
}

static void
reserve_deliver(struct command *command)
{
    struct reserve *r = (struct reserve *)command;

    r->cb(r->arg, &r->out);
    free(r);
}

static void
reserve_refused(void *arg)
{
    reserve_deliver(arg);
}

/* Wrong lengths and times that the table cannot hold are refused here, once. */
static enum x402_err
check_in(const struct ledger_reserve *in)
{
    if (in->signature_len > X402_SIGNATURE_MAX)
        return X402_ERR_TOO_LARGE;
    if (in->auth.valid_after_s > INT64_MAX)
        return X402_ERR_NOT_YET_VALID;
    if (in->auth.valid_before_s > INT64_MAX)
        return X402_ERR_TOO_LONG;
    return X402_OK;
}

void
ledger_reserve(struct ledger *ledger, const struct ledger_reserve *in,
               ledger_reserve_cb cb, void *arg)
{
    struct reserve *r = command_new(sizeof *r);

    r->head.run = reserve_run;
    r->head.fail = reserve_fail;
    r->head.deliver = reserve_deliver;
    r->cb = cb;
    r->arg = arg;
    r->in = *in;
    r->out.err = check_in(in);
    if (r->out.err == X402_OK && command_send(ledger, &r->head, true))
        return;
    if (r->out.err == X402_OK)
        r->out.err = X402_ERR_BUSY;
    core_post(ledger->core, reserve_refused, r);
}
