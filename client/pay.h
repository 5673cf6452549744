/* SPDX-License-Identifier: Apache-2.0 */
/* Making the one payment of a request: decide, reserve, sign and write down
 * under one lock, in that order, before a byte of it leaves. */
#ifndef CLIENT_PAY_H
#define CLIENT_PAY_H

#include <stdbool.h>

#include <x402/offer.h>

#include "budget.h"
#include "exit.h"
#include "journal.h"
#include "wallet.h"

/* A server that took payments in a row within the window and delivered for none
 * gets no other one. */
#define PAY_UNDELIVERED_MAX 5
#define PAY_UNDELIVERED_WINDOW_S 3600
/* An unresolved payment stands in the way of another for the same request as
 * long as its server may still answer for it: a day after it expired. */
#define PAY_UNRESOLVED_AFTER_S (24 * 3600)

/* A payment whose request failed at the server is sent again while it is valid
 * for longer than this, and stands in the way of another one until it has been
 * over for as long: clocks differ. */
#define PAY_MARGIN_S 6

/* What to do about an earlier payment for the same request of which nobody
 * knows what became of it.  One whose request failed at the server is sent
 * again without a question. */
enum pay_earlier {
    PAY_EARLIER_STOP,   /* sign nothing: CLIENT_EXIT_UNRESOLVED */
    PAY_EARLIER_RESUME, /* send the same bytes again */
    PAY_EARLIER_IGNORE, /* --new-payment: sign another */
};

struct pay_limits {
    struct budget budget[2]; /* the configured one and the option's: both */
    struct budget host_budget;
    enum pay_earlier earlier;
};

/** What is paid for, and how. */
struct pay_order {
    const char *method;
    const struct url *url;
    const uint8_t *body32;
    const struct x402_choice *choice;
    const struct x402_payment_echo *echo;
};

/** A payment that is in the journal and may be sent. */
struct payment {
    struct record record;
    struct journal_entry entry;
    bool resumed;  /* an earlier run's */
    bool in_doubt; /* an earlier sending of it may have been taken */
};

/** Find the earlier payment or make a new one.
 *  Out:     *out    *record and *entry, to be closed with journal_close
 *           reason  one clean line, when it is not CLIENT_EXIT_OK
 *  Returns: CLIENT_EXIT_OK UNRESOLVED UNAFFORDABLE POLICY NO_OFFER WALLET
 *           STATE */
enum client_exit pay_prepare(struct payment *out, struct journal *journal,
                             const struct pay_order *order,
                             const struct pay_limits *limits,
                             const struct wallet *wallet, char reason[256]);

/** What is left of the tightest budget, on money.h's scale, for showing.
 *  false: no budget, or the journal does not read. */
__attribute__((warn_unused_result)) bool
pay_budget_left(struct x402_amount *out, struct journal *journal,
                const struct budget *budget, bool testnet);

#endif
