/* SPDX-License-Identifier: Apache-2.0 */
/* A look into a ledger file from outside, beside a daemon that runs or without
 * one: for the operator's tools.  Reads what is committed; takes no lock that
 * the daemon would wait for. */
#ifndef X402D_LEDGER_VIEW_H
#define X402D_LEDGER_VIEW_H

#include "event.h"
#include "invoice.h"
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

/** An invoice; `resource` is valid during the call. */
struct ledger_view_invoice {
    int64_t id;
    enum invoice_state state;
    enum invoice_hold hold;
    uint8_t payment_hash[32];
    struct x402_msat amount, paid;
    uint64_t expires_s, created_ms, updated_ms;
    unsigned releases, runs;
    bool open; /* a worker is at it */
    const char *resource;
};
typedef void (*ledger_view_invoice_cb)(
    void *arg, const struct ledger_view_invoice *invoice);
/** Call cb for each paid invoice, newest first; for the one of filter->id or
 * hash32 (its payment hash) also when it was not paid.  Of the filter count
 * id, after_id, hash32 and limit. */
bool ledger_view_invoices(struct ledger_view *view,
                          const struct ledger_filter *filter,
                          ledger_view_invoice_cb cb, void *arg);
/** The id of the newest invoice; 0: none. */
int64_t ledger_view_newest_invoice(struct ledger_view *view);

#define LEDGER_STEPS_MAX 256 /* of one history; the first ones */
typedef void (*ledger_step_cb)(void *arg, const struct ledger_step *step);
/** Call cb for each step of a payment or invoice, in order of time. */
bool ledger_view_history(struct ledger_view *view, enum ledger_rail rail,
                         int64_t id, ledger_step_cb cb, void *arg);

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

/** Payments of the network that are MINED or FINAL. */
uint64_t ledger_view_settled(struct ledger_view *view, uint64_t chain_id);

/** All payees that payments of a network name, once each.  Returns how many
 * there are; at most `cap` are written. */
size_t ledger_view_payees(struct ledger_view *view, uint64_t chain_id,
                          struct x402_address *out, size_t cap);

#endif
