/* SPDX-License-Identifier: Apache-2.0 */
/* The follower's edges: what was seen is told to the ledger, and when the
 * ledger has it, to those who wait.  A flight that is being told about is
 * `busy`. */
#include <stdlib.h>
#include <string.h>

#include "../failpoint.h"
#include "../log.h"
#include "../metrics.h"
#include "follow.h"
#include "settle.h"
#include "upkeep.h"
#include "watch.h"

#define UNKNOWN_AGAIN_MS pace_ms(30000)

struct telling {
    struct follower *follower;
    struct flight *flight;
    struct ledger_outcome *outcomes;
    size_t len;
};

static struct telling *
tell(struct follower *follower, struct flight *flight)
{
    struct telling *telling = chain_alloc(sizeof *telling);

    flight->busy = true;
    follower->chain->ledger_waits++;
    *telling = (struct telling){.follower = follower, .flight = flight};
    return telling;
}

static void
told(struct telling *telling)
{
    telling->flight->busy = false;
    telling->follower->chain->ledger_waits--;
    free(telling->outcomes);
    free(telling);
}

/* The ledger did not take it: its disk is full, or somebody holds its lock.
 * The flight is as it was, so the next poll tells it again. */
static bool
not_taken(struct telling *telling, enum x402_err err)
{
    if (err == X402_OK || mutant("edge_forgotten"))
        return false;
    log_event(LOG_WARN, "edge_not_taken", "why", x402_err_info(err)->name,
              NULL);
    told(telling);
    return true;
}

static bool
is_wallet(const struct flight *flight)
{
    return flight->payments_len == 1 && flight->payments[0].alone;
}

/* It was tried right before it was signed; so one that pays nobody, though it
 * had the time, means that something is wrong.  A flight may know payments that
 * other transactions settled: those do not count. */
static void
count_failure(const struct telling *telling)
{
    const struct flight *flight = telling->flight;
    struct chain *chain = telling->follower->chain;
    struct breaker *breaker;
    bool any = false;

    if (flight->payments_len == 0 ||
        flight->step.expires_s <= chain->health.head_time_s)
        return;
    breaker =
        chain_breaker(chain, &flight->payments[0].asset, is_wallet(flight));
    for (size_t i = 0; i < telling->len; i++)
        any = any || telling->outcomes[i].paid;
    if (breaker == NULL)
        return;
    if (any)
        breaker_worked(breaker);
    else if (breaker_failed(breaker, core_now_ms()) && !is_wallet(flight))
        flight_log(LOG_ERROR, "settling_stopped", flight);
    signers_health(chain->signers);
}

static void
on_mined(void *arg, enum x402_err err, int64_t batch)
{
    struct telling *telling = arg;
    struct chain *chain = telling->follower->chain;
    bool some_not = false;

    (void)batch;
    failpoint("after_mined");
    if (err != X402_OK) { /* the ledger does not know it so: read again */
        log_event(LOG_ERROR, "mined_but_unknown", NULL);
        follow_bury(telling->flight);
        telling->follower->resume_ms = core_now_ms() + UNKNOWN_AGAIN_MS;
        told(telling);
        return;
    }
    count_failure(telling);
    for (size_t i = 0; i < telling->len; i++) {
        if (telling->outcomes[i].paid) {
            metrics_add(METRIC_MINED, 1);
            settle_paid(chain->settler, telling->outcomes[i].payment);
            watch_mined(chain->watches, telling->outcomes[i].payment);
        } else {
            some_not = true;
            settle_not_paid(chain->settler, telling->outcomes[i].payment,
                            is_wallet(telling->flight));
        }
    }
    told(telling);
    if (some_not)
        upkeep_hurry(chain->upkeep);
    settle_look(chain->settler);
}

void
follow_to_mined(struct follower *follower, struct flight *flight,
                const struct receipt *receipt)
{
    struct telling *telling = tell(follower, flight);
    uint64_t now_ms = core_now_ms();

    telling->outcomes = flight_outcomes(flight, receipt);
    telling->len = flight->payments_len;
    memcpy(flight->mined_tx, receipt->tx_hash, 32);
    memcpy(flight->block_hash, receipt->block_hash, 32);
    flight->mined_ms = now_ms;
    flight->check_ms = now_ms + follower->chain->config->poll_ms;
    step_mined(&flight->step, receipt->block_number);
    flight_hold_slot(flight, false);
    flight_log(receipt->success ? LOG_INFO : LOG_WARN,
               receipt->success ? "mined" : "mined_reverted", flight);
    failpoint("before_mined");
    ledger_mined(follower->chain->ledger, flight->batch_id, receipt->tx_hash,
                 receipt->block_number, receipt->block_hash, telling->outcomes,
                 telling->len, now_ms, on_mined, telling);
}

static void
on_final(void *arg, enum x402_err err, int64_t payment)
{
    struct telling *telling = arg;

    (void)payment;
    if (not_taken(telling, err))
        return;
    failpoint("after_final");
    metrics_add(METRIC_FINAL, telling->flight->payments_len);
    follow_bury(telling->flight);
    told(telling);
}

static void
on_requeued(void *arg, enum x402_err err, int64_t payment)
{
    struct telling *telling = arg;
    struct chain *chain = telling->follower->chain;

    (void)payment;
    if (not_taken(telling, err))
        return;
    follow_bury(telling->flight);
    told(telling);
    upkeep_hurry(chain->upkeep);
    settle_look(chain->settler);
}

/* Ours: the same transaction is sent again.  Somebody else's: its payments are
 * CAPTURED again, or SUBMITTED in a batch that is open again. */
static void
on_unmined(void *arg, enum x402_err err, int64_t payment)
{
    struct telling *telling = arg;
    struct follower *follower = telling->follower;
    struct flight *flight = telling->flight;

    (void)payment;
    if (not_taken(telling, err))
        return;
    metrics_add(METRIC_REORGS, 1);
    if (flight->txs_len == 0) {
        follow_bury(flight);
        follower->resume_ms = core_now_ms();
    } else {
        flight_hold_slot(flight, true);
        step_reopened(&flight->step, core_now_ms(),
                      follower->chain->health.head_number);
    }
    told(telling);
    follow_hurry(follower);
    settle_look(follower->chain->settler);
}

void
follow_to_final(struct follower *follower, struct flight *flight)
{
    flight_log(LOG_INFO, "final", flight);
    failpoint("before_final");
    ledger_final(follower->chain->ledger, flight->mined_tx, core_now_ms(),
                 on_final, tell(follower, flight));
}

void
follow_to_open(struct follower *follower, struct flight *flight)
{
    flight_log(LOG_WARN, "reorg", flight);
    ledger_unmined(follower->chain->ledger, flight->mined_tx, core_now_ms(),
                   on_unmined, tell(follower, flight));
}

void
follow_requeue(struct follower *follower, struct flight *flight)
{
    flight_log(LOG_WARN, "account_nonce_taken", flight);
    ledger_requeue(follower->chain->ledger, flight->batch_id, core_now_ms(),
                   on_requeued, tell(follower, flight));
}
