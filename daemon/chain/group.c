/* SPDX-License-Identifier: Apache-2.0 */
/* See group.h.
 *
 * `block.timestamp` in an eth_call on "latest" is the head block's, and the
 * head can be old: seconds on a live chain, hours on an idle development node
 * (anvil mines only when there is something to mine).  An authorization that
 * begins now would look "not yet valid", one that ended a minute ago still
 * good, while the block that will carry it has the time of then.  So the call
 * pretends that it is now (block override `time`, as in geth and anvil).  The
 * tag "pending" would give the time as well, but with state that no block has:
 * the balance must be that of one numbered block, because the ledger adds what
 * was mined after it.  A node that does not know overrides is asked without; on
 * a live chain its head is seconds old. */
#include "group.h"

#include <stdlib.h>
#include <string.h>

#include "../failpoint.h"
#include "approve.h"
#include "params.h"
#include "quantity.h"
#include "sign.h"
#include "signers.h"
#include "upkeep.h"
#include "wallet.h"

/* -- whose turn a place in a call was -- */

struct queue *
group_queue(const struct group *group)
{
    return group->strange ? &group->simulator->strangers
                          : &group->simulator->queue;
}

static void
take_place(struct simulator *simulator, bool strange)
{
    simulator->inflight++;
    simulator->strange += strange;
}

static void
give_back(struct simulator *simulator, bool strange)
{
    simulator->inflight--;
    simulator->strange -= strange;
}

/* -- verdicts -- */

/* A contract signs no transactions; EIP-7702 accounts could, but what they
 * approve their code can take back. */
static bool
wants_approval(const struct group *group, size_t i,
               const struct chain_verdict *verdict)
{
    return verdict->err == X402_ERR_ALLOWANCE && !group->alone &&
           group->member[i]->ask.sponsor.kind == X402_SPONSOR_APPROVAL &&
           !group->simulator->chain->closing;
}

static void
on_approval(void *arg)
{
    struct simulator *simulator = arg;

    give_back(simulator, false);
    simulate_flush(simulator);
}

static void
on_strange_approval(void *arg)
{
    struct simulator *simulator = arg;

    give_back(simulator, true);
    simulate_flush(simulator);
}

static void
look_at_approval(struct simulator *simulator, struct waiting *w,
                 const struct chain_verdict *verdict)
{
    take_place(simulator, w->stranger);
    approve_check(simulator->chain, w, verdict,
                  w->stranger ? on_strange_approval : on_approval, simulator);
}

/* -- what need not be tried again at once -- */

static struct shown_path
path_of(const struct waiting *w)
{
    return (struct shown_path){w->ask.asset, w->ask.auth.from, w->ask.auth.to};
}

/* An account's transfer by EIP-3009 whose signature the token cannot but take:
 * our recovery holds it to the token's rules, but for v, which the token wants
 * as 27 or 28. */
static bool
is_plain(const struct group *group, const struct waiting *w)
{
    return !group->alone && !group->solo &&
           w->ask.method == X402_METHOD_EIP3009 && w->ask.signature_len == 65 &&
           w->ask.signature[64] >= 27;
}

static bool
is_shown(const struct group *group, const struct waiting *w)
{
    const struct chain *chain = group->simulator->chain;
    const struct shown_path path = path_of(w);

    return w->ask.advice && is_plain(group, w) &&
           shown_has(&chain->shown, &path, group->asked_ms,
                     chain->config->verify_reuse_ms);
}

static void
note_shown(struct group *group, size_t i, const struct look_seen *seen,
           enum x402_err err)
{
    const struct waiting *w = group->member[i];
    struct chain *chain = group->simulator->chain;
    const struct shown_path path = path_of(w);

    if (!seen->tried || !is_plain(group, w))
        return;
    if (err == X402_OK)
        shown_keep(&chain->shown, &path, group->asked_ms);
    else if (err == X402_ERR_SIMULATION)
        shown_forget(&chain->shown, &path);
}

static void
judge_member(struct group *group, size_t i, const struct look_seen *seen,
             const struct look_block *block)
{
    struct chain_verdict verdict;
    struct waiting *w = group->member[i];
    enum x402_err err =
        group->payment[i].shown && mutant("shown_unread")
            ? X402_OK
            : look_judge(seen, &group->payment[i], block->time_s);

    if (err == X402_ERR_SIMULATION && seen->shared && !w->apart) {
        w->apart = true;
        waiting_push_front(group_queue(group), w);
        return;
    }
    note_shown(group, i, seen, err);
    verdict = (struct chain_verdict){
        .err = err,
        .has_code = group->alone,
        .deploys = group->deploys,
        .balance = seen->balance,
        .allowance = seen->allowance,
        .block_number = block->number,
    };
    if (wants_approval(group, i, &verdict))
        look_at_approval(group->simulator, w, &verdict);
    else
        waiting_tell(w, &verdict);
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
        !quantity_text_data(&bytes, &len, answer->text))
        return false;
    good = look_decode(seen, block, group->payment, group->len,
                       !group->alone && !group->solo, bytes, len);
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
            waiting_push_front(group_queue(group), w);
        } else {
            waiting_tell_err(w, X402_ERR_UNAVAILABLE);
        }
    }
}

