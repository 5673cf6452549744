/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger: every payment, its state, and every transaction we signed.
 *
 * Typed commands go in, one completion each comes out on the core thread, in
 * order.  Each command is one conditional statement or one short transaction;
 * all that wait share one commit (and one fdatasync), and no completion is
 * called before its commit is durable.  A refused command does not roll back
 * its neighbours.  An I/O error on commit ends the process: restart reads the
 * ledger.
 */
/* clang-format off: a picture
 *
 *        release, at most 3 times
 *       +----------------------> RELEASED --+  (the same fingerprint may reserve
 *     RESERVED <----------------------------+   again)
 *       | capture --> CAPTURED --> SUBMITTED --> MINED --> FINAL
 *       +- settle-first ------------^  |  ^       |
 *                                      |  +-------+ reorg
 *                                      +--> FAILED  only with proof at a final block
 */
/* clang-format on */
#ifndef X402D_LEDGER_H
#define X402D_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <x402/payment.h>
#include <x402/till.h>

#include "../core.h"

struct ledger;

/** Stored in the ledger: append only. */
enum pay_state {
    PAY_RESERVED = 1,
    PAY_RELEASED = 2,
    PAY_CAPTURED = 3,
    PAY_SUBMITTED = 4,
    PAY_MINED = 5,
    PAY_FINAL = 6,
    PAY_FAILED = 7,
};

/** What became of the request that the payment bought.  Stored: append only. */
enum pay_run {
    PAY_RUN_NONE =
        0, /* none yet (settle-first before it is mined; facilitator) */
    PAY_RUN_OPEN = 1,      /* a worker is at it */
    PAY_RUN_DELIVERED = 2, /* over: nothing more is owed */
    PAY_RUN_REDEEMABLE =
        3, /* charged, and the same request may run again without a charge */
};

/** Stored: append only. */
enum pay_origin { PAY_ORIGIN_GATEWAY = 1, PAY_ORIGIN_FACILITATOR = 2 };
enum pay_mode { PAY_SETTLE_AFTER = 1, PAY_SETTLE_BEFORE = 2 };

/** Unique: one authorization, one row. */
struct pay_key {
    uint64_t chain_id;
    struct x402_address contract; /* x402_method_contract() */
    struct x402_address payer;
    uint8_t nonce[32];
};

/** One row, as settlement and look-ups see it. */
struct pay_row {
    int64_t id;
    enum pay_state state;
    enum pay_run run;
    enum pay_mode mode;
    enum pay_origin origin;
    uint64_t chain_id;
    enum x402_method method;
    struct x402_address asset;
    struct x402_address facilitator; /* upto */
    struct x402_authorization auth;
    struct x402_amount charge; /* what moves: auth.value, with upto maybe less
                                  once it was captured */
    struct x402_sponsor sponsor;
    uint8_t signature[X402_SIGNATURE_MAX];
    size_t signature_len;
    uint8_t fingerprint[32];
    int64_t batch_id; /* 0: none */
    bool has_tx; /* tx that moved (MINED, FINAL) or may move (SUBMITTED) the
                    tokens */
    uint8_t tx_hash[32];
    uint64_t block_number; /* MINED, FINAL */
    uint8_t block_hash[32];
    unsigned releases;
    unsigned runs;        /* captured runs, 0..2 */
    enum x402_err reason; /* why FAILED */
    uint64_t created_ms, updated_ms;
    bool alone; /* payer has code: a transaction of its own */
};

/* -- open, close -- */

struct ledger_limits { /* credit: see "credit used" below */
    struct x402_amount payer;
    struct x402_amount total;
};

/** Open or create FILE (0600, WAL, synchronous=FULL), take the exclusive lock,
 * raise the epoch (a fencing token written into every row that is touched),
 * start the writer. Returns NULL with a message in `error`: locked by another
 * daemon, foreign or newer schema, corrupt. */
struct ledger *ledger_open(struct core *core, const char *path, char *error,
                           size_t error_len);
/** Finish what is queued, commit, close. */
void ledger_close(struct ledger *ledger);

/* -- the gateway's commands -- */

