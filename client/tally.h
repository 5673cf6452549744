/* SPDX-License-Identifier: Apache-2.0 */
/* What the journal says about earlier payments, summed up for one decision. */
#ifndef CLIENT_TALLY_H
#define CLIENT_TALLY_H

#include <stdbool.h>

#include "budget.h"
#include "journal.h"

/** The question. */
struct tally_case {
    bool testnet; /* which half of the networks is counted */
    const char *origin;
    const char *method, *url; /* NULL: do not look for earlier payments */
    const uint8_t *body32;
    struct x402_address payer;
    struct record_time now;
    uint64_t undelivered_window_s;
    uint64_t unresolved_after_s;
    uint64_t expired_margin_s; /* for failed ones */
};

/** A sum over a window of time. */
struct tally_sum {
    uint64_t window_s;
    bool of_origin; /* that origin's payments only */
    struct x402_amount spent;
};

enum { TALLY_SUMS = 3 };

struct tally {
    struct tally_sum sum[TALLY_SUMS];
    bool overflow;        /* a sum does not fit: treat as too much */
    unsigned undelivered; /* in a row, newest first, at that origin */
    bool delivered;       /* the row has ended */
    bool unresolved;      /* an earlier payment of the same request is open */
    bool partial;         /* one was accepted, and its answer broke off */
    char path[PATHS_MAX]; /* the file of the open one, else of the other */
    bool failed; /* one met an error of the server, and has not expired */
    char failed_path[PATHS_MAX];
};

/** Everything that was signed counts as spent, whatever a server says became
 *  of it; only RECORD_VOID, the chain's proof, takes it back.
 *  In: out->sum[].window_s and of_origin; the rest is filled. */
__attribute__((warn_unused_result)) bool
tally_take(struct tally *out, const struct journal *journal,
           const struct tally_case *question);

#endif
