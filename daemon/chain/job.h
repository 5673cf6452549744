/* SPDX-License-Identifier: Apache-2.0 */
/* One transaction in the making: try it once more, with its gas, sign, store,
 * hand over. */
#ifndef X402D_JOB_H
#define X402D_JOB_H

#include "gas.h"
#include "idset.h"
#include "inside.h"
#include "later.h"
#include "signers.h"

struct job;

/* shared by settle.c and job.c */
struct settler {
    struct chain *chain;
    uv_timer_t timer;
    uint64_t look_at_ms; /* when the timer fires, loop clock; 0: not set */
    unsigned kicks;      /* since the last look */
    bool looking;        /* the ledger is being asked */
    bool look_again;     /* something changed meanwhile */
    struct idset hand;   /* payments in jobs and inquiries */
    struct later *later;
    size_t blocked; /* of the last look: rows that wait for something else */
    struct gas gas;
    struct job *ready;         /* signed as soon as their signer is free */
    uint64_t rest_until_ms;    /* fees or money are missing: no new jobs */
    uint64_t no_time_until_ms; /* eth_estimateGas takes no block override */
    void (*closed)(void *arg);
    void *closed_arg;
};

/** Begin.  Takes one of the signer's flights; copies the rows, which are in
 *  settler->hand already. */
void job_start(struct settler *settler, struct signer *signer,
               const struct pay_row *const *rows, size_t n);

/** Free those that wait for their signer: the chain is closed. */
void job_drop_ready(struct settler *settler);

/** A payment leaves the hand: nothing more is being done with it. */
void settle_let_go(struct settler *settler, int64_t payment);
/** Look again in this long at the latest. */
void settle_look_in(struct settler *settler, uint64_t wait_ms);

#endif
