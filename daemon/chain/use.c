/* SPDX-License-Identifier: Apache-2.0 */
/* See use.h.  Backwards from the head, in windows, as inquire.c does for the
 * ledger's own payments. */
#include "use.h"

#include <stdlib.h>
#include <string.h>

#include <x402/abi.h>

#include "../failpoint.h"
#include "../metrics.h"
#include "follow.h"
#include "params.h"
#include "proof.h"
#include "quantity.h"

#define USES_MAX 8  /* searches at once */
#define WINDOW 5000 /* blocks in one search; providers allow 10,000 */
#define WINDOW_LEAST 100
#define WINDOWS_MAX 16 /* two days of two-second blocks */

#define CANDIDATES_MAX 32 /* transfers of one payer in one window */

struct use {
    struct chain *chain;
    struct pay_row row; /* as far as it is known: what was signed */
    use_cb cb;
    void *arg;
    uint64_t to, window; /* being searched: (to - window, to] */
    unsigned windows;
    uint8_t tx_hash[32];
    /* Permit2: transactions that may have been it */
    uint8_t candidate[CANDIDATES_MAX][32];
    size_t candidates;
    bool doubt; /* one of them could not be told */
};

static void search(struct use *use);

static void
end(struct use *use, enum use_status status, const struct receipt *receipt)
{
    use->chain->uses--;
    use->cb(use->arg, status, receipt);
    free(use);
}

static void
on_receipt(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct use *use = arg;
    const struct receipt_claim claim = {
        .token = &use->row.asset,
        .payer = &use->row.auth.from,
        .payee = &use->row.auth.to,
        .value = &use->row.auth.value,
        .nonce = use->row.auth.nonce,
    };
    struct receipt receipt;

    (void)len;
    if (answers[0].status != RPC_RESULT ||
        receipt_read(&receipt, answers[0].text, use->tx_hash) != RECEIPT_READ) {
        end(use, USE_UNKNOWN, NULL);
        return;
    }
    end(use, receipt_paid(&receipt, &claim) ? USE_PAID : USE_OTHER, &receipt);
    receipt_free(&receipt);
}

static void
found(struct use *use, const json_t *log)
{
    struct rpc_call call;

    if (!quantity_bytes(use->tx_hash, 32,
                        json_object_get(log, "transactionHash"))) {
        end(use, USE_UNKNOWN, NULL);
        return;
    }
    call = params_receipt(use->tx_hash);
    rpc_ask(use->chain->rpc, &call, 1, on_receipt, use);
}

static void
next_window(struct use *use)
{
    if (use->to < use->window || ++use->windows == WINDOWS_MAX) {
        /* long ago, or by no log that we read */
        end(use, use->doubt ? USE_UNKNOWN : USE_OTHER, NULL);
        return;
    }
    use->to -= use->window;
    search(use);
}

/* -- Permit2 logs no use: the payer's transfers to the payee are gone through,
 * and the calls that made them are read (proof.c) -- */

static void next_candidate(struct use *use);

static void
on_candidate(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct use *use = arg;
    struct receipt receipt;
    enum proof proof;

    (void)len;
    if (answers[0].status != RPC_RESULT || answers[1].status != RPC_RESULT ||
        receipt_read(&receipt, answers[0].text, use->tx_hash) != RECEIPT_READ) {
        end(use, USE_UNKNOWN, NULL);
        return;
    }
    proof = proof_permit2(&use->row, &receipt, answers[1].result);
    use->doubt = use->doubt || proof == PROOF_DOUBT;
    if (proof == PROOF_PAID || mutant("adopt_any_transfer"))
        end(use, USE_PAID, &receipt);
    else
        next_candidate(use);
    receipt_free(&receipt);
}

static void
next_candidate(struct use *use)
{
    struct rpc_call calls[2];

    if (use->chain->closing) {
        end(use, USE_UNKNOWN, NULL);
        return;
    }
    if (use->candidates == 0) {
        next_window(use);
        return;
    }
    memcpy(use->tx_hash, use->candidate[--use->candidates], 32);
    calls[0] = params_receipt(use->tx_hash);
    calls[1] = params_transaction(use->tx_hash);
    rpc_ask(use->chain->rpc, calls, 2, on_candidate, use);
}

static void
take_candidates(struct use *use, const json_t *logs)
{
    uint8_t value[32], data[32];

    x402_amount_to_be32(value, &use->row.charge);
    use->candidates = 0;
    for (size_t i = json_array_size(logs); i-- > 0;) {
        const json_t *log = json_array_get(logs, i);

        if (!quantity_bytes(data, 32, json_object_get(log, "data")) ||
            memcmp(data, value, 32) != 0)
            continue;
        if (use->candidates == CANDIDATES_MAX) {
            use->doubt = true; /* not all of them are looked at */
            return;
        }
        if (quantity_bytes(use->candidate[use->candidates], 32,
                           json_object_get(log, "transactionHash")))
            use->candidates++;
    }
}

