/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of the network, kept fresh: that it is the right one, its head,
 * fees, the signers' money and account nonces. */
#ifndef X402D_UPKEEP_H
#define X402D_UPKEEP_H

#include "inside.h"

struct upkeep *upkeep_new(struct chain *chain);
/** Stop asking; free after the loop turned once more. */
void upkeep_close(struct upkeep *upkeep, void (*closed)(void *arg), void *arg);

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
