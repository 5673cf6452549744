/* SPDX-License-Identifier: Apache-2.0 */
/* A proof of payment, from "here it is" to "reserved": is it right in itself,
 * is the invoice one of ours for this request, is it paid, is it not used. */
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include <x402/l402.h>
#include <x402/mpp.h>

#include "../failpoint.h"
#include "../metrics.h"
#include "inside.h"

struct claim {
    struct claim *next, **self;
    struct lightning *l;
    struct x402_till_proof in;
    uint8_t worker[16];
    bool (*still_there)(void *arg);
    cashier_reserved_cb cb;
    void *arg;
    bool looking;
    bool held;                  /* the row is a hold invoice's */
    struct lnd_invoice invoice; /* what the node says; UNKNOWN: not asked */
};

static void
claim_free(struct claim *claim)
{
    *claim->self = claim->next;
    if (claim->next != NULL)
        claim->next->self = claim->self;
    free(claim);
}

void
claim_free_all(struct lightning *l)
{
    while (l->claims != NULL)
        claim_free(l->claims);
}

static void
answer(struct claim *claim, const struct x402_till_reserved *out)
{
    metrics_add(out->err == X402_OK ? METRIC_RESERVED : METRIC_REFUSED, 1);
    claim->cb(claim->arg, out);
    claim_free(claim);
}

static void
refuse(struct claim *claim, enum x402_err err)
{
    struct x402_till_reserved out = {.err = err};

    answer(claim, &out);
}

/* -- the ledger's part -- */

static void
on_claimed(void *arg, const struct ledger_invoice_claimed *claimed)
{
    struct claim *claim = arg;
    struct x402_till_reserved out = {.err = claimed->err};

    if (claimed->err == X402_OK) {
        out.rid = claimed->rid;
        out.redeemed = claimed->redeemed;
        out.settled = true;
        out.has_transaction = true;
        memcpy(out.transaction, claim->in.payment_hash, sizeof out.transaction);
        out.network = claim->l->config->network;
        out.amount = claimed->row.amount;
        if (claimed->redeemed)
            metrics_add(METRIC_REDEEMED, 1);
    }
    answer(claim, &out);
}

static void
reserve(struct claim *claim)
{
    struct ledger_invoice_claim in = {
        .dialect = claim->in.dialect,
        .settled = claim->invoice.state == LND_SETTLED,
        .held = claim->held && claim->invoice.state == LND_ACCEPTED,
        .paid = claim->invoice.paid,
        .now_ms = core_now_ms(),
    };

    if (!claim->still_there(claim->arg)) {
        refuse(claim, X402_ERR_UNAVAILABLE);
        return;
    }
    memcpy(in.payment_hash, claim->in.payment_hash, sizeof in.payment_hash);
    memcpy(in.request_hash, claim->in.request_hash, sizeof in.request_hash);
    memcpy(in.worker, claim->worker, sizeof in.worker);
    ledger_invoice_claim(claim->l->ledger, &in, on_claimed, claim);
}

/* -- the node's part -- */

/* The node says ACCEPTED when the whole amount is there, and holds it. */
static void
on_held(struct claim *claim)
{
    struct invoice_row row;

    if (!ledger_invoice_find(claim->l->ledger, claim->in.payment_hash, &row) ||
        !hold_is_long(claim->l, &claim->invoice)) {
        refuse(claim, X402_ERR_PENDING);
        return;
    }
    claim->invoice.paid = row.amount;
    reserve(claim);
}

/* Unknown is not "no": the payer has paid, as far as anybody knows, and must
 * not be told to pay again. */
static void
on_looked(void *arg, const struct lnd_invoice *invoice, bool gone)
{
    struct claim *claim = arg;

    (void)gone;
    claim->l->looking--;
    claim->looking = false;
    claim->invoice = *invoice;
    switch (invoice->state) {
    case LND_SETTLED:
        reserve(claim);
        return;
    case LND_OPEN:
        refuse(claim, X402_ERR_LN_NOT_PAID);
        return;
    case LND_CANCELED:
        refuse(claim, X402_ERR_LN_INVOICE_EXPIRED);
        return;
    case LND_ACCEPTED: /* held: can still go back to the payer */
        if (claim->held)
            on_held(claim);
        else
            refuse(claim, X402_ERR_PENDING);
        return;
    case LND_UNKNOWN:
        refuse(claim, X402_ERR_PENDING);
        return;
    }
}

static bool
is_looked_for(const struct lightning *l, const uint8_t payment_hash[32])
{
    for (const struct claim *c = l->claims; c != NULL; c = c->next)
        if (c->looking && memcmp(c->in.payment_hash, payment_hash, 32) == 0)
            return true;
    return false;
}

static void
ask_node(struct claim *claim)
{
    struct lightning *l = claim->l;

    if (is_looked_for(l, claim->in.payment_hash)) {
        refuse(claim, X402_ERR_LN_IN_FLIGHT);
        return;
    }
    if (l->looking >= LIGHTNING_LOOKING_MAX) {
        refuse(claim, X402_ERR_BUSY);
        return;
    }
    l->looking++;
    claim->looking = true;
    lookup(l, claim->in.payment_hash, on_looked, claim);
}

/* -- what the proof says -- */

