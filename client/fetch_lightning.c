/* SPDX-License-Identifier: Apache-2.0 */
/* --rail lightning: a 402 came and nothing was paid yet.  An earlier payment
 * for the request is gone on with; else the 402's invoice is held against the
 * offer, the request and the user's rules, written down, and paid. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <x402/encode.h>
#include <x402/json.h>

#include "fetch_inside.h"
#include "ln_request.h"
#include "mutant.h"

#define OFFER_MAX (64 * 1024)

/** The 402, as far as this rail goes. */
struct ln_offer {
    json_t *root; /* PaymentRequired */
    json_t *entry;
    struct x402_lnbtc_terms terms;
};

/* ---- reading the 402 ---- */

static json_t *
read_header(const struct fetch *fetch)
{
    struct x402_span header =
        heads_single(&fetch->answer->heads, "payment-required");
    uint8_t *text = malloc(OFFER_MAX);
    json_t *root = NULL;
    size_t len;

    if (text != NULL && header.len > 0 &&
        x402_base64_decode(text, &len, OFFER_MAX, header) == X402_OK &&
        x402_json_load(&root, (struct x402_span){(char *)text, len}, OFFER_MAX,
                       X402_JSON_DEPTH_MAX) != X402_OK)
        root = NULL;
    free(text);
    return root;
}

/* The first entry on our network; what is wrong with a worse one is said. */
static enum x402_err
find_entry(struct ln_offer *offer, enum x402_ln_network network)
{
    json_t *accepts = json_object_get(offer->root, "accepts");
    enum x402_err worst = X402_ERR_NETWORK;

    for (size_t i = 0; i < json_array_size(accepts) && i < 64; i++) {
        json_t *entry = json_array_get(accepts, i);
        enum x402_err err = x402_lnbtc_read_entry(&offer->terms, entry);

        if (err == X402_OK && offer->terms.network == network) {
            offer->entry = entry;
            return X402_OK;
        }
        if (err != X402_ERR_NETWORK)
            worst = err == X402_OK ? X402_ERR_LN_NETWORK : err;
    }
    return worst;
}

/* ---- the checks before paying ---- */

/* "Require the profile to match the actual operation's transport and compute
 * the digest from the intended request [...].  Both the description hash and
 * `extra.requestHash` MUST equal the computed digest." */
static enum x402_err
check_request(struct x402_bolt11 *invoice, const struct fetch *fetch,
              const struct ln_offer *offer)
{
    json_t *resource = json_object_get(offer->root, "resource");
    struct x402_span url;
    uint64_t now = record_now().wall_s;
    uint8_t hash[32];
    enum x402_err err = ln_request_hash(hash, fetch, &offer->terms);

    if (err != X402_OK)
        return err;
    /* "Clients and servers MUST require `PaymentRequired.resource.url` to equal
     * `url`." */
    if (x402_json_string(&url, resource, "url") != X402_OK ||
        !x402_span_eq(url, x402_span_of(fetch->url.text)) ||
        memcmp(hash, offer->terms.request_hash, sizeof(hash)) != 0)
        return X402_ERR_LN_REQUEST;
    if (client_mutant("ln_any_invoice"))
        return x402_bolt11_decode(invoice, offer->terms.invoice);
    err = x402_lnbtc_check_invoice(invoice, offer->terms.invoice, &offer->terms,
                                   now, X402_LNBTC_SKEW_S);
    if (err == X402_OK && x402_bolt11_is_expired(invoice, now + LN_MARGIN_S))
        return X402_ERR_LN_INVOICE_EXPIRED;
    return err;
}

static enum fetch_next
bad_offer(struct fetch *fetch, enum x402_err err)
{
    if (err == X402_ERR_NETWORK)
        return fetch_end(fetch, CLIENT_EXIT_NO_OFFER,
                         "the 402 offers no payment by Lightning");
    return fetch_end(
        fetch,
        err == X402_ERR_LN_NETWORK ? CLIENT_EXIT_NO_OFFER : CLIENT_EXIT_POLICY,
        "the Lightning offer is not paid: %s", x402_err_info(err)->v2);
}

