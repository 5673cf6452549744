/* SPDX-License-Identifier: Apache-2.0 */
/* See inquire.c: a payment that was found on the chain, and whose block a reorg
 * took away.  Nobody here has its signature. */
#include "../log.h"
#include "inquire_inside.h"

static void
on_not_adopted(void *arg, enum x402_err err, int64_t payment)
{
    struct inquiry *q = arg;

    (void)payment;
    q->chain->ledger_waits--;
    if (err == X402_OK)
        log_event(LOG_WARN, "adopted_payment_gone", NULL);
    inquire_end(q, err == X402_OK ? X402_OK : X402_ERR_PENDING);
}

/* Unused at the head first, so that one that is mined again is found at once;
 * then at a block that is final and younger than the reorg. */
void
inquire_unused(struct inquiry *q, uint64_t time_s)
{
    struct finding proof = {.reason = X402_ERR_PENDING};

    if (q->pruned) {
        q->pruned = false;
        inquire_ask_state(q);
        return;
    }
    if (time_s <= q->row.updated_ms / 1000) {
        inquire_end(q, X402_ERR_PENDING);
        return;
    }
    if (!inquire_is_proven(q, &proof))
        return;
    q->chain->ledger_waits++;
    ledger_not_adopted(q->chain->ledger, q->row.id, core_now_ms(),
                       on_not_adopted, q);
}
