/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share about one network.  Nobody outside
 * includes this; the public face is chain.h. */
#ifndef X402D_CHAIN_INSIDE_H
#define X402D_CHAIN_INSIDE_H

#include "breaker.h"
#include "chain.h"
#include "code.h"
#include "fees.h"
#include "rpc.h"
#include "shown.h"
#include "spent.h"

#define CHAIN_ASSETS_MAX 16

struct simulator;
struct settler;
struct follower;
struct watches;
struct signers;
struct remote;

/** An asset of our table, and what the chain said about it. */
struct chain_asset {
    const struct x402_asset *asset;
    bool usable; /* its DOMAIN_SEPARATOR() is the one of our table */
    /* apart, so that hostile contracts stop nobody but contracts */
    struct breaker accounts, wallets;
};

struct chain {
    struct core *core;
    const struct config_network *config;
    struct ledger *ledger;
    struct rpc *rpc;
    struct code_cache code;
    struct shown shown;
    struct chain_asset assets[CHAIN_ASSETS_MAX];
    size_t assets_len;
    bool ready; /* chain id, Multicall3 and assets were checked */
    bool permit2[X402_METHOD_LAST + 1]; /* by method: its contracts are there */
    bool closing;
    unsigned ledger_waits; /* commands whose answer has not come */
    unsigned settler_inquiries;
    unsigned uses;             /* searches for who used an authorization */
    struct fees_market market; /* as last seen */
    struct spent spent;        /* on gas */
    uint64_t head_seen_ms;     /* 0: never */
    uint64_t no_time_until_ms; /* the node refuses block overrides */
    struct chain_health health;
    struct simulator *simulator;
    struct signers *signers;
    struct settler *settler;
    struct follower *follower;
    struct watches *watches;
    struct upkeep *upkeep;
    struct remote *remote;   /* NULL: we settle ourselves */
    struct catchup *catchup; /* NULL without a ledger */
};

/** A node of the network can be asked.  Without one there is no rpc, upkeep,
 *  simulator and follower, only a remote facilitator. */
bool chain_has_node(const struct chain *chain);
/** malloc'd and zeroed, never NULL. */
void *chain_alloc(size_t size);
/** The time to pretend in an eth_call; 0: none, the node cannot. */
uint64_t chain_call_time(const struct chain *chain, uint64_t now_ms);
/** The node refused a call because of its block override: do without. */
bool chain_override_refused(struct chain *chain,
                            const struct rpc_answer *answer, uint64_t now_ms);
/** What stops payments of this asset when they fail in a row; NULL: it is none
 *  of ours. */
struct breaker *chain_breaker(struct chain *chain,
                              const struct x402_address *asset, bool wallet);
/** A transaction is in the ledger: what it may cost, in place of `before`
 *  (NULL: of none). */
void chain_spend(struct chain *chain, const struct fees *fees,
                 uint64_t gas_limit, const struct fees *before);
/** Native coin was given away. */
void chain_spend_gift(struct chain *chain, uint64_t gwei, uint64_t at_ms);
/** An error that the contract made, not the node. */
bool chain_is_revert(const struct rpc_answer *answer);
const struct x402_address *chain_multicall3(void);

#endif
