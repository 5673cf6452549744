/* SPDX-License-Identifier: Apache-2.0 */
/* See job.h.
 *
 * First the whole transaction is tried as it would be sent; where that works,
 * and nearly always it does, nothing else is asked.  Only when it does not are
 * its members looked at one by one, and sifted.
 *
 * The gas of an aggregate that lets members fail cannot be estimated: starved
 * of gas its members fail and it still succeeds.  So the estimate is of the
 * same calls with allowFailure = false, which is also the last simulation, of
 * the very call; what is signed has allowFailure = true, so that a payment that
 * is lost to somebody else in the meantime does not take the others along. */
#include "job_inside.h"

#include <stdlib.h>
#include <string.h>

#include "../log.h"
#include "approve.h"
#include "flight.h"
#include "follow.h"
#include "gift.h"
#include "inquire.h"
#include "params.h"
#include "quantity.h"
#include "settle.h"
#include "sign.h"
#include "simulate.h"
#include "upkeep.h"
#include "wallet.h"

/* Absolute bounds, far above what an honest token needs (about 60,000 for a
 * transfer): a limit is what a hostile one can make us pay. */
#define GAS_BASE 100000
#define GAS_EACH 250000
#define GAS_MOST 16000000 /* EIP-7825 allows 2^24 in a transaction */
#define REST_MS pace_ms(5000)
#define RETRY_MS pace_ms(1000)
#define WITHOUT_OVERRIDE_MS 300000

static void ask(struct job *job);

/* -- the end -- */

void
job_free(struct job *job)
{
    job->signer->flights--;
    free(job->tx.raw);
    free(job->member);
    free(job);
}

/* All back: the ledger is asked for them again. */
void
job_give_up(struct job *job, uint64_t retry_ms)
{
    struct settler *settler = job->settler;

    for (size_t i = 0; i < job->len; i++)
        settle_let_go(settler, job->member[i].row.id);
    job_free(job);
    settle_look_in(settler, retry_ms);
}

static void
put_off(struct job *job, const struct member *member, enum x402_err reason)
{
    struct settler *settler = job->settler;

    later_put(settler->later, member->row.id, reason, core_now_ms());
    settle_let_go(settler, member->row.id);
}

/* -- members -- */

static struct look_payment
payment_of(struct member *member)
{
    const struct pay_row *row = &member->row;
    struct look_payment payment =
        wallet_payment(&member->wrapper, &row->asset, &row->auth,
                       row->signature, row->signature_len, member->deploys);

    payment.method = row->method;
    payment.facilitator = &row->facilitator;
    payment.charge = &row->charge;
    payment.sponsor = look_sponsor(&row->sponsor);
    return payment;
}

void
job_payments(struct job *job, struct look_payment *out)
{
    for (size_t i = 0; i < job->len; i++)
        out[i] = payment_of(&job->member[i]);
}

static bool
wants_inquiry(const struct member *member)
{
    const struct pay_row *row = &member->row;

    return member->verdict == X402_ERR_NONCE_USED ||
           member->verdict == X402_ERR_EXPIRED ||
           (row->state == PAY_RESERVED && row->batch_id == 0);
}

/* Its gas, then the approval, then, seen on the chain, the settlement. */
static void
go_on(struct job *job, const struct member *member)
{
    struct settler *settler = job->settler;

    if (member->gift_gwei != 0)
        gift_give(settler, job->signer, &member->row, member->gift_gwei);
    else if (!member->waits_gift)
        approve_send(settler->chain, &member->row);
    put_off(job, member, X402_ERR_ALLOWANCE);
    settle_look_in(settler, RETRY_MS);
}

/* Out of this transaction.  It stays in the hand when it is inquired about. */
static void
leave(struct job *job, const struct member *member)
{
    struct settler *settler = job->settler;

    if (member->approves) {
        go_on(job, member);
        return;
    }
    if (member->verdict == X402_ERR_UNAVAILABLE ||
        member->verdict == X402_ERR_BUSY || member->verdict == X402_OK) {
        settle_let_go(settler, member->row.id);
        settle_look_in(settler, RETRY_MS);
        return;
    }
    if (wants_inquiry(member) &&
        inquire(settler->chain, &member->row, member->verdict))
        return;
    put_off(job, member, member->verdict);
    settle_look_in(settler, RETRY_MS);
}

/* Keep the good ones.  One whose payer has code stays only by himself. */
static void
sift(struct job *job)
{
    size_t kept = 0;

    for (size_t i = 0; i < job->len; i++) {
        const struct member *m = &job->member[i];

        if (m->verdict == X402_OK && !m->approves &&
            (!m->has_code || job->len == 1))
            job->member[kept++] = *m;
        else
            leave(job, m);
    }
    job->len = kept;
}

/* -- when the whole failed: each by itself -- */

struct asking {
    struct job *job;
    size_t i;
};

