/* SPDX-License-Identifier: Apache-2.0 */
/* See upkeep.h.  One HTTP request a tick: always the head and the tip, now and
 * then the rest. */
#include "upkeep.h"

#include <stdlib.h>
#include <string.h>

#include <x402/abi.h>
#include <x402/eip712.h>

#include "../failpoint.h"
#include "../log.h"
#include "gap.h"
#include "params.h"
#include "quantity.h"
#include "signers.h"

#define IDLE_MS pace_ms(5000)      /* between heads when nothing else asks */
#define ACCOUNTS_MS pace_ms(10000) /* balances and account nonces */
#define CONTRACTS_MS 600000        /* Multicall3 and the tokens' domains */
#define PROBE_TIMEOUT_MS 2000
#define TIP_WITHOUT_ADVICE 100000000u /* 0.1 gwei */

struct upkeep {
    struct chain *chain;
    uv_timer_t timer;
    bool asking;
    uint64_t accounts_at_ms;  /* when to read them next */
    uint64_t contracts_at_ms; /* likewise */
    bool with_accounts, with_contracts;
    void (*closed)(void *arg);
    void *closed_arg;
};

/* -- reading -- */

void
upkeep_head(struct chain *chain, const json_t *block)
{
    struct chain_health *health = &chain->health;
    uint64_t number, time_s;
    struct x402_amount base = {{0}};

    if (!quantity_u64(&number, json_object_get(block, "number")) ||
        !quantity_u64(&time_s, json_object_get(block, "timestamp")))
        return;
    /* absent on networks without EIP-1559: the tip is all there is */
    (void)quantity_amount(&base, json_object_get(block, "baseFeePerGas"));
    health->head_number = number;
    health->head_time_s = time_s;
    chain->market.base = base;
    chain->head_seen_ms = core_now_ms();
    if (health->reachable)
        return;
    health->reachable = true;
    signers_health(chain->signers);
}

void
upkeep_lost(struct chain *chain)
{
    chain->health.reachable = false;
    chain->health.can_settle = false;
}

static void
read_tip(struct chain *chain, const struct rpc_answer *answer)
{
    if (answer->status == RPC_ERROR)
        chain->market.priority = x402_amount_of(TIP_WITHOUT_ADVICE);
    else if (answer->status != RPC_RESULT ||
             !quantity_amount(&chain->market.priority, answer->result))
        return;
    chain->market.known = chain->head_seen_ms != 0;
}

static void
count(struct chain *chain, struct signer *signer, uint64_t mined,
      uint64_t pending)
{
    signer_counted(signer, mined, pending);
    if (chain->ready && chain->market.known)
        gap_look(chain, signer, mined, pending);
}

static size_t
read_accounts(struct upkeep *upkeep, const struct rpc_answer *answers)
{
    struct signers *signers = upkeep->chain->signers;
    size_t n = signers_len(signers);

    for (size_t i = 0; i < n; i++) {
        struct signer *signer = signers_at(signers, i);
        const struct rpc_answer *a = answers + 3 * i;
        uint64_t mined, pending;

        if (a[0].status == RPC_RESULT &&
            quantity_amount(&signer->balance, a[0].result))
            signer->balance_known = true;
        if (a[1].status == RPC_RESULT && a[2].status == RPC_RESULT &&
            quantity_u64(&mined, a[1].result) &&
            quantity_u64(&pending, a[2].result))
            count(upkeep->chain, signer, mined, pending);
    }
    return 3 * n;
}

/* X402_OK, ASSET, or UNAVAILABLE when the node did not say. */
static enum x402_err
judge_domain(const struct x402_asset *asset, const struct rpc_answer *answer)
{
    uint8_t ours[32], theirs[32];

    if (answer->status == RPC_UNKNOWN ||
        (answer->status == RPC_ERROR && !chain_is_revert(answer)))
        return X402_ERR_UNAVAILABLE;
    x402_eip712_domain(ours, x402_span_of(asset->eip712_name),
                       x402_span_of(asset->eip712_version), asset->chain_id,
                       &asset->address);
    if (answer->status == RPC_ERROR ||
        !quantity_bytes(theirs, 32, answer->result) ||
        memcmp(ours, theirs, 32) != 0)
        return X402_ERR_ASSET;
    return X402_OK;
}

