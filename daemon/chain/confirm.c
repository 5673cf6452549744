/* SPDX-License-Identifier: Apache-2.0 */
/* Where two endpoints are configured, what one says of a transaction's fate is
 * a claim: it becomes a step only when another says the same.  Two that
 * disagree mean "unknown", and both are asked again with the next poll. */
#include <stdlib.h>
#include <string.h>

#include "../log.h"
#include "follow.h"
#include "params.h"
#include "quantity.h"

struct confirming {
    struct follower *follower;
    struct flight *flight;
    enum step_action action;
    struct receipt receipt; /* STEP_TO_MINED: the first one's */
};

/* -- does the second say so, too? -- */

static bool
mined_too(const struct confirming *c, const struct rpc_answer *answers)
{
    struct receipt receipt;
    bool same;

    if (answers[0].status != RPC_RESULT ||
        receipt_read(&receipt, answers[0].text, c->receipt.tx_hash) !=
            RECEIPT_READ)
        return false;
    same = receipt_same(&receipt, &c->receipt);
    receipt_free(&receipt);
    return same;
}

static bool
final_too(const struct confirming *c, const struct rpc_answer *answers)
{
    uint64_t final;
    uint8_t hash[32];

    return answers[0].status == RPC_RESULT &&
           quantity_bytes(hash, 32,
                          json_object_get(answers[0].result, "hash")) &&
           memcmp(hash, c->flight->block_hash, 32) == 0 &&
           follow_read_final(c->follower->chain, &answers[1], &final) &&
           final >= c->flight->step.block_number;
}

static bool
taken_too(const struct confirming *c, const struct rpc_answer *answers,
          size_t len)
{
    uint64_t final_count;

    if (answers[0].status != RPC_RESULT ||
        !quantity_u64(&final_count, answers[0].result) ||
        final_count <= c->flight->step.account_nonce)
        return false;
    for (size_t i = 1; i < len; i++) {
        struct receipt receipt;
        enum receipt_read read;

        if (answers[i].status != RPC_RESULT)
            return false;
        read =
            receipt_read(&receipt, answers[i].text, c->flight->txs[i - 1].hash);
        if (read == RECEIPT_READ)
            receipt_free(&receipt);
        if (read != RECEIPT_NONE)
            return false;
    }
    return true;
}

static bool
says_so(const struct confirming *c, const struct rpc_answer *answers,
        size_t len)
{
    switch (c->action) {
    case STEP_TO_MINED:
        return mined_too(c, answers);
    case STEP_TO_FINAL:
        return final_too(c, answers);
    case STEP_REQUEUE:
        return taken_too(c, answers, len);
    case STEP_WAIT:
    case STEP_BROADCAST:
    case STEP_BUMP:
    case STEP_CANCEL:
    case STEP_TO_OPEN:
        break;
    }
    return false;
}

/* -- asking it -- */

static void
on_answers(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct confirming *c = arg;

    c->flight->busy = false;
    if (!c->follower->chain->closing) {
        if (says_so(c, answers, len))
            follow_act(c->follower, c->flight, c->action, &c->receipt);
        else
            flight_log(answers[0].status == RPC_UNKNOWN ? LOG_WARN : LOG_ERROR,
                       answers[0].status == RPC_UNKNOWN ? "no_second_endpoint"
                                                        : "endpoints_disagree",
                       c->flight);
    }
    receipt_free(&c->receipt);
    free(c);
}

static size_t
questions(const struct confirming *c, struct rpc_call *calls)
{
    const struct flight *flight = c->flight;
    size_t len = 0;

    if (c->action == STEP_TO_MINED) {
        calls[len++] = params_receipt(c->receipt.tx_hash);
    } else if (c->action == STEP_TO_FINAL) {
        calls[len++] = params_block_at(flight->step.block_number);
        calls[len++] = params_block("finalized");
    } else {
        calls[len++] = params_nonce(&flight->signer->address, "finalized");
        for (size_t i = 0; i < flight->txs_len; i++)
            calls[len++] = params_receipt(flight->txs[i].hash);
    }
    return len;
}

bool
follow_needs_second(const struct follower *follower, enum step_action action)
{
    return (action == STEP_TO_MINED || action == STEP_TO_FINAL ||
            action == STEP_REQUEUE) &&
           rpc_must_agree(follower->chain->rpc);
}

void
follow_confirm(struct follower *follower, struct flight *flight,
               enum step_action action, struct receipt *receipt,
               unsigned witness)
{
    struct confirming *c = chain_alloc(sizeof *c);
    struct rpc_call calls[1 + FLIGHT_TXS_MAX];
    size_t len;

    *c = (struct confirming){follower, flight, action, *receipt};
    memset(receipt, 0, sizeof *receipt); /* ours now */
    flight->busy = true;
    len = questions(c, calls);
    rpc_ask_without(follower->chain->rpc, witness, calls, len, on_answers, c);
}
