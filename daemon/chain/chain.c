/* SPDX-License-Identifier: Apache-2.0 */
/* See chain.h: one network, put together from its parts, and the few helpers
 * that all of them use. */
#include "inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../log.h"
#include "catchup.h"
#include "follow.h"
#include "remote.h"
#include "settle.h"
#include "signers.h"
#include "simulate.h"
#include "upkeep.h"
#include "watch.h"

#define WITHOUT_OVERRIDE_MS 300000

/* -- helpers -- */

uint64_t
chain_call_time(const struct chain *chain, uint64_t now_ms)
{
    uint64_t now_s = now_ms / 1000;

    if (now_ms < chain->no_time_until_ms)
        return 0;
    return now_s > chain->health.head_time_s ? now_s
                                             : chain->health.head_time_s;
}

static bool
contains(const char *text, const char *word)
{
    return strcasestr(text, word) != NULL;
}

bool
chain_override_refused(struct chain *chain, const struct rpc_answer *answer,
                       uint64_t now_ms)
{
    if (answer->status != RPC_ERROR ||
        !(answer->code == -32602 || contains(answer->message, "override") ||
          contains(answer->message, "too many arguments")))
        return false;
    if (chain->no_time_until_ms <= now_ms)
        log_event(LOG_WARN, "rpc_without_overrides", "message", answer->message,
                  NULL);
    chain->no_time_until_ms = now_ms + WITHOUT_OVERRIDE_MS;
    return true;
}

struct breaker *
chain_breaker(struct chain *chain, const struct x402_address *asset,
              bool wallet)
{
    for (size_t i = 0; i < chain->assets_len; i++) {
        struct chain_asset *at = &chain->assets[i];

        if (x402_address_eq(&at->asset->address, asset))
            return wallet ? &at->wallets : &at->accounts;
    }
    return NULL;
}

/* geth and those like it say code 3; others only say it in words. */
bool
chain_is_revert(const struct rpc_answer *answer)
{
    return answer->status == RPC_ERROR &&
           (answer->code == 3 || contains(answer->message, "revert") ||
            contains(answer->message, "out of gas") ||
            contains(answer->message, "invalid opcode") ||
            contains(answer->message, "EVM error") ||
            contains(answer->message, "VM execution"));
}

/* -- what gas may have cost -- */

static struct x402_amount
cost_of(const struct x402_amount *max_fee, uint64_t gas_limit)
{
    struct x402_amount cost;

    if (!fees_cost(&cost, max_fee, gas_limit))
        cost = x402_amount_of(UINT64_MAX);
    return cost;
}

void
chain_spend(struct chain *chain, const struct fees *fees, uint64_t gas_limit,
            const struct fees *before)
{
    struct x402_amount none = {{0}};
    struct x402_amount cost = cost_of(&fees->max_fee, gas_limit);

    if (before != NULL)
        none = cost_of(&before->max_fee, gas_limit);
    spent_add(&chain->spent, &cost, &none, core_now_ms());
}

void
chain_spend_gift(struct chain *chain, uint64_t gwei, uint64_t at_ms)
{
    struct x402_amount wei = x402_amount_of(gwei), none = {{0}};

    if (x402_amount_mul_u64(&wei, &wei, 1000000000))
        spent_add(&chain->spent, &wei, &none, at_ms);
}

struct spending {
    struct chain *chain;
    int64_t batch;
    struct x402_amount before;
};

static void
on_cost(void *arg, const struct ledger_cost *row)
{
    struct spending *spending = arg;
    struct x402_amount cost = cost_of(&row->max_fee, row->gas_limit);

    if (spending->batch != row->batch_id)
        chain_spend_gift(spending->chain, row->gift_gwei, row->created_ms);
    if (spending->batch != row->batch_id)
        spending->before = (struct x402_amount){{0}};
    spent_add(&spending->chain->spent, &cost, &spending->before,
              row->created_ms);
    spending->batch = row->batch_id;
    spending->before = cost;
}

static void
read_spent(struct chain *chain)
{
    struct spending spending = {.chain = chain};
    uint64_t now_ms = core_now_ms();

    if (chain->ledger != NULL)
        ledger_costs(chain->ledger, chain_id(chain),
                     now_ms - SPENT_HOURS * 3600000ull, on_cost, &spending);
}

/* -- open -- */

static void
list_assets(struct chain *chain)
{
    const struct x402_asset *asset;

    for (size_t i = 0; (asset = x402_asset_at(i)) != NULL; i++) {
        if (asset->chain_id == chain->config->network->chain_id &&
            chain->assets_len < CHAIN_ASSETS_MAX)
            chain->assets[chain->assets_len++].asset = asset;
    }
}

static void
start_node(struct chain *chain)
{
    struct rpc_options options = {
        .urls = chain->config->rpc,
        .urls_len = chain->config->rpc_len,
        .timeout_ms = chain->config->rpc_timeout_ms,
        .chain_id = chain->config->network->chain_id,
        .rate = chain->config->rpc_rate,
        .agree = chain->config->rpc_agree,
    };

    core_random(&chain->code.seed, sizeof chain->code.seed);
    core_random(&chain->shown.seed, sizeof chain->shown.seed);
    list_assets(chain);
    read_spent(chain);
    chain->rpc = rpc_new(core_loop(chain->core), &options);
    chain->simulator = simulate_new(chain);
    if (chain->ledger != NULL) {
        chain->follower = follow_new(chain);
        chain->catchup = catchup_new(chain);
    }
    chain->upkeep = upkeep_new(chain);
}

