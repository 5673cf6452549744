/* SPDX-License-Identifier: Apache-2.0 */
/* Making the one Lightning payment of a request: write it down, let LND pay,
 * and never twice.  What one run began another one finds by its request, and
 * asks LND for by its payment hash. */
#ifndef CLIENT_LN_PAY_H
#define CLIENT_LN_PAY_H

#include "exit.h"
#include "ln_record.h"
#include "lnd.h"
#include "pay.h"

#define LN_BUDGET_TEXT_MAX 64
/* An invoice with less than this left is not paid any more. */
#define LN_MARGIN_S 5
/* One that LND does not know is not paid by it either when it has been over for
 * so long: clocks differ, and a request may take a while to reach it. */
#define LN_OVER_S 60

/* Satoshis have budgets of their own: no rate makes dollars of them. */
struct ln_budget {
    bool set;
    struct x402_msat limit;
    uint64_t window_s;
};

struct ln_limits {
    struct x402_msat max, max_fee; /* one payment's price, and its fee */
    struct ln_budget budget[2];    /* the configured one and the option's */
    bool pin_payee;
    uint8_t payee[X402_NODE_LEN];
};

/** Parse "1000 sat/day"; also /hour, /week, and "none". */
X402_MUST_CHECK enum x402_err ln_budget_parse(struct ln_budget *out,
                                              struct x402_span text);
void ln_budget_format(char out[LN_BUDGET_TEXT_MAX],
                      const struct ln_budget *budget);
/** "21 sat", "1.5 sat". */
void ln_money_format(char out[LN_BUDGET_TEXT_MAX], struct x402_msat amount);

struct ln_payment {
    struct ln_record record;
    struct journal_entry entry;
    bool resumed; /* an earlier run's */
    uint64_t fee_msat;
};

/** An earlier payment for the same request that may be under way, or whose
 *  proof is not used up, taken over.  out->entry.fd is -1 when there is none.
 *  In:      record   method, url and body32 of out->record
 *           earlier  PAY_EARLIER_IGNORE: only one that LND may still be paying;
 *                    PAY_EARLIER_RESUME: one whose answer broke off, too
 *  Returns: CLIENT_EXIT_OK STATE */
enum client_exit ln_take_earlier(struct ln_payment *out,
                                 struct journal *journal, const char *folder,
                                 enum pay_earlier earlier, char reason[256]);

/** Check the budgets and write out->record down, under one lock.
 *  Returns: CLIENT_EXIT_OK UNAFFORDABLE STATE */
enum client_exit ln_write_down(struct ln_payment *out, struct journal *journal,
                               const char *folder,
                               const struct ln_limits *limits,
                               char reason[256]);

/** By the node's clock as well: it pays no invoice that is over. */
bool ln_is_over(const struct ln_record *record);

/** Ask LND what became of payments that earlier runs left on their way; those
 *  that were not made, or given back, count no more.
 *  Returns: there were some */
bool ln_take_back(struct journal *journal, const char *folder, struct lnd *lnd);

/** Get the preimage: of what LND knows already, or by paying.
 *  Out:     *void_now  this payment is over and nothing was paid: its journal
 *                      says so, and another invoice may be paid
 *  Returns: CLIENT_EXIT_OK  out->record.has_preimage
 *           UNAFFORDABLE    not paid: no funds or no way
 *           WALLET          the node was not reached; nothing was paid
 *           UNKNOWN         it is under way: the same command goes on with it
 */
enum client_exit ln_settle(struct ln_payment *out, struct lnd *lnd,
                           bool *void_now, char reason[256]);

#endif
