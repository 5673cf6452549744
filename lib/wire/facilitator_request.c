/* SPDX-License-Identifier: Apache-2.0 */
/* VerifyRequest and SettleRequest: {x402Version, paymentPayload,
 * paymentRequirements}.  Two halves that both name a scheme and a network; they
 * must agree before anything is checked further. */
#include <string.h>

#include <x402/encode.h>
#include <x402/facilitator.h>

#include "wire.h"

/* One level more than a payment alone has. */
enum { DEPTH = WIRE_PAYMENT_DEPTH + 1 };

/* Whatever is wrong with the form of the requirement is one thing to a caller.
 */
static enum x402_err
as_requirement(enum x402_err err)
{
    return err == X402_OK ? X402_OK : X402_ERR_REQUIREMENT;
}

/* Version 2 says `amount`, version 1 `maxAmountRequired`.  Sellers of seed 000
 * write the latter, or both, under version 2. */
/* A text that is no amount ("007", "1e3", "-1") is an amount that is not paid;
 * anything but a text is a malformed request. */
static enum x402_err
one_amount_read(struct x402_amount *out, const json_t *object, const char *key)
{
    if (!json_is_string(json_object_get(object, key)))
        return X402_ERR_REQUIREMENT;
    return x402_json_amount(out, object, key) == X402_OK ? X402_OK
                                                         : X402_ERR_AMOUNT;
}

static enum x402_err
amount_read(struct x402_amount *out, const json_t *object, int version,
            enum x402_wire wire)
{
    const char *key = version == 2 ? "amount" : "maxAmountRequired";
    const char *other = "maxAmountRequired";
    struct x402_amount twin;
    enum x402_err err;

    if (wire == X402_WIRE_SEED000 && json_object_get(object, "amount") == NULL)
        key = other;
    err = one_amount_read(out, object, key);
    if (err != X402_OK)
        return err;
    if (wire == X402_WIRE_SEED000 && json_object_get(object, other) != NULL &&
        (x402_json_amount(&twin, object, other) != X402_OK ||
         x402_amount_cmp(out, &twin) != 0))
        return X402_ERR_REQUIREMENT;
    return X402_OK;
}

static enum x402_err
network_read(uint64_t *chain_id, const json_t *object, int version)
{
    struct x402_span text;
    const struct x402_network *network;

    if (x402_json_string(&text, object, "network") != X402_OK)
        return X402_ERR_REQUIREMENT;
    network = version == 2 ? x402_network_by_caip2(text)
                           : x402_network_by_v1_name(text);
    if (network == NULL)
        return X402_ERR_NETWORK;
    *chain_id = network->chain_id;
    return X402_OK;
}

/* Version 1's official server left `extra` out where the facilitator knew the
 * token; what is there must be right all the same. */
static enum x402_err
extra_check(const json_t *object, enum x402_method method,
            const struct x402_asset *asset, int version)
{
    const json_t *extra;

    if (wire_optional_object(&extra, object, "extra") != X402_OK)
        return X402_ERR_REQUIREMENT;
    if (method != X402_METHOD_EIP3009)
        return wire_transfer_may_be_permit2(extra) ? X402_OK
                                                   : X402_ERR_PAYLOAD_TYPE;
    if (asset->transfer != X402_TRANSFER_EIP3009 ||
        !wire_transfer_is_eip3009(extra))
        return X402_ERR_SCHEME;
    if (extra == NULL && version == 1)
        return X402_OK;
    return wire_domain_is(extra, asset) ? X402_OK : X402_ERR_DOMAIN;
}

static enum x402_err
asset_read(struct x402_requirement *out, const json_t *object,
           uint64_t chain_id, int version)
{
    struct x402_address address;

    if (x402_json_address(&address, object, "asset") != X402_OK)
        return X402_ERR_REQUIREMENT;
    out->asset = x402_asset_by_address(chain_id, &address);
    if (out->asset == NULL)
        return X402_ERR_ASSET;
    return extra_check(object, out->method, out->asset, version);
}

/* Payee, timeout and amount. */
static enum x402_err
form_read(struct x402_requirement *out, const json_t *object, int version,
          enum x402_wire wire)
{
    enum x402_err err =
        as_requirement(x402_json_address(&out->pay_to, object, "payTo"));

    if (err == X402_OK && x402_address_is_zero(&out->pay_to))
        err = X402_ERR_REQUIREMENT;
    if (err == X402_OK)
        err = as_requirement(wire_timeout_read(&out->timeout_s, object));
    if (err == X402_OK)
        err = amount_read(&out->amount, object, version, wire);
    /* upto: "The settled amount MAY be 0" */
    if (err == X402_OK && x402_amount_is_zero(&out->amount) &&
        out->method != X402_METHOD_PERMIT2_UPTO)
        err = X402_ERR_AMOUNT;
    return err;
}

/* The payload's shape chose the method; its scheme is the requirement's. */
static enum x402_err
scheme_check(enum x402_method method, const json_t *object)
{
    bool upto;
    enum x402_err err = wire_scheme_read(&upto, object);

    if (err == X402_ERR_SYNTAX)
        return X402_ERR_REQUIREMENT;
    if (err == X402_OK && upto != (method == X402_METHOD_PERMIT2_UPTO))
        return X402_ERR_SCHEME;
    return err;
}

