/* SPDX-License-Identifier: Apache-2.0 */
/* A hole in a signer's account nonces.  The chain wants a nonce that no
 * transaction of ours bears, and those behind it cannot be mined: a ledger that
 * lost its tail forgot a transaction, and a reorg dropped it from the chain.
 * After a while without anybody's transaction in the pool the hole is filled
 * with an empty one. */
#ifndef X402D_GAP_H
#define X402D_GAP_H

#include "follow.h"

/** After each count of the signer's transactions: mined at the head, and with
 * those that wait in the node's pool. */
void gap_look(struct chain *chain, struct signer *signer, uint64_t mined,
              uint64_t pending);

#endif
