/* SPDX-License-Identifier: Apache-2.0 */
/* One poll: everything that is in the air, asked in one HTTP request. */
#ifndef X402D_POLL_H
#define X402D_POLL_H

#include "follow.h"

enum ask_kind {
    ASK_HEAD,
    ASK_FINAL,
    ASK_MINED_COUNT,
    ASK_FINAL_COUNT,
    ASK_RECEIPT,
    ASK_BLOCK
};

/* What one poll asked, and what it saw. */
struct poll {
    struct follower *follower;
    struct {
        enum ask_kind kind;
        struct flight *flight;
        size_t tx;
        struct signer *signer;
    } ask[RPC_CALLS_MAX];
    struct rpc_call call[RPC_CALLS_MAX];
    size_t len;
    bool head_known;
    struct {
        bool mined_known, final_known;
        uint64_t mined, final;
    } count[CONFIG_SIGNERS_MAX];
};

/** Questions about the head, the final block, the signers and all flights that
 *  are not busy.  Memory: free(). */
struct poll *poll_make(struct follower *follower);
/** Read what is not about a single flight. */
void poll_read(struct poll *poll, const struct rpc_answer *answers);
/** What was seen of one flight.  Memory: receipt_free(receipt). */
void poll_view(const struct poll *poll, const struct flight *flight,
               const struct rpc_answer *answers, struct step_view *view,
               struct receipt *receipt);

#endif
