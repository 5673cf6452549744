/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of a stranger's `accepts`. */
#include "challenge.h"

static const struct x402_network *
network_of(enum x402_wire wire, struct x402_span text)
{
    return wire == X402_WIRE_V1 ? x402_network_by_v1_name(text)
                                : x402_network_by_caip2(text);
}

static enum x402_err
asset_read(const struct x402_asset **out, enum x402_wire wire,
           const json_t *entry)
{
    struct x402_span text;
    struct x402_address address;
    const struct x402_network *network;
    const struct x402_asset *asset;
    enum x402_err err = x402_json_string(&text, entry, "network");

    if (err != X402_OK)
        return err;
    network = network_of(wire, text);
    if (network == NULL)
        return X402_ERR_NETWORK;
    err = x402_json_address(&address, entry, "asset");
    if (err != X402_OK)
        return err;
    asset = x402_asset_by_address(network->chain_id, &address);
    if (asset == NULL)
        return X402_ERR_ASSET;
    *out = asset;
    return X402_OK;
}

/* Version 2 writes `amount`, version 1 and seed 000 `maxAmountRequired`.  An
 * entry with both must mean one price. */
static enum x402_err
amount_read(struct x402_amount *out, enum x402_wire wire, const json_t *entry)
{
    struct x402_amount other;
    const char *key = wire == X402_WIRE_V2 ? "amount" : "maxAmountRequired";
    const char *twin = wire == X402_WIRE_V2 ? "maxAmountRequired" : "amount";
    enum x402_err err = x402_json_amount(out, entry, key);

    if (err != X402_OK)
        return err;
    if (x402_amount_is_zero(out))
        return X402_ERR_AMOUNT;
    if (json_object_get(entry, twin) == NULL)
        return X402_OK;
    err = x402_json_amount(&other, entry, twin);
    if (err == X402_OK && x402_amount_cmp(out, &other) != 0)
        err = X402_ERR_AMOUNT;
    return err;
}

/* paymentFlow: "authorization" is the default; with "upfront" the server
 * settles before it works, which is the same for the payer.  Any other may
 * take more than one transfer. */
static bool
flow_is_known(const json_t *extra)
{
    return extra == NULL || json_object_get(extra, "paymentFlow") == NULL ||
           wire_extra_is(extra, "paymentFlow", "authorization") ||
           wire_extra_is(extra, "paymentFlow", "upfront");
}

/* extra.name is not compared: seed 000 prints "USDC" for a token whose domain
 * says "USD Coin".  We sign with the domain of our table in any case. */
static enum x402_err
method_read(struct x402_requirement *out, enum x402_wire wire,
            const json_t *extra, bool upto)
{
    bool permit2 = !wire_transfer_is_eip3009(extra) ||
                   out->asset->transfer == X402_TRANSFER_PERMIT2;

    if (!upto && !permit2)
        return X402_OK;
    /* only version 2 can carry it */
    if (wire != X402_WIRE_V2 || !wire_transfer_may_be_permit2(extra))
        return X402_ERR_SCHEME;
    out->method = upto ? X402_METHOD_PERMIT2_UPTO : X402_METHOD_PERMIT2_EXACT;
    if (!upto)
        return X402_OK;
    return wire_party_read(&out->facilitator, extra, "facilitatorAddress");
}

static enum x402_err
extra_read(struct x402_requirement *out, enum x402_wire wire,
           const json_t *entry, bool upto)
{
    const json_t *extra;
    enum x402_err err = wire_optional_object(&extra, entry, "extra");

    if (err != X402_OK)
        return err;
    if (!flow_is_known(extra))
        return X402_ERR_SCHEME;
    return method_read(out, wire, extra, upto);
}

enum x402_err
challenge_entry_read(struct x402_choice *out, enum x402_wire wire,
                     const json_t *entry)
{
    struct x402_requirement *requirement = &out->requirement;
    bool upto;
    enum x402_err err = wire_scheme_read(&upto, entry);

    *out = (struct x402_choice){.wire = wire};
    if (err == X402_OK)
        err = asset_read(&requirement->asset, wire, entry);
    if (err == X402_OK)
        err = x402_json_address(&requirement->pay_to, entry, "payTo");
    if (err == X402_OK && x402_address_is_zero(&requirement->pay_to))
        err = X402_ERR_PAYEE;
    if (err == X402_OK)
        err = amount_read(&requirement->amount, wire, entry);
    if (err == X402_OK)
        err = wire_timeout_read(&requirement->timeout_s, entry);
    if (err == X402_OK)
        err = extra_read(requirement, wire, entry, upto);
    return err;
}
