/* SPDX-License-Identifier: Apache-2.0 */
/* The facilitator's two questions.  verify only asks; settle claims the payment
 * in the ledger, and the same payment gets the same answer however often and
 * however concurrently it comes. */
#include <stdio.h>
#include <string.h>

#include "../failpoint.h"
#include "inside.h"

struct facilitate {
    struct op op;
    bool settle;
    bool advice;  /* /verify, of a signature that is known to be the payer's */
    bool nothing; /* upto: "If the settled amount = 0, no on-chain transaction
                     is required" */
    cashier_answer_cb cb;
    void *arg;
    struct cashier_answer out;
};

static void
answer(struct facilitate *f, enum x402_err err)
{
    f->out.err = err;
    f->out.payer = f->op.in.auth.from;
    f->cb(f->arg, &f->out);
    op_free(&f->op);
}

static void
take_transaction(struct facilitate *f, const struct pay_row *row)
{
    f->out.has_transaction = row->has_tx;
    memcpy(f->out.transaction, row->tx_hash, sizeof f->out.transaction);
}

/* -- settle -- */

static void
on_watched(void *arg, enum chain_outcome outcome, const struct pay_row *row)
{
    struct facilitate *f = arg;

    switch (outcome) {
    case CHAIN_MINED:
        take_transaction(f, row);
        answer(f, X402_OK);
        return;
    case CHAIN_REFUSED:
        answer(f, row->reason != X402_OK ? row->reason : X402_ERR_TRANSACTION);
        return;
    case CHAIN_TIMEOUT:
        take_transaction(f, row);
        answer(f, X402_ERR_PENDING);
        return;
    }
}

/* "same (authorization, requirements): same answer and same tx" */
static void
answer_by_row(struct facilitate *f, const struct pay_row *row)
{
    switch (row->state) {
    case PAY_RESERVED:
        answer(f, X402_ERR_IN_PROGRESS);
        return;
    case PAY_CAPTURED:
    case PAY_SUBMITTED:
        chain_kick(f->op.chain, true);
        chain_watch(f->op.chain, row->id, CASHIER_SETTLE_MS, on_watched, f);
        return;
    case PAY_MINED:
    case PAY_FINAL:
        take_transaction(f, row);
        answer(f, X402_OK);
        return;
    case PAY_FAILED:
        answer(f, row->reason != X402_OK ? row->reason : X402_ERR_TRANSACTION);
        return;
    case PAY_RELEASED: /* the ledger never leaves it so for a facilitator */
        break;
    }
    answer(f, X402_ERR_INTERNAL);
}

/* "A payment that somebody else carried is paid": same answer, his transaction.
 */
static void
on_adopted(void *arg, enum x402_err err)
{
    struct facilitate *f = arg;
    struct pay_key key = check_key(&f->op.in);
    struct pay_row row;

    if (err == X402_OK && ledger_find(f->op.cashier->ledger, &key, &row))
        answer_by_row(f, &row);
    else
        answer(f, err == X402_OK ? X402_ERR_PENDING : err);
}

static void
on_reserved(void *arg, const struct ledger_reserved *out)
{
    struct facilitate *f = arg;

    /* and the ledger does not know by whom */
    if (out->err == X402_ERR_NONCE_USED)
        chain_adopt(f->op.chain, f->op.in.method, &f->op.in.asset,
                    &f->op.in.auth, f->op.in.resource, on_adopted, f);
    else if (out->err != X402_OK)
        answer(f, out->err);
    else
        answer_by_row(f, &out->row);
}

/* -- both -- */

/** "What cannot settle is refused": the claim counts, this only looks. */
static bool
has_gas_left(const struct facilitate *f)
{
    const struct ledger_reserve *in = &f->op.in;
    uint64_t used;

    if (in->key_gas_gwei == 0)
        return true;
    used = ledger_key_gas(f->op.cashier->ledger, in->key, in->now_ms);
    return used <= in->key_gas_gwei && in->gas_gwei <= in->key_gas_gwei - used;
}

static void
on_verdict(void *arg, const struct chain_verdict *verdict)
{
    struct facilitate *f = arg;

    check_verdict(&f->op, verdict);
    if (f->op.in.key[0] != '\0')
        f->op.in.gas_gwei = chain_gas_gwei(f->op.chain, verdict);
    if (f->settle && !f->nothing)
        ledger_reserve(f->op.cashier->ledger, &f->op.in, on_reserved, f);
    else if (verdict->err == X402_OK && !f->settle && !has_gas_left(f))
        answer(f, X402_ERR_KEY_GAS);
    else
        answer(f, verdict->err);
}

