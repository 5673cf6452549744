/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway's payment, from "here it is" to "reserved": in work already? in the
 * ledger already? good on the chain? then claimed; and where it is settled
 * first, followed until it is mined. */
#include <string.h>

#include "../failpoint.h"
#include "../metrics.h"
#include "inside.h"

struct reserve {
    struct op op;
    bool (*still_there)(void *arg);
    cashier_reserved_cb cb;
    void *arg;
    struct x402_till_reserved out;
};

static void
answer(struct reserve *r, enum x402_err err)
{
    r->out.err = err;
    if (err != X402_OK) {
        memset(&r->out.rid, 0, sizeof r->out.rid);
        metrics_add(METRIC_REFUSED, 1);
    } else {
        metrics_add(METRIC_RESERVED, 1);
    }
    r->cb(r->arg, &r->out);
    op_free(&r->op);
}

static void
take_transaction(struct reserve *r, const struct pay_row *row)
{
    r->out.has_transaction = row->has_tx;
    memcpy(r->out.transaction, row->tx_hash, sizeof r->out.transaction);
}

static bool
is_mined(const struct pay_row *row)
{
    return row->state == PAY_MINED || row->state == PAY_FINAL;
}

/* -- settle-first -- */

/* The wait is over without a block.  What was submitted goes on by itself, and
 * the same request finds it again; what was not is free again. */
static void
on_let_go(void *arg, enum x402_err err, int64_t payment)
{
    struct reserve *r = arg;
    struct pay_row row;

    (void)err;
    (void)payment;
    if (!ledger_get(r->op.cashier->ledger, r->op.payment, &row) ||
        row.state == PAY_RELEASED) {
        answer(r, X402_ERR_UNAVAILABLE);
        return;
    }
    take_transaction(r, &row);
    answer(r, X402_ERR_PENDING);
}

static void
on_refused(void *arg, enum x402_err err, int64_t payment)
{
    struct reserve *r = arg;

    (void)err;
    (void)payment;
    answer(r, r->out.err != X402_OK ? r->out.err : X402_ERR_SIMULATION);
}

static void
let_go(struct reserve *r, ledger_cb cb)
{
    ledger_release(r->op.cashier->ledger, &r->out.rid, 0, core_now_ms(), cb, r);
}

static void
on_watched(void *arg, enum chain_outcome outcome, const struct pay_row *row)
{
    struct reserve *r = arg;

    switch (outcome) {
    case CHAIN_MINED:
        r->out.settled = true;
        take_transaction(r, row);
        answer(r, X402_OK);
        return;
    case CHAIN_REFUSED:
        r->out.err = row->reason;
        let_go(r, on_refused);
        return;
    case CHAIN_TIMEOUT:
        let_go(r, on_let_go);
        return;
    }
}

static void
settle_first(struct reserve *r)
{
    metrics_add(METRIC_SETTLE_FIRST, 1);
    chain_kick(r->op.chain, true);
    chain_watch(r->op.chain, r->op.payment, CASHIER_WAIT_MINED_MS, on_watched,
                r);
}

/* -- claimed -- */

static void
on_reserved(void *arg, const struct ledger_reserved *out)
{
    struct reserve *r = arg;

    failpoint("after_reserve");
    r->op.payment = out->payment;
    r->out.rid = out->rid;
    r->out.redeemed = out->redeemed;
    if (out->payment != 0) {
        r->out.settled = is_mined(&out->row);
        take_transaction(r, &out->row);
    }
    if (out->err == X402_OK)
        cashier_know(r->op.cashier, out->payment, r->op.chain);
    if (out->err == X402_OK && out->redeemed)
        metrics_add(METRIC_REDEEMED, 1);
    if (out->err == X402_OK && !out->redeemed && !r->out.settled &&
        out->mode == PAY_SETTLE_BEFORE)
        settle_first(r);
    else
        answer(r, out->err);
}

static void
claim(struct reserve *r)
{
    if (!r->still_there(r->arg)) {
        answer(r, X402_ERR_UNAVAILABLE);
        return;
    }
    r->op.in.now_ms = core_now_ms();
    ledger_reserve(r->op.cashier->ledger, &r->op.in, on_reserved, r);
}

static void
on_verdict(void *arg, const struct chain_verdict *verdict)
{
    struct reserve *r = arg;

    check_verdict(&r->op, verdict);
    claim(r);
}

/* -- asked -- */

/* A payment with a row of its own is the ledger's to judge, and costs the chain
 * nothing; only a released one claims new money. */
static bool
ask_the_chain(struct reserve *r)
{
    struct pay_key key = check_key(&r->op.in);
    struct pay_row row;

    if (r->op.in.look_up)
        return false;
    return !ledger_find(r->op.cashier->ledger, &key, &row) ||
           row.state == PAY_RELEASED;
}

static void
begin(struct reserve *r)
{
    struct chain_ask ask;
    enum x402_err err;

    if (!ask_the_chain(r)) {
        /* whatever has become of the row meanwhile: no new money */
        r->op.in.chain = X402_ERR_UNAVAILABLE;
        claim(r);
        return;
    }
    err = check_settler(&r->op);
    if (err != X402_OK) {
        answer(r, err);
        return;
    }
    ask = check_ask(&r->op.in);
    chain_simulate(r->op.chain, &ask, on_verdict, r);
}

static void
take_over(struct ledger_reserve *in, const struct x402_till_reserve *from,
          const uint8_t worker[16])
{
    in->origin = PAY_ORIGIN_GATEWAY;
    in->mode = (from->flags & X402_TILL_SETTLE_FIRST) != 0 ? PAY_SETTLE_BEFORE
                                                           : PAY_SETTLE_AFTER;
    in->look_up = (from->flags & X402_TILL_LOOK_UP) != 0;
    in->alone = (from->flags & X402_TILL_SMART_WALLET) != 0;
    in->wire = from->wire;
    in->method = from->method;
    in->facilitator = from->facilitator;
    in->sponsor = from->sponsor;
    in->chain_id = from->chain_id;
    in->asset = from->asset;
    in->auth = from->auth;
    in->signature_len = from->signature_len;
    memcpy(in->signature, from->signature, from->signature_len);
    memcpy(in->fingerprint, from->fingerprint, sizeof in->fingerprint);
    memcpy(in->resource, from->resource, sizeof in->resource);
    memcpy(in->worker, worker, sizeof in->worker);
}

void
cashier_reserve(struct cashier *cashier, const struct x402_till_reserve *in,
                const uint8_t worker[16], bool (*still_there)(void *arg),
                cashier_reserved_cb cb, void *arg)
{
    struct reserve *r = op_new(cashier, sizeof *r);
    const struct op *other;
    enum x402_err err;

    metrics_add(METRIC_RESERVES, 1);
    r->still_there = still_there;
    r->cb = cb;
    r->arg = arg;
    take_over(&r->op.in, in, worker);
    err = check_terms(&r->op, false);
    other = op_in_work(cashier, &r->op.in);
    if (err == X402_OK && other != NULL)
        err = memcmp(other->in.fingerprint, in->fingerprint, 32) == 0
                  ? X402_ERR_IN_PROGRESS
                  : X402_ERR_RESOURCE;
    if (err != X402_OK) {
        answer(r, err);
        return;
    }
    op_work(&r->op);
    begin(r);
}