#define LEDGER_KEY_MAX 32 /* bytes of an API key's name */

struct ledger_reserve {
    enum pay_origin origin;
    enum pay_mode mode;
    bool look_up; /* may only find a redeemable row, never makes one */
    bool alone;
    enum x402_wire wire;
    enum x402_method method;
    uint64_t chain_id;
    struct x402_address asset;
    struct x402_address facilitator; /* upto */
    struct x402_authorization auth;
    bool has_charge; /* a facilitator's upto: how much to take, above 0 */
    struct x402_amount charge;
    struct x402_sponsor sponsor;
    uint8_t signature[X402_SIGNATURE_MAX];
    size_t signature_len;
    uint8_t fingerprint[32];
    char resource[X402_URL_MAX];
    uint8_t worker[16];
    /* what the chain said; refusals count only when there is no row yet */
    enum x402_err chain;
    struct x402_amount balance;   /* of the payer at block_number */
    struct x402_amount allowance; /* Permit2's, at the same block */
    bool approves; /* an approval of the payer's comes before it */
    uint64_t block_number;
    struct ledger_limits limits;
    unsigned confirmations;
    uint64_t head_number; /* newest block seen, for the credit's confirmation
                             depth */
    /* a facilitator's: whose budget the gas is taken from, UTC day by day */
    char key[LEDGER_KEY_MAX + 1]; /* "": nobody's */
    uint64_t gas_gwei;            /* what it is counted as */
    uint64_t key_gas_gwei;        /* the key's day; 0: no end */
    uint64_t now_ms;
};

struct ledger_reserved {
    enum x402_err err; /* OK; IN_PROGRESS PENDING REPLAYED RESOURCE
                          RELEASE_LIMIT RATE FUNDS, or in->chain */
    struct x402_rid rid;
    int64_t payment;
    bool created; /* a new row */
    bool redeemed;
    enum pay_mode mode; /* BEFORE also when the credit limit turned it */
    struct pay_row row; /* the row as it stands after the command; valid when
                           payment != 0 */
};
typedef void (*ledger_reserve_cb)(void *arg, const struct ledger_reserved *out);

/** Claim a payment.
 *  New: exposure(payer) + amount <= balance, or X402_ERR_FUNDS; credit over the
 * limit turns the mode to SETTLE_BEFORE; inserted RESERVED (facilitator:
 * CAPTURED, run NONE). There is a row: same fingerprint and RELEASED (< 3
 * releases): reserved again; REDEEMABLE: run again, state unchanged; run OPEN,
 * or RESERVED: IN_PROGRESS; settle-first and not mined yet: PENDING; else
 * REPLAYED.  Other fingerprint: RESOURCE.  A facilitator's call finds the row
 * of any origin when payee and amount agree (RELEASED becomes CAPTURED,
 * RESERVED is IN_PROGRESS) and never compares fingerprints; X402_OK with
 * created == false then.  With Permit2 the same sum over its payments must
 * stay within the allowance too, or X402_ERR_ALLOWANCE (a permit that came
 * along makes its own).  upto cannot be settled first: X402_ERR_CREDIT.
 * A payment that its API key's day has no gas for: X402_ERR_KEY_GAS;
 * otherwise it is counted with the claim.
 * Exposure = RESERVED + CAPTURED + SUBMITTED amounts +
 * MINED above block_number. Credit used = the settle-after ones of RESERVED,
 * CAPTURED, SUBMITTED, and MINED less than `confirmations` deep, plus losses;
 * per payer, and in total with losses of 24 h. */
void ledger_reserve(struct ledger *ledger, const struct ledger_reserve *in,
                    ledger_reserve_cb cb, void *arg);

/** What this API key's settlements of today (UTC) were counted as, in gwei.
 * Threads: core. */
uint64_t ledger_key_gas(struct ledger *ledger, const char *key,
                        uint64_t now_ms);

typedef void (*ledger_cb)(void *arg, enum x402_err err, int64_t payment);
/** A ledger_cb for who need not know. */
void ledger_nobody(void *arg, enum x402_err err, int64_t payment);

