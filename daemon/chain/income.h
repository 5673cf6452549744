/* SPDX-License-Identifier: Apache-2.0 */
/* What the chain paid to our payees, read from its logs, some blocks at a time.
 * Needs a node and nothing else: the daemon catches up with it after a stop,
 * and the operator's tool holds it against the ledger.
 *
 * EIP-3009 logs the nonce.  Permit2 and its proxies log none: the transaction's
 * call is read as well, and when it is in the form that we use ourselves, and
 * as many of the payer's calls in it as the proxy carried out, it says which
 * payments those were. */
#ifndef X402D_INCOME_H
#define X402D_INCOME_H

#include "../ledger/ledger.h"
#include "rpc.h"

#include <x402/address.h>
#include <x402/amount.h>

#define INCOME_PAYEES_MAX 4096
/* Blocks in one reading; providers allow 10,000. */
#define INCOME_WINDOW 5000

/** One Transfer of a token of our table to one of the payees. */
struct income {
    struct x402_address token, payer, payee;
    struct x402_amount value;
    uint8_t tx_hash[32];
    uint64_t block_number;
    uint8_t block_hash[32];
    bool authorized; /* with this nonce; else a plain transfer, or one that
                        cannot be told */
    enum x402_method method;
    uint8_t nonce[32];
    /* what the call says beyond the logs; Permit2 only */
    struct x402_authorization auth;
    struct x402_address facilitator; /* upto */
    /* while it is read: how many of this payer's the proxy moved in this
     * transaction */
    size_t together;
};

/** Which payment is it?  Of one that is authorized. */
struct pay_key income_key(uint64_t chain_id, const struct income *income);

struct income_ask {
    struct rpc *rpc;
    uint64_t chain_id;
    const struct x402_address *payees; /* 1 at least; copied */
    size_t payees_len;
    uint64_t from, to; /* blocks, both included */
    size_t together;   /* receipts in one request; 0: 32 */
};

enum income_status {
    INCOME_READ,
    INCOME_REFUSED, /* too many blocks, or too much in them: ask for fewer */
    INCOME_UNKNOWN, /* no answer that can be used; ask again later */
};
/** Once, later, never from inside income_read. */
typedef void (*income_cb)(void *arg, enum income_status status,
                          const struct income *items, size_t len);
void income_read(const struct income_ask *ask, income_cb cb, void *arg);

/** How many blocks to ask for next: half as many after trouble, twice as many
 * after success, 1..INCOME_WINDOW. */
uint64_t income_window(uint64_t window, enum income_status status);

#endif
