/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon checks itself, whoever asks: "a worker must not choose
 * payees". */
#include <string.h>

#include "../failpoint.h"
#include "inside.h"

enum x402_err
check_terms(struct op *op, bool any_payee)
{
    const struct ledger_reserve *in = &op->in;
    const struct x402_asset *asset =
        x402_asset_by_address(in->chain_id, &in->asset);

    op->network = config_network(op->cashier->config, in->chain_id);
    op->chain = cashier_chain(op->cashier, in->chain_id);
    if (op->network == NULL || op->chain == NULL)
        return X402_ERR_NETWORK;
    if (asset == NULL || (in->method == X402_METHOD_EIP3009 &&
                          asset->transfer != X402_TRANSFER_EIP3009))
        return X402_ERR_ASSET;
    if (!chain_knows(op->chain, in->method))
        return X402_ERR_PROXY;
    /* only he may settle: it must be us */
    if (in->method == X402_METHOD_PERMIT2_UPTO &&
        !chain_is_signer(op->chain, &in->facilitator))
        return X402_ERR_FACILITATOR;
    if (x402_address_is_zero(&in->auth.to) ||
        (!any_payee && !mutant("worker_payee") &&
         !config_is_payee(op->cashier->config, in->chain_id, &in->auth.to)))
        return X402_ERR_PAYEE;
    if (x402_amount_is_zero(&in->auth.value))
        return X402_ERR_AMOUNT;
    if (x402_address_is_zero(&in->auth.from))
        return X402_ERR_SIGNATURE;
    return X402_OK;
}

enum x402_err
check_settler(const struct op *op)
{
    const struct chain_health *health = chain_health(op->chain);

    if (!health->reachable)
        return X402_ERR_UNAVAILABLE;
    if (health->can_settle || mutant("settler_poor"))
        return X402_OK;
    return health->signer_len == 0 ? X402_ERR_UNAVAILABLE : X402_ERR_FEES;
}

struct pay_key
check_key(const struct ledger_reserve *in)
{
    struct pay_key key = {.chain_id = in->chain_id,
                          .contract =
                              *x402_method_contract(in->method, &in->asset),
                          .payer = in->auth.from};

    memcpy(key.nonce, in->auth.nonce, sizeof key.nonce);
    return key;
}

struct chain_ask
check_ask(const struct ledger_reserve *in)
{
    struct chain_ask ask = {.asset = in->asset,
                            .auth = in->auth,
                            .signature_len = in->signature_len,
                            .resource = in->resource,
                            .method = in->method,
                            .facilitator = in->facilitator,
                            .charge =
                                in->has_charge ? in->charge : in->auth.value,
                            .sponsor = in->sponsor};

    memcpy(ask.signature, in->signature, in->signature_len);
    return ask;
}

void
check_verdict(struct op *op, const struct chain_verdict *verdict)
{
    const struct chain_health *health = chain_health(op->chain);
    struct ledger_reserve *in = &op->in;

    in->chain = mutant("chain_unasked") ? X402_OK : verdict->err;
    in->balance = verdict->balance;
    in->allowance = verdict->allowance;
    in->block_number = verdict->block_number;
    in->head_number = health->head_number > verdict->block_number
                          ? health->head_number
                          : verdict->block_number;
    in->confirmations = op->network->confirmations;
    in->limits.payer = op->network->credit_payer;
    in->limits.total = op->network->credit_total;
    /* code at the payer's address: another rule of signing, another cost of
     * gas, and a balance that anybody's call can move */
    in->alone = in->alone || verdict->has_code;
    in->approves = verdict->approves;
    /* upto cannot be settled first: the approval has to be there before */
    if (in->approves && in->method == X402_METHOD_PERMIT2_UPTO &&
        in->origin == PAY_ORIGIN_GATEWAY)
        in->chain = X402_ERR_ALLOWANCE;
    if ((in->alone && !mutant("wallets_on_credit")) || verdict->no_balance ||
        (in->approves && !mutant("approval_on_credit")))
        in->mode = PAY_SETTLE_BEFORE;
    /* what the ledger has forgotten is no credit, and a clock that the chain
     * contradicts measures none */
    if (health->behind ||
        health->head_time_s > core_now_ms() / 1000 + CASHIER_CLOCK_S)
        in->mode = PAY_SETTLE_BEFORE;
    in->now_ms = core_now_ms();
}
