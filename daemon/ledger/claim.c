/* SPDX-License-Identifier: Apache-2.0 */
/* The writing half of reserve: a new row, or a new run of an old one. */
#include <string.h>

#include "key_gas.h"
#include "reserve.h"

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
    row->method = in->method;
    row->asset = in->asset;
    row->facilitator = in->facilitator;
    row->auth = in->auth;
    row->charge = in->has_charge ? in->charge : in->auth.value;
    row->sponsor = in->sponsor;
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
    bind_address(stmt, 7, x402_method_contract(row->method, &row->asset));
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
bind_charge(sqlite3_stmt *stmt, int at, const struct ledger_reserve *in)
{
    if (in->has_charge)
        bind_amount(stmt, at, &in->charge);
    else
        (void)sqlite3_bind_null(stmt, at);
}

static void
bind_sponsor(sqlite3_stmt *stmt, int at, const struct x402_sponsor *sponsor)
{
    uint8_t bytes[1 + X402_SPONSOR_MAX];

    if (sponsor->kind == X402_SPONSOR_NONE) {
        (void)sqlite3_bind_null(stmt, at);
        return;
    }
    bytes[0] = (uint8_t)sponsor->kind;
    memcpy(bytes + 1, sponsor->data, sponsor->len);
    (void)sqlite3_bind_blob(stmt, at, bytes, (int)sponsor->len + 1,
                            SQLITE_TRANSIENT);
}

/* What EIP-3009 leaves out. */
static void
bind_new_method(sqlite3_stmt *stmt, const struct ledger_reserve *in)
{
    bind_int(stmt, 24, in->method);
    (void)sqlite3_bind_null(stmt, 25);
    (void)sqlite3_bind_null(stmt, 26);
    if (in->method != X402_METHOD_EIP3009)
        bind_address(stmt, 25, &in->asset);
    if (in->method == X402_METHOD_PERMIT2_UPTO)
        bind_address(stmt, 26, &in->facilitator);
    bind_charge(stmt, 27, in);
    bind_sponsor(stmt, 28, &in->sponsor);
}

static void
write_new(struct ledger *ledger, struct reserve *r)
{
    struct pay_row *row = &r->out.row;
    struct db *db = &ledger->write;
    sqlite3_stmt *stmt = db_use(db, SQL_INSERT);
    struct money money;

    fill_new_row(r, row);
    bind_int(stmt, 23, row->id);
    bind_int(stmt, 1, row->state);
    bind_int(stmt, 2, row->run);
    bind_int(stmt, 3, row->mode);
    bind_int(stmt, 4, row->origin);
    bind_int(stmt, 5, r->in.wire);
    bind_new_signed(stmt, row);
    bind_new_rest(stmt, ledger, r, row);
    bind_new_method(stmt, &r->in);
    seen_add(&ledger->seen, &row->auth.from, row->auth.nonce);
    db_run_one(db, stmt);
    row_count(ledger, 0, 0, row->state, row->run);
    money = money_of(row);
    credit_open(ledger, &money);
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
    bind_sponsor(stmt, 9, &r->in.sponsor);
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
    bind_charge(stmt, 9, &r->in);
    bind_sponsor(stmt, 10, &r->in.sponsor);
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

static void
note(struct ledger *ledger, const struct reserve *r, enum ledger_event what)
{
    struct ledger_step step = {.what = what, .at_ms = r->in.now_ms};

    event_note(ledger, LEDGER_PAYMENT, r->out.row.id, &step);
}

/* A row that was there: read it again as it stands now. */
static void
read_back(struct ledger *ledger, struct reserve *r, const struct pay_row *old)
{
    struct money money;
    struct row now;

    if (!row_by_id(&ledger->write, old->id, &now))
        return;
    r->out.row = now.pay;
    r->out.mode = now.pay.mode;
    row_count(ledger, old->state, old->run, now.pay.state, now.pay.run);
    money = money_of(&now.pay);
    if (old->state == PAY_RELEASED)
        credit_open(ledger, &money);
}

void
claim_write(struct ledger *ledger, struct reserve *r, enum claim step)
{
    struct pay_row old = r->out.row;

    switch (step) {
    case CLAIM_NONE:
        return;
    case CLAIM_INSERT:
        write_new(ledger, r);
        key_gas_add(&ledger->write, &r->in);
        return;
    case CLAIM_AGAIN:
        write_again(ledger, r);
        note(ledger, r, EVENT_RESERVED_AGAIN);
        break;
    case CLAIM_FACILITATE:
        write_facilitate(ledger, r);
        note(ledger, r, EVENT_FACILITATED);
        key_gas_add(&ledger->write, &r->in);
        break;
    case CLAIM_REDEEM:
        write_redeem(ledger, r);
        note(ledger, r, EVENT_REDEEMED);
        break;
    }
    read_back(ledger, r, &old);
}
