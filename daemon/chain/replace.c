/* SPDX-License-Identifier: Apache-2.0 */
/* A transaction that is not mined is replaced by one with the same account
 * nonce and a higher fee: so at most one of them can ever happen.  The ledger
 * has the replacement before the network does. */
#include <stdlib.h>

#include "../failpoint.h"
#include "../log.h"
#include "../metrics.h"
#include "follow.h"
#include "sign.h"

#define CANCELS_KEPT 4 /* replacements that higher fees leave for the end */

/* Not now: look again after the time that a bump would have waited. */
static void
put_off(struct follower *follower, struct flight *flight, const char *why)
{
    log_event(LOG_WARN, "stuck_transaction", "why", why, NULL);
    flight->step.stuck_ms = core_now_ms();
    flight->step.stuck_head = follower->chain->health.head_number;
}

struct replacing {
    struct follower *follower;
    struct flight *flight;
    struct flight_tx tx;
};

static void
on_stored(void *arg, enum x402_err err, int64_t batch)
{
    struct replacing *r = arg;
    struct follower *follower = r->follower;
    struct flight *flight = r->flight;

    (void)batch;
    flight->busy = false;
    follower->chain->ledger_waits--;
    if (err == X402_OK)
        chain_spend(follower->chain, &r->tx.fees, r->tx.gas_limit,
                    &flight_newest(flight)->fees);
    if (err == X402_OK && flight_add_tx(flight, &r->tx)) {
        metrics_add(METRIC_FEE_BUMPS, 1);
        step_replaced(&flight->step, core_now_ms(),
                      follower->chain->health.head_number);
        failpoint("before_rebroadcast");
        if (!follower->chain->closing)
            follow_broadcast(follower, flight);
    } else {
        put_off(follower, flight, "the ledger did not take a replacement");
    }
    free(r->tx.raw);
    free(r);
}

static void
store(struct follower *follower, struct flight *flight,
      const struct flight_tx *tx)
{
    struct replacing *r = chain_alloc(sizeof *r);
    struct ledger_tx entry = {
        .batch_id = flight->batch_id,
        .chain_id = chain_id(follower->chain),
        .signer = flight->signer->address,
        .account_nonce = flight->step.account_nonce,
        .max_fee = tx->fees.max_fee,
        .max_priority_fee = tx->fees.max_priority,
        .gas_limit = tx->gas_limit,
        .raw = tx->raw,
        .raw_len = tx->raw_len,
    };

    memcpy(entry.hash, tx->hash, sizeof entry.hash);
    *r = (struct replacing){follower, flight, *tx};
    flight->busy = true;
    follower->chain->ledger_waits++;
    ledger_submit(follower->chain->ledger, &entry, core_now_ms(), on_stored, r);
}

void
follow_replace(struct follower *follower, struct flight *flight, bool cancel)
{
    const struct chain *chain = follower->chain;
    const struct flight_tx *before = flight_newest(flight);
    struct fees_caps caps = {chain->config->max_fee_gwei,
                             chain->config->max_fee_settlement_gwei};
    size_t payments = flight->payments_len > 0 ? flight->payments_len : 1;
    struct fees fees;
    struct flight_tx tx;

    if (flight->signer == NULL || before == NULL)
        put_off(follower, flight, "its signer is not configured");
    else if (flight->txs_len >= FLIGHT_TXS_MAX - (cancel ? 0 : CANCELS_KEPT))
        put_off(follower, flight, "replaced too often");
    else if (!fees_bump(&fees, &before->fees, &chain->market, &caps,
                        before->gas_limit, payments))
        put_off(follower, flight, "fees are over the cap");
    else if (!sign_replacement(&tx, before, flight->signer, &fees, cancel))
        put_off(follower, flight, "it cannot be signed");
    else
        store(follower, flight, &tx);
}
