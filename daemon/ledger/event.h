/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a payment or an invoice: the steps of its history.
 *
 * The usual ones leave their time in a row that is written anyway (payment,
 * batch, tx, invoice); only the unusual ones are rows of their own, in the
 * ledger transaction of their edge, LEDGER_EVENTS_MAX for each payment: the
 * first ones and the newest, which says how many are left out between. */
#ifndef X402D_LEDGER_EVENT_H
#define X402D_LEDGER_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <x402/amount.h>
#include <x402/error.h>

struct ledger;

#define LEDGER_EVENTS_MAX 64 /* as in 009_history.sql */

enum ledger_rail { LEDGER_PAYMENT = 1, LEDGER_INVOICE = 2 };

/** Stored in the ledger: append only. */
enum ledger_event {
    /* rows of `event` */
    EVENT_RELEASED = 1,    /* the request failed and was not charged.  detail:
                              the answer's HTTP status, 0: there was none */
    EVENT_WORKER_GONE = 2, /* its gateway worker ended during the run */
    EVENT_RESERVED_AGAIN = 3, /* the same request came once more */
    EVENT_REFUSED = 4,  /* and was refused; the first one of each reason */
    EVENT_BROKEN = 5,   /* the answer broke off.  detail: enum x402_till_end */
    EVENT_REDEEMED = 6, /* run again without a charge */
    EVENT_ANSWERED_AGAIN = 7, /* and that run succeeded */
    EVENT_NOTHING_TAKEN = 8,  /* upto, of which 0 was taken */
    EVENT_FACILITATED = 9,  /* POST /settle asked for it, it was released before
                             */
    EVENT_HANDED_OVER = 10, /* a remote facilitator is to settle it */
    EVENT_REQUEUED = 11,    /* its transaction did not carry it */
    EVENT_MINED = 12, /* by a transaction that is not ours, or before a reorg */
    EVENT_REORGED = 13, /* the block is not in the chain any more */
    EVENT_FINAL = 14,   /* by a transaction that is not ours */
    EVENT_FAILED = 15,  /* with proof; reason */
    EVENT_ADOPTED = 16, /* found on the chain, not known here before */
    EVENT_LAPSED = 17,  /* invoice: the node said that it cannot be paid */
    EVENT_OVERDUE = 18, /* held, and nobody came for it: to be given back */
    /* made from other rows */
    EVENT_RESERVED = 32,
    EVENT_ASKED = 33, /* POST /settle */
    EVENT_CAPTURED = 34,
    EVENT_DELIVERED = 35,
    EVENT_SIGNED = 36,   /* a transaction with it is stored and broadcast */
    EVENT_REPLACED = 37, /* by one that pays more, with the same nonce */
    EVENT_ISSUED = 38,
    EVENT_PAID = 39,
    EVENT_SETTLED = 40,    /* hold: the node has taken the money */
    EVENT_CANCELLED = 41,  /* hold: the node has given it back */
    EVENT_GIVEN_BACK = 42, /* hold: it had done so, and we delivered */
};

/** One step. */
struct ledger_step {
    enum ledger_event what;
    uint64_t at_ms; /* 0: the ledger did not keep it yet */
    unsigned detail;
    enum x402_err reason;
    bool has_tx, has_fee;
    uint8_t tx[32];
    struct x402_amount max_fee; /* SIGNED, REPLACED: wei per gas */
    uint64_t block;             /* 0: none */
    uint64_t more;              /* steps before this one that are left out */
};

/** Write an unusual step down.  Threads: writer, inside a transaction. */
void event_note(struct ledger *ledger, enum ledger_rail rail, int64_t id,
                const struct ledger_step *step);
/** Refused for this reason: the first time only, so that asking again costs no
 * write.  Threads: writer. */
void event_note_refused(struct ledger *ledger, int64_t payment,
                        enum x402_err reason, uint64_t now_ms);
/** A step that happened in this transaction and block. */
struct ledger_step event_on_chain(enum ledger_event what, uint64_t at_ms,
                                  const uint8_t tx[32], uint64_t block);

#endif
