/* SPDX-License-Identifier: Apache-2.0 */
/* See simulate.h.
 *
 * `block.timestamp` in an eth_call on "latest" is the head block's, and the
 * head can be old: seconds on a live chain, hours on an idle development node
 * (anvil mines only when there is something to mine).  An authorization that
 * begins now would look "not yet valid", one that ended a minute ago still
 * good, while the block that will carry it has the time of then.  So the call
 * pretends that it is now (block override `time`; geth, reth, erigon,
 * nethermind and anvil take it).  The tag "pending" would give the time as
 * well, but with state that no block has: the balance must be that of one
 * numbered block, because the ledger adds what was mined after it.  A node that
 * does not know overrides is asked without; its head is seconds old. */
#include "simulate.h"

#include <stdlib.h>
#include <string.h>

#include "../metrics.h"
#include "look.h"
#include "plan.h"
#include "quantity.h"
#include "params.h"
#include "signers.h"
#include "upkeep.h"

#define SCAN_MAX 512 /* how far a group looks down the queue */

struct waiting {
    struct waiting *next;
    struct chain_ask ask;
    chain_verdict_cb cb;
    void *arg;
    bool alone;
    bool apart;
    unsigned halved; /* how often its group made the node fail */
    uint64_t since_ms;
};

struct queue {
    struct waiting *first, **last;
    size_t len;
};

struct simulator {
    struct chain *chain;
    struct queue queue;
    unsigned inflight;
    bool flush_posted;
};

/* One HTTP request: a look at up to 64 payments, or at one of a payer with code
 * and its transfer by itself. */
struct group {
    struct simulator *simulator;
    struct waiting *member[SIMULATE_TOGETHER];
    struct look_payment payment[SIMULATE_TOGETHER];
    size_t len;
    bool alone;
    uint64_t time_s;                   /* the time it pretends */
    enum code code[SIMULATE_TOGETHER]; /* of each member's payer */
    size_t code_of[SIMULATE_TOGETHER]; /* whose code each further call asks */
    size_t code_len;
};

static void flush(struct simulator *simulator);

/* -- the queue -- */

static void
push_back(struct queue *queue, struct waiting *w)
{
    w->next = NULL;
    *queue->last = w;
    queue->last = &w->next;
    queue->len++;
}

static void
push_front(struct queue *queue, struct waiting *w)
{
    w->next = queue->first;
    queue->first = w;
    if (queue->last == &queue->first)
        queue->last = &w->next;
    queue->len++;
}

static void
unlink_at(struct queue *queue, struct waiting **at)
{
    struct waiting *w = *at;

    *at = w->next;
    if (queue->last == &w->next)
        queue->last = at;
    queue->len--;
}

static void
flush_task(void *arg)
{
    struct simulator *simulator = arg;

    simulator->flush_posted = false;
    if (simulator->chain->closing && simulator->queue.len == 0)
        return;
    flush(simulator);
}

/* Later in this turn of the loop: what comes in until then goes along. */
static void
want_flush(struct simulator *simulator)
{
    if (simulator->flush_posted)
        return;
    simulator->flush_posted = true;
    core_post(simulator->chain->core, flush_task, simulator);
}

/* -- verdicts -- */

static void
tell(struct waiting *w, const struct chain_verdict *verdict)
{
    metrics_add(METRIC_SIMULATIONS, 1);
    w->cb(w->arg, verdict);
    free(w);
}

static void
tell_err(struct waiting *w, enum x402_err err)
{
    tell(w, &(struct chain_verdict){.err = err});
}

static void
judge_member(struct group *group, size_t i, const struct look_seen *seen,
             const struct look_block *block)
{
    struct waiting *w = group->member[i];
    enum x402_err err = look_judge(seen, &w->ask.auth, block->time_s);

    if (err == X402_ERR_SIMULATION && seen->shared && !w->apart) {
        w->apart = true;
        push_front(&group->simulator->queue, w);
        return;
    }
    tell(w, &(struct chain_verdict){
                .err = err,
                .has_code = group->alone,
                .balance = seen->balance,
                .block_number = block->number,
            });
}

/* -- answers -- */

static bool
read_look(struct group *group, const struct rpc_answer *answer,
          struct look_seen *seen, struct look_block *block)
{
    uint8_t *bytes;
    size_t len;
    bool good;