/** CAPTURED, or for a settle-first or redeemed run: the run counts as captured.
 *  charge: upto only, how much of the authorization is taken; NULL: all.  Of 0
 * the payment is RELEASED for good, and its run was delivered.
 *  X402_ERR_OVERRIDE: more than was authorized, or not upto: released.
 *  X402_ERR_EXPIRED: validBefore is nearer than margin_s: released instead.
 *  X402_ERR_UNKNOWN_RESERVATION: no such id, or it was released.  Again:
 * X402_OK. */
void ledger_capture(struct ledger *ledger, const struct x402_rid *rid,
                    const struct x402_amount *charge, uint64_t now_ms,
                    unsigned margin_s, ledger_cb cb, void *arg);
/** RELEASED; for a charged row: REDEEMABLE.  Idempotent.
 *  status: of the HTTP answer that is not charged for, 0: none; for the
 * history. */
void ledger_release(struct ledger *ledger, const struct x402_rid *rid,
                    unsigned status, uint64_t now_ms, ledger_cb cb, void *arg);
/** Not synced on their own. */
void ledger_started(struct ledger *ledger, const struct x402_rid *rid,
                    ledger_cb cb, void *arg);
void ledger_done(struct ledger *ledger, const struct x402_rid *rid,
                 enum x402_till_end end, uint64_t now_ms, ledger_cb cb,
                 void *arg);
/** End every open run of `worker` that is not in rids: as if the worker had
 * released it (RESERVED) or broken off (captured: redeemable).  rids_len 0: all
 * of them. */
void ledger_lease_end(struct ledger *ledger, const uint8_t worker[16],
                      const struct x402_rid *rids, size_t rids_len,
                      uint64_t now_ms, ledger_cb cb, void *arg);
/** Workers that hold open runs; read at start. */
typedef void (*ledger_workers_cb)(void *arg, const uint8_t (*workers)[16],
                                  size_t len);
void ledger_workers(struct ledger *ledger, ledger_workers_cb cb, void *arg);

/* -- the settler's commands -- */

typedef void (*ledger_rows_cb)(void *arg, const struct pay_row *rows,
                               size_t len);
/** Rows to settle: CAPTURED, and RESERVED ones in mode SETTLE_BEFORE; earliest
 * validBefore first.  Not those in `but`, which the caller has read already;
 * copied. */
void ledger_due(struct ledger *ledger, uint64_t chain_id, size_t limit,
                const int64_t *but, size_t but_len, ledger_rows_cb cb,
                void *arg);
/** Rows of a state with their batch, oldest first: SUBMITTED and MINED ones at
 * start and for finality. */
void ledger_in_state(struct ledger *ledger, uint64_t chain_id,
                     enum pay_state state, size_t limit, ledger_rows_cb cb,
                     void *arg);

/** Native coin for a payer who lacks the gas of his approval. */
struct ledger_gift {
    int64_t payment; /* 0: none */
    uint64_t chain_id;
    struct x402_address payer;
    uint64_t account_nonce; /* of the approval that it is for */
    uint64_t gwei;
    uint64_t day_gwei; /* the most in 24 h, to all payers */
};

/** A signed transaction.  A batch is one account nonce; replacements share it.
 */
struct ledger_tx {
    int64_t batch_id; /* 0: make a new batch; else a replacement in this one */
    uint64_t chain_id;
    struct x402_address signer;
    uint64_t account_nonce;
    uint8_t hash[32];
    struct x402_amount max_fee, max_priority_fee; /* wei per gas */
    uint64_t gas_limit;
    const uint8_t *raw; /* copied */
    size_t raw_len;
    const int64_t *payments; /* of a new batch; copied */
    size_t payments_len;
    struct ledger_gift gift; /* in place of payments */
    bool empty;              /* neither: it only uses its account nonce up */
};
/** Store a transaction BEFORE it is broadcast; its payments become SUBMITTED.
 * All or nothing: when one payment cannot (it was released meanwhile),
 * X402_ERR_BUSY and nothing is stored. cb's `payment` is the batch id.  A gift
 * is stored when the payment still waits and nothing speaks against it now. */
void ledger_submit(struct ledger *ledger, const struct ledger_tx *tx,
                   uint64_t now_ms, ledger_cb cb, void *arg);