static void
on_verdict(void *arg, const struct chain_verdict *verdict)
{
    struct asking *asking = arg;
    struct job *job = asking->job;

    job->member[asking->i].verdict = verdict->err;
    job->member[asking->i].has_code = verdict->has_code;
    job->member[asking->i].deploys = verdict->deploys;
    job->member[asking->i].approves = verdict->approves;
    job->member[asking->i].gift_gwei = verdict->gift_gwei;
    job->member[asking->i].waits_gift = verdict->waits_gift;
    free(asking);
    if (--job->waiting > 0)
        return;
    sift(job);
    if (job->settler->chain->closing || job->len == 0)
        job_give_up(job, RETRY_MS);
    else
        ask(job);
}

static void
look_at_each(struct job *job)
{
    job->careful = true;
    job->waiting = job->len;
    for (size_t i = 0; i < job->len; i++) {
        const struct pay_row *row = &job->member[i].row;
        struct asking *asking = chain_alloc(sizeof *asking);
        struct chain_ask ask = settle_ask(row);

        *asking = (struct asking){job, i};
        simulate_again(job->settler->chain, &ask, &job->signer->address,
                       on_verdict, asking);
    }
}

/* -- 1. the very call, by the signer, right before it is signed -- */

static uint64_t
gas_most(const struct job *job)
{
    uint64_t most = GAS_BASE + GAS_EACH * job->len;

    if (job->member[0].deploys)
        return WALLET_DEPLOY_GAS;
    if (job->member[0].has_code)
        return WALLET_GAS;
    return most < GAS_MOST ? most : GAS_MOST;
}

/* Somebody in it makes it fail as a whole, and did not by himself: two smaller
 * ones find out who, down to one. */
void
job_halve(struct job *job)
{
    struct settler *settler = job->settler;
    const struct pay_row *rows[LOOK_MAX];
    size_t half = job->len / 2;

    if (job->len == 1) {
        put_off(job, &job->member[0], X402_ERR_SIMULATION);
        job->len = 0;
        job_give_up(job, RETRY_MS);
        return;
    }
    log_event(LOG_WARN, "batch_halved", NULL);
    for (size_t i = 0; i < job->len; i++)
        rows[i] = &job->member[i].row;
    job_start(settler, job->signer, rows, half);
    job_start(settler, job->signer, rows + half, job->len - half);
    job->len = 0;
    job_free(job);
}

static void
rest(struct job *job, const char *why)
{
    struct settler *settler = job->settler;

    log_event(LOG_WARN, "settlement_waits", "why", why, NULL);
    settler->rest_until_ms = core_now_ms() + REST_MS;
    upkeep_hurry(settler->chain->upkeep);
    job_give_up(job, REST_MS);
}

/* With the gas known: fees, money, then the signature. */
static bool
price(struct job *job)
{
    struct chain *chain = job->settler->chain;
    struct fees_caps caps = {chain->config->max_fee_gwei,
                             chain->config->max_fee_settlement_gwei};
    struct x402_amount cost;

    if (!fees_offer(&job->tx.fees, &chain->market, &caps, job->gas_limit,
                    job->len)) {
        rest(job, "fees are over the cap");
        return false;
    }
    if (!fees_cost(&cost, &job->tx.fees.max_fee, job->gas_limit) ||
        x402_amount_cmp(&job->signer->balance, &cost) < 0) {
        rest(job, "the signer has too little for the gas");
        return false;
    }
    return true;
}

/* Also how far the account is: a nonce that somebody else used up (the key is
 * in two places) must not be signed for. */
static void
read_market(struct job *job, const struct rpc_answer *answers)
{
    struct chain *chain = job->settler->chain;
    uint64_t mined;

    if (answers[0].status == RPC_RESULT)
        upkeep_head(chain, answers[0].result);
    if (answers[1].status == RPC_RESULT)
        (void)quantity_amount(&chain->market.priority, answers[1].result);
    if (answers[2].status == RPC_RESULT &&
        quantity_u64(&mined, answers[2].result))
        signer_counted(job->signer, mined, 0);
}

/* Who gained code since he was looked at must go alone. */
static bool
without_code(const struct job *job, const struct rpc_answer *answers)
{
    struct chain *chain = job->settler->chain;

    for (size_t i = 0; i < job->code_len; i++) {
        const struct pay_row *row = &job->member[job->code_of[i]].row;
        uint8_t *code;
        size_t len;

        if (answers[i].status != RPC_RESULT ||
            !quantity_data(&code, &len, answers[i].result))
            return false;
        free(code);
        code_keep(&chain->code, &row->auth.from, len > 0, core_now_ms());
        if (len > 0)
            return false;
    }
    return true;
}

/* Some nodes take no block override in an estimate (geth before 1.15). */
static bool
refuses_time(const struct job *job, const struct rpc_answer *answer)
{
    return job->gas_guess == 0 && job->time_s != 0 &&
           answer->status == RPC_ERROR && !chain_is_revert(answer);
}