    if (answer->status != RPC_RESULT ||
        !quantity_data(&bytes, &len, answer->result))
        return false;
    good = look_decode(seen, block, group->payment, group->len, !group->alone,
                       bytes, len);
    free(bytes);
    return good;
}

/* The node could not run the call (its gas or time limit): smaller groups,
 * down to one; then it is the node's fault. */
static void
group_failed(struct group *group, bool again)
{
    for (size_t i = group->len; i-- > 0;) {
        struct waiting *w = group->member[i];

        if (again && w->halved < 3 && !group->simulator->chain->closing) {
            w->halved++;
            push_front(&group->simulator->queue, w);
        } else {
            tell_err(w, X402_ERR_UNAVAILABLE);
        }
    }
}

/* Members whose payer turned out to have code go again by themselves, and so
 * do those that failed in their company.  Returns true when i was dealt with.
 */
static bool
take_code(struct group *group, size_t i, const struct look_seen *seen,
          bool company)
{
    struct waiting *w = group->member[i];

    switch (group->code[i]) {
    case CODE_UNKNOWN:
        tell_err(w, X402_ERR_UNAVAILABLE);
        return true;
    case CODE_SOME:
        w->alone = true;
        push_front(&group->simulator->queue, w);
        return true;
    case CODE_NONE:
        break;
    }
    if (company && !seen->moved && w->halved < 3) {
        w->halved++;
        push_front(&group->simulator->queue, w);
        return true;
    }
    return false;
}

static void
learn_code(struct group *group, const struct x402_address *payer, bool some)
{
    code_keep(&group->simulator->chain->code, payer, some, core_now_ms());
    for (size_t i = 0; i < group->len; i++) {
        if (x402_address_eq(&group->member[i]->ask.auth.from, payer))
            group->code[i] = some ? CODE_SOME : CODE_NONE;
    }
}

/* Returns true when somebody among them has code. */
static bool
learn_codes(struct group *group, const struct rpc_answer *answers)
{
    bool any = false;

    for (size_t i = 0; i < group->code_len; i++) {
        struct waiting *w = group->member[group->code_of[i]];
        uint8_t *code;
        size_t len;

        if (answers[i].status != RPC_RESULT ||
            !quantity_data(&code, &len, answers[i].result))
            continue;
        learn_code(group, &w->ask.auth.from, len > 0);
        any = any || len > 0;
        free(code);
    }
    return any;
}

static void
judge_group(struct group *group, const struct rpc_answer *answers)
{
    struct look_seen seen[SIMULATE_TOGETHER];
    struct look_block block;
    bool company = learn_codes(group, answers + 1);

    if (!read_look(group, &answers[0], seen, &block)) {
        group_failed(group, answers[0].status == RPC_ERROR);
        return;
    }
    for (size_t i = group->len; i-- > 0;) {
        if (!take_code(group, i, &seen[i], company))
            judge_member(group, i, &seen[i], &block);
    }
}

static void
judge_alone(struct group *group, const struct rpc_answer *answers)
{
    struct look_seen seen;
    struct look_block block;
    uint8_t *data;
    size_t len;

    if (!read_look(group, &answers[0], &seen, &block) ||
        (answers[1].status != RPC_RESULT && !chain_is_revert(&answers[1]))) {
        group_failed(group, false);
        return;
    }
    seen.tried = true;
    seen.moved = answers[1].status == RPC_RESULT;
    if (!seen.moved && quantity_data(&data, &len, answers[1].data)) {
        seen.bad_signature = look_bad_signature(data, len);
        free(data);
    }
    judge_member(group, 0, &seen, &block);
}

static bool
override_refused(struct group *group, const struct rpc_answer *answers)
{
    struct chain *chain = group->simulator->chain;

    if (group->time_s == 0 ||
        !chain_override_refused(chain, &answers[0], core_now_ms()))
        return false;
    for (size_t i = group->len; i-- > 0;)
        push_front(&group->simulator->queue, group->member[i]);
    return true;
}

static void
on_answers(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct group *group = arg;
    struct simulator *simulator = group->simulator;

    (void)len;
    simulator->inflight--;
    if (answers[0].status == RPC_UNKNOWN)
        upkeep_lost(simulator->chain);
    if (override_refused(group, answers))
        ;
    else if (group->alone)
        judge_alone(group, answers);
    else
        judge_group(group, answers);
    free(group);
    flush(simulator);
}

