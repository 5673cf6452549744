/* SPDX-License-Identifier: Apache-2.0 */
/* See job.h.
 *
 * The gas of an aggregate that lets members fail cannot be estimated: starved
 * of gas its members fail and it still succeeds.  So the estimate is of the
 * same calls with allowFailure = false, which is also the last simulation, of
 * the very call; what is signed has allowFailure = true, so that a payment that
 * is lost to somebody else in the meantime does not take the others along. */
#include "job.h"

#include <stdlib.h>
#include <string.h>

#include "../failpoint.h"
#include "../log.h"
#include "flight.h"
#include "follow.h"
#include "inquire.h"
#include "params.h"
#include "quantity.h"
#include "settle.h"
#include "sign.h"
#include "simulate.h"
#include "upkeep.h"

/* Absolute bounds, far above what an honest token needs (about 60,000 for a
 * transfer): a limit is what a hostile one can make us pay. */
#define GAS_BASE 100000
#define GAS_EACH 250000
#define GAS_ALONE 650000
#define GAS_MOST 16000000 /* EIP-7825 allows 2^24 in a transaction */
#define REST_MS 5000
#define RETRY_MS 1000
#define WITHOUT_OVERRIDE_MS 300000

struct member {
    struct pay_row row;
    enum x402_err verdict;
    bool has_code;
};

struct job {
    struct job *next; /* in settler->ready */
    struct settler *settler;
    struct signer *signer;
    struct member *member;
    size_t len;
    size_t waiting; /* verdicts that are missing */
    struct flight_tx tx;
    uint64_t gas_limit;
    uint64_t time_s; /* pretended in the estimate */
};

static void estimate(struct job *job);
static void submit(struct job *job);

/* -- the end -- */

static void
job_free(struct job *job)
{
    job->signer->flights--;
    free(job->tx.raw);
    free(job->member);
    free(job);
}

/* All back: the ledger is asked for them again. */
static void
give_up(struct job *job, uint64_t retry_ms)
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
payment_of(const struct member *member)
{
    return (struct look_payment){&member->row.asset, &member->row.auth,
                                 member->row.signature,
                                 member->row.signature_len};
}

static void
list_payments(const struct job *job, struct look_payment *out)
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

/* Out of this transaction.  It stays in the hand when it is inquired about. */
static void
leave(struct job *job, const struct member *member)
{
    struct settler *settler = job->settler;

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

        if (m->verdict == X402_OK && (!m->has_code || job->len == 1))
            job->member[kept++] = *m;
        else
            leave(job, m);
    }
    job->len = kept;
}

/* -- 1. simulate again -- */

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
    free(asking);
    if (--job->waiting > 0)
        return;
    sift(job);
    if (job->settler->chain->closing || job->len == 0)
        give_up(job, RETRY_MS);
    else
        estimate(job);
}

static void
simulate(struct job *job)
{
    job->waiting = job->len;
    for (size_t i = 0; i < job->len; i++) {
        const struct pay_row *row = &job->member[i].row;
        struct asking *asking = chain_alloc(sizeof *asking);
        struct chain_ask ask = {.asset = row->asset,
                                .auth = row->auth,
                                .signature_len = row->signature_len};

        *asking = (struct asking){job, i};
        memcpy(ask.signature, row->signature, row->signature_len);
        simulate_again(job->settler->chain, &ask, on_verdict, asking);
    }
}

/* -- 2. estimate -- */

static uint64_t
gas_most(const struct job *job)
{
    uint64_t most = GAS_BASE + GAS_EACH * job->len;

    if (job->member[0].has_code)
        return GAS_ALONE;
    return most < GAS_MOST ? most : GAS_MOST;
}

/* Somebody in it makes it fail as a whole, and did not by himself: two smaller
 * ones find out who, down to one. */
