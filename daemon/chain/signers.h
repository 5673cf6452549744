/* SPDX-License-Identifier: Apache-2.0 */
/* The accounts that pay the gas: their keys, their account nonces, their
 * balances.  A signer holds gas money only, never tokens.
 *
 * Account nonces have one writer, this file on the core thread: a nonce is used
 * up only when the ledger has stored the transaction that bears it, and between
 * taking one and that answer the signer is `busy`. */
#ifndef X402D_SIGNERS_H
#define X402D_SIGNERS_H

#include <x402/signer.h>

#include "inside.h"

#define SIGNER_FLIGHTS_MAX 4 /* transactions in flight per signer */

struct signer {
    struct x402_signer *key; /* in locked memory */
    struct x402_address address;
    struct x402_amount balance; /* wei; as last seen */
    bool balance_known;
    bool nonce_known;    /* read from the chain since the start */
    uint64_t next_nonce; /* of the next new transaction */
    uint64_t mined;      /* transactions of the account at the head */
    bool busy;           /* a new transaction is on its way to the ledger */
    unsigned flights;    /* unmined transactions and those being made */
    uint64_t gap_nonce, gap_since_ms; /* gap.c's; 0: there is none */
};

/** Read the keys.  NULL with a message for one that cannot be read. */
struct signers *signers_open(struct chain *chain, char *error,
                             size_t error_len);
void signers_free(struct signers *signers);

size_t signers_len(const struct signers *signers);
struct signer *signers_at(struct signers *signers, size_t i);
/** NULL: not ours (its key was taken out of the configuration). */
struct signer *signers_find(struct signers *signers,
                            const struct x402_address *address);
/** NULL when there is none. */
const struct x402_address *signers_any(const struct signers *signers);
/** The next in turn that has a free flight and money; NULL: nobody. */
struct signer *signers_choose(struct signers *signers);

/** This one, when it has a free flight and money; NULL otherwise. */
struct signer *signers_ready(struct signers *signers,
                             const struct x402_address *address);

/** A transaction with this nonce is in the ledger: never give it again. */
void signer_used(struct signer *signer, uint64_t nonce);
/** What the chain says: transactions mined, and with those waiting in the pool.
 *  The own count wins when a node is behind. */
void signer_counted(struct signer *signer, uint64_t mined, uint64_t pending);

/** Why nothing can be settled now: X402_OK, FEES, UNAVAILABLE.  Without any
 *  signer X402_OK: somebody else settles. */
enum x402_err signers_refuse(const struct signers *signers);
/** Fill in chain->health. */
void signers_health(struct signers *signers);

#endif
