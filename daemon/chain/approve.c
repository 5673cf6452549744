/* SPDX-License-Identifier: Apache-2.0 */
/* See approve.h. */
#include "approve.h"

#include <stdlib.h>

#include <x402/approval.h>

#include "../failpoint.h"
#include "../log.h"
#include "../metrics.h"
#include "gift.h"
#include "params.h"
#include "quantity.h"

/* 21,000, and 10 for each of four tokens a byte (EIP-7623): with less no node
 * takes it, and each says so in other words. */
#define GAS_LEAST (21000 + 40 * 68)

/* -- would it go through? -- */

struct check {
    struct chain *chain;
    struct waiting *w;
    struct chain_verdict verdict;
    struct x402_approval approval;
    core_task done;
    void *arg;
};

/* "If the user lacks balance": it could not even be sent. */
static bool
can_pay(const struct x402_approval *approval, const struct x402_amount *balance)
{
    struct x402_amount max_fee = x402_amount_of(approval->max_fee), cost;

    return fees_cost(&cost, &max_fee, approval->gas_limit) &&
           x402_amount_cmp(balance, &cost) >= 0;
}

/* The account's nonce is the approval's, its fees are those of today, the token
 * takes it. */
static enum x402_err
judge(struct check *check, const struct rpc_answer *answers)
{
    struct x402_amount balance,
        max_fee = x402_amount_of(check->approval.max_fee);
    uint64_t nonce;

    if (check->approval.gas_limit < GAS_LEAST)
        return X402_ERR_APPROVAL_BROADCAST;
    if (answers[0].status != RPC_RESULT || answers[1].status != RPC_RESULT ||
        !quantity_u64(&nonce, answers[0].result) ||
        !quantity_amount(&balance, answers[1].result) ||
        (answers[2].status != RPC_RESULT && !chain_is_revert(&answers[2])))
        return X402_ERR_UNAVAILABLE;
    if (nonce != check->approval.nonce && !mutant("approval_any_nonce"))
        return X402_ERR_APPROVAL_BROADCAST;
    if (answers[2].status != RPC_RESULT ||
        x402_amount_cmp(&max_fee, &check->chain->market.base) < 0)
        return X402_ERR_APPROVAL_BROADCAST;
    if (can_pay(&check->approval, &balance))
        return X402_OK;
    return gift_check(check->chain, &check->w->ask, &check->approval, &balance,
                      &check->verdict);
}

static void
on_checked(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct check *check = arg;

    (void)len;
    check->verdict.err = judge(check, answers);
    check->verdict.approves = check->verdict.err == X402_OK;
    check->done(check->arg);
    waiting_tell(check->w, &check->verdict);
    free(check);
}

void
approve_check(struct chain *chain, struct waiting *w,
              const struct chain_verdict *verdict, core_task done, void *arg)
{
    struct check *check = chain_alloc(sizeof *check);
    uint8_t data[68];
    struct params_message message = {
        .from = &w->ask.auth.from,
        .to = &w->ask.asset,
        .data = data,
        .data_len = sizeof data,
        .block = "latest",
    };
    struct rpc_call calls[3];

    *check = (struct check){
        .chain = chain, .w = w, .verdict = *verdict, .done = done, .arg = arg};
    x402_approval_of(&check->approval, &w->ask.sponsor);
    x402_approval_calldata(data, &check->approval.amount);
    message.gas = check->approval.gas_limit;
    calls[0] = params_nonce(message.from, "latest");
    calls[1] = params_balance(message.from);
    calls[2] = params_call(&message);
    rpc_ask(chain->rpc, calls, 3, on_checked, check);
}

/* -- broadcast -- */

static void
on_sent(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct chain *chain = arg;

    (void)len;
    if (answers[0].status == RPC_RESULT)
        metrics_add(METRIC_APPROVALS, 1);
    else if (answers[0].status == RPC_ERROR)
        log_event(LOG_INFO, "approval_not_taken", "network",
                  chain->config->network->caip2, "why", answers[0].message,
                  NULL);
}

void
approve_send(struct chain *chain, const struct pay_row *row)
{
    uint8_t raw[X402_APPROVAL_RAW_MAX], hash[32];
    size_t len = x402_approval_write(raw, hash, &row->sponsor, chain_id(chain),
                                     &row->asset);
    struct rpc_call call = params_send(raw, len);

    failpoint("before_approval");
    rpc_ask(chain->rpc, &call, 1, on_sent, chain);
}