static bool
read_asset(struct chain_asset *asset, const struct rpc_answer *answer)
{
    enum x402_err err = judge_domain(asset->asset, answer);
    bool usable = err == X402_OK || mutant("domain_unchecked");

    if (err == X402_ERR_UNAVAILABLE)
        return false;
    /* by Permit2 alone: nothing is signed in its domain */
    if (asset->asset->transfer == X402_TRANSFER_PERMIT2)
        return true;
    if (!usable)
        log_event(LOG_WARN, "asset_unusable", "asset",
                  asset->asset->address_text, "why",
                  "no code there, or another EIP-712 domain", NULL);
    asset->usable = usable;
    return true;
}

static bool
read_code(bool *there, const struct rpc_answer *answer)
{
    uint8_t *code;
    size_t len;

    if (answer->status != RPC_RESULT ||
        !quantity_data(&code, &len, answer->result))
        return false;
    free(code);
    *there = len > 0;
    return true;
}

/* Permit2 and the proxies.  A call to an address without code would "succeed".
 */
static bool
read_permit2(struct chain *chain, const struct rpc_answer *answers)
{
    bool permit2, exact, upto;

    if (!read_code(&permit2, &answers[0]) || !read_code(&exact, &answers[1]) ||
        !read_code(&upto, &answers[2]))
        return false;
    chain->permit2[X402_METHOD_EIP3009] = true;
    chain->permit2[X402_METHOD_PERMIT2_EXACT] = permit2 && exact;
    chain->permit2[X402_METHOD_PERMIT2_UPTO] = permit2 && upto;
    return true;
}

static void
read_contracts(struct upkeep *upkeep, const struct rpc_answer *answers)
{
    struct chain *chain = upkeep->chain;
    uint8_t *code;
    size_t len;
    bool all;

    if (answers[0].status != RPC_RESULT ||
        !quantity_data(&code, &len, answers[0].result))
        return;
    free(code);
    if (len == 0) {
        log_event(LOG_ERROR, "multicall3_missing", "address", X402_MULTICALL3,
                  NULL);
        chain->ready = false;
        return;
    }
    all = read_permit2(chain, answers + 1);
    for (size_t i = 0; i < chain->assets_len; i++)
        all = read_asset(&chain->assets[i], &answers[4 + i]) && all;
    if (!all)
        return;
    if (!chain->ready)
        log_event(LOG_INFO, "chain_ready", "network",
                  chain->config->network->caip2, NULL);
    chain->ready = true;
    upkeep->contracts_at_ms = core_now_ms() + CONTRACTS_MS;
}

static void
on_answers(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct upkeep *upkeep = arg;
    struct chain *chain = upkeep->chain;
    size_t next = 2;

    (void)len;
    upkeep->asking = false;
    if (chain->closing)
        return;
    if (answers[0].status == RPC_RESULT)
        upkeep_head(chain, answers[0].result);
    else
        upkeep_lost(chain);
    read_tip(chain, &answers[1]);
    if (upkeep->with_accounts)
        next += read_accounts(upkeep, answers + next);
    if (upkeep->with_contracts)
        read_contracts(upkeep, answers + next);
    signers_health(chain->signers);
}

/* -- asking -- */

static size_t
add_accounts(struct upkeep *upkeep, struct rpc_call *calls)
{
    struct signers *signers = upkeep->chain->signers;
    size_t n = signers_len(signers);

    for (size_t i = 0; i < n; i++) {
        const struct x402_address *who = &signers_at(signers, i)->address;

        calls[3 * i] = params_balance(who);
        calls[3 * i + 1] = params_nonce(who, "latest");
        calls[3 * i + 2] = params_nonce(who, "pending");
    }
    return 3 * n;
}

static size_t
add_contracts(struct upkeep *upkeep, struct rpc_call *calls)
{
    struct chain *chain = upkeep->chain;
    uint8_t data[4];
    struct params_message message = {.data = data,
                                     .data_len =
                                         x402_abi_domain_separator(data),
                                     .block = "latest"};
    size_t n = 0;

    calls[n++] = params_code(chain_multicall3());
    calls[n++] = params_code(&x402_permit2_contract);
    calls[n++] = params_code(&x402_permit2_exact_proxy);
    calls[n++] = params_code(&x402_permit2_upto_proxy);
    for (size_t i = 0; i < chain->assets_len; i++) {
        message.to = &chain->assets[i].asset->address;
        calls[n++] = params_call(&message);
    }
    return n;
}

