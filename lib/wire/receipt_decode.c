/* SPDX-License-Identifier: Apache-2.0 */
/* SettleResponse, read by a client.  The server says it; the chain is the
 * truth. */
#include <string.h>

#include <x402/encode.h>

#include "receipt.h"
#include "wire.h"

/* A reason by the text of version 2, then of version 1; the first row of
 * several with the same text.  A text we do not know says nothing that we could
 * act on. */
enum x402_err
wire_reason(struct x402_span text)
{
    for (int m = X402_METHOD_EIP3009; m <= X402_METHOD_LAST; m++) {
        for (int i = X402_ERR_SYNTAX; i < X402_ERR_COUNT; i++) {
            if (wire_is(text, x402_err_reason((enum x402_err)i, 2,
                                              (enum x402_method)m)))
                return (enum x402_err)i;
        }
    }
    for (int i = X402_ERR_SYNTAX; i < X402_ERR_COUNT; i++) {
        if (wire_is(text, x402_err_info((enum x402_err)i)->v1))
            return (enum x402_err)i;
    }
    return X402_ERR_INTERNAL;
}

static enum x402_err
success_read(struct x402_receipt *out, const json_t *object)
{
    const json_t *success = json_object_get(object, "success");
    struct x402_span reason;

    if (!json_is_boolean(success))
        return X402_ERR_SYNTAX;
    out->success = json_is_true(success);
    if (out->success)
        return X402_OK;
    out->reason = X402_ERR_INTERNAL;
    if (x402_json_string(&reason, object, "errorReason") == X402_OK)
        out->reason = wire_reason(reason);
    return X402_OK;
}

static enum x402_err
network_read(struct x402_receipt *out, const json_t *object)
{
    struct x402_span text;
    const struct x402_network *network;
    enum x402_err err = x402_json_string(&text, object, "network");

    if (err != X402_OK)
        return err;
    out->wire = X402_WIRE_V2;
    network = x402_network_by_caip2(text);
    if (network == NULL) {
        out->wire = X402_WIRE_V1;
        network = x402_network_by_v1_name(text);
    }
    if (network == NULL)
        return X402_ERR_NETWORK;
    out->chain_id = network->chain_id;
    return X402_OK;
}

static enum x402_err
transaction_read(struct x402_receipt *out, const json_t *object)
{
    struct x402_span text;
    enum x402_err err = x402_json_string(&text, object, "transaction");

    if (err != X402_OK || text.len == 0)
        return err;
    out->has_transaction = true;
    return x402_hex_decode(out->transaction, sizeof(out->transaction), text);
}

static enum x402_err
object_read(struct x402_receipt *out, const json_t *object)
{
    enum x402_err err = success_read(out, object);

    if (err == X402_OK)
        err = network_read(out, object);
    if (err == X402_OK)
        err = transaction_read(out, object);
    if (err == X402_OK && wire_says_something(object, "payer"))
        err = x402_json_address(&out->payer, object, "payer");
    if (err == X402_OK && wire_says_something(object, "amount"))
        err = x402_json_amount(&out->amount, object, "amount");
    return err;
}

enum x402_err
x402_receipt_decode(struct x402_receipt *out, struct x402_span header)
{
    uint8_t text[X402_BASE64_DECODED_MAX(RECEIPT_READ_MAX)];
    size_t len;
    json_t *object;
    enum x402_err err;

    memset(out, 0, sizeof(*out));
    if (header.len > RECEIPT_READ_MAX)
        return X402_ERR_TOO_LARGE;
    err = x402_base64_decode(text, &len, sizeof(text), header);
    if (err != X402_OK)
        return err;
    err = x402_json_load(&object, (struct x402_span){(const char *)text, len},
                         len, WIRE_PAYMENT_DEPTH);
    if (err != X402_OK)
        return err;
    err = object_read(out, object);
    json_decref(object);
    return err;
}
