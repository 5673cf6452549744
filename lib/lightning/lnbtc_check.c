/* SPDX-License-Identifier: Apache-2.0 */
/* Does an invoice say what the terms say, and does a payment prove it?
 * scheme_exact_lnbtc.md, "PaymentRequirements" and "Facilitator Validation". */
#include "lnbtc.h"

/* Step 5: "Strictly decode and verify the accepted invoice and its signature.
 * Require exactly one description hash and no inline description.  Require the
 * signed description hash to equal the 32-byte digest [...].  Require its
 * signing key to equal `requirements.payTo`, its BOLT11 currency to match the
 * network, and its integral millisatoshi amount to equal `requirements.amount`.
 * Require its expiry to equal `requirements.maxTimeoutSeconds`, and require its
 * creation time not to exceed the facilitator's settlement time plus the
 * configured clock-skew allowance." */
static enum x402_err
compare(const struct x402_bolt11 *invoice, const struct x402_lnbtc_terms *terms,
        uint64_t now_s, uint64_t skew_s)
{
    if (!invoice->has_description_hash)
        return X402_ERR_LN_DESCRIPTION;
    if (memcmp(invoice->description_hash, terms->request_hash, 32) != 0)
        return X402_ERR_LN_INVOICE_REQUEST;
    if (memcmp(invoice->payee, terms->pay_to, X402_NODE_LEN) != 0)
        return X402_ERR_LN_INVOICE_PAYEE;
    if (invoice->network != terms->network)
        return X402_ERR_LN_INVOICE_CURRENCY;
    if (!invoice->has_amount ||
        x402_msat_cmp(invoice->amount, terms->amount) != 0)
        return X402_ERR_LN_INVOICE_AMOUNT;
    if (invoice->expiry_s != terms->timeout_s)
        return X402_ERR_LN_INVOICE_EXPIRY;
    if (invoice->created_s > now_s + skew_s)
        return X402_ERR_LN_INVOICE_FUTURE;
    return X402_OK;
}

enum x402_err
x402_lnbtc_check_invoice(struct x402_bolt11 *out, struct x402_span text,
                         const struct x402_lnbtc_terms *terms, uint64_t now_s,
                         uint64_t skew_s)
{
    struct x402_bolt11 invoice;
    enum x402_err err;

    if (x402_bolt11_decode(&invoice, text) != X402_OK)
        return X402_ERR_LN_INVOICE;
    err = compare(&invoice, terms, now_s, skew_s);
    if (err == X402_OK && out != NULL)
        *out = invoice;
    return err;
}

/* Step 1. */
static enum x402_err
compare_core(const struct x402_lnbtc_terms *accepted,
             const struct x402_lnbtc_terms *terms)
{
    if (accepted->network != terms->network)
        return X402_ERR_LN_NETWORK_MISMATCH;
    if (x402_msat_cmp(accepted->amount, terms->amount) != 0)
        return X402_ERR_LN_AMOUNT_MISMATCH;
    if (memcmp(accepted->pay_to, terms->pay_to, X402_NODE_LEN) != 0)
        return X402_ERR_LN_PAY_TO_MISMATCH;
    if (accepted->timeout_s != terms->timeout_s)
        return X402_ERR_LN_TIMEOUT_MISMATCH;
    return X402_OK;
}

/* Step 3: "Require the hashes, profiles, and parameters to match [...]. Every
 * other server-declared `extra` field except `invoice` MUST have the same value
 * in `accepted`; additive client fields MAY remain." */
static enum x402_err
compare_extra(const struct x402_lnbtc_terms *accepted,
              const struct x402_lnbtc_terms *terms)
{
    if (accepted->held != terms->held)
        return X402_ERR_LN_FLOW;
    if (memcmp(accepted->request_hash, terms->request_hash, 32) != 0 ||
        accepted->headers_len != terms->headers_len)
        return X402_ERR_LN_REQUEST;
    for (size_t i = 0; i < terms->headers_len; i++) {
        if (!x402_span_eq(accepted->header[i], terms->header[i]))
            return X402_ERR_LN_REQUEST;
    }
    return terms->has_tag && !accepted->has_tag ? X402_ERR_LN_EXTRA : X402_OK;
}

enum x402_err
x402_lnbtc_check_payment(struct x402_bolt11 *invoice,
                         const struct x402_lnbtc_payment *payment,
                         const struct x402_lnbtc_terms *terms,
                         const struct x402_lnbtc_clock *clock)
{
    enum x402_err err = compare_core(&payment->accepted, terms);

    if (err == X402_OK)
        err = compare_extra(&payment->accepted, terms);
    if (err == X402_OK)
        err = x402_lnbtc_check_invoice(invoice, payment->invoice, terms,
                                       clock->now_s, clock->skew_s);
    if (err != X402_OK)
        return err;
    /* Step 6: "require `SHA-256(preimage_bytes) == payment_hash_bytes`". */
    if (payment->has_preimage &&
        memcmp(payment->payment_hash, invoice->payment_hash, 32) != 0)
        return X402_ERR_LN_PREIMAGE;
    /* Step 7: "The invoice passes the expiry check while `settlement_time <=
     * invoice_end + skew`". */
    if (clock->now_s > invoice->created_s + invoice->expiry_s + clock->grace_s)
        return X402_ERR_LN_INVOICE_EXPIRED;
    return X402_OK;
}

void
x402_lnbtc_id(char out[X402_LNBTC_ID_MAX], enum x402_ln_network network,
              const uint8_t payment_hash[32])
{
    struct x402_buf buf = x402_buf_on(out, X402_LNBTC_ID_MAX - 1);

    /* "The canonical consumption key MUST be the ASCII string: network + ":" +
     * payment_hash" */
    x402_buf_text(&buf, x402_ln_caip2(network));
    x402_buf_char(&buf, ':');
    x402_buf_hex_bare(&buf, payment_hash, 32);
    out[buf.len] = '\0';
}

void
x402_lnbtc_receipt(struct x402_buf *buf, enum x402_err reason,
                   enum x402_ln_network network, const uint8_t payment_hash[32])
{
    if (reason == X402_OK) {
        x402_buf_text(buf, "{\"success\":true,\"transaction\":\"");
        x402_buf_hex_bare(buf, payment_hash, 32);
    } else {
        x402_buf_text(buf, "{\"success\":false,\"errorReason\":\"");
        x402_buf_text(buf, x402_err_info(reason)->v2);
        x402_buf_text(buf, "\",\"transaction\":\"");
    }
    x402_buf_text(buf, "\",\"network\":\"");
    x402_buf_text(buf, x402_ln_caip2(network));
    x402_buf_text(buf, "\"}");
}
