/* SPDX-License-Identifier: Apache-2.0 */
/* Is this payment good now?  Payments that wait while calls are in flight are
 * asked together in the next. */
#ifndef X402D_SIMULATE_H
#define X402D_SIMULATE_H

#include "inside.h"

#define SIMULATE_TOGETHER 64 /* payments in one eth_call */
#define SIMULATE_INFLIGHT 8  /* eth_calls at once */
/* In a crowd (crowd.h) calls begin so far apart, unless there is company
 * enough. */
#define SIMULATE_COMPANY_MS 2
#define SIMULATE_COMPANY 32
#define SIMULATE_WAITING 4096 /* payments; more are X402_ERR_BUSY */
/* Whoever signs with keys made for it can ask without end and pays nothing
 * (E03 of a flood: valid signatures, no money).  So while more wait than one
 * call takes, a payer of whom no payment ever reached the chain waits with his
 * like, and they leave some of the calls to the others. */
#define SIMULATE_PRESSURE SIMULATE_TOGETHER
#define SIMULATE_STRANGE_INFLIGHT 6
#define SIMULATE_STRANGE_WAITING 512 /* half of what a worker may have open */

struct simulator *simulate_new(struct chain *chain);
/** Its clock.  Call after rpc_close has answered what was in flight. */
void simulate_close(struct simulator *simulator, core_task closed, void *arg);
/** Everybody who waits gets X402_ERR_UNAVAILABLE. */
void simulate_free(struct simulator *simulator);

/** chain_simulate by the node alone. */
void simulate_ask(struct chain *chain, const struct chain_ask *ask,
                  chain_verdict_cb cb, void *arg);
/** chain_simulate for the settler: fees and a full queue do not refuse.
 *  In: from  the signer that will send it. */
void simulate_again(struct chain *chain, const struct chain_ask *ask,
                    const struct x402_address *from, chain_verdict_cb cb,
                    void *arg);

#endif