static bool
read_gas(struct job *job, const struct rpc_answer *answer)
{
    uint64_t gas = job->gas_guess;

    if (answer->status != RPC_RESULT)
        return false;
    if (gas == 0) {
        if (!quantity_u64(&gas, answer->result) || gas > gas_most(job))
            return false;
        if (!job->permit2)
            gas_learn(&job->settler->gas, gas, job->len, core_now_ms());
    }
    job->gas_limit = gas + gas * 3 / 10;
    if (job->gas_limit > gas_most(job))
        job->gas_limit = gas_most(job);
    return true;
}

static void
on_answers(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct job *job = arg;
    struct settler *settler = job->settler;

    (void)len;
    if (answers[0].status == RPC_UNKNOWN)
        upkeep_lost(settler->chain);
    if (settler->chain->closing || answers[0].status == RPC_UNKNOWN) {
        job_give_up(job, RETRY_MS);
        return;
    }
    read_market(job, answers + 1);
    if (refuses_time(job, &answers[0])) {
        settler->no_time_until_ms = core_now_ms() + WITHOUT_OVERRIDE_MS;
        ask(job);
    } else if (!without_code(job, answers + 4) || !read_gas(job, &answers[0])) {
        if (job->careful)
            job_halve(job);
        else
            look_at_each(job);
    } else if (price(job)) {
        job_submit(job);
    }
}

/* The members whose code is not known, or not for as long as an answer may
 * take.  Each payer once. */
static void
add_code_calls(struct job *job, struct rpc_call *calls, size_t *len)
{
    const struct code_cache *cache = &job->settler->chain->code;
    uint64_t soon_ms = core_now_ms() + 2000;

    job->code_len = 0;
    for (size_t i = 0; i < job->len && !job->careful; i++) {
        const struct x402_address *payer = &job->member[i].row.auth.from;
        size_t k = 0;

        if (code_find(cache, payer, soon_ms) == CODE_NONE)
            continue;
        while (k < job->code_len &&
               !x402_address_eq(payer,
                                &job->member[job->code_of[k]].row.auth.from))
            k++;
        if (k < job->code_len)
            continue;
        job->code_of[job->code_len++] = i;
        calls[(*len)++] = params_code(payer);
    }
}

/* An eth_call with all the gas that it may use is one run of it; an estimate
 * is a search, of ten and more.  So the gas of earlier ones is tried first. */
static struct rpc_call
gas_call(struct job *job)
{
    struct settler *settler = job->settler;
    uint64_t now_ms = core_now_ms();
    struct look_payment payments[LOOK_MAX];
    struct sign_calldata calldata;
    struct params_message message = {.from = &job->signer->address};
    struct rpc_call call;

    job->gas_guess = job->careful || job->permit2
                         ? 0
                         : gas_guess(&settler->gas, job->len, now_ms);
    if (job->gas_guess > gas_most(job))
        job->gas_guess = 0;
    job->time_s = job->gas_guess == 0 && now_ms < settler->no_time_until_ms
                      ? 0
                      : chain_call_time(settler->chain, now_ms);
    job_payments(job, payments);
    sign_calldata(&calldata, payments, job->len, false);
    message.to = &calldata.to;
    message.data = calldata.data;
    message.data_len = calldata.len;
    message.gas = job->gas_guess;
    message.block = job->time_s == 0 ? "pending" : "latest";
    message.time_s = job->time_s;
    call =
        job->gas_guess != 0 ? params_call(&message) : params_estimate(&message);
    call.raw = job->gas_guess != 0; /* what it returns says no more */
    free(calldata.data);
    return call;
}

static void
ask(struct job *job)
{
    struct rpc_call calls[4 + LOOK_MAX];
    size_t len = 4;

    calls[0] = gas_call(job);
    calls[1] = params_block("latest");
    calls[2] = params_plain("eth_maxPriorityFeePerGas");
    calls[3] = params_nonce(&job->signer->address, "latest");
    add_code_calls(job, calls, &len);
    rpc_ask(job->settler->chain->rpc, calls, len, on_answers, job);
}

/* -- the beginning -- */

void
job_start(struct settler *settler, struct signer *signer,
          const struct pay_row *const *rows, size_t n)
{
    struct job *job = chain_alloc(sizeof *job);

    job->settler = settler;
    job->signer = signer;
    job->member = chain_alloc(n * sizeof *job->member);
    job->len = n;
    for (size_t i = 0; i < n; i++)
        job->member[i].row = *rows[i];
    for (size_t i = 0; i < n; i++)
        job->permit2 = job->permit2 || rows[i]->method != X402_METHOD_EIP3009;
    signer->flights++;
    for (size_t i = 0; i < n && !job->careful; i++)
        job->careful = rows[i]->alone ||
                       rows[i]->sponsor.kind == X402_SPONSOR_APPROVAL ||
                       code_find(&settler->chain->code, &rows[i]->auth.from,
                                 core_now_ms()) == CODE_SOME;
    if (job->careful)
        look_at_each(job);
    else
        ask(job);
}
