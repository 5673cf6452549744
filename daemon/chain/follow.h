/* SPDX-License-Identifier: Apache-2.0 */
/* Broadcast transactions that are in the ledger and follow them until they are
 * final: receipts, higher fees, reorgs.  A restart begins here as well: what
 * the ledger holds open is taken up as if it had just been signed. */
#ifndef X402D_FOLLOW_H
#define X402D_FOLLOW_H

#include "flight.h"
#include "inside.h"

struct follower *follow_new(struct chain *chain);
void follow_close(struct follower *follower, void (*closed)(void *arg),
                  void *arg);
void follow_free(struct follower *follower);

/** The ledger has been read: new transactions may be made. */
bool follow_ready(const struct follower *follower);

/** A batch that the ledger has just stored; taken over. */
void follow_add(struct follower *follower, struct flight *flight);
/** The same for a stored batch without payments, of which nobody wants anything
 * after until_s; tx is copied.  Counts nonce and cost. */
void follow_launch(struct follower *follower, struct signer *signer,
                   const struct flight_tx *tx, uint64_t account_nonce,
                   int64_t batch, uint64_t until_s);
/** Somebody's transaction paid one of ours: keep an eye on its block. */
void follow_paid_by(struct follower *follower, const struct receipt *receipt);

/** The number of the final block, from the answer to
 *  eth_getBlockByNumber("finalized").  A node that knows no such tag: a depth
 *  that no reorg reaches.  false: unknown. */
bool follow_read_final(const struct chain *chain,
                       const struct rpc_answer *answer, uint64_t *number);

/* -- among the follower's files -- */

struct follower {
    struct chain *chain;
    uv_timer_t timer;
    struct flight *flights;
    bool polling;
    bool ready;
    bool resuming;
    bool truncated;     /* the ledger holds more than one list gave */
    uint64_t resume_ms; /* when to read the ledger again; 0: no need */
    unsigned delay_ms;
    bool final_known;
    uint64_t final_number;
    void (*closed)(void *arg);
    void *closed_arg;
};

struct flight *follow_find(struct follower *follower, int64_t batch_id);
/** Poll soon. */
void follow_hurry(struct follower *follower);
/** Read the ledger's open batches and mined payments. */
void follow_resume(struct follower *follower);
/** Sign a replacement: higher fees, or with cancel an empty transaction. */
void follow_replace(struct follower *follower, struct flight *flight,
                    bool cancel);
void follow_broadcast(struct follower *follower, struct flight *flight);
/** Take one step. */
void follow_act(struct follower *follower, struct flight *flight,
                enum step_action action, const struct receipt *receipt);
/** Must another endpoint say so first? */
bool follow_needs_second(const struct follower *follower,
                         enum step_action action);
/** Ask one, and take the step if it does.  In: receipt  is taken over; witness
 *  who said it first. */
void follow_confirm(struct follower *follower, struct flight *flight,
                    enum step_action action, struct receipt *receipt,
                    unsigned witness);
/** Over: gone as soon as nothing refers to it. */
void follow_bury(struct flight *flight);

/* edges: tell the ledger */
void follow_to_mined(struct follower *follower, struct flight *flight,
                     const struct receipt *receipt);
void follow_to_final(struct follower *follower, struct flight *flight);
void follow_to_open(struct follower *follower, struct flight *flight);
void follow_requeue(struct follower *follower, struct flight *flight);

#endif
