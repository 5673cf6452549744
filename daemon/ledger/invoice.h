/* SPDX-License-Identifier: Apache-2.0 */
/* Lightning in the ledger: every invoice that was issued, whether it is paid,
 * and what it bought.  The same commands, writer and shared commits as in
 * ledger.h; capture, release, started, done and the end of a lease are the
 * calls of ledger.h, which find an invoice by its reservation id.
 *
 *     ISSUED --> PAID <--> RESERVED --> FINAL
 *       |         ^                       |
 *       v         +-----------------------+ redeem: the run broke off
 *     LAPSED      (release and redeem go back to PAID: prepaid money cannot
 *                 be un-charged, so the proof stays good until one success)
 *
 * A hold invoice is PAID when the node holds the money; capture decides to
 * settle it, release (RESERVED --> LAPSED) to give the money back.  */
#ifndef X402D_LEDGER_INVOICE_H
#define X402D_LEDGER_INVOICE_H

#include "ledger.h"

#define INVOICE_REDEEM_S                                                       \
    (24 * 3600) /* a paid proof is good this long after                        \
                   the invoice's expiry */

/** Stored in the ledger: append only. */
enum invoice_state {
    INVOICE_ISSUED = 1,
    INVOICE_PAID = 2,
    INVOICE_RESERVED = 3,
    INVOICE_FINAL = 4,
    INVOICE_LAPSED = 5, /* the node says that it cannot be paid any more */
};

/** Hold invoices; stored in the ledger: append only. */
enum invoice_hold {
    HOLD_NONE = 0,
    HOLD_OPEN = 1,
    HOLD_SETTLE = 2, /* decided; the node is to be told */
    HOLD_CANCEL = 3,
    HOLD_SETTLED = 4,
    HOLD_CANCELLED = 5,
    HOLD_LOST = 6, /* delivered, and the node had given the money back */
};

struct invoice_row {
    int64_t id;
    enum invoice_state state;
    uint8_t payment_hash[32];
    uint8_t request_hash[32];
    struct x402_msat amount;
    struct x402_msat paid;
    uint64_t expires_s;
    bool open; /* a worker is at it */
    bool started;
    unsigned releases, runs;
    uint64_t updated_ms;
    enum invoice_hold hold;
    uint8_t preimage[32]; /* of a hold invoice; zeros otherwise */
};

/** A new invoice, with the price, amount and rate that it will keep. */
struct ledger_invoice {
    uint8_t payment_hash[32];
    uint8_t request_hash[32];
    struct x402_msat amount;
    enum x402_till_unit unit;
    struct x402_amount price;
    unsigned decimals;
    uint64_t rate; /* 0: not converted */
    uint64_t expires_s;
    char resource[X402_URL_MAX];
    bool held;
    uint8_t preimage[32];
    uint64_t now_ms;
};
/** ISSUED; before anybody is told about the invoice.
 *  X402_ERR_LN_USED: the payment hash is there already. */
void ledger_invoice_issue(struct ledger *ledger,
                          const struct ledger_invoice *in, ledger_cb cb,
                          void *arg);

/** The node's word about an invoice: an event, or the answer to a look-up.
 *  Idempotent; an invoice that is not ours only moves the cursor. */
struct ledger_invoice_news {
    uint8_t payment_hash[32];
    bool settled; /* -> PAID */
    bool lapsed;  /* -> LAPSED, when it was ISSUED */
    bool overdue; /* held, and nobody came for it: give the money back */
    struct x402_msat paid;
    uint64_t add_index, settle_index; /* of an event; 0: leave the cursor */
    uint64_t now_ms;
};
void ledger_invoice_news(struct ledger *ledger,
                         const struct ledger_invoice_news *in, ledger_cb cb,
                         void *arg);

struct ledger_invoice_claim {
    uint8_t payment_hash[32];
    uint8_t request_hash[32];
    uint8_t worker[16];
    unsigned dialect;
    bool settled; /* the node was asked, and says SETTLED */
    bool held;    /* it says ACCEPTED: enough for a hold invoice */
    struct x402_msat paid;
    uint64_t now_ms;
};
struct ledger_invoice_claimed {
    enum x402_err err;
    struct x402_rid rid;
    bool redeemed;          /* an earlier run of it broke off */
    struct invoice_row row; /* valid when its id is not 0 */
};
typedef void (*ledger_invoice_claim_cb)(
    void *arg, const struct ledger_invoice_claimed *out);
/** PAID -> RESERVED.
 *  X402_ERR_OFFER: not an invoice of ours.  LN_REQUEST: of another request.
 *  LN_NOT_PAID.  LN_AMOUNT: less was paid than asked.  LN_INVOICE_EXPIRED:
 *  INVOICE_REDEEM_S are over.  LN_IN_FLIGHT, LN_USED.  RATE: released too often
 *  in a short time. */
void ledger_invoice_claim(struct ledger *ledger,
                          const struct ledger_invoice_claim *in,
                          ledger_invoice_claim_cb cb, void *arg);

typedef void (*ledger_invoices_cb)(void *arg, const struct invoice_row *rows,
                                   size_t len);
/** ISSUED rows in order of expiry and id, those after (expires_s, id). */
void ledger_invoices_issued(struct ledger *ledger, uint64_t expires_s,
                            int64_t id, size_t limit, ledger_invoices_cb cb,
                            void *arg);
/** Rows with HOLD_SETTLE or HOLD_CANCEL, in order of id, those after id. */
void ledger_invoices_decided(struct ledger *ledger, int64_t id, size_t limit,
                             ledger_invoices_cb cb, void *arg);
/** The node has done what was decided, or says what became of it: HOLD_SETTLED,
 *  HOLD_CANCELLED, HOLD_LOST.  Idempotent. */
void ledger_invoice_resolve(struct ledger *ledger,
                            const uint8_t payment_hash[32],
                            enum invoice_hold hold, uint64_t now_ms,
                            ledger_cb cb, void *arg);
/** Remove LAPSED rows that expired before `before_s`, at most `limit`. */
void ledger_invoices_prune(struct ledger *ledger, uint64_t before_s,
                           unsigned limit, ledger_cb cb, void *arg);

/* -- look-ups: at once, from the read-only connection -- */

/** false: no such row. */
bool ledger_invoice_find(struct ledger *ledger, const uint8_t payment_hash[32],
                         struct invoice_row *out);
/** Is there a row for ledger_invoices_decided? */
bool ledger_invoices_any_decided(struct ledger *ledger);
struct invoice_cursor {
    uint64_t add_index, settle_index;
};
struct invoice_cursor ledger_invoice_cursor(struct ledger *ledger);
/** Invoices that somebody could still pay; counts no further than `limit`. */
uint64_t ledger_invoices_outstanding(struct ledger *ledger, uint64_t now_s,
                                     uint64_t limit);

#endif
