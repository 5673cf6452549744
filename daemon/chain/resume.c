/* SPDX-License-Identifier: Apache-2.0 */
/* Take up what the ledger holds open: its batches with all their transactions,
 * their payments, and mined payments that are not final.  At a start this is
 * the whole memory of the settler; a restart and an ordinary retry are the same
 * path from here. */
#include <stdlib.h>
#include <string.h>

#include "../log.h"
#include "follow.h"
#include "settle.h"

#define LIST_LIMIT 4096 /* the ledger's own bound */
#define AGAIN_MS 30000  /* when there was more than that */

/* -- batches -- */

static struct flight *
open_flight(struct follower *follower, const struct ledger_batch_tx *tx)
{
    struct flight *flight = follow_find(follower, tx->batch_id);

    if (flight != NULL)
        return flight;
    flight = flight_new(tx->batch_id);
    flight->signer = signers_find(follower->chain->signers, &tx->signer);
    flight->step.account_nonce = tx->account_nonce;
    flight->step.stuck_ms = core_now_ms();
    flight->step.expires_s = tx->gift_until_s;
    if (flight->signer != NULL)
        signer_used(flight->signer, tx->account_nonce);
    flight->next = follower->flights;
    follower->flights = flight;
    flight_hold_slot(flight, true);
    return flight;
}

static void
add_tx(struct flight *flight, const struct ledger_batch_tx *tx)
{
    struct flight_tx mine = {
        .raw = (uint8_t *)tx->raw, /* copied by flight_add_tx */
        .raw_len = tx->raw_len,
        .fees = {tx->max_fee, tx->max_priority_fee},
        .gas_limit = tx->gas_limit,
    };

    if (flight_has_tx(flight, tx->hash))
        return;
    memcpy(mine.hash, tx->hash, sizeof mine.hash);
    if (!flight_add_tx(flight, &mine))
        log_event(LOG_WARN, "too_many_replacements", NULL);
}

static void
on_txs(void *arg, const struct ledger_batch_tx *txs, size_t len)
{
    struct follower *follower = arg;

    follower->chain->ledger_waits--;
    for (size_t i = 0; i < len; i++)
        add_tx(open_flight(follower, &txs[i]), &txs[i]);
}

/* -- payments -- */

static void
on_submitted(void *arg, const struct pay_row *rows, size_t len)
{
    struct follower *follower = arg;

    follower->chain->ledger_waits--;
    for (size_t i = 0; i < len; i++) {
        struct flight *flight = follow_find(follower, rows[i].batch_id);

        if (rows[i].batch_id == 0)
            continue; /* with a remote facilitator, not in a batch of ours */
        if (flight == NULL || !flight_add_payment(flight, &rows[i]))
            continue;
        /* told after the others of its batch: the receipt once more */
        if (flight->step.state == STEP_MINED)
            flight->step.state = STEP_OPEN;
    }
    follower->truncated = len == LIST_LIMIT;
}

static struct flight *
mined_flight(struct follower *follower, const struct pay_row *row)
{
    struct flight *flight;

    for (flight = follower->flights; flight != NULL; flight = flight->next) {
        if (!flight->dead && flight_has_tx(flight, row->tx_hash))
            return flight;
    }
    flight = flight_new(row->batch_id);
    flight->next = follower->flights;
    follower->flights = flight;
    return flight;
}

static void
set_mined(struct flight *flight, const struct pay_row *row)
{
    memcpy(flight->mined_tx, row->tx_hash, 32);
    memcpy(flight->block_hash, row->block_hash, 32);
    flight->mined_ms = row->updated_ms;
    step_mined(&flight->step, row->block_number);
    flight_hold_slot(flight, false);
}

static void
on_mined_rows(void *arg, const struct pay_row *rows, size_t len)
{
    struct follower *follower = arg;

    follower->chain->ledger_waits--;
    for (size_t i = 0; i < len; i++) {
        struct flight *flight = mined_flight(follower, &rows[i]);
        bool fresh = flight->payments_len == 0;

        if (flight_add_payment(flight, &rows[i]) && fresh)
            set_mined(flight, &rows[i]);
    }
    follower->truncated = follower->truncated || len == LIST_LIMIT;
    follower->resume_ms = follower->truncated ? core_now_ms() + AGAIN_MS : 0;
    follower->resuming = false;
    follower->ready = true;
    if (follower->chain->closing)
        return;
    follow_hurry(follower);
    settle_look(follower->chain->settler);
}

void
follow_resume(struct follower *follower)
{
    struct chain *chain = follower->chain;
    uint64_t id = chain_id(chain);

    if (follower->resuming)
        return;
    follower->resuming = true;
    follower->resume_ms = 0;
    chain->ledger_waits += 3;
    ledger_open_txs(chain->ledger, id, on_txs, follower);
    ledger_in_state(chain->ledger, id, PAY_SUBMITTED, LIST_LIMIT, on_submitted,
                    follower);
    ledger_in_state(chain->ledger, id, PAY_MINED, LIST_LIMIT, on_mined_rows,
                    follower);
}
