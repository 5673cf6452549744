/* SPDX-License-Identifier: Apache-2.0 */
/* The cashier: takes one payment from "here it is" to "reserved" or "settled",
 * asking the ledger and the chain in the right order.  Used by the till and by
 * the facilitator's API. */
#ifndef X402D_CASHIER_H
#define X402D_CASHIER_H

#include <x402/facilitator.h>
#include <x402/till.h>

#include "chain/chain.h"
#include "config.h"
#include "core.h"
#include "ledger/ledger.h"

/* @x402/evm 2.27, exact EVM facilitator: "validBefore >= now + 6 s".  What the
 * facilitator has settled it knows for longer. */
#define CASHIER_MARGIN_S 6

struct cashier;

struct cashier *cashier_new(struct core *core, const struct config *config,
                            struct ledger *ledger, struct chain *const *chains,
                            size_t chains_len);
void cashier_free(struct cashier *cashier);
/** From now on.  What is under way keeps the old one, which must live on. */
void cashier_reconfigure(struct cashier *cashier, const struct config *config);
struct chain *cashier_chain(struct cashier *cashier, uint64_t chain_id);

/* -- for the till -- */

typedef void (*cashier_reserved_cb)(void *arg,
                                    const struct x402_till_reserved *out);
/** Reserve for a gateway's worker.  The signature was checked by the worker;
 * payee, asset and amount are checked against the daemon's own configuration
 * here.  Two of the same payment at once: the second is IN_PROGRESS without
 * asking anybody. still_there(arg) is asked right before the ledger is written:
 * false (the worker's connection is gone) drops the reservation. */
void cashier_reserve(struct cashier *cashier,
                     const struct x402_till_reserve *in,
                     const uint8_t worker[16], bool (*still_there)(void *arg),
                     cashier_reserved_cb cb, void *arg);
/** The ledger has ended runs of this worker: what was settled first for it, and
 * is still waited for, may be free again. */
void cashier_lease_ended(struct cashier *cashier, const uint8_t worker[16]);
/** charge: upto, how much is taken; NULL: all. */
void cashier_capture(struct cashier *cashier, const struct x402_rid *rid,
                     const struct x402_amount *charge, ledger_cb cb, void *arg);
/** status: what was answered, see till.h. */
void cashier_release(struct cashier *cashier, const struct x402_rid *rid,
                     unsigned status, ledger_cb cb, void *arg);

/* -- for the facilitator -- */

struct cashier_answer {
    enum x402_err err;
    struct x402_address payer;
    bool has_transaction;
    uint8_t transaction[32];
};
typedef void (*cashier_answer_cb)(void *arg,
                                  const struct cashier_answer *answer);
/** Field checks and signature were done by the caller (on its own thread).
 * key: whose request it is; NULL: nobody's in particular.
 * recovered: the signature was, and is the payer's; otherwise the chain is to
 * judge it. */
void cashier_verify(struct cashier *cashier,
                    const struct x402_facilitator_request *request,
                    const struct config_api_key *key, bool recovered,
                    cashier_answer_cb cb, void *arg);
/** Durable and idempotent: the same payment gets the same answer and the same
 * transaction. */
void cashier_settle(struct cashier *cashier,
                    const struct x402_facilitator_request *request,
                    const struct config_api_key *key, cashier_answer_cb cb,
                    void *arg);

#endif
