/* SPDX-License-Identifier: Apache-2.0 */
/* Members that several wires write alike: version, scheme, timeout, extra, and
 * the spelling of networks. */
#include "wire.h"

enum x402_err
wire_version_read(int *out, const json_t *object)
{
    const json_t *version = json_object_get(object, "x402Version");
    json_int_t value;

    /* 2.0, "2" and null are not the integer 2. */
    if (!json_is_integer(version))
        return X402_ERR_SYNTAX;
    value = json_integer_value(version);
    if (value != 1 && value != 2)
        return X402_ERR_VERSION;
    *out = (int)value;
    return X402_OK;
}

enum x402_err
wire_scheme_check(const json_t *object)
{
    struct x402_span scheme;
    enum x402_err err = x402_json_string(&scheme, object, "scheme");

    if (err != X402_OK)
        return err;
    return wire_is(scheme, "exact") ? X402_OK : X402_ERR_SCHEME;
}

enum x402_err
wire_scheme_read(bool *upto, const json_t *object)
{
    struct x402_span scheme;
    enum x402_err err = x402_json_string(&scheme, object, "scheme");

    if (err != X402_OK)
        return err;
    *upto = wire_is(scheme, "upto");
    return *upto || wire_is(scheme, "exact") ? X402_OK : X402_ERR_SCHEME;
}

enum x402_err
wire_timeout_read(uint32_t *out, const json_t *object)
{
    const json_t *timeout = json_object_get(object, "maxTimeoutSeconds");
    json_int_t value;

    if (!json_is_integer(timeout))
        return X402_ERR_SYNTAX;
    value = json_integer_value(timeout);
    if (value < 1 || value > (json_int_t)UINT32_MAX)
        return X402_ERR_RANGE;
    *out = (uint32_t)value;
    return X402_OK;
}

enum x402_err
wire_optional_object(const json_t **out, const json_t *object, const char *key)
{
    const json_t *member = json_object_get(object, key);

    if (member != NULL && !json_is_null(member) && !json_is_object(member))
        return X402_ERR_SYNTAX;
    *out = json_is_object(member) ? member : NULL;
    return X402_OK;
}

bool
wire_says_something(const json_t *object, const char *key)
{
    const json_t *member = json_object_get(object, key);

    return member != NULL && !json_is_null(member) &&
           !(json_is_string(member) && json_string_length(member) == 0);
}

bool
wire_extra_is(const json_t *extra, const char *key, const char *expected)
{
    struct x402_span text;

    if (extra == NULL || x402_json_string(&text, extra, key) != X402_OK)
        return false;
    return wire_is(text, expected);
}

bool
wire_domain_is(const json_t *extra, const struct x402_asset *asset)
{
    return wire_extra_is(extra, "name", asset->eip712_name) &&
           wire_extra_is(extra, "version", asset->eip712_version);
}

bool
wire_transfer_is_eip3009(const json_t *extra)
{
    if (extra == NULL || json_object_get(extra, "assetTransferMethod") == NULL)
        return true;
    return wire_extra_is(extra, "assetTransferMethod", "eip3009");
}

bool
wire_transfer_may_be_permit2(const json_t *extra)
{
    if (extra == NULL || json_object_get(extra, "assetTransferMethod") == NULL)
        return true;
    return wire_extra_is(extra, "assetTransferMethod", "permit2");
}

const char *
wire_seed001_chain(const struct x402_network *network)
{
    const struct x402_network *named;

    if (network->v1_name == NULL)
        return network->caip2;
    named = x402_network_by_seed001(x402_span_of(network->v1_name));
    return named == network ? network->v1_name : network->caip2;
}

const char *
wire_network_text(enum x402_wire wire, uint64_t chain_id)
{
    const struct x402_network *network = x402_network_by_id(chain_id);

    if (network == NULL)
        return NULL;
    switch (wire) {
    case X402_WIRE_V1:
        return network->v1_name;
    case X402_WIRE_SEED001:
        return wire_seed001_chain(network);
    case X402_WIRE_V2:
    case X402_WIRE_SEED000:
        return network->caip2;
    }
    return NULL;
}
