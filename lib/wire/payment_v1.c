/* SPDX-License-Identifier: Apache-2.0 */
/* The shape {x402Version, scheme, network, payload}: version 1 writes the
 * network by name ("base"); the deployed client of seed 000 writes the same
 * shape with version 2 and CAIP-2 ("eip155:8453"). */
#include "wire.h"

static enum x402_err
shape_read(struct x402_payment *out, const json_t *object,
           const struct x402_network *(*network_by)(struct x402_span))
{
    struct x402_span text;
    const struct x402_network *network;
    enum x402_err err = wire_scheme_check(object);

    if (err == X402_OK)
        err = x402_json_string(&text, object, "network");
    if (err != X402_OK)
        return err;
    network = network_by(text);
    if (network == NULL)
        return X402_ERR_NETWORK;
    out->chain_id = network->chain_id;
    return wire_payload_read(out, object);
}

enum x402_err
payment_v1_read(struct x402_payment *out, const json_t *object)
{
    out->wire = X402_WIRE_V1;
    return shape_read(out, object, x402_network_by_v1_name);
}

enum x402_err
payment_seed000_read(struct x402_payment *out, const json_t *object)
{
    out->wire = X402_WIRE_SEED000;
    return shape_read(out, object, x402_network_by_caip2);
}
