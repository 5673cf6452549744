/* SPDX-License-Identifier: Apache-2.0 */
/* What each payer has open, in memory.
 *
 * The rows of payments are the truth; these are their sums, made from the rows
 * when the ledger opens and moved with every edge.  A group of commands that is
 * rolled back takes its moves back (accounts_undo).  An account without an open
 * or mined row is forgotten.  Writer thread only. */
#ifndef X402D_LEDGER_ACCOUNT_H
#define X402D_LEDGER_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <x402/address.h>
#include <x402/amount.h>

/** One token of one payer; the zero address stands for all payers together. */
struct account_key {
    uint64_t chain_id;
    struct x402_address asset, payer;
};

/** MINED rows of one block. */
struct block_sum {
    uint64_t block;
    uint64_t n;
    struct x402_amount all, after;
};

struct account {
    struct account_key key;
    /* RESERVED, CAPTURED and SUBMITTED rows; after: those settled after the
     * response */
    uint64_t open;
    struct x402_amount open_all, open_after;
    struct block_sum *mined; /* ascending */
    size_t mined_len, mined_cap;
    /* the payer's row in the ledger; read when first wanted */
    bool known;
    bool settle_first;
    struct x402_amount lost;
    uint64_t full_ms;

    struct account *next;    /* of its bucket */
    struct account *touched; /* by this group */
    bool is_touched;
};

/** Rows joined or left the sums of an account. */
struct account_move {
    bool mined; /* of `block`; else open */
    bool leaves;
    uint64_t block;
    struct x402_amount all, after;
};

struct accounts {
    uint64_t seed; /* addresses are chosen by strangers */
    struct account **bucket;
    size_t buckets, len;
    struct account *touched;
    struct account_undo {
        struct account *account;
        struct account_move move;
    } * undo;
    size_t undo_len, undo_cap;
};

void accounts_init(struct accounts *accounts);
void accounts_free(struct accounts *accounts);
/** Never NULL.  Lives until the group ends, and on while it is not empty. */
struct account *accounts_get(struct accounts *accounts,
                             const struct account_key *key);
/** false: the sum would leave 0..2^256-1; nothing was moved. */
bool accounts_move(struct accounts *accounts, struct account *account,
                   const struct account_move *move);
/** The payers' own rows were changed from outside: read them again. */
void accounts_forget_payers(struct accounts *accounts);
/** The group is on the disk, or never happened. */
void accounts_keep(struct accounts *accounts);
void accounts_undo(struct accounts *accounts);

/** Add what was mined above `block` to *sum, which saturates. */
void account_mined_above(const struct account *account, uint64_t block,
                         bool after, struct x402_amount *sum);
/** Saturates: more than 2^256-1 is more than any limit and any balance. */
void account_add(struct x402_amount *sum, const struct x402_amount *more);

#endif