static void
on_logs(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct use *use = arg;
    const json_t *logs = answers[0].result;

    (void)len;
    if (use->chain->closing) {
        end(use, USE_UNKNOWN, NULL);
    } else if (answers[0].status == RPC_ERROR && use->window > WINDOW_LEAST) {
        use->window /= 2; /* "range too large" */
        search(use);
    } else if (answers[0].status != RPC_RESULT || !json_is_array(logs)) {
        end(use, USE_UNKNOWN, NULL);
    } else if (use->row.method != X402_METHOD_EIP3009) {
        take_candidates(use, logs);
        next_candidate(use);
    } else if (json_array_size(logs) > 0) {
        found(use, json_array_get(logs, json_array_size(logs) - 1));
    } else {
        next_window(use);
    }
}

static void
search(struct use *use)
{
    uint8_t payer[32] = {0}, payee[32] = {0};
    struct params_logs logs = {
        .contract = &use->row.asset,
        .either = {x402_abi_topic_authorization_used,
                   x402_abi_topic_authorization_canceled},
        .topic1 = payer,
        .topic2 = use->row.auth.nonce,
        .from = use->to < use->window ? 0 : use->to - use->window + 1,
        .to = use->windows == 0 ? UINT64_MAX : use->to,
    };
    struct rpc_call call;

    memcpy(payer + 12, use->row.auth.from.byte, 20);
    memcpy(payee + 12, use->row.auth.to.byte, 20);
    if (use->row.method != X402_METHOD_EIP3009) {
        logs.either[0] = logs.either[1] = x402_abi_topic_transfer;
        logs.topic2 = payee;
    }
    call = params_logs(&logs);
    rpc_ask(use->chain->rpc, &call, 1, on_logs, use);
}

void
use_find(struct chain *chain, const struct pay_row *row, use_cb cb, void *arg)
{
    struct use *use = chain_alloc(sizeof *use);

    use->chain = chain;
    use->row = *row;
    use->cb = cb;
    use->arg = arg;
    use->to = chain->health.head_number;
    use->window = WINDOW;
    chain->uses++;
    search(use);
}

/* -- into the ledger -- */

struct adoption {
    struct chain *chain;
    struct ledger_adopt in;
    chain_adopt_cb cb;
    void *arg;
    enum x402_err err;
};

static void
tell(void *arg)
{
    struct adoption *a = arg;

    a->cb(a->arg, a->err);
    free(a);
}

static void
on_adopted(void *arg, enum x402_err err, int64_t payment)
{
    struct adoption *a = arg;
    struct receipt receipt = {.block_number = a->in.block.number};

    (void)payment;
    a->chain->ledger_waits--;
    a->err = err;
    if (err == X402_OK && !a->chain->closing) {
        memcpy(receipt.tx_hash, a->in.block.tx_hash, 32);
        memcpy(receipt.block_hash, a->in.block.hash, 32);
        follow_paid_by(a->chain->follower, &receipt);
        metrics_add(METRIC_MINED, 1);
    }
    tell(a);
}

static void
on_use(void *arg, enum use_status status, const struct receipt *receipt)
{
    struct adoption *a = arg;

    if (status != USE_PAID || a->chain->closing) {
        a->err =
            status == USE_OTHER ? X402_ERR_NONCE_USED : X402_ERR_UNAVAILABLE;
        tell(a);
        return;
    }
    a->in.block.number = receipt->block_number;
    memcpy(a->in.block.tx_hash, receipt->tx_hash, 32);
    memcpy(a->in.block.hash, receipt->block_hash, 32);
    a->in.now_ms = core_now_ms();
    a->chain->ledger_waits++;
    ledger_adopt(a->chain->ledger, &a->in, on_adopted, a);
}

/* With upto nobody but us can have been it, and by a transaction that the
 * ledger has. */
static bool
can_search(const struct chain *chain, enum x402_method method)
{
    return chain_has_node(chain) && method != X402_METHOD_PERMIT2_UPTO;
}

void
chain_adopt(struct chain *chain, enum x402_method method,
            const struct x402_address *asset,
            const struct x402_authorization *auth, const char *resource,
            chain_adopt_cb cb, void *arg)
{
    struct adoption *a = chain_alloc(sizeof *a);
    struct pay_row row = {.chain_id = chain_id(chain),
                          .method = method,
                          .asset = *asset,
                          .auth = *auth,
                          .charge = auth->value};

    a->chain = chain;
    a->cb = cb;
    a->arg = arg;
    a->in.chain_id = row.chain_id;
    a->in.method = method;
    a->in.asset = *asset;
    a->in.auth = *auth;
    a->in.charge = auth->value;
    memcpy(a->in.resource, resource,
           strnlen(resource, sizeof a->in.resource - 1));
    a->err = can_search(chain, method) ? X402_ERR_BUSY : X402_ERR_NONCE_USED;
    if (!can_search(chain, method) || chain->closing || chain->uses >= USES_MAX)
        core_post(chain->core, tell, a);
    else
        use_find(chain, &row, on_use, a);
}
