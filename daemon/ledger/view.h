/* SPDX-License-Identifier: Apache-2.0 */
/* A look into a ledger file from outside, beside a daemon that runs or without
 * one: for the operator's tools.  Reads what is committed; takes no lock that
 * the daemon would wait for. */
#ifndef X402D_LEDGER_VIEW_H
#define X402D_LEDGER_VIEW_H

#include "ledger.h"

struct ledger_view;

/** Open FILE.  to_change: for ledger_view_clear.  NULL with a message: not
 * there, not a ledger, or of another version than this program. */
struct ledger_view *ledger_view_open(const char *path, bool to_change,
                                     char *error, size_t error_len);
void ledger_view_close(struct ledger_view *view);

/** Which payments; zero members do not restrict. */
struct ledger_filter {
    unsigned states; /* bit 1 << enum pay_state */
    uint64_t chain_id;
    const struct x402_address *payee, *payer;
    uint64_t since_ms, until_ms; /* of creation */
    int64_t id, after_id;
    const uint8_t *hash32; /* the nonce, or the transaction */
    bool newest_first;
    uint64_t limit;
};

typedef void (*ledger_view_cb)(void *arg, const struct pay_row *row,
                               const char *resource);
/** Call cb for each.  false: the ledger cannot be read to the end. */
bool ledger_view_payments(struct ledger_view *view,
                          const struct ledger_filter *filter, ledger_view_cb cb,
                          void *arg);

/** The id of the newest payment; 0: none. */
int64_t ledger_view_newest(struct ledger_view *view);

/** A transaction that was signed for a batch. */
struct ledger_view_tx {
    uint8_t hash[32];
    struct x402_amount max_fee;
    uint64_t created_ms;
};
/** The newest transactions of a batch, oldest of them first; at most `cap`. */
size_t ledger_view_txs(struct ledger_view *view, int64_t batch,
                       struct ledger_view_tx *out, size_t cap);

/** Paid invoices among the newest `limit`, newest first. */
typedef void (*ledger_view_invoice_cb)(void *arg, uint64_t created_ms,
                                       uint64_t paid_msat,
                                       const char *resource);
bool ledger_view_invoices(struct ledger_view *view, uint64_t limit,
                          ledger_view_invoice_cb cb, void *arg);

/** See ledger_debts. */
bool ledger_view_debts(struct ledger_view *view, ledger_debt_cb cb, void *arg);

/** Forgive a payer: not settle-first any more, and what was lost does not count
 * against his credit.  chain_id 0: on all networks.  Returns how many accounts
 * were changed, -1 on error.  The record of the losses stays. */
int ledger_view_clear(struct ledger_view *view,
                      const struct x402_address *payer, uint64_t chain_id);

/** The payment of one authorization.  false: there is none. */
bool ledger_view_find(struct ledger_view *view, const struct pay_key *key,
                      struct pay_row *out);
/** The lowest block that a payment of the network was mined in; 0: none. */
uint64_t ledger_view_first_block(struct ledger_view *view, uint64_t chain_id);

/** All payees that payments of a network name, once each.  Returns how many
 * there are; at most `cap` are written. */
size_t ledger_view_payees(struct ledger_view *view, uint64_t chain_id,
                          struct x402_address *out, size_t cap);

#endif
