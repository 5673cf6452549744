/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger of one network against its chain.  Internal to daemon/tools. */
#ifndef X402D_RECONCILE_H
#define X402D_RECONCILE_H

#include "../chain/income.h"
#include "../chain/receipt.h"
#include "tools.h"

/** What was found; the first two must be zero. */
struct reconcile_sum {
    uint64_t transfers;   /* by authorization, to our payees */
    uint64_t silent_loss; /* ... without a payment, or with one that FAILED */
    uint64_t payments;    /* MINED or FINAL */
    uint64_t phantom_income; /* ... that the chain knows nothing of */
    uint64_t unmatched;      /* transfers that are no x402 payment at all */
};

struct reconcile {
    const struct tool_options *options;
    const struct config_network *network;
    struct ledger_view *view;
    struct rpc *rpc;
    uv_loop_t loop;
    struct x402_address payee[INCOME_PAYEES_MAX];
    size_t payee_len;
    uint64_t from, to;
    struct reconcile_sum sum;
    /* how far it is, and how fast; monotonic clock */
    size_t together; /* questions in one request: a second's worth at most */
    uint64_t begun_ms, told_ms, asked_before;
};

/** One transfer against the ledger. */
void reconcile_transfer(struct reconcile *r, const struct income *income);
/** One settled payment against its receipt, NULL: there is none. */
void reconcile_payment(struct reconcile *r, const struct pay_row *row,
                       const struct receipt *receipt);
void reconcile_print(const struct reconcile *r);
uint64_t reconcile_clock_ms(void);
/** What was asked of the nodes so far, and how much of it in a second. */
uint64_t reconcile_asked(const struct reconcile *r);
uint64_t reconcile_per_second(const struct reconcile *r);
/** Say on stderr how far it is, every few seconds. */
void reconcile_progress(struct reconcile *r, const char *what, uint64_t done,
                        uint64_t all);

#endif