/* -- questions -- */

static struct look_payment
payment_of(const struct waiting *w)
{
    return (struct look_payment){&w->ask.asset, &w->ask.auth, w->ask.signature,
                                 w->ask.signature_len};
}

static struct rpc_call
look_call(struct group *group)
{
    struct chain *chain = group->simulator->chain;
    struct params_message message = {
        .to = chain_multicall3(), .block = "latest", .time_s = group->time_s};
    uint8_t *data =
        look_encode(&message.data_len, chain->config->network->chain_id,
                    group->payment, group->len, !group->alone);
    struct rpc_call call;

    message.data = data;
    call = params_call(&message);
    free(data);
    return call;
}

/* The very call that would settle it: same sender, gas and fees, because a
 * contract's answer may depend on them. */
static struct rpc_call
alone_call(struct group *group)
{
    struct chain *chain = group->simulator->chain;
    const struct look_payment *payment = &group->payment[0];
    uint8_t data[X402_ABI_TRANSFER_MAX];
    struct fees_caps caps = {chain->config->max_fee_gwei, 0};
    struct fees fees;
    struct params_message message = {
        .from = signers_any(chain->signers),
        .to = payment->asset,
        .data = data,
        .gas = SIMULATE_ALONE_GAS,
        .block = "latest",
        .time_s = group->time_s,
    };

    message.data_len = x402_abi_transfer(
        data, payment->auth, payment->signature, payment->signature_len);
    if (message.from != NULL &&
        fees_offer(&fees, &chain->market, &caps, SIMULATE_ALONE_GAS, 1)) {
        message.max_fee = &fees.max_fee;
        message.max_priority_fee = &fees.max_priority;
    }
    return params_call(&message);
}

/* Asks again two seconds early, so that the answer outlives the call. */
static void
add_code_calls(struct group *group, struct rpc_call *calls, size_t *len)
{
    const struct code_cache *cache = &group->simulator->chain->code;
    uint64_t soon_ms = core_now_ms() + 2000;

    for (size_t i = 0; i < group->len; i++) {
        const struct x402_address *payer = &group->member[i]->ask.auth.from;
        size_t k = 0;

        group->code[i] = code_find(cache, payer, soon_ms);
        if (group->code[i] != CODE_UNKNOWN)
            continue;
        while (k < group->code_len &&
               !x402_address_eq(
                   payer, &group->member[group->code_of[k]]->ask.auth.from))
            k++;
        if (k < group->code_len)
            continue;
        group->code_of[group->code_len++] = i;
        calls[(*len)++] = params_code(payer);
    }
}

static void
launch(struct group *group)
{
    struct simulator *simulator = group->simulator;
    struct rpc_call calls[2 + SIMULATE_TOGETHER];
    size_t len = 1;

    group->time_s = chain_call_time(simulator->chain, core_now_ms());
    for (size_t i = 0; i < group->len; i++)
        group->payment[i] = payment_of(group->member[i]);
    calls[0] = look_call(group);
    if (group->alone)
        calls[len++] = alone_call(group);
    else
        add_code_calls(group, calls, &len);
    simulator->inflight++;
    rpc_ask(simulator->chain->rpc, calls, len, on_answers, group);
}

/* -- groups -- */

static void
take_members(struct group *group, const size_t *which, size_t chosen)
{
    struct queue *queue = &group->simulator->queue;
    struct waiting **at = &queue->first;
    size_t position = 0;

    while (group->len < chosen) {
        if (position++ == which[group->len]) {
            group->member[group->len++] = *at;
            unlink_at(queue, at);
        } else {
            at = &(*at)->next;
        }
    }
}

static struct group *
next_group(struct simulator *simulator)
{
    static struct plan_item items[SCAN_MAX]; /* core thread only */
    struct chain *chain = simulator->chain;
    struct group *group = chain_alloc(sizeof *group);
    size_t which[SIMULATE_TOGETHER];
    uint64_t now_ms = core_now_ms();
    size_t n = 0, cap = SIMULATE_TOGETHER;

    for (struct waiting *w = simulator->queue.first; w != NULL && n < SCAN_MAX;
         w = w->next) {
        if (code_find(&chain->code, &w->ask.auth.from, now_ms) == CODE_SOME)
            w->alone = true;
        items[n++] = (struct plan_item){payment_of(w), w->alone, w->apart};
    }
    cap >>= 2 * simulator->queue.first->halved;
    group->simulator = simulator;
    group->alone = items[0].alone;
    take_members(group, which, plan_group(which, cap, items, n));
    return group;
}

