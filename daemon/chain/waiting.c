/* SPDX-License-Identifier: Apache-2.0 */
/* See waiting.h. */
#include "waiting.h"

#include <stdlib.h>

#include "../metrics.h"
#include "wallet.h"

void
waiting_push_back(struct queue *queue, struct waiting *w)
{
    w->next = NULL;
    *queue->last = w;
    queue->last = &w->next;
    queue->len++;
}

void
waiting_push_front(struct queue *queue, struct waiting *w)
{
    w->next = queue->first;
    queue->first = w;
    if (queue->last == &queue->first)
        queue->last = &w->next;
    queue->len++;
}

void
waiting_unlink(struct queue *queue, struct waiting **at)
{
    struct waiting *w = *at;

    *at = w->next;
    if (queue->last == &w->next)
        queue->last = at;
    queue->len--;
}

struct look_payment
waiting_payment(struct waiting *w)
{
    struct look_payment payment =
        wallet_payment(&w->wrapper, &w->ask.asset, &w->ask.auth,
                       w->ask.signature, w->ask.signature_len, w->deploys);

    payment.method = w->ask.method;
    payment.facilitator = &w->ask.facilitator;
    payment.charge = &w->ask.charge;
    payment.sponsor = look_sponsor(&w->ask.sponsor);
    return payment;
}

void
waiting_tell(struct waiting *w, const struct chain_verdict *verdict)
{
    metrics_add(METRIC_SIMULATIONS, 1);
    w->cb(w->arg, verdict);
    free(w);
}

void
waiting_tell_err(struct waiting *w, enum x402_err err)
{
    waiting_tell(w, &(struct chain_verdict){.err = err});
}
