/* SPDX-License-Identifier: Apache-2.0 */
/* Version 2's payment: {x402Version:2, accepted, payload, resource?,
 * extensions?}.  `accepted` is the client's copy of the requirement it chose.
 * It is read to be compared with ours and for nothing else. */
#include "wire.h"

/* `scheme` and `network` stand in `accepted`.  Copies beside it (the shape of
 * version 1) are taken only when they say the same. */
static bool
copy_agrees(const json_t *object, const json_t *accepted, const char *key)
{
    const json_t *copy = json_object_get(object, key);

    return copy == NULL || json_equal(copy, json_object_get(accepted, key));
}

static enum x402_err
network_read(struct x402_payment *out, const json_t *accepted)
{
    struct x402_span text;
    const struct x402_network *network;
    enum x402_err err = x402_json_string(&text, accepted, "network");

    if (err != X402_OK)
        return err;
    network = x402_network_by_caip2(text);
    if (network == NULL)
        return X402_ERR_NETWORK;
    out->chain_id = network->chain_id;
    return X402_OK;
}

static enum x402_err
extra_read(struct x402_payment *out, const json_t *accepted)
{
    const struct x402_asset *asset =
        x402_asset_by_address(out->chain_id, &out->accepted_asset);
    const json_t *extra;
    enum x402_err err = wire_optional_object(&extra, accepted, "extra");

    if (err != X402_OK)
        return err;
    /* Permit2's domain is its own: name and version serve EIP-2612 at most. */
    if (out->method != X402_METHOD_EIP3009) {
        out->accepted_method_wrong = !wire_transfer_may_be_permit2(extra);
        return X402_OK;
    }
    out->accepted_domain_wrong = asset == NULL || !wire_domain_is(extra, asset);
    out->accepted_method_wrong = !wire_transfer_is_eip3009(extra);
    return X402_OK;
}

static enum x402_err
accepted_read(struct x402_payment *out, const json_t *accepted)
{
    enum x402_err err =
        x402_json_address(&out->accepted_asset, accepted, "asset");

    if (err == X402_OK)
        err = x402_json_address(&out->accepted_pay_to, accepted, "payTo");
    if (err == X402_OK)
        err = x402_json_amount(&out->accepted_amount, accepted, "amount");
    if (err == X402_OK)
        err = wire_timeout_read(&out->accepted_timeout_s, accepted);
    if (err == X402_OK)
        err = extra_read(out, accepted);
    out->has_accepted = true;
    return err;
}

enum x402_err
payment_v2_read(struct x402_payment *out, const json_t *object)
{
    const json_t *accepted;
    bool upto;
    enum x402_err err = x402_json_object(&accepted, object, "accepted");

    out->wire = X402_WIRE_V2;
    if (err != X402_OK)
        return err;
    if (!copy_agrees(object, accepted, "scheme") ||
        !copy_agrees(object, accepted, "network"))
        return X402_ERR_SYNTAX;
    err = wire_scheme_read(&upto, accepted);
    if (err == X402_OK && upto)
        out->method = X402_METHOD_PERMIT2_UPTO;
    if (err == X402_OK)
        err = network_read(out, accepted);
    if (err == X402_OK)
        err = wire_payload_read(out, object);
    if (err == X402_OK)
        err = accepted_read(out, accepted);
    if (err == X402_OK && out->method != X402_METHOD_EIP3009)
        sponsor_read(out, object);
    return err;
}
