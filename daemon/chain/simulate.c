/* SPDX-License-Identifier: Apache-2.0 */
/* See simulate.h.  What waits is grouped here; group.c asks. */
#include "simulate.h"

#include <stdlib.h>

#include "../failpoint.h"
#include "../metrics.h"
#include "group.h"
#include "plan.h"
#include "remote.h"
#include "signers.h"
#include "wallet.h"

#define SCAN_MAX 512 /* how far a group looks down the queue */

/* -- groups -- */

static void
take_members(struct group *group, const size_t *which, size_t chosen)
{
    struct queue *queue = group_queue(group);
    struct waiting **at = &queue->first;
    size_t position = 0;

    while (group->len < chosen) {
        if (position++ == which[group->len]) {
            group->member[group->len++] = *at;
            waiting_unlink(queue, at);
        } else {
            at = &(*at)->next;
        }
    }
}

static struct group *
next_group(struct simulator *simulator, bool strange)
{
    static struct plan_item items[SCAN_MAX]; /* core thread only */
    struct chain *chain = simulator->chain;
    struct group *group = chain_alloc(sizeof *group);
    const struct waiting *first;
    size_t which[SIMULATE_TOGETHER];
    uint64_t now_ms = core_now_ms();
    size_t n = 0, cap = SIMULATE_TOGETHER;

    group->simulator = simulator;
    group->strange = strange;
    first = group_queue(group)->first;
    for (struct waiting *w = group_queue(group)->first;
         w != NULL && n < SCAN_MAX; w = w->next) {
        if (code_find(&chain->code, &w->ask.auth.from, now_ms) == CODE_SOME)
            w->alone = true;
        items[n++] = (struct plan_item){
            waiting_payment(w),
            w->alone || w->ask.method == X402_METHOD_PERMIT2_UPTO, w->apart};
    }
    cap >>= 2 * first->halved;
    group->alone = first->alone;
    group->deploys = first->deploys;
    group->solo = items[0].alone && !group->alone;
    take_members(group, which, plan_group(which, cap, items, n));
    return group;
}

static void
refuse_all(struct queue *queue)
{
    while (queue->first != NULL) {
        struct waiting *w = queue->first;

        waiting_unlink(queue, &queue->first);
        waiting_tell_err(w, X402_ERR_UNAVAILABLE);
    }
}

/* Who waited as long as a call may last will not wait for another one: a node
 * that hangs must not make a queue of callers that are long gone. */
static void
refuse_late(struct simulator *simulator, struct queue *queue)
{
    uint64_t now_ms = core_now_ms();
    uint64_t most_ms = simulator->chain->config->rpc_timeout_ms;
    struct waiting **at = &queue->first;

    while (*at != NULL) {
        struct waiting *w = *at;

        if (now_ms >= w->since_ms && now_ms - w->since_ms < most_ms) {
            at = &w->next;
            continue;
        }
        waiting_unlink(queue, at);
        waiting_tell_err(w, X402_ERR_UNAVAILABLE);
    }
}

/* Strangers have one call at least, and never all. */
static bool
strangers_turn(const struct simulator *simulator)
{
    if (simulator->strangers.first == NULL)
        return false;
    return simulator->strange == 0 ||
           (simulator->queue.first == NULL &&
            simulator->strange < SIMULATE_STRANGE_INFLIGHT);
}

static size_t
waiting_len(const struct simulator *simulator)
{
    return simulator->queue.len + simulator->strangers.len;
}

static void
on_company_over(uv_timer_t *timer)
{
    simulate_flush(timer->data);
}

/* A call costs the node and us about as much as ten payments in it.  So in a
 * crowd, and only there, a few wait for more. */
static bool
waits_for_company(struct simulator *simulator)
{
    uint64_t now_ns = uv_hrtime();
    uint64_t age_ms = now_ns / 1000000 - simulator->launched_ms;

    if (simulator->chain->closing || age_ms >= SIMULATE_COMPANY_MS ||
        waiting_len(simulator) >= SIMULATE_COMPANY ||
        !crowd_is(&simulator->crowd, now_ns))
        return false;
    if (!uv_is_active((uv_handle_t *)&simulator->company)) {
        uv_update_time(core_loop(simulator->chain->core));
        uv_timer_start(&simulator->company, on_company_over,
                       SIMULATE_COMPANY_MS - age_ms, 0);
    }
    return true;
}

static bool
launch_next(struct simulator *simulator)
{
    bool strange = strangers_turn(simulator);

    if (simulator->inflight >= SIMULATE_INFLIGHT ||
        (!strange && simulator->queue.first == NULL) ||
        waits_for_company(simulator))
        return false;
    simulator->launched_ms = uv_hrtime() / 1000000;
    group_launch(next_group(simulator, strange));
    return true;
}