static void
ask(struct upkeep *upkeep)
{
    struct rpc_call calls[2 + 3 * CONFIG_SIGNERS_MAX + 4 + CHAIN_ASSETS_MAX];
    uint64_t now_ms = core_now_ms();
    size_t len = 0;

    calls[len++] = params_block("latest");
    calls[len++] = params_plain("eth_maxPriorityFeePerGas");
    upkeep->with_accounts = now_ms >= upkeep->accounts_at_ms;
    if (upkeep->with_accounts) {
        len += add_accounts(upkeep, calls + len);
        upkeep->accounts_at_ms = now_ms + ACCOUNTS_MS;
    }
    upkeep->with_contracts = now_ms >= upkeep->contracts_at_ms;
    if (upkeep->with_contracts)
        len += add_contracts(upkeep, calls + len);
    upkeep->asking = true;
    rpc_probe(upkeep->chain->rpc);
    rpc_ask(upkeep->chain->rpc, calls, len, on_answers, upkeep);
}

static void
on_tick(uv_timer_t *timer)
{
    struct upkeep *upkeep = timer->data;
    struct chain *chain = upkeep->chain;
    uint64_t now_ms = core_now_ms();
    bool due = !chain->ready || !chain->health.reachable ||
               now_ms >= upkeep->accounts_at_ms ||
               now_ms - chain->head_seen_ms >= IDLE_MS;

    if (due && !upkeep->asking && !chain->closing)
        ask(upkeep);
}

void
upkeep_hurry(struct upkeep *upkeep)
{
    upkeep->accounts_at_ms = 0;
}

/* -- open, close -- */

struct upkeep *
upkeep_new(struct chain *chain)
{
    struct upkeep *upkeep = chain_alloc(sizeof *upkeep);

    upkeep->chain = chain;
    uv_timer_init(core_loop(chain->core), &upkeep->timer);
    upkeep->timer.data = upkeep;
    uv_timer_start(&upkeep->timer, on_tick, 0, chain->config->poll_ms);
    return upkeep;
}

static void
on_closed(uv_handle_t *handle)
{
    struct upkeep *upkeep = handle->data;

    upkeep->closed(upkeep->closed_arg);
}

void
upkeep_close(struct upkeep *upkeep, void (*closed)(void *arg), void *arg)
{
    upkeep->closed = closed;
    upkeep->closed_arg = arg;
    uv_close((uv_handle_t *)&upkeep->timer, on_closed);
}

void
upkeep_free(struct upkeep *upkeep)
{
    free(upkeep);
}

/* -- before the loop -- */

static void
ignore_answers(void *arg, const struct rpc_answer *answers, size_t len)
{
    (void)answers;
    (void)len;
    *(bool *)arg = true;
}

static void
mark_closed(void *arg)
{
    *(bool *)arg = true;
}

bool
upkeep_probe(const struct config_network *config)
{
    struct rpc_options options = {
        .urls = config->rpc,
        .urls_len = config->rpc_len,
        .timeout_ms = config->rpc_timeout_ms < PROBE_TIMEOUT_MS
                          ? config->rpc_timeout_ms
                          : PROBE_TIMEOUT_MS,
        .chain_id = config->network->chain_id,
    };
    struct rpc_call call = params_plain("eth_chainId");
    bool answered = false, closed = false, wrong;
    uv_loop_t loop;
    struct rpc *rpc;

    if (uv_loop_init(&loop) != 0)
        abort();
    rpc = rpc_new(&loop, &options);
    rpc_ask(rpc, &call, 1, ignore_answers, &answered);
    while (!answered)
        uv_run(&loop, UV_RUN_ONCE);
    wrong = rpc_wrong_chain(rpc);
    rpc_close(rpc, mark_closed, &closed);
    while (!closed)
        uv_run(&loop, UV_RUN_ONCE);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return wrong;
}
