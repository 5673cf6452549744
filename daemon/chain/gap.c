/* SPDX-License-Identifier: Apache-2.0 */
/* See gap.h. */
#include "gap.h"

#include <stdlib.h>
#include <string.h>

#include "../failpoint.h"
#include "../log.h"
#include "job_inside.h"
#include "sign.h"

#define GAP_MS pace_ms(20000) /* a node may be behind, a reorg not read yet */
#define GAP_GAS 21000

struct filling {
    struct chain *chain;
    struct signer *signer;
    uint64_t nonce;
    struct flight_tx tx;
};

static bool
is_flying(const struct follower *follower, const struct signer *signer,
          uint64_t nonce)
{
    for (const struct flight *f = follower->flights; f != NULL; f = f->next) {
        if (f->signer == signer && f->step.account_nonce == nonce)
            return true;
    }
    return false;
}

static bool
is_gap(const struct chain *chain, const struct signer *signer, uint64_t mined,
       uint64_t pending)
{
    return !signer->busy && signer->nonce_known && mined < signer->next_nonce &&
           pending == mined && !is_flying(chain->follower, signer, mined);
}

static void
on_stored(void *arg, enum x402_err err, int64_t batch)
{
    struct filling *f = arg;
    struct chain *chain = f->chain;
    struct signer *signer = f->signer;

    chain->ledger_waits--;
    signer->busy = false;
    if (err == X402_OK)
        follow_launch(chain->follower, signer, &f->tx, f->nonce, batch, 0);
    free(f->tx.raw);
    free(f);
    job_next(chain->settler, signer); /* who waited for the account */
}

static void
fill(struct chain *chain, struct signer *signer)
{
    struct fees_caps caps = {chain->config->max_fee_gwei,
                             chain->config->max_fee_settlement_gwei};
    struct sign_order order = {
        .network = chain->config,
        .chain_id = chain_id(chain),
        .signer = signer,
        .account_nonce = signer->gap_nonce,
        .gas_limit = GAP_GAS,
    };
    struct filling *f;
    struct ledger_tx entry;

    if (!fees_offer(&order.fees, &chain->market, &caps, GAP_GAS, 1))
        return;
    f = chain_alloc(sizeof *f);
    *f = (struct filling){
        .chain = chain, .signer = signer, .nonce = order.account_nonce};
    if (!sign_empty(&f->tx, &order)) {
        free(f);
        return;
    }
    entry = (struct ledger_tx){
        .chain_id = chain_id(chain),
        .signer = signer->address,
        .account_nonce = order.account_nonce,
        .max_fee = f->tx.fees.max_fee,
        .max_priority_fee = f->tx.fees.max_priority,
        .gas_limit = f->tx.gas_limit,
        .raw = f->tx.raw,
        .raw_len = f->tx.raw_len,
        .empty = true,
    };
    memcpy(entry.hash, f->tx.hash, sizeof entry.hash);
    log_event(LOG_WARN, "account_nonce_missing", "network",
              chain->config->network->caip2, "what",
              "no transaction here bears it: filled with an empty one", NULL);
    chain->ledger_waits++;
    signer->busy = true;
    ledger_submit(chain->ledger, &entry, core_now_ms(), on_stored, f);
}

void
gap_look(struct chain *chain, struct signer *signer, uint64_t mined,
         uint64_t pending)
{
    uint64_t now_ms = core_now_ms();

    if (chain->follower == NULL || !follow_ready(chain->follower) ||
        !is_gap(chain, signer, mined, pending)) {
        signer->gap_since_ms = 0;
        return;
    }
    if (signer->gap_since_ms == 0 || signer->gap_nonce != mined ||
        now_ms < signer->gap_since_ms) {
        signer->gap_since_ms = now_ms;
        signer->gap_nonce = mined;
    }
    if (now_ms - signer->gap_since_ms >= GAP_MS)
        fill(chain, signer);
}
