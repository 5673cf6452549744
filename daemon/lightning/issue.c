/* SPDX-License-Identifier: Apache-2.0 */
/* One invoice for one challenge: limits, price, the node, the ledger, the
 * challenges.  Cheap before dear, and nobody hears of an invoice that is not in
 * the ledger. */
#include <inttypes.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x402/encode.h>
#include <x402/lnbtc.h>

#include "../failpoint.h"
#include "../log.h"
#include "../metrics.h"
#include "challenge.h"
#include "inside.h"

struct issue {
    struct issue *next, **self;
    struct lightning *l;
    struct x402_till_issue in;
    lightning_issued_cb cb;
    void *arg;
    uint64_t rate; /* 0: not converted */
    bool held;
    uint8_t preimage[32]; /* of a hold invoice: ours until it is settled */
    uint8_t payment_hash[32];
    uint64_t expires_s;
    struct x402_till_issued out;
};

static void
issue_free(struct issue *issue)
{
    *issue->self = issue->next;
    if (issue->next != NULL)
        issue->next->self = issue->self;
    free(issue);
}

void
issue_free_all(struct lightning *l)
{
    while (l->issues != NULL)
        issue_free(l->issues);
}

/* -- answers -- */

static void
answer(struct issue *issue)
{
    metrics_add(issue->out.err == X402_OK ? METRIC_INVOICES_ISSUED
                                          : METRIC_INVOICES_REFUSED,
                1);
    issue->cb(issue->arg, &issue->out);
    issue_free(issue);
}

static void
refuse(struct issue *issue, enum x402_err err, uint64_t wait_ms,
       enum x402_till_scope scope)
{
    memset(&issue->out, 0, sizeof issue->out);
    issue->out.err = err;
    issue->out.wait_ms = (uint32_t)(wait_ms < 60000 ? wait_ms : 60000);
    issue->out.scope = scope;
    answer(issue);
}

/* -- the node's invoice -- */

static void
on_stored(void *arg, enum x402_err err, int64_t payment)
{
    struct issue *issue = arg;
    struct challenge challenge = {
        .issue = &issue->in,
        .secret = &issue->l->secret,
        .bolt11 = x402_span_of(issue->out.bolt11),
        .expires_s = issue->expires_s,
        .good_until_s = issue->expires_s + INVOICE_REDEEM_S,
    };

    (void)payment;
    if (err != X402_OK) {
        refuse(issue, X402_ERR_UNAVAILABLE, LIGHTNING_WAIT_MS,
               X402_TILL_SCOPE_ALL);
        return;
    }
    memcpy(challenge.payment_hash, issue->payment_hash, 32);
    core_random(challenge.token_id, sizeof challenge.token_id);
    err = challenge_write(&issue->out, &challenge);
    if (err != X402_OK)
        refuse(issue, X402_ERR_INTERNAL, LIGHTNING_WAIT_MS,
               X402_TILL_SCOPE_PEER);
    else
        answer(issue);
}

static void
store(struct issue *issue)
{
    struct ledger_invoice row = {
        .amount = issue->out.amount,
        .unit = issue->in.unit,
        .price = issue->in.price,
        .decimals = issue->in.decimals,
        .rate = issue->rate,
        .expires_s = issue->expires_s,
        .held = issue->held,
        .now_ms = core_now_ms(),
    };

    memcpy(row.preimage, issue->preimage, sizeof row.preimage);
    memcpy(row.payment_hash, issue->payment_hash, sizeof row.payment_hash);
    memcpy(row.request_hash, issue->in.request_hash, sizeof row.request_hash);
    memcpy(row.resource, issue->in.resource, sizeof row.resource);
    ledger_invoice_issue(issue->l->ledger, &row, on_stored, issue);
}

