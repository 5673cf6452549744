/* SPDX-License-Identifier: Apache-2.0 */
/* One EVM network: ask it whether a payment would go through, and make it go
 * through.
 *
 * Behind it stands a node and signers of ours, or a remote facilitator
 * (remote.h), with a node that is only read or without any. */
#ifndef X402D_CHAIN_H
#define X402D_CHAIN_H

#include <stdbool.h>
#include <stdint.h>

#include <x402/payment.h>

#include "../config.h"
#include "../core.h"
#include "../ledger/ledger.h"

struct chain;

/** Check the node's chain id, the assets' DOMAIN_SEPARATOR, Multicall3, open
 * the signers' keys, read the account nonces, resume what the ledger holds. The
 * node may be down: the chain then answers X402_ERR_UNAVAILABLE until it is
 * back, and keeps trying. Returns NULL with a message for what cannot heal: an
 * unreadable key, a wrong chain id. */
struct chain *chain_open(struct core *core,
                         const struct config_network *network,
                         struct ledger *ledger, char *error, size_t error_len);
/** Whose income the ledger must know: copied. */
void chain_set_payees(struct chain *chain, const struct x402_address *payees,
                      size_t len);
/** Other limits from now on; nodes, signers and the rhythm stay.  The old
 * configuration must live on. */
void chain_reconfigure(struct chain *chain,
                       const struct config_network *network);
/** Stop taking new work, then close; call `closed` when nothing is left on the
 * loop. */
void chain_close(struct chain *chain, core_task closed, void *arg);

/* -- simulate: is this payment good now? -- */

struct chain_ask {
    struct x402_address asset;
    struct x402_authorization auth;
    uint8_t signature[X402_SIGNATURE_MAX];
    size_t signature_len;
    const char *resource; /* its URL, or NULL; lives until the callback */
    enum x402_method method;
    /* nothing is given or settled for the answer, and the signature was
     * recovered and is the payer's: whether the token lets it through may be
     * known from a payment of a moment ago (shown.h) */
    bool advice;
    /* Permit2 only */
    struct x402_address facilitator; /* upto: one of our signers */
    struct x402_amount charge;       /* upto: what is taken */
    struct x402_sponsor sponsor;
};
struct chain_verdict {
    enum x402_err err; /* OK FUNDS NONCE_USED SIGNATURE EXPIRED NOT_YET_VALID
                          ASSET SIMULATION FACTORY DEPLOYMENT; UNAVAILABLE BUSY
                          FEES */
    bool has_code;     /* the payer is a contract (or delegated, EIP-7702), or
                          will be one in the transaction that settles */
    bool deploys;      /* the latter: ERC-6492 */
    bool approves; /* the allowance is missing, and the payer's approval that
                      came along would go through: settled first */
    uint64_t gift_gwei; /* and so much native coin, or he could not send it; not
                           counted is what he has got */
    bool waits_gift;    /* given, and not in his account yet */
    bool no_balance;    /* nobody could be asked for it: no credit */
    struct x402_amount
        balance; /* of the payer at block_number, read in the same call */
    struct x402_amount allowance; /* likewise, Permit2's */
    uint64_t block_number;
};
typedef void (*chain_verdict_cb)(void *arg,
                                 const struct chain_verdict *verdict);
/** Payments that arrive together are asked together: one eth_call of aggregate3
 * for up to 64; at most 8 calls in flight and 4096 payments waiting (more:
 * X402_ERR_BUSY at once). */
void chain_simulate(struct chain *chain, const struct chain_ask *ask,
                    chain_verdict_cb cb, void *arg);

/* -- settle -- */

/** A payment became due: captured, or settle-first (urgent: batches wait at
 * most 200 ms). */
void chain_kick(struct chain *chain, bool urgent);

/** The nonce is used, and the ledger knows nothing of it: somebody else's
 * transaction.  When that paid what was signed, the payment is put into the
 * ledger.  X402_OK: it is there, MINED; X402_ERR_NONCE_USED: used otherwise;
 * X402_ERR_UNAVAILABLE, X402_ERR_BUSY: ask again. */
typedef void (*chain_adopt_cb)(void *arg, enum x402_err err);
void chain_adopt(struct chain *chain, enum x402_method method,
                 const struct x402_address *asset,
                 const struct x402_authorization *auth, const char *resource,
                 chain_adopt_cb cb, void *arg);

enum chain_outcome { CHAIN_MINED = 1, CHAIN_REFUSED = 2, CHAIN_TIMEOUT = 3 };
typedef void (*chain_watch_cb)(void *arg, enum chain_outcome outcome,
                               const struct pay_row *row);
/** Tell once when the payment is mined (row has the transaction), is proven or
 * simulated unpayable before it was submitted (REFUSED, row->reason), or when
 * timeout_ms passed (row may have a transaction that is still open). */
void chain_watch(struct chain *chain, int64_t payment, unsigned timeout_ms,
                 chain_watch_cb cb, void *arg);
/** Somebody else may have ended this payment in the ledger: whoever watches it
 * is told, if so. */
void chain_look_again(struct chain *chain, int64_t payment);

/* -- for /health, /supported, reserve -- */

struct chain_health {
    bool reachable;
    bool stopped;    /* transactions failed in a row: settling is only tried */
    bool can_settle; /* has a signer with enough for gas, fees under the cap;
                        or a facilitator that settles on this network */
    bool behind; /* the ledger may have forgotten payments that the chain knows:
                    nothing on credit */
    uint64_t head_number;
    uint64_t head_time_s;
    struct x402_address signer[CONFIG_SIGNERS_MAX];
    size_t signer_len;
    struct x402_amount signer_balance[CONFIG_SIGNERS_MAX]; /* wei */
};
const struct chain_health *chain_health(const struct chain *chain);
/** Are Permit2 and the method's proxy there, and with upto a signer of ours
 * that it could name?  Always for EIP-3009. */
bool chain_knows(const struct chain *chain, enum x402_method method);
/** What the gas of a settlement is counted as before it is made: that of one
 * transaction of its own, at the highest fee that would be offered now, in
 * gwei.  0: somebody else pays. */
uint64_t chain_gas_gwei(const struct chain *chain,
                        const struct chain_verdict *verdict);
/** Is it one of the accounts that settle for us? */
bool chain_is_signer(const struct chain *chain,
                     const struct x402_address *address);
uint64_t chain_id(const struct chain *chain);

#endif
