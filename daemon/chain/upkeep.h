/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of the network, kept fresh: that it is the right one, its head,
 * fees, the signers' money and account nonces. */
#ifndef X402D_UPKEEP_H
#define X402D_UPKEEP_H

#include "inside.h"

struct upkeep *upkeep_new(struct chain *chain);
/** Stop asking; then closed(arg).  The ledger's last answers may still want it,
 * until upkeep_free. */
void upkeep_close(struct upkeep *upkeep, void (*closed)(void *arg), void *arg);
void upkeep_free(struct upkeep *upkeep);

/** Somebody read the newest block. */
void upkeep_head(struct chain *chain, const json_t *block);
/** Somebody got no answer: ask at once whether the node is still there. */
void upkeep_lost(struct chain *chain);
/** Read the signers' balances and counts soon: something did not go as
 * expected. */
void upkeep_hurry(struct upkeep *upkeep);

/** Blocking, before the loop runs: is any endpoint known to be of another
 * chain?  A node that is down is not. */
bool upkeep_probe(const struct config_network *config);

#endif