/* What the node made is what was asked for: the client will check the same. */
static enum x402_err
check_added(struct issue *issue, const struct lnd_added *added)
{
    struct x402_lnbtc_terms terms = {
        .network = issue->out.network,
        .amount = issue->out.amount,
        .timeout_s = issue->in.expiry_s,
        .has_tag = true,
        .invoice = added->bolt11,
    };
    struct x402_bolt11 invoice;
    enum x402_err err;

    memcpy(terms.pay_to, issue->out.payee, sizeof terms.pay_to);
    memcpy(terms.request_hash, issue->in.request_hash, 32);
    if (added->bolt11.len >= sizeof issue->out.bolt11)
        return X402_ERR_TOO_LARGE;
    err = x402_lnbtc_check_invoice(&invoice, added->bolt11, &terms,
                                   core_now_ms() / 1000, X402_LNBTC_SKEW_S);
    if (err != X402_OK)
        return err;
    if (memcmp(invoice.payment_hash, added->payment_hash, 32) != 0)
        return X402_ERR_LN_INVOICE;
    issue->expires_s = invoice.created_s + invoice.expiry_s;
    return X402_OK;
}

static bool
read_added(const struct issue *issue, struct lnd_added *added,
           const json_t *json)
{
    if (!issue->held)
        return lnd_read_added(added, json);
    memcpy(added->payment_hash, issue->payment_hash, 32);
    return lnd_read_held(&added->bolt11, json);
}

static const char *
take_added(struct issue *issue, const struct rest_answer *answer)
{
    struct lnd_added added;
    enum x402_err err;

    if (answer->http_status == 0)
        return answer->why;
    if (answer->http_status != 200)
        return "LND refused to make an invoice";
    if (answer->json == NULL || !read_added(issue, &added, answer->json))
        return "LND's answer is not understood";
    err = check_added(issue, &added);
    if (err != X402_OK)
        return x402_err_info(err)->name;
    memcpy(issue->payment_hash, added.payment_hash, 32);
    memcpy(issue->out.bolt11, added.bolt11.at, added.bolt11.len);
    return NULL;
}

static void
on_added(void *arg, const struct rest_answer *answer)
{
    struct issue *issue = arg;
    struct lightning *l = issue->l;
    const char *wrong = take_added(issue, answer);

    l->adding--;
    if (wrong != NULL) {
        log_event(LOG_WARN, "invoice_not_made", "why", wrong, NULL);
        if (answer->http_status == 0 && !l->closing)
            watch_down(l, "LND did not make an invoice in time");
        /* hold invoices want rights of their own: others may go on */
        refuse(issue, X402_ERR_UNAVAILABLE, LIGHTNING_WAIT_MS,
               issue->held ? X402_TILL_SCOPE_PEER : X402_TILL_SCOPE_ALL);
        return;
    }
    store(issue);
}

static void
ask_node(struct issue *issue)
{
    struct lightning *l = issue->l;
    char hash[X402_BASE64_LEN(32) + 1], mine[X402_BASE64_LEN(32) + 1] = "";
    char *body = malloc(320);

    if (body == NULL)
        abort();
    if (issue->held)
        mine[x402_base64_encode(mine, issue->payment_hash, 32)] = '\0';
    hash[x402_base64_encode(hash, issue->in.request_hash, 32)] = '\0';
    /* "hand LND the requestHash bytes themselves, not a hash of them" */
    snprintf(body, 320,
             "{%s%s%s\"value_msat\":\"%" PRIu64
             "\",\"description_hash\":\"%s\","
             "\"expiry\":\"%" PRIu32 "\",\"private\":%s}",
             issue->held ? "\"hash\":\"" : "", mine, issue->held ? "\"," : "",
             issue->out.amount.value, hash, issue->in.expiry_s,
             l->config->private_hints ? "true" : "false");
    l->adding++;
    rest_post(l->rest, issue->held ? "/v2/invoices/hodl" : "/v1/invoices", body,
              l->config->timeout_ms, on_added, issue);
}

/* -- before the node is asked -- */

/* L402 and the Payment scheme count in satoshis: rounded up then, in all
 * dialects, because it is one invoice. */
