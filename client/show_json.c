/* SPDX-License-Identifier: Apache-2.0 */
/* A run's end for scripts. */
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include <x402/encode.h>

#include "show.h"

static void
put_address(json_t *object, const char *key, const struct x402_address *address)
{
    char text[X402_ADDRESS_TEXT_LEN + 1];

    x402_address_format(text, address);
    json_object_set_new(object, key, json_string(text));
}

static void
put_amount(json_t *object, const struct x402_amount *amount,
           const struct x402_asset *asset)
{
    char text[X402_AMOUNT_TEXT_MAX + 3 + 18];

    (void)x402_amount_format(text, amount);
    json_object_set_new(object, "amount", json_string(text));
    if (asset == NULL)
        return;
    (void)x402_amount_format_decimal(text, amount, asset->decimals, 0);
    json_object_set_new(object, "price", json_string(text));
    json_object_set_new(object, "symbol", json_string(asset->symbol));
    json_object_set_new(object, "asset", json_string(asset->address_text));
}

static void
put_network(json_t *object, uint64_t chain_id)
{
    const struct x402_network *network = x402_network_by_id(chain_id);

    if (network != NULL)
        json_object_set_new(object, "network", json_string(network->caip2));
}

static json_t *
offer_object(const struct fetch_result *result)
{
    json_t *object = json_object();

    json_object_set_new(object, "wire",
                        json_string(record_wire_name(result->wire)));
    put_network(object, result->offer.asset->chain_id);
    put_amount(object, &result->offer.amount, result->offer.asset);
    put_address(object, "payTo", &result->offer.pay_to);
    return object;
}

static void
put_bare(json_t *object, const char *key, const uint8_t *bytes, size_t len)
{
    char text[2 * 64 + 1];
    struct x402_buf buf = x402_buf_on(text, sizeof(text));

    x402_buf_hex_bare(&buf, bytes, len);
    json_object_set_new(object, key, json_stringn(text, buf.len));
}

static json_t *
lightning_object(const struct fetch_result *result)
{
    const struct fetch_lightning *rail = &result->lightning;
    char text[X402_MSAT_TEXT_MAX + 1];
    json_t *object = json_object();

    json_object_set_new(object, "network",
                        json_string(x402_ln_caip2(rail->network)));
    (void)x402_msat_format(text, rail->amount);
    json_object_set_new(object, "msat", json_string(text));
    put_bare(object, "payTo", rail->payee, sizeof(rail->payee));
    put_bare(object, "paymentHash", rail->payment_hash, 32);
    json_object_set_new(object, "paid", json_boolean(rail->paid));
    if (rail->paid)
        json_object_set_new(object, "feeMsat",
                            json_integer((json_int_t)rail->fee_msat));
    if (!result->has_payment)
        return object;
    json_object_set_new(
        object, "state",
        json_string(record_state_name(result->payment.record.state)));
    json_object_set_new(object, "sends", json_integer(result->sends));
    json_object_set_new(object, "resumed",
                        json_boolean(result->payment.resumed));
    json_object_set_new(object, "file",
                        json_string(result->payment.entry.path));
    return object;
}

static json_t *
payment_object(const struct fetch_result *result)
{
    const struct record *record = &result->payment.record;
    char nonce[2 * 32 + 3];
    json_t *object = json_object();

    x402_hex_encode(nonce, record->auth.nonce, sizeof(record->auth.nonce));
    json_object_set_new(object, "state",
                        json_string(record_state_name(record->state)));
    json_object_set_new(object, "wire",
                        json_string(record_wire_name(record->wire)));
    put_network(object, record->chain_id);
    put_amount(object, &record->auth.value,
               x402_asset_by_address(record->chain_id, &record->asset));
    put_address(object, "payTo", &record->auth.to);
    put_address(object, "payer", &record->auth.from);
    json_object_set_new(object, "nonce", json_string(nonce));
    json_object_set_new(object, "validBefore",
                        json_integer((json_int_t)record->auth.valid_before_s));
    json_object_set_new(object, "sends", json_integer(result->sends));
    json_object_set_new(object, "resumed",
                        json_boolean(result->payment.resumed));
    json_object_set_new(object, "file",
                        json_string(result->payment.entry.path));
    return object;
}

/* The server's words, named so that nobody takes them for more. */
static json_t *
receipt_object(const struct x402_receipt *receipt)
{
    char transaction[2 * 32 + 3];
    json_t *object = json_object();

    json_object_set_new(object, "success", json_boolean(receipt->success));
    if (!receipt->success)
        json_object_set_new(object, "reason",
                            json_string(x402_err_info(receipt->reason)->v2));
    put_network(object, receipt->chain_id);
    put_address(object, "payer", &receipt->payer);
    if (receipt->has_transaction) {
        x402_hex_encode(transaction, receipt->transaction,
                        sizeof(receipt->transaction));
        json_object_set_new(object, "transaction", json_string(transaction));
    }
    return object;
}

/* As text when it is text, else as base64. */
static void
put_body(json_t *object, const struct output *output)
{
    const struct blob *body = &output->captured;
    json_t *text = json_stringn(body->at == NULL ? "" : body->at, body->len);
    char *base64;

    if (output->capture_cut)
        json_object_set_new(object, "bodyCut", json_true());
    if (text != NULL) {
        json_object_set_new(object, "body", text);
        return;
    }
    base64 = malloc(X402_BASE64_LEN(body->len) + 1);
    if (base64 == NULL)
        return;
    json_object_set_new(
        object, "bodyBase64",
        json_stringn(
            base64,
            x402_base64_encode(base64, (const uint8_t *)body->at, body->len)));
    free(base64);
}

bool
show_json(const struct fetch_result *result, const struct output *output)
{
    json_t *object = json_object();
    bool ok;

    json_object_set_new(object, "outcome",
                        json_string(fetch_outcome_name(result->outcome)));
    json_object_set_new(object, "exit", json_integer(result->exit));
    json_object_set_new(object, "status", json_integer(result->status));
    json_object_set_new(object, "url", json_string(result->url));
    if (result->reason[0] != '\0')
        json_object_set_new(object, "reason", json_string(result->reason));
    if (result->has_offer)
        json_object_set_new(object, "offer", offer_object(result));
    if (result->lightning.set)
        json_object_set_new(object, "lightning", lightning_object(result));
    else if (result->has_payment)
        json_object_set_new(object, "payment", payment_object(result));
    if (result->has_receipt)
        json_object_set_new(object, "serverReceipt",
                            receipt_object(&result->receipt));
    if (output->capture)
        put_body(object, output);
    ok = json_dumpf(object, stdout, JSON_COMPACT | JSON_ENSURE_ASCII) == 0 &&
         fputc('\n', stdout) != EOF && fflush(stdout) == 0;
    json_decref(object);
    return ok;
}
