/* SPDX-License-Identifier: Apache-2.0 */
/* Life of one account nonce, from the ledger to finality.  No sockets, no
 * clock, no disk: the caller brings what it saw and the time, and carries out
 * the one action that comes back.
 *
 * Silence proves nothing: without a receipt the same bytes are sent again, and
 * later a replacement with the same nonce, never a second transaction. */
#ifndef X402D_STEP_H
#define X402D_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pace.h"

#define STEP_RETRY_FIRST_MS                                                    \
    pace_ms(1000) /* after a broadcast without an answer */
#define STEP_RETRY_MAX_MS                                                      \
    pace_ms(30000)                   /* and between rebroadcasts in any case */
#define STEP_STUCK_MS pace_ms(15000) /* unmined this long: a higher fee */
#define STEP_STUCK_BLOCKS 3          /* or this many blocks, and */
#define STEP_STUCK_BLOCKS_MS                                                   \
    pace_ms(6000)                         /* this long (blocks can be fast)    \
                                           */
#define STEP_STUCK_MAX_MS pace_ms(240000) /* between later bumps */
#define STEP_SURE 3 /* how often an absence must be seen */

enum step_state { STEP_OPEN, STEP_MINED };

struct step {
    enum step_state state;
    uint64_t account_nonce;
    uint64_t expires_s; /* the latest validBefore in it */
    /* OPEN */
    bool accepted;       /* a node took the newest transaction */
    unsigned tries;      /* broadcasts of the newest without that */
    uint64_t sent_ms;    /* last broadcast; 0: never */
    uint64_t stuck_ms;   /* since when the newest waits to be mined */
    uint64_t stuck_head; /* the head then */
    unsigned bumps;
    unsigned taken; /* polls in a row that saw the nonce used by another */
    /* MINED */
    uint64_t block_number;
    unsigned gone; /* polls in a row that did not see its block */
};

enum step_block {
    STEP_BLOCK_UNKNOWN,
    STEP_BLOCK_SAME,
    STEP_BLOCK_OTHER,
    STEP_BLOCK_NONE
};

/** What one poll saw. */
struct step_view {
    uint64_t now_ms;
    bool head_known;
    uint64_t head_number, head_time_s;
    bool final_known;
    uint64_t final_number;
    /* OPEN */
    bool has_receipt; /* of one of its transactions */
    bool no_receipts; /* the node answered for all of them: none */
    bool mined_known; /* the account's transactions at the head */
    uint64_t mined;
    bool final_mined_known; /* and at the final block */
    uint64_t final_mined;
    /* MINED: the hash of the block at its height */
    enum step_block block;
};

enum step_action {
    STEP_WAIT,
    STEP_BROADCAST, /* the newest transaction, the same bytes */
    STEP_BUMP,      /* a replacement with higher fees */
    STEP_CANCEL,    /* nothing in it can be paid any more: replace it by an
                       empty transaction that frees the nonce */
    STEP_TO_MINED,  /* there is a receipt */
    STEP_TO_FINAL,
    STEP_TO_OPEN, /* reorg: its block is gone */
    STEP_REQUEUE  /* another transaction has its nonce, finally */
};

enum step_action step_next(struct step *s, const struct step_view *view);

/** The caller carried it out. */
void step_sent(struct step *s, uint64_t now_ms);
void step_accepted(struct step *s);
void step_replaced(struct step *s, uint64_t now_ms, uint64_t head_number);
void step_mined(struct step *s, uint64_t block_number);
void step_reopened(struct step *s, uint64_t now_ms, uint64_t head_number);

#endif