enum ledger_gift_word {
    LEDGER_GIFT_NONE = 0,  /* this payer gets nothing now */
    LEDGER_GIFT_MAY = 1,   /* he may get it */
    LEDGER_GIFT_GIVEN = 2, /* it is given: in a transaction on its way, or in
                              the payer's account */
};
/** At once, from the reading connection; gift->payment does not matter. */
enum ledger_gift_word ledger_gift(struct ledger *ledger,
                                  const struct ledger_gift *gift,
                                  uint64_t now_ms);

/** SUBMITTED without a transaction of ours: stored BEFORE a remote facilitator
 * is told to settle this payment.  It has no batch, and no transaction until
 * one was proven.  X402_ERR_BUSY: it was released meanwhile. */
void ledger_hand_over(struct ledger *ledger, int64_t payment, uint64_t now_ms,
                      ledger_cb cb, void *arg);

/** One stored transaction of an open batch. */
struct ledger_batch_tx {
    int64_t batch_id;
    struct x402_address signer;
    uint64_t account_nonce;
    uint8_t hash[32];
    struct x402_amount max_fee, max_priority_fee;
    uint64_t gas_limit;
    const uint8_t *raw;
    size_t raw_len;
    uint64_t created_ms;
    uint64_t gift_until_s; /* a gift, for a payment that ends then; 0: none */
};
typedef void (*ledger_txs_cb)(void *arg, const struct ledger_batch_tx *txs,
                              size_t len);
/** Transactions of batches that are not closed: broadcast again and followed
 * after a start. */
void ledger_open_txs(struct ledger *ledger, uint64_t chain_id, ledger_txs_cb cb,
                     void *arg);

/** Outcome of one payment of a mined transaction. */
struct ledger_outcome {
    int64_t payment;
    bool paid; /* the receipt has its AuthorizationUsed and Transfer; else back
                  to CAPTURED */
};
/** SUBMITTED -> MINED, from the receipt of `tx_hash`. */
void ledger_mined(struct ledger *ledger, int64_t batch_id,
                  const uint8_t tx_hash[32], uint64_t block_number,
                  const uint8_t block_hash[32],
                  const struct ledger_outcome *outcomes, size_t len,
                  uint64_t now_ms, ledger_cb cb, void *arg);
/** Somebody's transaction used the authorization for our payee and value: we
 * are paid. */
void ledger_paid_by(struct ledger *ledger, int64_t payment,
                    const uint8_t tx_hash[32], uint64_t block_number,
                    const uint8_t block_hash[32], uint64_t now_ms, ledger_cb cb,
                    void *arg);
/** A remote facilitator says that this transaction settled the payment, and
 * there is no node to ask: FINAL on its word.  X402_ERR_TRANSACTION: another
 * payment was settled by this transaction before this one was even reserved, so
 * it cannot be true. */
void ledger_paid_word(struct ledger *ledger, int64_t payment,
                      const uint8_t tx_hash[32], uint64_t now_ms, ledger_cb cb,
                      void *arg);
/** Where a transaction was mined. */
struct ledger_block {
    uint8_t tx_hash[32];
    uint64_t number;
    uint8_t hash[32];
};
/** A transfer to us that the chain knows and the ledger perhaps does not. */
struct ledger_adopt {
    uint64_t chain_id;
    enum x402_method method;
    struct x402_address asset;
    struct x402_address facilitator; /* upto */
    struct x402_authorization auth;
    struct x402_amount charge; /* what moved; upto: at most the value */
    struct ledger_block block;
    char resource[X402_URL_MAX];
    uint64_t now_ms;
};
/** MINED by this transaction: a new row, or one that was RELEASED or open.
 *  X402_OK: it is MINED or FINAL now; X402_ERR_BUSY: open, and the settler or
 * the follower will find out; X402_ERR_RESOURCE: there is a row that says
 * otherwise (another payee or amount, FAILED). */
void ledger_adopt(struct ledger *ledger, const struct ledger_adopt *in,
                  ledger_cb cb, void *arg);