void
simulate_flush(struct simulator *simulator)
{
    if (simulator->chain->closing) {
        refuse_all(&simulator->queue);
        refuse_all(&simulator->strangers);
    }
    if (simulator->inflight < SIMULATE_INFLIGHT) {
        refuse_late(simulator, &simulator->queue);
        refuse_late(simulator, &simulator->strangers);
    }
    while (launch_next(simulator))
        ;
}

/* -- the interface -- */

static void
flush_task(void *arg)
{
    struct simulator *simulator = arg;

    simulator->flush_posted = false;
    if (simulator->chain->closing && waiting_len(simulator) == 0)
        return;
    simulate_flush(simulator);
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

/* Nobody is looked up as long as everybody goes with the next call. */
static bool
is_stranger(const struct chain *chain, const struct x402_address *payer)
{
    return waiting_len(chain->simulator) >= SIMULATE_PRESSURE &&
           chain->ledger != NULL && !mutant("strangers_first") &&
           !ledger_has_paid(chain->ledger, payer);
}

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
    enum x402_err err;

    for (size_t i = 0; i < chain->assets_len; i++) {
        if (x402_address_eq(&chain->assets[i].asset->address, &ask->asset))
            asset = &chain->assets[i];
    }
    if (asset == NULL)
        return X402_ERR_ASSET;
    if (chain->closing || !chain->ready)
        return X402_ERR_UNAVAILABLE;
    if (ask->method == X402_METHOD_EIP3009 && !asset->usable)
        return X402_ERR_ASSET;
    if (!chain->permit2[ask->method])
        return X402_ERR_PROXY;
    if (ask->auth.valid_before_s <= core_now_ms() / 1000)
        return X402_ERR_EXPIRED;
    err = wallet_check(ask);
    if (err != X402_OK)
        return err;
    if (breaker_tripped(&asset->accounts))
        return X402_ERR_UNAVAILABLE;
    return signers_refuse(chain->signers);
}

static bool
is_full(const struct simulator *simulator, bool stranger)
{
    return stranger ? simulator->strangers.len >= SIMULATE_STRANGE_WAITING
                    : simulator->queue.len >= SIMULATE_WAITING;
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
enqueue(struct chain *chain, const struct chain_ask *ask,
        const struct x402_address *from, bool stranger, chain_verdict_cb cb,
        void *arg)
{
    struct simulator *simulator = chain->simulator;
    struct waiting *w = chain_alloc(sizeof *w);

    w->ask = *ask;
    w->wrapped = x402_erc6492_is_wrapped(ask->signature, ask->signature_len);
    w->from = from;
    w->cb = cb;
    w->arg = arg;
    w->since_ms = core_now_ms();
    crowd_came(&simulator->crowd, uv_hrtime());
    w->stranger = stranger;
    waiting_push_back(stranger ? &simulator->strangers : &simulator->queue, w);
    want_flush(simulator);
}

void
chain_simulate(struct chain *chain, const struct chain_ask *ask,
               chain_verdict_cb cb, void *arg)
{
    if (chain->remote != NULL)
        remote_verify(chain->remote, ask, cb, arg);
    else
        simulate_ask(chain, ask, cb, arg);
}

void
simulate_ask(struct chain *chain, const struct chain_ask *ask,
             chain_verdict_cb cb, void *arg)
{
    enum x402_err err = refuse_early(chain, ask);
    bool stranger = err == X402_OK && is_stranger(chain, &ask->auth.from);

    if (err == X402_OK && is_full(chain->simulator, stranger)) {
        metrics_add(METRIC_SIMULATIONS_BUSY, 1);
        err = X402_ERR_BUSY;
    }
    if (err == X402_OK)
        enqueue(chain, ask, NULL, stranger, cb, arg);
    else
        refuse_soon(chain, err, cb, arg);
}

void
simulate_again(struct chain *chain, const struct chain_ask *ask,
               const struct x402_address *from, chain_verdict_cb cb, void *arg)
{
    enum x402_err err = chain->closing || !chain->ready ? X402_ERR_UNAVAILABLE
                                                        : wallet_check(ask);

    if (err == X402_OK)
        enqueue(chain, ask, from, false, cb, arg);
    else
        refuse_soon(chain, err, cb, arg);
}

struct simulator *
simulate_new(struct chain *chain)
{
    struct simulator *simulator = chain_alloc(sizeof *simulator);

    simulator->chain = chain;
    simulator->queue.last = &simulator->queue.first;
    simulator->strangers.last = &simulator->strangers.first;
    uv_timer_init(core_loop(chain->core), &simulator->company);
    simulator->company.data = simulator;
    return simulator;
}

static void
on_closed(uv_handle_t *handle)
{
    struct simulator *simulator = handle->data;

    simulator->closed(simulator->closed_arg);
}

void
simulate_close(struct simulator *simulator, core_task closed, void *arg)
{
    simulator->closed = closed;
    simulator->closed_arg = arg;
    uv_close((uv_handle_t *)&simulator->company, on_closed);
}

void
simulate_free(struct simulator *simulator)
{
    refuse_all(&simulator->queue);
    refuse_all(&simulator->strangers);
    free(simulator);
}