static void
halve(struct job *job)
{
    struct settler *settler = job->settler;
    const struct pay_row *rows[LOOK_MAX];
    size_t half = job->len / 2;

    if (job->len == 1) {
        put_off(job, &job->member[0], X402_ERR_SIMULATION);
        job->len = 0;
        give_up(job, RETRY_MS);
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
    give_up(job, REST_MS);
}

/* 2b. with the gas known: fees, money, then the signature. */
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

static void
on_estimate(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct job *job = arg;
    struct settler *settler = job->settler;
    uint64_t gas;

    (void)len;
    if (answers[0].status == RPC_UNKNOWN)
        upkeep_lost(settler->chain);
    if (settler->chain->closing || answers[0].status == RPC_UNKNOWN) {
        give_up(job, RETRY_MS);
        return;
    }
    read_market(job, answers + 1);
    if (answers[0].status == RPC_ERROR && job->time_s != 0 &&
        !chain_is_revert(&answers[0])) {
        /* it takes no block override here (geth before 1.15) */
        settler->no_time_until_ms = core_now_ms() + WITHOUT_OVERRIDE_MS;
        estimate(job);
        return;
    }
    if (answers[0].status == RPC_ERROR ||
        !quantity_u64(&gas, answers[0].result) || gas > gas_most(job)) {
        halve(job);
        return;
    }
    job->gas_limit = gas + gas * 3 / 10;
    if (job->gas_limit > gas_most(job))
        job->gas_limit = gas_most(job);
    if (price(job))
        submit(job);
}

static void
estimate(struct job *job)
{
    struct settler *settler = job->settler;
    struct look_payment payments[LOOK_MAX];
    struct sign_calldata calldata;
    struct params_message message = {.from = &job->signer->address};
    struct rpc_call calls[4];

    job->time_s = core_now_ms() < settler->no_time_until_ms
                      ? 0
                      : chain_call_time(settler->chain, core_now_ms());
    list_payments(job, payments);
    sign_calldata(&calldata, payments, job->len, false);
    message.to = &calldata.to;
    message.data = calldata.data;
    message.data_len = calldata.len;
    message.block = job->time_s == 0 ? "pending" : "latest";
    message.time_s = job->time_s;
    calls[0] = params_estimate(&message);
    calls[1] = params_block("latest");
    calls[2] = params_plain("eth_maxPriorityFeePerGas");
    calls[3] = params_nonce(&job->signer->address, "latest");
    free(calldata.data);
    rpc_ask(settler->chain->rpc, calls, 4, on_estimate, job);
}

/* -- 3. sign and store -- */

static struct flight *
make_flight(const struct job *job, int64_t batch)
{
    struct flight *flight = flight_new(batch);

    flight->signer = job->signer;
    flight->step.account_nonce = job->signer->next_nonce;
    for (size_t i = 0; i < job->len; i++)
        flight_add_payment(flight, &job->member[i].row);
    flight_add_tx(flight, &job->tx);
    return flight;
}

static void
next_ready(struct settler *settler, const struct signer *signer)
{
    for (struct job **at = &settler->ready; *at != NULL; at = &(*at)->next) {
        struct job *job = *at;

        if (job->signer != signer)
            continue;
        *at = job->next;
        submit(job);
        return;
    }
}

static void
on_stored(void *arg, enum x402_err err, int64_t batch)
{
    struct job *job = arg;
    struct settler *settler = job->settler;
    struct chain *chain = settler->chain;
    struct signer *signer = job->signer;

    chain->ledger_waits--;
    signer->busy = false;
    failpoint("after_submit");
    if (err != X402_OK) { /* one of them was released meanwhile */
        give_up(job, 0);
    } else {
        struct flight *flight = make_flight(job, batch);

        signer_used(signer, flight->step.account_nonce);
        for (size_t i = 0; i < job->len; i++) {
            later_forget(settler->later, job->member[i].row.id);
            settle_let_go(settler, job->member[i].row.id);
        }
        job_free(job);
        if (chain->closing)
            flight_free(flight); /* the ledger has it: the next start sends */
        else
            follow_add(chain->follower, flight);
    }
    next_ready(settler, signer);
}

static bool
sign(struct job *job)
{
    struct chain *chain = job->settler->chain;
    struct look_payment payments[LOOK_MAX];
    struct sign_calldata calldata;
    struct sign_order order = {
        .chain_id = chain_id(chain),
        .signer = job->signer,
        .account_nonce = job->signer->next_nonce,
        .fees = job->tx.fees,
        .gas_limit = job->gas_limit,
        .calldata = &calldata,
    };
    bool good;

    list_payments(job, payments);
    sign_calldata(&calldata, payments, job->len, true);
    good = sign_settlement(&job->tx, &order, payments, job->len);
    free(calldata.data);
    return good;
}

static void
store(struct job *job)
{
    struct chain *chain = job->settler->chain;
    int64_t payments[LOOK_MAX];
    struct ledger_tx entry = {
        .chain_id = chain_id(chain),
        .signer = job->signer->address,
        .account_nonce = job->signer->next_nonce,
        .max_fee = job->tx.fees.max_fee,
        .max_priority_fee = job->tx.fees.max_priority,
        .gas_limit = job->gas_limit,
        .raw = job->tx.raw,
        .raw_len = job->tx.raw_len,
        .payments = payments,
        .payments_len = job->len,
    };

    memcpy(entry.hash, job->tx.hash, sizeof entry.hash);
    for (size_t i = 0; i < job->len; i++)
        payments[i] = job->member[i].row.id;
    chain->ledger_waits++;
    failpoint("before_submit");
    ledger_submit(chain->ledger, &entry, core_now_ms(), on_stored, job);
}

static void
submit(struct job *job)
{
    if (job->settler->chain->closing) {
        give_up(job, RETRY_MS);
        return;
    }
    if (job->signer->busy) {
        job->next = job->settler->ready;
        job->settler->ready = job;
        return;
    }
    if (!sign(job)) {
        halve(job);
        return;
    }
    job->signer->busy = true;
    store(job);
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
    signer->flights++;
    simulate(job);
}

void
job_drop_ready(struct settler *settler)
{
    while (settler->ready != NULL) {
        struct job *job = settler->ready;

        settler->ready = job->next;
        job_free(job);
    }
}
