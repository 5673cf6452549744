/* SPDX-License-Identifier: Apache-2.0 */
/* What inquire.c and inquire_permit2.c share. */
#ifndef X402D_CHAIN_INQUIRE_INSIDE_H
#define X402D_CHAIN_INQUIRE_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "chain.h"
#include "inquire.h"
#include "receipt.h"
#include "rpc.h"

#define CANDIDATES_MAX 64 /* transfers of one payer in one window */

struct inquiry {
    struct chain *chain;
    struct pay_row row;
    enum x402_err reason;
    enum x402_err asked_for; /* the reason at the beginning */
    unsigned asked, without; /* endpoints: who answered, whom not to ask */
    struct finding {
        bool paid;
        enum x402_err reason; /* not paid */
        uint8_t tx_hash[32], block_hash[32];
    } first; /* what the first one's answers come to */
    bool second;
    bool claimed; /* somebody named the transaction: */
    uint8_t claim[32];
    uint64_t to, window; /* being searched: (to - window, to] */
    bool newest;         /* up to the newest block, whatever it is by now */
    unsigned windows;
    bool pruned;   /* the final block's state is gone: looking at the head */
    bool adopted;  /* taken from the chain, which took it back: unsigned */
    bool use_only; /* is it used by now?  nothing else is asked */
    uint64_t use_block;
    uint8_t tx_hash[32];
    /* Permit2: transactions that may have been it */
    uint8_t candidate[CANDIDATES_MAX][32];
    size_t candidates;
    bool doubt;    /* one of them could not be told */
    bool searched; /* and none was it */
    struct receipt receipt;
};

/* -- inquire.c -- */

/** A proof counts when two endpoints come to the same.  false: the inquiry goes
 * on, or ended. */
bool inquire_is_proven(struct inquiry *q, const struct finding *proof);
/** Is the authorization used? */
void inquire_ask_state(struct inquiry *q);

void inquire_ask(struct inquiry *q, const struct rpc_call *calls, size_t len,
                 rpc_cb cb);
void inquire_note_answerer(struct inquiry *q);
void inquire_end(struct inquiry *q, enum x402_err reason);
/** q->receipt shows it. */
void inquire_paid(struct inquiry *q);
void inquire_next_window(struct inquiry *q);

/* -- inquire_adopted.c -- */

/** The authorization is unused, at a block of this time. */
void inquire_unused(struct inquiry *q, uint64_t time_s);

/* -- inquire_permit2.c -- */

/** Remember those of the logs that may be this payment's. */
void inquire_take_candidates(struct inquiry *q, const json_t *logs);
/** Read the next of them; after the last one, the next window. */
void inquire_next_candidate(struct inquiry *q);

#endif
