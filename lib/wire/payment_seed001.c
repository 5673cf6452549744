/* SPDX-License-Identifier: Apache-2.0 */
/* Seed 001's receipt, version 1 (our definition of what the seed leaves open):
 * {"chain","currency","payload","resource","scheme":"exact","version":1}.
 * `resource` is the client's word, not signed; what a payment is bound to is
 * the fingerprint of the request it came with. */
#include <string.h>

#include "wire.h"

/* Depth of nested objects and arrays; the tree came through x402_json_load, so
 * the recursion is bounded by its limit. */
static unsigned
depth_of(const json_t *value)
{
    unsigned deepest = 0;
    size_t i;
    const char *key;
    json_t *member;

    json_object_foreach((json_t *)value, key, member)
    {
        unsigned depth = depth_of(member);
        deepest = depth > deepest ? depth : deepest;
    }
    json_array_foreach(value, i, member)
    {
        unsigned depth = depth_of(member);
        deepest = depth > deepest ? depth : deepest;
    }
    return json_is_object(value) || json_is_array(value) ? deepest + 1 : 0;
}

static enum x402_err
version_check(const json_t *object)
{
    const json_t *version = json_object_get(object, "version");

    if (!json_is_integer(version))
        return X402_ERR_SYNTAX;
    return json_integer_value(version) == 1 ? X402_OK : X402_ERR_VERSION;
}

/* "base" in any case; CAIP-2 only where the seed has no name for the chain, so
 * that each chain has one spelling. */
static const struct x402_network *
network_of(struct x402_span chain)
{
    const struct x402_network *network = x402_network_by_seed001(chain);

    if (network != NULL)
        return network;
    network = x402_network_by_caip2(chain);
    if (network == NULL || wire_seed001_chain(network) != network->caip2)
        return NULL;
    return network;
}

static enum x402_err
chain_read(struct x402_payment *out, const json_t *object)
{
    struct x402_span chain;
    const struct x402_network *network;
    enum x402_err err = x402_json_string(&chain, object, "chain");

    if (err != X402_OK)
        return err;
    network = network_of(chain);
    if (network == NULL)
        return X402_ERR_NETWORK;
    out->chain_id = network->chain_id;
    return X402_OK;
}

static enum x402_err
currency_read(struct x402_payment *out, const json_t *object)
{
    struct x402_span text;
    enum x402_err err = x402_json_string(&text, object, "currency");

    if (err != X402_OK)
        return err;
    if (text.len == 0 || text.len >= sizeof(out->currency))
        return X402_ERR_SYNTAX;
    memcpy(out->currency, text.at, text.len);
    out->currency[text.len] = '\0';
    return X402_OK;
}

static enum x402_err
resource_check(const json_t *object)
{
    struct x402_span text;
    enum x402_err err = x402_json_string(&text, object, "resource");

    if (err != X402_OK)
        return err;
    return text.len < X402_URL_MAX ? X402_OK : X402_ERR_TOO_LARGE;
}

enum x402_err
payment_seed001_read(struct x402_payment *out, const json_t *object)
{
    enum x402_err err = version_check(object);

    out->wire = X402_WIRE_SEED001;
    if (depth_of(object) > WIRE_SEED001_DEPTH)
        return X402_ERR_SYNTAX;
    if (err == X402_OK)
        err = wire_scheme_check(object);
    if (err == X402_OK)
        err = chain_read(out, object);
    if (err == X402_OK)
        err = currency_read(out, object);
    if (err == X402_OK)
        err = resource_check(object);
    if (err == X402_OK)
        err = wire_payload_read(out, object);
    return err;
}