/* true: go on. */
static bool
check_rules(struct fetch *fetch, const struct ln_offer *offer,
            const struct x402_bolt11 *invoice)
{
    const struct ln_limits *limits = &fetch->options->ln;
    char price[LN_BUDGET_TEXT_MAX], max[LN_BUDGET_TEXT_MAX];

    if (limits->pin_payee &&
        memcmp(limits->payee, offer->terms.pay_to, X402_NODE_LEN) != 0) {
        (void)fetch_end(fetch, CLIENT_EXIT_POLICY, "%s",
                        policy_text(POLICY_OTHER_PAYEE));
        return false;
    }
    if (invoice->min_final_cltv > LND_CLTV_MAX) {
        (void)fetch_end(fetch, CLIENT_EXIT_POLICY,
                        "the invoice would lock the money for %u blocks",
                        invoice->min_final_cltv);
        return false;
    }
    if (x402_msat_cmp(offer->terms.amount, limits->max) > 0) {
        ln_money_format(price, offer->terms.amount);
        ln_money_format(max, limits->max);
        (void)fetch_end(fetch, CLIENT_EXIT_POLICY,
                        "the price is %s, above --max-sats %s", price, max);
        return false;
    }
    return true;
}

/* ---- writing it down ---- */

static bool
dump(char *out, size_t cap, const json_t *value)
{
    size_t len;

    if (value == NULL) {
        out[0] = '\0';
        return true;
    }
    len = json_dumpb(value, out, cap - 1, JSON_COMPACT);
    if (len == 0 || len >= cap)
        return false;
    out[len] = '\0';
    return true;
}

static void
fill_request(struct ln_record *record, const struct fetch *fetch)
{
    memset(record, 0, sizeof(*record));
    (void)snprintf(record->method, sizeof(record->method), "%s", fetch->method);
    memcpy(record->url, fetch->url.text, sizeof(record->url));
    memcpy(record->origin, fetch->url.origin, sizeof(record->origin));
    memcpy(record->body32, fetch->body32, sizeof(record->body32));
}

static bool
fill_record(struct ln_record *record, const struct fetch *fetch,
            const struct ln_offer *offer, const struct x402_bolt11 *invoice)
{
    fill_request(record, fetch);
    record->network = offer->terms.network;
    record->held = offer->terms.held;
    memcpy(record->payee, offer->terms.pay_to, X402_NODE_LEN);
    memcpy(record->payment_hash, invoice->payment_hash, 32);
    memcpy(record->request_hash, offer->terms.request_hash, 32);
    record->amount = offer->terms.amount;
    record->max_fee = fetch->options->ln.max_fee;
    record->end_s = invoice->created_s + invoice->expiry_s;
    memcpy(record->invoice, offer->terms.invoice.at, offer->terms.invoice.len);
    record->invoice[offer->terms.invoice.len] = '\0';
    return dump(record->accepted, LN_ENTRY_MAX, offer->entry) &&
           dump(record->resource, LN_RESOURCE_MAX,
                json_object_get(offer->root, "resource"));
}

/* ---- paying ---- */

static void
write_header(struct x402_buf *out, struct x402_buf *scratch,
             const struct ln_record *record)
{
    struct x402_span accepted = x402_span_of(record->accepted);
    struct x402_span resource = x402_span_of(record->resource);

    if (record->held)
        x402_lnbtc_payment_encode_held(out, scratch, accepted, resource,
                                       x402_span_of(record->invoice));
    else
        x402_lnbtc_payment_encode(out, scratch, accepted, resource,
                                  record->preimage);
}

