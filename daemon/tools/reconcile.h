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
};

/** One transfer against the ledger. */
void reconcile_transfer(struct reconcile *r, const struct income *income);
/** One settled payment against its receipt, NULL: there is none. */
void reconcile_payment(struct reconcile *r, const struct pay_row *row,
                       const struct receipt *receipt);
void reconcile_print(const struct reconcile *r);

#endif