static bool
same_terms(const struct facilitate *f, const struct pay_row *row)
{
    const struct ledger_reserve *in = &f->op.in;

    return !f->nothing && in->method == row->method &&
           x402_address_eq(&in->asset, &row->asset) &&
           x402_address_eq(&in->auth.to, &row->auth.to) &&
           x402_amount_cmp(&in->auth.value, &row->auth.value) == 0 &&
           x402_amount_cmp(in->has_charge ? &in->charge : &in->auth.value,
                           &row->charge) == 0;
}

/* A payment that is known.  RELEASED counts as unknown: nobody was charged. */
static void
known(struct facilitate *f, const struct pay_row *row)
{
    if (!f->settle)
        answer(f, row->state == PAY_RESERVED ? X402_ERR_IN_PROGRESS
                                             : X402_ERR_NONCE_USED);
    else if (!same_terms(f, row) && !mutant("settle_other_terms"))
        answer(f, X402_ERR_RESOURCE);
    else
        answer_by_row(f, row);
}

/** Too late for a payment that nobody knows. */
static bool
is_over(const struct facilitate *f)
{
    return f->op.in.auth.valid_before_s <
           core_now_ms() / 1000 + CASHIER_MARGIN_S;
}

static void
begin(struct facilitate *f)
{
    struct pay_key key = check_key(&f->op.in);
    struct chain_ask ask;
    struct pay_row row;
    enum x402_err err;

    if (ledger_find(f->op.cashier->ledger, &key, &row) &&
        row.state != PAY_RELEASED) {
        known(f, &row);
        return;
    }
    err = is_over(f) ? X402_ERR_EXPIRED : check_settler(&f->op);
    if (err != X402_OK) {
        answer(f, err);
        return;
    }
    ask = check_ask(&f->op.in);
    ask.advice = f->advice;
    chain_simulate(f->op.chain, &ask, on_verdict, f);
}

static void
take_over(struct ledger_reserve *in,
          const struct x402_facilitator_request *request)
{
    in->origin = PAY_ORIGIN_FACILITATOR;
    in->mode = PAY_SETTLE_BEFORE; /* we give nothing on credit here */
    in->wire = request->payment.wire;
    in->chain_id = request->requirement.asset->chain_id;
    in->asset = request->requirement.asset->address;
    in->method = request->payment.method;
    in->facilitator = request->payment.facilitator;
    in->sponsor = request->payment.sponsor;
    in->auth = request->payment.auth;
    in->alone = request->payment.signature_len != 65;
    in->signature_len = request->payment.signature_len;
    memcpy(in->signature, request->payment.signature, in->signature_len);
    memcpy(in->resource, request->resource, sizeof in->resource);
}

/* "At settlement time, amount represents the actual amount to settle". */
static void
take_charge(struct facilitate *f, const struct x402_amount *amount)
{
    struct ledger_reserve *in = &f->op.in;

    if (in->method != X402_METHOD_PERMIT2_UPTO)
        return;
    f->nothing = x402_amount_is_zero(amount);
    in->has_charge = !f->nothing;
    in->charge = *amount;
}

/** Is the payee somebody's for whom this may be settled?  A key brings its own
 * list. */
static bool
may_collect(const struct op *op, const struct config_api_key *key)
{
    const struct config *config = op->cashier->config;

    if (key == NULL)
        return config->facilitate_any_payee || mutant("settle_for_anybody");
    return config_key_has_payee(config, key, op->in.chain_id, &op->in.auth.to);
}

static struct facilitate *
facilitate_new(struct cashier *cashier, cashier_answer_cb cb, void *arg)
{
    struct facilitate *f = op_new(cashier, sizeof *f);

    f->cb = cb;
    f->arg = arg;
    return f;
}

static void
facilitate(struct facilitate *f, const struct x402_facilitator_request *request,
           const struct config_api_key *key)
{
    enum x402_err err;

    take_over(&f->op.in, request);
    if (f->settle)
        take_charge(f, &request->requirement.amount);
    if (key != NULL) {
        snprintf(f->op.in.key, sizeof f->op.in.key, "%s", key->name);
        f->op.in.key_gas_gwei = key->gas_gwei;
    }
    err = check_terms(&f->op, may_collect(&f->op, key));
    if (err != X402_OK)
        answer(f, err);
    else
        begin(f);
}

void
cashier_verify(struct cashier *cashier,
               const struct x402_facilitator_request *request,
               const struct config_api_key *key, bool recovered,
               cashier_answer_cb cb, void *arg)
{
    struct facilitate *f = facilitate_new(cashier, cb, arg);

    f->advice = recovered || mutant("advice_unrecovered");
    facilitate(f, request, key);
}

void
cashier_settle(struct cashier *cashier,
               const struct x402_facilitator_request *request,
               const struct config_api_key *key, cashier_answer_cb cb,
               void *arg)
{
    struct facilitate *f = facilitate_new(cashier, cb, arg);

    f->settle = true;
    f->advice = mutant("settle_by_advice");
    facilitate(f, request, key);
}
