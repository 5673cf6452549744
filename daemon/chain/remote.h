/* SPDX-License-Identifier: Apache-2.0 */
/* A network whose payments are verified and settled by somebody else's
 * facilitator.  Its word is checked by the node where there is one: balances
 * before, receipts after.  Without a node its word is all there is, and nothing
 * is given on credit. */
#ifndef X402D_REMOTE_H
#define X402D_REMOTE_H

#include "../facilitator/facilitator.h"
#include "inside.h"

/** Without a node a refusal is final when chain time is this far past
 *  validBefore: no block of before can appear any more. */
#ifdef X402_MUTANTS /* tests wait for it */
#define REMOTE_FINAL_MS 2000ull
#else
#define REMOTE_FINAL_MS (3600 * 1000ull)
#endif
/** After this long nothing is asked any more until the next start. */
#define REMOTE_ASK_MS (24 * 3600 * 1000ull)

struct remote {
    struct chain *chain;
    struct facilitator *facilitator;
    struct chain_health health; /* as the cashier sees it */
    unsigned lists;             /* of the ledger that have not come yet */
    bool look_again;
};

/** NULL with a message: the key file cannot be read. */
struct remote *remote_new(struct chain *chain, char *error, size_t error_len);
/** The chain is closing: what was asked is answered (unknown); then
 *  closed(arg). */
void remote_close(struct remote *remote, core_task closed, void *arg);
void remote_free(struct remote *remote);

/** chain_simulate: the node first, where there is one, then /verify. */
void remote_verify(struct remote *remote, const struct chain_ask *ask,
                   chain_verdict_cb cb, void *arg);
/** The settler's look: hand over what is due, ask again what is unknown. */
void remote_look(struct remote *remote);
const struct chain_health *remote_health(struct remote *remote);
/** chain_knows, chain_is_signer. */
bool remote_knows(const struct remote *remote, enum x402_method method);
bool remote_is_account(const struct remote *remote,
                       const struct x402_address *address);

#endif
