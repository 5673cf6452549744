/* SPDX-License-Identifier: Apache-2.0 */
/* One look: a group of waiting payments, asked in one HTTP request. */
#ifndef X402D_GROUP_H
#define X402D_GROUP_H

#include "../crowd.h"
#include "simulate.h"
#include "waiting.h"

struct simulator {
    struct chain *chain;
    struct queue queue;
    struct queue strangers;
    unsigned inflight; /* calls */
    unsigned strange;  /* of them: strangers' */
    bool flush_posted;
    uint64_t launched_ms; /* the newest call, monotonic */
    struct crowd crowd;
    uv_timer_t company;
    core_task closed;
    void *closed_arg;
};

/* One HTTP request: a look at up to 64 payments, or at one of a payer with code
 * and its transfer by itself. */
struct group {
    struct simulator *simulator;
    struct waiting *member[SIMULATE_TOGETHER];
    struct look_payment payment[SIMULATE_TOGETHER];
    size_t len;
    bool alone;
    bool deploys;    /* its payer's wallet: ERC-6492 */
    bool strange;    /* of the strangers' queue */
    bool solo;       /* upto: its proxy looks at the caller, so no Multicall3 */
    uint64_t time_s; /* the time it pretends */
    uint64_t asked_ms;                 /* monotonic */
    enum code code[SIMULATE_TOGETHER]; /* of each member's payer */
    size_t code_of[SIMULATE_TOGETHER]; /* whose code each further call asks */
    size_t code_len;
};

/** Where one that is asked once more belongs. */
struct queue *group_queue(const struct group *group);
/** Ask.  Members are told, or go back to the front of the queue. */
void group_launch(struct group *group);
/** A place for a call became free. */
void simulate_flush(struct simulator *simulator);

#endif
