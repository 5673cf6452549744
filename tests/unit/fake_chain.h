/* SPDX-License-Identifier: Apache-2.0 */
/* A chain that says what the test tells it: chain.h, without a node. */
#ifndef FAKE_CHAIN_H
#define FAKE_CHAIN_H

#include "cashier.h"
#include "chain/chain.h"

extern struct fake_chain {
    struct chain_verdict verdict; /* the answer to everybody */
    bool hold;                    /* answers wait for fake_answer() */
    unsigned asked, kicks, urgent_kicks;
    int64_t looked_again; /* the last payment of chain_look_again */
    bool advice;          /* was all that the last one wanted */
    struct chain_health health;
} fake;

struct chain *fake_chain(struct core *core);
/** Give the answers that were held. */
void fake_answer(void);
/** Number of payments that somebody watches. */
size_t fake_watched(void);
/** Tell all who watch: outcome, with the row as the ledger has it; reason for
 * CHAIN_REFUSED. */
void fake_tell(struct ledger *ledger, enum chain_outcome outcome,
               enum x402_err reason);

/** A configuration with one network (84532) and one payee (0x99...). */
struct config *fake_config(void);
/** A payment that goes with it. */
struct x402_till_reserve fake_payment(unsigned payer, unsigned nonce);

#endif
