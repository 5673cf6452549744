/* SPDX-License-Identifier: Apache-2.0 */
/* One account nonce in the air: its transactions (one, and its replacements),
 * the payments in it, and where it stands.  A transaction of somebody else that
 * paid us is followed to finality as a flight without transactions of ours. */
#ifndef X402D_FLIGHT_H
#define X402D_FLIGHT_H

#include "../log.h"
#include "inside.h"
#include "receipt.h"
#include "signers.h"
#include "step.h"

#define FLIGHT_TXS_MAX 12 /* the first and its replacements */

struct flight_payment {
    int64_t id;
    enum x402_method method;
    struct x402_address asset, payer, payee;
    struct x402_amount value;
    uint8_t nonce[32];
    bool alone; /* its payer is a contract */
};

struct flight_tx {
    uint8_t hash[32];
    uint8_t *raw; /* malloc'd */
    size_t raw_len;
    struct fees fees;
    uint64_t gas_limit;
};

struct flight {
    struct flight *next;
    int64_t batch_id;      /* 0: a transaction that is not ours */
    struct signer *signer; /* NULL: its key is not configured any more */
    struct step step;
    struct flight_payment *payments; /* malloc'd */
    size_t payments_len;
    struct flight_tx txs[FLIGHT_TXS_MAX];
    size_t txs_len;
    bool holds_slot;      /* counted in signer->flights */
    bool busy;            /* the ledger is being told something */
    bool sending;         /* a broadcast has no answer yet */
    bool dead;            /* over: freed when nothing refers to it */
    uint64_t check_ms;    /* MINED: when to look again */
    uint64_t mined_ms;    /* MINED: since when */
    uint8_t mined_tx[32]; /* MINED */
    uint8_t block_hash[32];
};

struct flight *flight_new(int64_t batch_id);
void flight_free(struct flight *flight);

/** Add a payment unless it is there.  Returns true when it was added. */
bool flight_add_payment(struct flight *flight, const struct pay_row *row);
/** Copy a transaction; false: no room. */
bool flight_add_tx(struct flight *flight, const struct flight_tx *tx);
const struct flight_tx *flight_newest(const struct flight *flight);
bool flight_has_tx(const struct flight *flight, const uint8_t hash[32]);

/** Outcomes of all its payments by this receipt.  Memory: malloc'd. */
struct ledger_outcome *flight_outcomes(const struct flight *flight,
                                       const struct receipt *receipt);

void flight_log(enum log_level level, const char *event,
                const struct flight *flight);

/** Take or give back the signer's slot. */
void flight_hold_slot(struct flight *flight, bool hold);

#endif