/* Nothing is there yet: by itself, with its deployment, if its factory may. */
static void
take_undeployed(struct group *group, struct waiting *w)
{
    struct chain *chain = group->simulator->chain;
    enum x402_err err = wallet_may_deploy(chain->config, w->ask.signature,
                                          w->ask.signature_len);

    if (err != X402_OK) {
        waiting_tell_err(w, err);
        return;
    }
    w->alone = w->deploys = true;
    waiting_push_front(group_queue(group), w);
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
        waiting_tell_err(w, X402_ERR_UNAVAILABLE);
        return true;
    case CODE_SOME:
        w->alone = true;
        waiting_push_front(group_queue(group), w);
        return true;
    case CODE_NONE:
        if (w->wrapped) {
            take_undeployed(group, w);
            return true;
        }
        break;
    }
    if (company && seen->tried && !seen->moved && w->halved < 3) {
        w->halved++;
        waiting_push_front(group_queue(group), w);
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

/* Why a wallet that is not there yet cannot pay: the same two calls, each
 * allowed to fail. */
static void
explain_deployment(struct look_seen *seen, const struct rpc_answer *answer)
{
    struct x402_abi_result results[2];
    uint8_t *data;
    size_t len;

    if (answer->status != RPC_RESULT ||
        !quantity_data(&data, &len, answer->result))
        return;
    if (x402_abi_aggregate3_decode(results, 2, data, len) == X402_OK) {
        seen->not_deployed = !results[0].success && !results[1].success;
        seen->bad_signature =
            look_bad_signature(results[1].data, results[1].data_len);
    }
    free(data);
}

/* "code present: ERC-1271 only, no fallback": the wallet itself must say yes,
 * whatever a token makes of it. */
static void
hear_wallet(struct look_seen *seen, const struct rpc_answer *answer)
{
    if (wallet_judge(answer) == X402_OK)
        return;
    seen->moved = false;
    seen->bad_signature = true;
}

static void
hear_token(struct look_seen *seen, const struct rpc_answer *answer)
{
    uint8_t *data;
    size_t len;

    seen->tried = true;
    seen->moved = answer->status == RPC_RESULT;
    if (seen->moved || !quantity_data(&data, &len, answer->data))
        return;
    seen->bad_signature = look_bad_signature(data, len);
    free(data);
}

/* The settler may try one. */
static bool
wallets_are_stopped(const struct group *group)
{
    const struct waiting *w = group->member[0];
    const struct breaker *breaker =
        chain_breaker(group->simulator->chain, &w->ask.asset, true);

    return w->from == NULL && breaker != NULL && breaker_tripped(breaker);
}

static void
judge_alone(struct group *group, const struct rpc_answer *answers)
{
    /* Permit2 asks the wallet itself, and knows no fallback. */
    bool by_token = group->payment[0].method == X402_METHOD_EIP3009;
    struct look_seen seen;
    struct look_block block;

    if (!read_look(group, &answers[0], &seen, &block) ||
        (answers[1].status != RPC_RESULT && !chain_is_revert(&answers[1])) ||
        (!group->deploys && by_token &&
         wallet_judge(&answers[2]) == X402_ERR_UNAVAILABLE)) {
        group_failed(group, false);
        return;
    }
    if (wallets_are_stopped(group)) {
        group_failed(group, false);
        return;
    }
    hear_token(&seen, &answers[1]);
    if (!group->deploys && by_token)
        hear_wallet(&seen, &answers[2]);
    else if (group->deploys && !seen.moved)
        explain_deployment(&seen, &answers[2]);
    judge_member(group, 0, &seen, &block);
}

/* upto of a payer whose code was not known: he may turn out to have some. */
static void
judge_solo(struct group *group, const struct rpc_answer *answers)
{
    struct waiting *w = group->member[0];
    struct look_seen seen;
    struct look_block block;

    (void)learn_codes(group, answers + 2);
    switch (group->code[0]) {
    case CODE_UNKNOWN:
        waiting_tell_err(w, X402_ERR_UNAVAILABLE);
        return;
    case CODE_SOME:
        w->alone = true;
        waiting_push_front(group_queue(group), w);
        return;
    case CODE_NONE:
        break;
    }
    if (!read_look(group, &answers[0], &seen, &block) ||
        (answers[1].status != RPC_RESULT && !chain_is_revert(&answers[1]))) {
        group_failed(group, false);
        return;
    }
    hear_token(&seen, &answers[1]);
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
        waiting_push_front(group_queue(group), group->member[i]);
    return true;
}

static void
on_answers(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct group *group = arg;
    struct simulator *simulator = group->simulator;

    (void)len;
    give_back(simulator, group->strange);
    if (answers[0].status == RPC_UNKNOWN)
        upkeep_lost(simulator->chain);
    if (override_refused(group, answers))
        ;
    else if (group->solo)
        judge_solo(group, answers);
    else if (group->alone)
        judge_alone(group, answers);
    else
        judge_group(group, answers);
    free(group);
    simulate_flush(simulator);
}

/* -- questions -- */

static struct rpc_call
look_call(struct group *group)
{
    struct chain *chain = group->simulator->chain;
    struct params_message message = {
        .to = chain_multicall3(), .block = "latest", .time_s = group->time_s};
    uint8_t *data =
        look_encode(&message.data_len, chain->config->network->chain_id,
                    group->payment, group->len, !group->alone && !group->solo);
    struct rpc_call call;

    message.data = data;
    call = params_call(&message);
    call.raw = true;
    free(data);
    return call;
}

/* The very call that would settle it: same sender, gas and fees, because a
 * contract's answer may depend on them. */
static struct rpc_call
alone_call(struct group *group)
{
    struct chain *chain = group->simulator->chain;
    const struct waiting *w = group->member[0];
    const struct look_payment *payment = &group->payment[0];
    struct fees_caps caps = {chain->config->max_fee_gwei, 0};
    struct fees fees;
    struct sign_calldata calldata;
    struct params_message message = {
        .from = payment->method == X402_METHOD_PERMIT2_UPTO
                    ? payment->facilitator
                : w->from != NULL ? w->from
                                  : signers_any(chain->signers),
        .to = &calldata.to,
        .gas = group->deploys ? WALLET_DEPLOY_GAS : WALLET_GAS,
        .block = "latest",
        .time_s = group->time_s,
    };
    struct rpc_call call;

    sign_calldata(&calldata, group->payment, 1, false);
    message.data = calldata.data;
    message.data_len = calldata.len;
    if (message.from != NULL &&
        fees_offer(&fees, &chain->market, &caps, message.gas, 1) &&
        !mutant("wallet_without_fees")) {
        message.max_fee = &fees.max_fee;
        message.max_priority_fee = &fees.max_priority;
    }
    call = params_call(&message);
    free(calldata.data);
    return call;
}

static struct rpc_call
explain_call(struct group *group)
{
    struct chain *chain = group->simulator->chain;
    struct params_message message = {
        .from = signers_any(chain->signers),
        .to = chain_multicall3(),
        .gas = WALLET_DEPLOY_GAS,
        .block = "latest",
        .time_s = group->time_s,
    };
    uint8_t *data = sign_deployment(&message.data_len, group->payment, true);
    struct rpc_call call;

    message.data = data;
    call = params_call(&message);
    free(data);
    return call;
}

static void
add_alone_calls(struct group *group, struct rpc_call *calls, size_t *len)
{
    calls[(*len)++] = alone_call(group);
    if (group->deploys)
        calls[(*len)++] = explain_call(group);
    else if (group->payment[0].method == X402_METHOD_EIP3009)
        calls[(*len)++] =
            wallet_ask(group->simulator->chain, group->payment, group->time_s);
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

void
group_launch(struct group *group)
{
    struct simulator *simulator = group->simulator;
    struct rpc_call calls[2 + SIMULATE_TOGETHER];
    size_t len = 1;

    group->time_s = chain_call_time(simulator->chain, core_now_ms());
    group->asked_ms = uv_hrtime() / 1000000;
    for (size_t i = 0; i < group->len; i++) {
        group->payment[i] = waiting_payment(group->member[i]);
        group->payment[i].shown = is_shown(group, group->member[i]);
    }
    calls[0] = look_call(group);
    if (group->alone)
        add_alone_calls(group, calls, &len);
    else if (group->solo)
        calls[len++] = alone_call(group);
    if (!group->alone)
        add_code_calls(group, calls, &len);
    take_place(simulator, group->strange);
    rpc_ask(simulator->chain->rpc, calls, len, on_answers, group);
}
