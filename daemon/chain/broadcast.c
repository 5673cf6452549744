/* SPDX-License-Identifier: Apache-2.0 */
/* Send the newest transaction of a flight, and read what the node says to it.
 * An answer is welcome, not needed: only a receipt proves anything. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../failpoint.h"
#include "../log.h"
#include "../metrics.h"
#include "follow.h"
#include "params.h"
#include "quantity.h"

static bool
says(const struct rpc_answer *answer, const char *words)
{
    return strcasestr(answer->message, words) != NULL;
}

/* The node has this transaction, or another one of ours with its nonce. */
static bool
is_taken_up(const struct flight *flight, const struct rpc_answer *answer)
{
    uint8_t hash[32];

    switch (answer->status) {
    case RPC_RESULT:
        return quantity_bytes(hash, 32, answer->result) &&
               memcmp(hash, flight_newest(flight)->hash, 32) == 0;
    case RPC_ERROR:
        return says(answer, "already known") ||
               says(answer, "already imported") ||
               says(answer, "known transaction") ||
               says(answer, "alreadyknown") || says(answer, "already_exists") ||
               says(answer, "underpriced");
    case RPC_UNKNOWN:
        return false;
    }
    return false;
}

static void
on_sent(void *arg, const struct rpc_answer *answers, size_t len)
{
    struct flight *flight = arg;

    (void)len;
    flight->sending = false;
    failpoint("broadcast_answered");
    if (is_taken_up(flight, &answers[0])) {
        step_accepted(&flight->step);
        return;
    }
    if (answers[0].status != RPC_ERROR)
        return;
    /* too low: mined already, or taken by another; the receipts will say */
    if (says(&answers[0], "nonce too low"))
        return;
    log_event(LOG_WARN, "broadcast_refused", "message", answers[0].message,
              NULL);
}

void
follow_broadcast(struct follower *follower, struct flight *flight)
{
    const struct flight_tx *tx = flight_newest(flight);
    struct rpc_call call;

    if (tx == NULL || flight->sending)
        return;
    if (flight->step.sent_ms == 0)
        metrics_add(METRIC_TRANSACTIONS, 1);
    failpoint("before_broadcast");
    call = params_send(tx->raw, tx->raw_len);
    flight->sending = true;
    step_sent(&flight->step, core_now_ms());
    rpc_ask(follower->chain->rpc, &call, 1, on_sent, flight);
    follow_hurry(follower);
}
