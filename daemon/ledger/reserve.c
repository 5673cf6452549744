/* SPDX-License-Identifier: Apache-2.0 */
/* reserve: claim a payment.  First decide, reading only, then write: nobody
 * else writes in between, so that a refusal has changed nothing but what the
 * history says. */
#include <stdlib.h>
#include <string.h>

#include "../failpoint.h"
#include "reserve.h"

#include "key_gas.h"

static bool
same_method(const struct ledger_reserve *in, const struct pay_row *row)
{
    return in->method == row->method &&
           x402_address_eq(&in->asset, &row->asset) &&
           (in->method != X402_METHOD_PERMIT2_UPTO ||
            x402_address_eq(&in->facilitator, &row->facilitator));
}

static bool
same_terms(const struct ledger_reserve *in, const struct pay_row *row)
{
    return same_method(in, row) &&
           x402_address_eq(&in->auth.to, &row->auth.to) &&
           x402_amount_cmp(&in->auth.value, &row->auth.value) == 0;
}

static bool
same_charge(const struct ledger_reserve *in, const struct pay_row *row)
{
    return x402_amount_cmp(in->has_charge ? &in->charge : &in->auth.value,
                           &row->charge) == 0;
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
    enum x402_err err = r->in.chain;

    if (err == X402_OK)
        err = credit_check(ledger, &r->in, &r->out.mode);
    /* what is to be taken is known when the work is done, not before */
    if (err == X402_OK && r->in.origin == PAY_ORIGIN_GATEWAY &&
        r->in.method == X402_METHOD_PERMIT2_UPTO &&
        r->out.mode == PAY_SETTLE_BEFORE)
        err = X402_ERR_CREDIT;
    if (err == X402_OK && !key_gas_fits(&ledger->write, &r->in))
        err = X402_ERR_KEY_GAS;
    return err;
}

static bool
still_redeemable(const struct reserve *r, const struct row *row)
{
    if (mutant("redeem_often"))
        return true;
    return row->pay.runs < LEDGER_RUNS_MAX &&
           r->in.now_ms <= row->charged_ms + LEDGER_REDEEM_MS;
}

/* A row whose money is ours or on its way. */
static enum x402_err
decide_charged(struct reserve *r, const struct row *row, enum claim *step)
{
    bool mined = row->pay.state == PAY_MINED || row->pay.state == PAY_FINAL;

    switch (row->pay.run) {
    case PAY_RUN_OPEN:
        return mutant("no_unique") ? X402_OK : X402_ERR_IN_PROGRESS;
    case PAY_RUN_DELIVERED:
        return mutant("no_unique") ? X402_OK : X402_ERR_REPLAYED;
    case PAY_RUN_NONE:
    case PAY_RUN_REDEEMABLE:
        break;
    }
    if (row->pay.mode == PAY_SETTLE_BEFORE && !mined)
        return X402_ERR_PENDING;
    if (row->pay.run != PAY_RUN_REDEEMABLE || !still_redeemable(r, row))
        return X402_ERR_REPLAYED;
    *step = CLAIM_REDEEM;
    return X402_OK;
}

static enum x402_err
decide_again(struct ledger *ledger, struct reserve *r, const struct row *row,
             enum claim *step)
{
    if (row->taken) /* upto, of which nothing was taken */
        return X402_ERR_REPLAYED;
    if (r->in.look_up)
        return X402_ERR_EXPIRED;
    if (row->pay.releases >= LEDGER_RELEASES_MAX && !mutant("release_often"))
        return X402_ERR_RELEASE_LIMIT;
    *step = CLAIM_AGAIN;
    return may_open(ledger, r);
}

static enum x402_err
decide_gateway(struct ledger *ledger, struct reserve *r, const struct row *row,
               enum claim *step)
{
    if (row->pay.origin != PAY_ORIGIN_GATEWAY ||
        (memcmp(row->pay.fingerprint, r->in.fingerprint, 32) != 0 &&
         !mutant("any_resource")) ||
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
                   const struct row *row, enum claim *step)
{
    if (!same_terms(&r->in, &row->pay))
        return X402_ERR_RESOURCE;
    if (row->pay.state == PAY_RESERVED)
        return X402_ERR_IN_PROGRESS;
    if (row->pay.state != PAY_RELEASED)
        return same_charge(&r->in, &row->pay) ? X402_OK : X402_ERR_RESOURCE;
    if (row->taken)
        return X402_ERR_REPLAYED;
    *step = CLAIM_FACILITATE;
    return may_open(ledger, r);
}

static enum x402_err
decide_new(struct ledger *ledger, struct reserve *r, enum claim *step)
{
    if (r->in.look_up)
        return X402_ERR_EXPIRED;
    *step = CLAIM_INSERT;
    return may_open(ledger, r);
}

/* -- the command -- */

static enum x402_err
decide(struct ledger *ledger, struct reserve *r, enum claim *step)
{
    struct pay_key key = {.chain_id = r->in.chain_id,
                          .contract =
                              *x402_method_contract(r->in.method, &r->in.asset),
                          .payer = r->in.auth.from};
    struct row row;

    memcpy(key.nonce, r->in.auth.nonce, sizeof key.nonce);
    if (!seen_perhaps(&ledger->seen, &key.payer, key.nonce) ||
        !row_by_key(&ledger->write, &key, &row))
        return decide_new(ledger, r, step);
    r->out.row = row.pay;
    if (r->in.origin == PAY_ORIGIN_FACILITATOR)
        return decide_facilitator(ledger, r, &row, step);
    return decide_gateway(ledger, r, &row, step);
}

/* Whoever asks twice at a time learns it himself. */
static void
note_refusal(struct ledger *ledger, const struct reserve *r)
{
    if (r->out.row.id != 0 && r->out.err != X402_ERR_IN_PROGRESS)
        event_note_refused(ledger, r->out.row.id, r->out.err, r->in.now_ms);
}

static void
reserve_run(struct ledger *ledger, struct command *command)
{
    struct reserve *r = (struct reserve *)command;
    enum claim step = CLAIM_NONE;

    memset(&r->out, 0, sizeof r->out);
    r->out.mode = r->in.mode;
    r->out.err = decide(ledger, r, &step);
    if (r->out.err == X402_OK) {
        if (step == CLAIM_INSERT)
            r->out.row.id = ++ledger->last_id;
        if (r->in.origin == PAY_ORIGIN_GATEWAY)
            r->out.rid = rid_new(r->out.row.id);
        claim_write(ledger, r, step);
    } else {
        note_refusal(ledger, r);
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