static void
start(struct chain *chain)
{
    chain->watches = watch_new(chain);
    chain->settler = settle_new(chain);
    if (chain_has_node(chain))
        start_node(chain);
    else
        settle_look(chain->settler); /* what the ledger holds */
}

bool
chain_has_node(const struct chain *chain)
{
    return chain->config->rpc_len > 0;
}

/* false with a message for what cannot heal. */
static bool
open_parts(struct chain *chain, char *error, size_t error_len)
{
    const struct config_network *config = chain->config;

    chain->signers = signers_open(chain, error, error_len);
    if (chain->signers == NULL)
        return false;
    if (chain_has_node(chain) && upkeep_probe(config)) {
        snprintf(error, error_len, "%s: the node is of another chain",
                 config->network->caip2);
        return false;
    }
    if (config->facilitator.url == NULL)
        return true;
    chain->remote = remote_new(chain, error, error_len);
    return chain->remote != NULL;
}

struct chain *
chain_open(struct core *core, const struct config_network *network,
           struct ledger *ledger, char *error, size_t error_len)
{
    struct chain *chain = chain_alloc(sizeof *chain);

    chain->core = core;
    chain->config = network;
    chain->ledger = ledger;
    if (!open_parts(chain, error, error_len)) {
        if (chain->signers != NULL)
            signers_free(chain->signers);
        free(chain);
        return NULL;
    }
    start(chain);
    return chain;
}

void
chain_set_payees(struct chain *chain, const struct x402_address *payees,
                 size_t len)
{
    if (chain->catchup != NULL)
        catchup_payees(chain->catchup, payees, len);
}

void
chain_reconfigure(struct chain *chain, const struct config_network *network)
{
    chain->config = network;
}

/* -- close: what was asked is answered, the clocks stop, then the ledger's
 * answers come in and what was posted before -- */

struct closing {
    struct chain *chain;
    core_task closed;
    void *arg;
    unsigned parts; /* that are not closed yet */
};

static void
free_chain(void *arg)
{
    struct closing *closing = arg;
    struct chain *chain = closing->chain;

    if (chain->ledger_waits > 0) {
        core_post(chain->core, free_chain, closing);
        return;
    }
    if (chain->simulator != NULL)
        simulate_free(chain->simulator);
    settle_free(chain->settler);
    if (chain->follower != NULL)
        follow_free(chain->follower);
    if (chain->catchup != NULL)
        catchup_free(chain->catchup);
    upkeep_free(chain->upkeep);
    watch_free(chain->watches);
    signers_free(chain->signers);
    if (chain->remote != NULL)
        remote_free(chain->remote);
    free(chain);
    closing->closed(closing->arg);
    free(closing);
}

static void
on_part_closed(void *arg)
{
    struct closing *closing = arg;

    if (--closing->parts == 0)
        core_post(closing->chain->core, free_chain, closing);
}

static void
on_rpc_closed(void *arg)
{
    struct closing *closing = arg;
    struct chain *chain = closing->chain;

    closing->parts = 2u + (chain->upkeep != NULL) + (chain->follower != NULL) +
                     (chain->catchup != NULL) + (chain->simulator != NULL);
    if (chain->simulator != NULL)
        simulate_close(chain->simulator, on_part_closed, closing);
    if (chain->upkeep != NULL)
        upkeep_close(chain->upkeep, on_part_closed, closing);
    settle_close(chain->settler, on_part_closed, closing);
    watch_close(chain->watches, on_part_closed, closing);
    if (chain->follower != NULL)
        follow_close(chain->follower, on_part_closed, closing);
    if (chain->catchup != NULL)
        catchup_close(chain->catchup, on_part_closed, closing);
}

static void
on_remote_closed(void *arg)
{
    struct closing *closing = arg;
    struct chain *chain = closing->chain;

    if (chain->rpc != NULL)
        rpc_close(chain->rpc, on_rpc_closed, closing);
    else
        on_rpc_closed(closing);
}

void
chain_close(struct chain *chain, core_task closed, void *arg)
{
    struct closing *closing = chain_alloc(sizeof *closing);

    *closing = (struct closing){.chain = chain, .closed = closed, .arg = arg};
    chain->closing = true;
    if (chain->remote != NULL)
        remote_close(chain->remote, on_remote_closed, closing);
    else
        on_remote_closed(closing);
}

/* -- for /health, /supported, reserve -- */

bool
chain_knows(const struct chain *chain, enum x402_method method)
{
    if (method == X402_METHOD_EIP3009)
        return true;
    if (chain->remote != NULL)
        return remote_knows(chain->remote, method);
    return chain->config->facilitator.url == NULL && chain->permit2[method] &&
           (method != X402_METHOD_PERMIT2_UPTO ||
            signers_len(chain->signers) > 0);
}

bool
chain_is_signer(const struct chain *chain, const struct x402_address *address)
{
    return chain->remote != NULL
               ? remote_is_account(chain->remote, address)
               : signers_find(chain->signers, address) != NULL;
}

const struct chain_health *
chain_health(const struct chain *chain)
{
    return chain->remote != NULL ? remote_health(chain->remote)
                                 : &chain->health;
}

uint64_t
chain_id(const struct chain *chain)
{
    return chain->config->network->chain_id;
}
