/* SPDX-License-Identifier: Apache-2.0 */
/* PAYMENT-SIGNATURE with a preimage in it, read and written. */
#include <x402/lnbtc.h>

#include <x402/encode.h>
#include <x402/payment.h>

#include "../wire/wire.h"
#include "preimage.h"

/* A payload without a preimage names the invoice instead, as some clients do;
 * whether that is enough is the caller's to say. */
static enum x402_err
read_payload(struct x402_lnbtc_payment *out, const json_t *payload)
{
    struct x402_span invoice;

    if (json_object_get(payload, "preimage") == NULL &&
        x402_json_string(&invoice, payload, "invoice") == X402_OK)
        return x402_span_eq(invoice, out->invoice) ? X402_OK
                                                   : X402_ERR_LN_INVOICE;
    out->has_preimage = true;
    return preimage_read(out->preimage, out->payment_hash, payload);
}

enum x402_err
x402_lnbtc_payment_from_json(struct x402_lnbtc_payment *out,
                             const json_t *object)
{
    const json_t *version = json_object_get(object, "x402Version");
    const json_t *accepted, *payload;
    enum x402_err err = x402_json_object(&accepted, object, "accepted");

    memset(out, 0, sizeof *out);
    if (err != X402_OK)
        return err;
    err = x402_lnbtc_read_entry(&out->accepted, accepted);
    if (err == X402_ERR_NETWORK)
        return err;
    if (!json_is_integer(version) || json_integer_value(version) != 2)
        return X402_ERR_VERSION;
    if (err != X402_OK)
        return err;
    out->invoice = out->accepted.invoice;
    err = x402_json_object(&payload, object, "payload");
    return err == X402_OK ? read_payload(out, payload) : err;
}

enum x402_err
x402_lnbtc_payment_decode(json_t **owner, struct x402_lnbtc_payment *out,
                          struct x402_span header)
{
    uint8_t text[X402_BASE64_DECODED_MAX(X402_PAYMENT_HEADER_MAX)];
    json_t *object;
    size_t len;
    enum x402_err err;

    if (header.len > X402_PAYMENT_HEADER_MAX)
        return X402_ERR_TOO_LARGE;
    err = x402_base64_decode(text, &len, sizeof text, header);
    if (err != X402_OK)
        return err;
    err = x402_json_load(&object, hash_bytes(text, len), sizeof text,
                         WIRE_PAYMENT_DEPTH);
    if (err != X402_OK)
        return err;
    err = x402_lnbtc_payment_from_json(out, object);
    if (err == X402_OK)
        *owner = object;
    else
        json_decref(object);
    return err;
}

/* Everything around the payload. */
static void
put_payment(struct x402_buf *out, struct x402_span accepted_json,
            struct x402_span resource_json)
{
    x402_buf_text(out, "{\"x402Version\":2,");
    if (resource_json.len > 0) {
        x402_buf_text(out, "\"resource\":");
        x402_buf_add(out, resource_json);
        x402_buf_char(out, ',');
    }
    x402_buf_text(out, "\"accepted\":");
    x402_buf_add(out, accepted_json);
    x402_buf_text(out, ",\"payload\":");
}

static void
put_base64(struct x402_buf *out, const struct x402_buf *scratch)
{
    out->full |= scratch->full;
    x402_buf_base64(out, (const uint8_t *)scratch->at, scratch->len);
}

void
x402_lnbtc_payment_encode(struct x402_buf *out, struct x402_buf *scratch,
                          struct x402_span accepted_json,
                          struct x402_span resource_json,
                          const uint8_t preimage[32])
{
    put_payment(scratch, accepted_json, resource_json);
    x402_buf_text(scratch, "{\"preimage\":\"");
    x402_buf_hex_bare(scratch, preimage, 32);
    x402_buf_text(scratch, "\"}}");
    put_base64(out, scratch);
}

void
x402_lnbtc_payment_encode_held(struct x402_buf *out, struct x402_buf *scratch,
                               struct x402_span accepted_json,
                               struct x402_span resource_json,
                               struct x402_span invoice)
{
    put_payment(scratch, accepted_json, resource_json);
    x402_buf_text(scratch, "{\"invoice\":");
    x402_buf_json(scratch, invoice);
    x402_buf_text(scratch, "}}");
    put_base64(out, scratch);
}