/** An adopted payment whose block is gone, CAPTURED since, and whose
 * authorization a final block says is unused: RELEASED.  X402_ERR_BUSY: it is
 * another one. */
void ledger_not_adopted(struct ledger *ledger, int64_t payment, uint64_t now_ms,
                        ledger_cb cb, void *arg);
/** Up to this block payments and chain agree.  Not synced on its own. */
void ledger_set_mark(struct ledger *ledger, uint64_t chain_id, uint64_t block,
                     ledger_cb cb, void *arg);
/** Reorg: MINED -> SUBMITTED (batch reopened), or CAPTURED when the transaction
 * was not ours. */
void ledger_unmined(struct ledger *ledger, const uint8_t tx_hash[32],
                    uint64_t now_ms, ledger_cb cb, void *arg);
/** The batch can never be mined (another of our transactions has its account
 * nonce at a final block): its payments go back to CAPTURED, the batch is
 * closed. */
void ledger_requeue(struct ledger *ledger, int64_t batch_id, uint64_t now_ms,
                    ledger_cb cb, void *arg);
/** MINED rows of this transaction -> FINAL; the batch is closed. */
void ledger_final(struct ledger *ledger, const uint8_t tx_hash[32],
                  uint64_t now_ms, ledger_cb cb, void *arg);
/** FAILED with proof.  A settle-first row that was never submitted is RELEASED
 * without a count instead. A captured one is a loss: counted, and the payer is
 * settle-first until cleared. */
void ledger_failed(struct ledger *ledger, int64_t payment, enum x402_err reason,
                   uint64_t now_ms, ledger_cb cb, void *arg);

/* -- look-ups: at once, from a read-only connection, possibly a moment old --
 */

/** Has one of this payer's payments reached the chain, on any network?  Of
 *  somebody with hundreds of rows a part is looked at. */
bool ledger_has_paid(struct ledger *ledger, const struct x402_address *payer);
/** false: no such row. */
bool ledger_find(struct ledger *ledger, const struct pay_key *key,
                 struct pay_row *out);
bool ledger_get(struct ledger *ledger, int64_t payment, struct pay_row *out);
/** The resource's URL that the payment was for.  false: no such row. */
bool ledger_resource(struct ledger *ledger, int64_t payment,
                     char out[X402_URL_MAX]);
/** The mark, or the newest block of a payment; false: no payment ever. */
bool ledger_mark(struct ledger *ledger, uint64_t chain_id, uint64_t *block);
/** When the newest row was made; 0: there is none. */
uint64_t ledger_newest_ms(struct ledger *ledger);
struct ledger_stats {
    uint64_t count[PAY_FAILED + 1]; /* rows by state */
    uint64_t redeemable;
    uint64_t oldest_captured_ms; /* 0: none */
    uint64_t open_batches;
};
void ledger_stats(struct ledger *ledger, struct ledger_stats *out);

/** What one payer owes, or lost us; payers with neither are left out. */
struct ledger_debt {
    uint64_t chain_id;
    struct x402_address asset, payer;
    uint64_t payments; /* CAPTURED or SUBMITTED */
    struct x402_amount unsettled;
    uint64_t oldest_ms; /* of the charge; 0: no unsettled payment */
    struct x402_amount lost;
    bool settle_first; /* after a loss, until cleared */
};
typedef void (*ledger_debt_cb)(void *arg, const struct ledger_debt *debt);
/** Call cb for each account with a debt, at once. */
void ledger_debts(struct ledger *ledger, ledger_debt_cb cb, void *arg);

/** One signed transaction: what it may cost. */
struct ledger_cost {
    int64_t batch_id; /* transactions of one batch replace each other */
    struct x402_amount max_fee;
    uint64_t gas_limit;
    uint64_t created_ms;
    uint64_t gift_gwei; /* given away with it */
};
typedef void (*ledger_cost_cb)(void *arg, const struct ledger_cost *cost);
/** Call cb, at once, for each transaction stored since then; those of a batch
 *  one after the other, oldest first. */
void ledger_costs(struct ledger *ledger, uint64_t chain_id, uint64_t since_ms,
                  ledger_cost_cb cb, void *arg);

#endif
