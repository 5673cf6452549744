/* SPDX-License-Identifier: Apache-2.0 */
/* See use.h.  Backwards from the head, in windows, as inquire.c does for the
 * ledger's own payments. */
#include "use.h"

#include <stdlib.h>
#include <string.h>

#include <x402/abi.h>

#include "../metrics.h"
#include "follow.h"
#include "params.h"
#include "quantity.h"

#define USES_MAX 8  /* searches at once */
#define WINDOW 5000 /* blocks in one search; providers allow 10,000 */
#define WINDOW_LEAST 100
#define WINDOWS_MAX 16 /* two days of two-second blocks */

struct use {
    struct chain *chain;
    struct x402_address asset;
    struct x402_authorization auth;
    use_cb cb;
    void *arg;
    uint64_t to, window; /* being searched: (to - window, to] */
    unsigned windows;
    uint8_t tx_hash[32];
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
        .token = &use->asset,
        .payer = &use->auth.from,
        .payee = &use->auth.to,
        .value = &use->auth.value,
        .nonce = use->auth.nonce,
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
    } else if (json_array_size(logs) > 0) {
        found(use, json_array_get(logs, json_array_size(logs) - 1));
    } else if (use->to < use->window || ++use->windows == WINDOWS_MAX) {
        end(use, USE_OTHER, NULL); /* long ago, or by no log that we read */
    } else {
        use->to -= use->window;
        search(use);
    }
}

static void
search(struct use *use)
{
    uint8_t payer[32] = {0};
    struct params_logs logs = {
        .contract = &use->asset,
        .either = {x402_abi_topic_authorization_used,
                   x402_abi_topic_authorization_canceled},
        .topic1 = payer,
        .topic2 = use->auth.nonce,
        .from = use->to < use->window ? 0 : use->to - use->window + 1,
        .to = use->windows == 0 ? UINT64_MAX : use->to,
    };
    struct rpc_call call;

    memcpy(payer + 12, use->auth.from.byte, 20);
    call = params_logs(&logs);
    rpc_ask(use->chain->rpc, &call, 1, on_logs, use);
}

void
use_find(struct chain *chain, const struct x402_address *asset,
         const struct x402_authorization *auth, use_cb cb, void *arg)
{
    struct use *use = chain_alloc(sizeof *use);

    *use = (struct use){.chain = chain,
                        .asset = *asset,
                        .auth = *auth,
                        .cb = cb,
                        .arg = arg,
                        .to = chain->health.head_number,
                        .window = WINDOW};
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

void
chain_adopt(struct chain *chain, const struct x402_address *asset,
            const struct x402_authorization *auth, const char *resource,
            chain_adopt_cb cb, void *arg)
{
    struct adoption *a = chain_alloc(sizeof *a);

    a->chain = chain;
    a->cb = cb;
    a->arg = arg;
    a->in.chain_id = chain_id(chain);
    a->in.asset = *asset;
    a->in.auth = *auth;
    memcpy(a->in.resource, resource,
           strnlen(resource, sizeof a->in.resource - 1));
    a->err = chain_has_node(chain) ? X402_ERR_BUSY : X402_ERR_NONCE_USED;
    if (!chain_has_node(chain) || chain->closing || chain->uses >= USES_MAX)
        core_post(chain->core, tell, a);
    else
        use_find(chain, asset, auth, on_use, a);
}
