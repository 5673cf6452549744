/* SPDX-License-Identifier: Apache-2.0 */
/* What the cashier's files share. */
#ifndef X402D_CASHIER_INSIDE_H
#define X402D_CASHIER_INSIDE_H

#include "../cashier.h"

#define CASHIER_WAIT_MINED_MS                                                  \
    30000                       /* settle-first: a request waits this long */
#define CASHIER_SETTLE_MS 60000 /* POST /settle waits this long */
#define CASHIER_CLOCK_S 120     /* the newest block may be ahead of our clock */
#define CASHIER_BUCKETS 4096    /* payments in work, by key */
#define CASHIER_KNOWN 4096      /* reserved payments whose chain is known */

/** One payment on its way.  Lives from the question to the answer; the first
 * member of each kind's own struct. */
struct op {
    struct cashier *cashier;
    struct chain *chain;
    const struct config_network *network;
    struct op *next, **at; /* all of them, so that closing frees them */
    /* in work: the same payment again meets this one */
    struct op *bucket_next, **bucket_at;
    struct ledger_reserve in;
    int64_t payment; /* its row, once claimed; 0 */
};

/** Spares a capture the look into the ledger for its chain. */
struct known {
    int64_t payment; /* 0: none */
    struct chain *chain;
};

struct cashier {
    struct core *core;
    const struct config *config;
    struct ledger *ledger;
    struct chain *chain[CONFIG_NETWORKS_MAX];
    size_t chain_len;
    struct op *ops;
    struct op *bucket[CASHIER_BUCKETS];
    struct known known[CASHIER_KNOWN];
    uint64_t salt; /* payers choose keys: buckets must not be guessable */
};

/* -- cashier.c -- */

/** This payment, which was reserved now, is of that chain.  May be forgotten
 * again. */
void cashier_know(struct cashier *cashier, int64_t payment,
                  struct chain *chain);

/* -- op.c -- */

void *op_new(struct cashier *cashier, size_t size);
void op_free(struct op *op);
/** Is this payment in work?  NULL, or the one that is. */
struct op *op_in_work(const struct cashier *cashier,
                      const struct ledger_reserve *in);
/** From now on it is, until op_free. */
void op_work(struct op *op);

/* -- check.c -- */

/** Find the network and its chain, and check what the daemon alone may decide:
 * the token is in our table, the amount is not zero, the payee is ours. */
enum x402_err check_terms(struct op *op, bool any_payee);
/** Can the chain settle now?  Otherwise nothing new is taken: X402_ERR_FEES,
 * X402_ERR_UNAVAILABLE. */
enum x402_err check_settler(const struct op *op);
struct pay_key check_key(const struct ledger_reserve *in);
struct chain_ask check_ask(const struct ledger_reserve *in);
/** Put the chain's word, and the limits of the network, into op->in. */
void check_verdict(struct op *op, const struct chain_verdict *verdict);

#endif
