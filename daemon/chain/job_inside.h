/* SPDX-License-Identifier: Apache-2.0 */
/* What the job's files share. */
#ifndef X402D_JOB_INSIDE_H
#define X402D_JOB_INSIDE_H

#include "flight.h"
#include "job.h"
#include "look.h"

struct member {
    struct pay_row row;
    struct x402_erc6492 wrapper;
    enum x402_err verdict;
    bool has_code;
    bool deploys;
    bool approves; /* its allowance is still to come */
    uint64_t gift_gwei;
    bool waits_gift;
};

struct job {
    struct job *next; /* in settler->ready */
    struct settler *settler;
    struct signer *signer;
    struct member *member;
    size_t len;
    size_t waiting; /* verdicts that are missing */
    struct flight_tx tx;
    uint64_t gas_limit;
    uint64_t time_s;    /* pretended in the question */
    uint64_t gas_guess; /* what the question gave the call; 0: an estimate */
    bool careful;       /* its members were looked at one by one */
    bool permit2;       /* another gas than EIP-3009's */
    size_t code_of[LOOK_MAX]; /* whose code was asked for along with it */
    size_t code_len;
};

/* -- job.c -- */

void job_free(struct job *job);
/** All back: the ledger is asked for them again. */
void job_give_up(struct job *job, uint64_t retry_ms);
/** Somebody in it makes it fail as a whole: two smaller ones find out who. */
void job_halve(struct job *job);
/** Its payments as the tokens are given them.  In: room for job->len. */
void job_payments(struct job *job, struct look_payment *out);

/* -- job_submit.c -- */

/** Sign, store, hand over; later, when the signer is busy. */
void job_submit(struct job *job);
/** The signer is free: the next one that waits for him. */
void job_next(struct settler *settler, const struct signer *signer);

#endif