/* What the rest of a run works with: the header, until when, and the file. */
static enum fetch_next
carry(struct fetch *fetch, const struct ln_payment *paid)
{
    struct payment *payment = &fetch->result->payment;
    struct record *record = &payment->record;
    char *scratch = malloc(X402_PAYMENT_HEADER_MAX);
    struct x402_buf more = x402_buf_on(scratch, X402_PAYMENT_HEADER_MAX);
    struct x402_buf header =
        x402_buf_on(record->header, X402_PAYMENT_HEADER_MAX);

    if (scratch == NULL)
        return fetch_end(fetch, CLIENT_EXIT_USAGE, "no memory");
    write_header(&header, &more, &paid->record);
    explicit_bzero(scratch, X402_PAYMENT_HEADER_MAX);
    free(scratch);
    if (header.full)
        return fetch_end(fetch, CLIENT_EXIT_NO_OFFER,
                         "the 402 is too large to be answered");
    record->header[header.len] = '\0';
    record->wire = X402_WIRE_V2;
    record->state = paid->record.state;
    /* a hold invoice's seller gives the money back at its end */
    record->auth.valid_before_s =
        paid->record.end_s + (paid->record.held ? 0 : LN_USABLE_S);
    payment->resumed = paid->resumed;
    payment->in_doubt = paid->resumed && paid->record.state == RECORD_UNKNOWN;
    fetch->result->has_payment = true;
    fetch->carries = true;
    return FETCH_NEXT_SEND;
}

static void
say_payment(const struct fetch *fetch, const struct ln_payment *payment,
            const char *how)
{
    char price[LN_BUDGET_TEXT_MAX], payee[2 * X402_NODE_LEN + 1] = "";
    struct x402_buf buf = x402_buf_on(payee, sizeof(payee) - 1);

    ln_money_format(price, payment->record.amount);
    x402_buf_hex_bare(&buf, payment->record.payee, X402_NODE_LEN);
    say_note(fetch->say, "%s %s by Lightning (%s) to %s", how, price,
             x402_ln_name(payment->record.network), payee);
}

static void
tell(struct fetch_result *result, const struct ln_payment *payment)
{
    struct fetch_lightning *out = &result->lightning;

    out->set = true;
    out->network = payment->record.network;
    out->amount = payment->record.amount;
    out->fee_msat = payment->fee_msat;
    out->paid = payment->record.has_preimage;
    memcpy(out->payee, payment->record.payee, sizeof(out->payee));
    memcpy(out->payment_hash, payment->record.payment_hash, 32);
}

/* With the payment in the journal: until there is a preimage. */
static enum fetch_next
settle(struct fetch *fetch, struct ln_payment *payment, struct lnd *lnd,
       bool *void_now)
{
    char reason[256] = "";
    enum client_exit code = ln_settle(payment, lnd, void_now, reason);
    enum fetch_next next;

    tell(fetch->result, payment);
    fetch->result->payment.entry = payment->entry;
    if (code == CLIENT_EXIT_OK) {
        next = carry(fetch, payment);
        if (next == FETCH_NEXT_SEND) {
            if (payment->record.held && !payment->record.has_preimage)
                fetch->held.lnd = lnd;
            return next;
        }
    } else {
        if (code == CLIENT_EXIT_UNKNOWN)
            fetch->result->outcome = FETCH_UNKNOWN;
        next = fetch_end(fetch, (int)code, "%s", reason);
    }
    journal_close(&fetch->result->payment.entry);
    return next;
}

static enum fetch_next
pay_new(struct fetch *fetch, const char *folder, struct ln_payment *payment,
        struct ln_offer *offer, struct lnd *lnd)
{
    struct x402_bolt11 invoice;
    char reason[256] = "";
    enum x402_err err = check_request(&invoice, fetch, offer);
    enum client_exit code;
    bool void_now;

    if (err != X402_OK)
        return bad_offer(fetch, err);
    if (!check_rules(fetch, offer, &invoice))
        return FETCH_NEXT_END;
    payment->resumed = false;
    if (!fill_record(&payment->record, fetch, offer, &invoice))
        return fetch_end(fetch, CLIENT_EXIT_NO_OFFER,
                         "the 402 is too large to be answered");
    code = ln_write_down(payment, &fetch->journal, folder, &fetch->options->ln,
                         reason);
    if (code == CLIENT_EXIT_UNAFFORDABLE &&
        ln_take_back(&fetch->journal, folder, lnd))
        code = ln_write_down(payment, &fetch->journal, folder,
                             &fetch->options->ln, reason);
    if (code != CLIENT_EXIT_OK)
        return fetch_end(fetch, (int)code, "%s", reason);
    say_payment(fetch, payment, "paying");
    return settle(fetch, payment, lnd, &void_now);
}