static enum x402_err
requirement_read(struct x402_facilitator_request *out, const json_t *object)
{
    uint64_t chain_id;
    enum x402_err err = scheme_check(out->payment.method, object);

    out->requirement.method = out->payment.method;
    /* whom the payer named: that it is us is checked by the caller */
    out->requirement.facilitator = out->payment.facilitator;

    if (err == X402_OK)
        err = network_read(&chain_id, object, out->version);
    if (err == X402_OK && chain_id != out->payment.chain_id)
        err = X402_ERR_NETWORK;
    if (err == X402_OK)
        err = form_read(&out->requirement, object, out->version,
                        out->payment.wire);
    if (err == X402_OK)
        err = asset_read(&out->requirement, object, chain_id, out->version);
    return err;
}

static enum x402_err
resource_copy(struct x402_facilitator_request *out, const json_t *object,
              const char *key)
{
    struct x402_span text;
    const json_t *member = json_object_get(object, key);

    if (member == NULL || json_is_null(member))
        return X402_OK;
    if (x402_json_string(&text, object, key) != X402_OK)
        return X402_ERR_SYNTAX;
    if (text.len >= sizeof(out->resource))
        return X402_ERR_TOO_LARGE;
    memcpy(out->resource, text.at, text.len);
    out->resource[text.len] = '\0';
    return X402_OK;
}

/* For people and the catalogue: requirement.resource, or payload.resource.url.
 */
static enum x402_err
resource_read(struct x402_facilitator_request *out, const json_t *payload,
              const json_t *requirement)
{
    const json_t *resource;
    enum x402_err err;

    if (out->version == 1) {
        err = resource_copy(out, requirement, "resource");
        return err == X402_ERR_SYNTAX ? X402_ERR_REQUIREMENT : err;
    }
    err = wire_optional_object(&resource, payload, "resource");
    if (err != X402_OK || resource == NULL)
        return err;
    return resource_copy(out, resource, "url");
}

/* Is what is wrong with the payload that its amount is a text but no amount? */
static bool
value_is_odd(const json_t *object)
{
    const json_t *payload = json_object_get(object, "payload");
    const json_t *authorization = json_object_get(payload, "authorization");
    struct x402_amount value;

    return json_is_string(json_object_get(authorization, "value")) &&
           x402_json_amount(&value, authorization, "value") != X402_OK;
}

/* The halves' versions are one: a payload of version 1 inside a request of
 * version 2 would be judged by the wrong rules. */
static enum x402_err
payload_read(struct x402_facilitator_request *out, const json_t *object)
{
    int version;
    enum x402_err err = wire_version_read(&version, object);

    if (err != X402_OK)
        return err;
    if (version != out->version)
        return X402_ERR_VERSION;
    err = x402_payment_from_json(&out->payment, object, X402_CARRIER_X_PAYMENT);
    if (err == X402_ERR_SYNTAX || err == X402_ERR_RANGE)
        return value_is_odd(object) ? X402_ERR_AMOUNT : err;
    return err;
}

static enum x402_err
halves_read(struct x402_facilitator_request *out, const json_t *payload,
            const json_t *body)
{
    const json_t *requirement;
    enum x402_err err = payload_read(out, payload);

    if (err != X402_OK)
        return err;
    if (x402_json_object(&requirement, body, "paymentRequirements") != X402_OK)
        return X402_ERR_REQUIREMENT;
    err = resource_read(out, payload, requirement);
    if (err == X402_OK)
        err = requirement_read(out, requirement);
    return err;
}

/* Some older peers send the header as they got it. */
static enum x402_err
header_load(json_t **out, const json_t *body)
{
    uint8_t text[X402_BASE64_DECODED_MAX(X402_PAYMENT_HEADER_MAX)];
    size_t len;
    struct x402_span header;
    enum x402_err err = x402_json_string(&header, body, "paymentHeader");

    if (err != X402_OK)
        return err;
    if (header.len > X402_PAYMENT_HEADER_MAX)
        return X402_ERR_TOO_LARGE;
    err = x402_base64_decode(text, &len, sizeof(text), header);
    if (err != X402_OK)
        return err;
    return x402_json_load(out, (struct x402_span){(const char *)text, len}, len,
                          WIRE_PAYMENT_DEPTH);
}

static enum x402_err
body_read(struct x402_facilitator_request *out, const json_t *body)
{
    const json_t *payload = json_object_get(body, "paymentPayload");
    json_t *header = NULL;
    enum x402_err err = wire_version_read(&out->version, body);

    if (err != X402_OK)
        return err;
    /* Two payments in one request: which one would be settled? */
    if ((payload != NULL) == (json_object_get(body, "paymentHeader") != NULL))
        return X402_ERR_SYNTAX;
    if (payload == NULL) {
        err = header_load(&header, body);
        payload = header;
    }
    if (err == X402_OK)
        err = halves_read(out, payload, body);
    json_decref(header);
    return err;
}

enum x402_err
x402_facilitator_request_decode(struct x402_facilitator_request *out,
                                struct x402_span body)
{
    json_t *object;
    enum x402_err err =
        x402_json_load(&object, body, X402_FACILITATOR_BODY_MAX, DEPTH);

    memset(out, 0, sizeof(*out));
    out->version = 2;
    if (err != X402_OK)
        return err;
    err = json_is_object(object) ? body_read(out, object) : X402_ERR_SYNTAX;
    json_decref(object);
    return err;
}
