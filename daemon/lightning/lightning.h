/* SPDX-License-Identifier: Apache-2.0 */
/* The Lightning rail: invoices from one LND node, and what was paid with them.
 *
 * An invoice is issued for one challenge, stored before anybody hears of it,
 * and is money only when the node says SETTLED.  Where no invoice can be issued
 * now (node down, locked or behind, rate stale, a limit reached) the answer
 * says so, and for how long it is of no use to ask again. */
#ifndef X402D_LIGHTNING_H
#define X402D_LIGHTNING_H

#include "../cashier.h"
#include "../config.h"
#include "../core.h"
#include "../ledger/invoice.h"

struct lightning;

/** The node may be down; it is asked until it answers.  NULL with a message for
 *  what cannot heal: a macaroon that is missing or allows too much, a secret
 *  that cannot be read. */
struct lightning *lightning_open(struct core *core,
                                 const struct config_lightning *config,
                                 struct ledger *ledger, char *error,
                                 size_t error_len);
/** Answer what is under way, close; then closed(arg). */
void lightning_close(struct lightning *lightning, core_task closed, void *arg);
/** After the ledger is closed: it may still have had answers for it. */
void lightning_free(struct lightning *lightning);

typedef void (*lightning_issued_cb)(void *arg,
                                    const struct x402_till_issued *out);
/** One invoice for one challenge.  lightning NULL: there is none. */
void lightning_issue(struct lightning *lightning,
                     const struct x402_till_issue *in, lightning_issued_cb cb,
                     void *arg);

/** Reserve what a proof paid for.  still_there as for cashier_reserve.
 *  The answer's transaction is the payment hash. */
void lightning_claim(struct lightning *lightning,
                     const struct x402_till_proof *in, const uint8_t worker[16],
                     bool (*still_there)(void *arg), cashier_reserved_cb cb,
                     void *arg);

struct lightning_health {
    bool ready;           /* an invoice could be issued now, limits aside */
    const char *why;      /* when not: for people */
    uint64_t outstanding; /* invoices that somebody could still pay */
};
void lightning_health(struct lightning *lightning,
                      struct lightning_health *out);

#endif