static enum x402_err
check_l402(const struct claim *claim)
{
    const struct x402_till_proof *in = &claim->in;
    struct x402_l402_credential credential = {.macaroon_len = in->token_len};
    struct x402_l402_claims claims;
    enum x402_err err;

    if (in->token_len > sizeof credential.macaroon || !in->has_preimage)
        return X402_ERR_LN_CREDENTIAL;
    memcpy(credential.macaroon, in->token, in->token_len);
    memcpy(credential.preimage, in->preimage, sizeof credential.preimage);
    err = x402_l402_check(&claims, &credential, claim->l->secret.l402,
                          in->request_hash, core_now_ms() / 1000);
    if (mutant("l402_unchecked"))
        return X402_OK;
    if (err == X402_OK &&
        memcmp(claims.payment_hash, in->payment_hash, 32) != 0)
        return X402_ERR_LN_CREDENTIAL;
    return err;
}

static enum x402_err
check_mpp(const struct claim *claim)
{
    const struct x402_till_proof *in = &claim->in;
    struct x402_span header = {(const char *)in->token, in->token_len};
    const uint8_t *secret = claim->l->secret.mpp;
    struct x402_mpp_credential credential;
    json_t *owner;
    enum x402_err err = x402_mpp_decode(&owner, &credential, header);

    if (err != X402_OK)
        return err;
    err = x402_mpp_check(&credential, x402_span_of(in->realm), secret,
                         sizeof claim->l->secret.mpp);
    if (err == X402_OK &&
        memcmp(credential.payment_hash, in->payment_hash, 32) != 0)
        err = X402_ERR_LN_CREDENTIAL;
    json_decref(owner);
    return err;
}

static enum x402_err
check_dialect(const struct claim *claim)
{
    switch (claim->in.dialect) {
    case X402_TILL_LNBTC:
        return X402_OK;
    case X402_TILL_HELD: /* nobody has its preimage */
        return X402_ERR_LN_CREDENTIAL;
    case X402_TILL_L402:
        return check_l402(claim);
    case X402_TILL_MPP:
        return check_mpp(claim);
    }
    return X402_ERR_LN_CREDENTIAL;
}

static enum x402_err
check_proof(const struct claim *claim)
{
    const struct x402_till_proof *in = &claim->in;
    uint8_t hash[32];

    if (!in->has_preimage && in->dialect == X402_TILL_HELD)
        return X402_OK;
    if (!in->has_preimage) {
        if (!claim->l->config->invoice_only || in->dialect != X402_TILL_LNBTC)
            return X402_ERR_LN_PREIMAGE_MISSING;
        return X402_OK;
    }
    SHA256(in->preimage, sizeof in->preimage, hash);
    if (memcmp(hash, in->payment_hash, sizeof hash) != 0)
        return X402_ERR_LN_PREIMAGE;
    return check_dialect(claim);
}

/* What the ledger will say again, where that is final and costs nothing. */
static enum x402_err
check_row(const struct claim *claim, const struct invoice_row *row)
{
    const struct x402_till_proof *in = &claim->in;

    if (memcmp(row->request_hash, in->request_hash, 32) != 0)
        return X402_ERR_LN_REQUEST;
    if ((in->dialect == X402_TILL_HELD) != (row->hold != HOLD_NONE))
        return X402_ERR_LN_FLOW;
    if (row->hold == HOLD_CANCEL || row->hold == HOLD_CANCELLED)
        return X402_ERR_LN_INVOICE_EXPIRED;
    if ((in->dialect == X402_TILL_LNBTC || in->dialect == X402_TILL_HELD) &&
        x402_msat_cmp(in->amount, row->amount) != 0)
        return X402_ERR_LN_AMOUNT_MISMATCH;
    return X402_OK;
}

static void
begin(struct claim *claim)
{
    struct invoice_row row;
    enum x402_err err = check_proof(claim);

    if (err == X402_OK &&
        !ledger_invoice_find(claim->l->ledger, claim->in.payment_hash, &row))
        err = X402_ERR_OFFER;
    if (err == X402_OK)
        err = check_row(claim, &row);
    if (err != X402_OK) {
        refuse(claim, err);
        return;
    }
    claim->held = row.hold != HOLD_NONE;
    if (row.state != INVOICE_ISSUED && row.state != INVOICE_LAPSED) {
        reserve(claim);
    } else if (mutant("invoice_not_asked")) {
        claim->invoice.state = LND_SETTLED;
        claim->invoice.paid = row.amount;
        reserve(claim);
    } else {
        ask_node(claim);
    }
}

void
lightning_claim(struct lightning *lightning, const struct x402_till_proof *in,
                const uint8_t worker[16], bool (*still_there)(void *arg),
                cashier_reserved_cb cb, void *arg)
{
    static const struct x402_till_reserved none = {.err = X402_ERR_OFFER};
    struct claim *claim;

    metrics_add(METRIC_RESERVES, 1);
    if (lightning == NULL) {
        metrics_add(METRIC_REFUSED, 1);
        cb(arg, &none);
        return;
    }
    claim = calloc(1, sizeof *claim);
    if (claim == NULL)
        abort();
    claim->l = lightning;
    claim->in = *in;
    claim->still_there = still_there;
    claim->cb = cb;
    claim->arg = arg;
    memcpy(claim->worker, worker, sizeof claim->worker);
    claim->next = lightning->claims;
    claim->self = &lightning->claims;
    if (claim->next != NULL)
        claim->next->self = &claim->next;
    lightning->claims = claim;
    begin(claim);
}