static enum x402_err
find_amount(struct issue *issue)
{
    const struct x402_till_issue *in = &issue->in;
    enum x402_err err = X402_ERR_RANGE;
    uint64_t msat;

    if (in->unit == X402_TILL_TOKEN) {
        if (issue->l->rate != NULL)
            issue->rate = rate_now(issue->l->rate);
        if (issue->rate == 0)
            return X402_ERR_LN_ISSUANCE;
        err = rate_convert(&issue->out.amount, &in->price, in->decimals,
                           issue->rate);
    } else if (x402_amount_u64(&msat, &in->price) && msat > 0) {
        err = x402_msat_of(&issue->out.amount, msat);
    }
    if (err == X402_OK &&
        (in->dialects & (X402_TILL_L402 | X402_TILL_MPP)) != 0)
        issue->out.amount = x402_msat_ceil(issue->out.amount);
    return err;
}

static bool
is_full(struct lightning *l)
{
    uint64_t max = l->config->outstanding_max;

    if (mutant("invoice_no_cap"))
        return false;
    return l->adding >= LIGHTNING_ADDING_MAX ||
           l->adding + ledger_invoices_outstanding(l->ledger,
                                                   core_now_ms() / 1000, max) >=
               max;
}

static void
begin(struct issue *issue)
{
    struct lightning *l = issue->l;
    uint64_t wait_ms;

    if (!l->ready || l->closing || issue->in.expiry_s == 0) {
        refuse(issue, X402_ERR_UNAVAILABLE, LIGHTNING_WAIT_MS,
               X402_TILL_SCOPE_ALL);
        return;
    }
    if (find_amount(issue) != X402_OK) {
        refuse(issue, X402_ERR_LN_ISSUANCE, LIGHTNING_WAIT_MS,
               issue->in.unit == X402_TILL_TOKEN ? X402_TILL_SCOPE_TOKENS
                                                 : X402_TILL_SCOPE_PEER);
        return;
    }
    if (is_full(l)) {
        refuse(issue, X402_ERR_LN_ISSUANCE, LIGHTNING_WAIT_MS,
               X402_TILL_SCOPE_ALL);
        return;
    }
    wait_ms =
        mutant("invoice_no_cap")
            ? 0
            : allowance_take(&l->allowance, issue->in.peer, core_now_ms());
    if (wait_ms > 0) {
        refuse(issue, X402_ERR_LN_ISSUANCE, wait_ms, X402_TILL_SCOPE_PEER);
        return;
    }
    issue->out.network = l->info.network;
    memcpy(issue->out.payee, l->info.node, sizeof issue->out.payee);
    issue->out.expiry_s = issue->in.expiry_s;
    issue->held = (issue->in.dialects & X402_TILL_HELD) != 0;
    if (issue->held) {
        core_random(issue->preimage, sizeof issue->preimage);
        SHA256(issue->preimage, sizeof issue->preimage, issue->payment_hash);
    }
    ask_node(issue);
}

/* The daemon has no Lightning: say so for a long time. */
static void
none(lightning_issued_cb cb, void *arg)
{
    static const struct x402_till_issued out = {.err = X402_ERR_UNAVAILABLE,
                                                .wait_ms = 60000,
                                                .scope = X402_TILL_SCOPE_ALL};

    metrics_add(METRIC_INVOICES_REFUSED, 1);
    cb(arg, &out);
}

void
lightning_issue(struct lightning *lightning, const struct x402_till_issue *in,
                lightning_issued_cb cb, void *arg)
{
    struct issue *issue;

    if (lightning == NULL) {
        none(cb, arg);
        return;
    }
    issue = calloc(1, sizeof *issue);
    if (issue == NULL)
        abort();
    issue->l = lightning;
    issue->in = *in;
    issue->cb = cb;
    issue->arg = arg;
    issue->next = lightning->issues;
    issue->self = &lightning->issues;
    if (issue->next != NULL)
        issue->next->self = &issue->next;
    lightning->issues = issue;
    begin(issue);
}