static void
refuse_all(struct simulator *simulator)
{
    while (simulator->queue.first != NULL) {
        struct waiting *w = simulator->queue.first;

        unlink_at(&simulator->queue, &simulator->queue.first);
        tell_err(w, X402_ERR_UNAVAILABLE);
    }
}

/* Who waited as long as a call may last will not wait for another one: a node
 * that hangs must not make a queue of callers that are long gone. */
static void
refuse_late(struct simulator *simulator)
{
    uint64_t now_ms = core_now_ms();
    uint64_t most_ms = simulator->chain->config->rpc_timeout_ms;
    struct waiting **at = &simulator->queue.first;

    while (*at != NULL) {
        struct waiting *w = *at;

        if (now_ms >= w->since_ms && now_ms - w->since_ms < most_ms) {
            at = &w->next;
            continue;
        }
        unlink_at(&simulator->queue, at);
        tell_err(w, X402_ERR_UNAVAILABLE);
    }
}

static void
flush(struct simulator *simulator)
{
    if (simulator->chain->closing)
        refuse_all(simulator);
    if (simulator->inflight < SIMULATE_INFLIGHT)
        refuse_late(simulator);
    while (simulator->inflight < SIMULATE_INFLIGHT &&
           simulator->queue.first != NULL)
        launch(next_group(simulator));
}

/* -- the interface -- */

struct early {
    chain_verdict_cb cb;
    void *arg;
    enum x402_err err;
};

static void
tell_early(void *arg)
{
    struct early *early = arg;

    early->cb(early->arg, &(struct chain_verdict){.err = early->err});
    free(early);
}

/* What can be said without asking the chain. */
static enum x402_err
refuse_early(const struct chain *chain, const struct chain_ask *ask)
{
    const struct chain_asset *asset = NULL;

    for (size_t i = 0; i < chain->assets_len; i++) {
        if (x402_address_eq(&chain->assets[i].asset->address, &ask->asset))
            asset = &chain->assets[i];
    }
    if (asset == NULL)
        return X402_ERR_ASSET;
    if (chain->closing || !chain->ready)
        return X402_ERR_UNAVAILABLE;
    if (!asset->usable)
        return X402_ERR_ASSET;
    if (ask->auth.valid_before_s <= core_now_ms() / 1000)
        return X402_ERR_EXPIRED;
    if (chain->simulator->queue.len >= SIMULATE_WAITING)
        return X402_ERR_BUSY;
    return signers_refuse(chain->signers);
}

static void
refuse_soon(struct chain *chain, enum x402_err err, chain_verdict_cb cb,
            void *arg)
{
    struct early *early = chain_alloc(sizeof *early);

    *early = (struct early){cb, arg, err};
    core_post(chain->core, tell_early, early);
}

static void
enqueue(struct chain *chain, const struct chain_ask *ask, chain_verdict_cb cb,
        void *arg)
{
    struct waiting *w = chain_alloc(sizeof *w);

    w->ask = *ask;
    w->cb = cb;
    w->arg = arg;
    w->since_ms = core_now_ms();
    push_back(&chain->simulator->queue, w);
    want_flush(chain->simulator);
}

void
chain_simulate(struct chain *chain, const struct chain_ask *ask,
               chain_verdict_cb cb, void *arg)
{
    enum x402_err err = refuse_early(chain, ask);

    if (err == X402_OK)
        enqueue(chain, ask, cb, arg);
    else
        refuse_soon(chain, err, cb, arg);
}

void
simulate_again(struct chain *chain, const struct chain_ask *ask,
               chain_verdict_cb cb, void *arg)
{
    if (chain->closing || !chain->ready)
        refuse_soon(chain, X402_ERR_UNAVAILABLE, cb, arg);
    else
        enqueue(chain, ask, cb, arg);
}

struct simulator *
simulate_new(struct chain *chain)
{
    struct simulator *simulator = chain_alloc(sizeof *simulator);

    simulator->chain = chain;
    simulator->queue.last = &simulator->queue.first;
    return simulator;
}

void
simulate_free(struct simulator *simulator)
{
    refuse_all(simulator);
    free(simulator);
}
