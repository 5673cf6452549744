/* SPDX-License-Identifier: Apache-2.0 */
/* Payments that wait to be looked at, in order of arrival. */
#ifndef X402D_WAITING_H
#define X402D_WAITING_H

#include "inside.h"
#include "look.h"

struct waiting {
    struct waiting *next;
    struct chain_ask ask;
    chain_verdict_cb cb;
    void *arg;
    bool alone;
    bool apart;
    bool stranger; /* came while many waited, and never paid before */
    bool wrapped;  /* ERC-6492 */
    bool deploys;  /* and there is nothing at the payer's address yet */
    struct x402_erc6492 wrapper;
    const struct x402_address *from; /* who would send it; NULL: any of ours */
    unsigned halved; /* how often its group made the node fail */
    uint64_t since_ms;
};

struct queue {
    struct waiting *first, **last;
    size_t len;
};

/** Empty: {.last = &queue.first}. */
void waiting_push_back(struct queue *queue, struct waiting *w);
/** Asked once more, before those that came later. */
void waiting_push_front(struct queue *queue, struct waiting *w);
void waiting_unlink(struct queue *queue, struct waiting **at);
struct look_payment waiting_payment(struct waiting *w);

/** Call back, and free. */
void waiting_tell(struct waiting *w, const struct chain_verdict *verdict);
void waiting_tell_err(struct waiting *w, enum x402_err err);

#endif
