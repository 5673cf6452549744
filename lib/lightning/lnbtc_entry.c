/* SPDX-License-Identifier: Apache-2.0 */
/* The lnbtc entry of `accepts`, written and read. */
#include "lnbtc.h"

#include <secp256k1.h>

#include <x402/encode.h>
#include <x402/json.h>

static void
write_extra(struct x402_buf *buf, const struct x402_lnbtc_terms *terms)
{
    x402_buf_text(buf,
                  "{\"assetTransferMethod\":\"bolt11\",\"paymentFlow\":\"");
    x402_buf_text(buf, terms->held ? "authorization" : "upfront");
    x402_buf_text(buf, "\",\"paymentMethod\":\"lightning\",\"requestHash\":\"");
    x402_buf_hex_bare(buf, terms->request_hash, sizeof terms->request_hash);
    x402_buf_text(buf, "\",\"requestBindingProfile\":\"http:1\","
                       "\"requestBindingParams\":{\"headers\":[");
    for (size_t i = 0; i < terms->headers_len; i++) {
        if (i > 0)
            x402_buf_char(buf, ',');
        x402_buf_json(buf, terms->header[i]);
    }
    x402_buf_text(buf, "]},\"invoice\":");
    x402_buf_json(buf, terms->invoice);
    x402_buf_char(buf, '}');
}

void
x402_lnbtc_write_entry(struct x402_buf *buf,
                       const struct x402_lnbtc_terms *terms)
{
    x402_buf_text(buf, "{\"scheme\":\"exact\",\"network\":\"");
    x402_buf_text(buf, x402_ln_caip2(terms->network));
    x402_buf_text(buf, "\",\"amount\":\"");
    x402_buf_u64(buf, terms->amount.value);
    x402_buf_text(buf, "\",\"asset\":\"BTC\",\"payTo\":\"");
    x402_buf_hex_bare(buf, terms->pay_to, sizeof terms->pay_to);
    x402_buf_text(buf, "\",\"maxTimeoutSeconds\":");
    x402_buf_u64(buf, terms->timeout_s);
    x402_buf_text(buf, ",\"extra\":");
    write_extra(buf, terms);
    x402_buf_char(buf, '}');
}

static bool
is_text(const json_t *object, const char *key, const char *text)
{
    struct x402_span got;

    return x402_json_string(&got, object, key) == X402_OK &&
           x402_span_eq(got, x402_span_of(text));
}

/* "`payTo` MUST be the receiver node's valid compressed secp256k1 public key:
 * exactly 33 bytes encoded as 66 lowercase hexadecimal characters without a
 * prefix." */
static bool
read_node(uint8_t out[X402_NODE_LEN], const json_t *entry)
{
    struct x402_span text;
    secp256k1_pubkey point;

    return x402_json_string(&text, entry, "payTo") == X402_OK &&
           x402_hex_decode_bare(out, X402_NODE_LEN, text) == X402_OK &&
           secp256k1_ec_pubkey_parse(secp256k1_context_static, &point, out,
                                     X402_NODE_LEN);
}

/* The core fields, in the order of the facilitator's step 2. */
static enum x402_err
read_core(struct x402_lnbtc_terms *out, const json_t *entry)
{
    const json_t *timeout = json_object_get(entry, "maxTimeoutSeconds");
    struct x402_span text;

    if (!is_text(entry, "scheme", "exact"))
        return X402_ERR_LN_SCHEME;
    if (x402_json_string(&text, entry, "network") != X402_OK ||
        x402_ln_by_caip2(&out->network, text) != X402_OK)
        return X402_ERR_LN_NETWORK;
    if (!is_text(entry, "asset", "BTC"))
        return X402_ERR_LN_ASSET;
    if (x402_json_string(&text, entry, "amount") != X402_OK ||
        x402_msat_parse(&out->amount, text) != X402_OK)
        return X402_ERR_LN_AMOUNT;
    if (!json_is_integer(timeout) || json_integer_value(timeout) <= 0 ||
        json_integer_value(timeout) > UINT32_MAX)
        return X402_ERR_LN_TIMEOUT;
    out->timeout_s = (uint32_t)json_integer_value(timeout);
    return read_node(out->pay_to, entry) ? X402_OK : X402_ERR_LN_PAY_TO;
}

/* "`extra.requestBindingParams` MUST contain exactly one member, `headers`" */
static enum x402_err
read_params(struct x402_lnbtc_terms *out, const json_t *extra)
{
    const json_t *params = json_object_get(extra, "requestBindingParams");
    const json_t *headers = json_object_get(params, "headers");

    if (json_object_size(params) != 1 || !json_is_array(headers) ||
        json_array_size(headers) > X402_LNBTC_HEADERS_MAX)
        return X402_ERR_LN_BINDING;
    out->headers_len = json_array_size(headers);
    for (size_t i = 0; i < out->headers_len; i++) {
        const json_t *name = json_array_get(headers, i);

        if (!json_is_string(name))
            return X402_ERR_LN_BINDING;
        out->header[i] = (struct x402_span){json_string_value(name),
                                            json_string_length(name)};
    }
    return lnbtc_check_names(out->header, out->headers_len);
}

static enum x402_err
read_binding(struct x402_lnbtc_terms *out, const json_t *extra)
{
    struct x402_span text;

    if (x402_json_string(&text, extra, "requestHash") != X402_OK ||
        x402_hex_decode_bare(out->request_hash, 32, text) != X402_OK ||
        !is_text(extra, "requestBindingProfile", "http:1"))
        return X402_ERR_LN_BINDING;
    return read_params(out, extra);
}

/* Absent is fine, another value is not. */
static bool
is_absent_or(const json_t *object, const char *key, const char *text)
{
    return json_object_get(object, key) == NULL || is_text(object, key, text);
}

static enum x402_err
read_extra(struct x402_lnbtc_terms *out, const json_t *extra)
{
    enum x402_err err;

    /* "Any explicit value MUST be `"bolt11"`." */
    if (!is_absent_or(extra, "assetTransferMethod", "bolt11"))
        return X402_ERR_LN_METHOD;
    /* The scheme knows "upfront" alone; a hold invoice is the other flow of
     * scheme_exact.md. */
    out->held = is_text(extra, "paymentFlow", "authorization");
    if (!out->held && !is_text(extra, "paymentFlow", "upfront"))
        return X402_ERR_LN_FLOW;
    err = read_binding(out, extra);
    if (err != X402_OK)
        return err;
    if (!is_absent_or(extra, "paymentMethod", "lightning"))
        return X402_ERR_LN_EXTRA;
    out->has_tag = json_object_get(extra, "paymentMethod") != NULL;
    if (x402_json_string(&out->invoice, extra, "invoice") != X402_OK ||
        out->invoice.len == 0)
        return X402_ERR_LN_INVOICE_MISSING;
    return X402_OK;
}

/* An entry for somebody else: its network is a name, and not one of lnbtc. */
static bool
is_foreign(const json_t *entry)
{
    struct x402_span network;

    return x402_json_string(&network, entry, "network") != X402_OK ||
           network.len < 6 || memcmp(network.at, "lnbtc:", 6) != 0;
}

enum x402_err
x402_lnbtc_read_entry(struct x402_lnbtc_terms *out, const json_t *entry)
{
    enum x402_err err;

    if (is_foreign(entry))
        return X402_ERR_NETWORK;
    err = read_core(out, entry);
    return err == X402_OK ? read_extra(out, json_object_get(entry, "extra"))
                          : err;
}