/* An earlier run's payment first: it costs nothing more. */
static enum fetch_next
pay(struct fetch *fetch, const char *folder, struct ln_payment *payment,
    struct ln_offer *offer, enum x402_err found, struct lnd *lnd)
{
    char reason[256] = "";
    enum client_exit code;
    enum fetch_next next;
    bool void_now;

    fill_request(&payment->record, fetch);
    code = ln_take_earlier(payment, &fetch->journal, folder, fetch->earlier,
                           reason);
    if (code != CLIENT_EXIT_OK)
        return fetch_end(fetch, (int)code, "%s", reason);
    if (payment->entry.fd >= 0) {
        say_payment(fetch, payment, "going on with the payment of");
        next = settle(fetch, payment, lnd, &void_now);
        if (!void_now)
            return next;
        say_note(fetch->say, "%s", fetch->result->reason);
    }
    if (found != X402_OK)
        return bad_offer(fetch, found);
    return pay_new(fetch, folder, payment, offer, lnd);
}

static enum fetch_next
with_node(struct fetch *fetch, struct ln_offer *offer, enum x402_err found)
{
    struct ln_payment *payment = calloc(1, sizeof(*payment));
    char folder[PATHS_MAX] = "";
    struct lnd *lnd;
    enum fetch_next next;

    if (payment == NULL)
        return fetch_end(fetch, CLIENT_EXIT_USAGE, "no memory");
    if (!output_open(fetch->output)) {
        free(payment);
        return fetch_end(fetch, CLIENT_EXIT_WRITE, "the output failed");
    }
    if (!journal_open(&fetch->journal) || !ln_journal_open(folder)) {
        free(payment);
        return fetch_end(fetch, CLIENT_EXIT_STATE, "the journal %.150s: %s",
                         fetch->journal.folder, strerror(errno));
    }
    lnd = lnd_open(&fetch->options->lnd);
    next = lnd == NULL ? fetch_end(fetch, CLIENT_EXIT_WALLET,
                                   "the Lightning node cannot be used")
                       : pay(fetch, folder, payment, offer, found, lnd);
    if (fetch->held.lnd == NULL)
        lnd_close(lnd);
    explicit_bzero(payment, sizeof(*payment));
    free(payment);
    return next;
}

static enum fetch_next
show_only(struct fetch *fetch, const struct ln_offer *offer,
          enum x402_err found)
{
    struct x402_bolt11 invoice;
    enum x402_err err = found;
    struct ln_payment shown;

    if (err == X402_OK)
        err = check_request(&invoice, fetch, offer);
    if (err != X402_OK)
        return bad_offer(fetch, err);
    memset(&shown, 0, sizeof(shown));
    (void)fill_record(&shown.record, fetch, offer, &invoice);
    tell(fetch->result, &shown);
    if (!check_rules(fetch, offer, &invoice))
        return FETCH_NEXT_END;
    fetch->result->outcome = FETCH_WOULD_PAY;
    return fetch_end(fetch, CLIENT_EXIT_OK, "%s", "");
}

enum fetch_next
fetch_402_lightning(struct fetch *fetch)
{
    struct ln_offer offer = {.root = read_header(fetch)};
    struct policy_case the_case = {
        .url = &fetch->url,
        .peer_loopback = fetch->answer->peer_loopback,
    };
    enum policy_verdict verdict;
    enum fetch_next next;
    enum x402_err found;

    fetch->result->outcome = FETCH_NOT_PAID;
    if (x402_json_string(&the_case.resource,
                         json_object_get(offer.root, "resource"),
                         "url") != X402_OK)
        the_case.resource = (struct x402_span){NULL, 0};
    verdict = policy_place(&fetch->options->policy, &the_case);
    found = find_entry(&offer, fetch->options->lnd.network);
    if (verdict != POLICY_PAY)
        next = fetch_end(fetch, CLIENT_EXIT_POLICY, "%s", policy_text(verdict));
    else if (fetch->options->dry_run)
        next = show_only(fetch, &offer, found);
    else
        next = with_node(fetch, &offer, found);
    json_decref(offer.root);
    return next;
}
