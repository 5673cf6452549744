/* SPDX-License-Identifier: Apache-2.0 */
/* A payment header's value, decoded once.
 *
 * X-PAYMENT of version 1, of seed 000 and X-Payment of seed 001 are one and
 * the same header name, so the content decides.  Exactly one reading must be
 * possible: what could be two wires at once is refused, for another program
 * further on might choose the other one. */
#include <string.h>

#include <x402/encode.h>

#include "../mutant.h"
#include "wire.h"

static enum x402_err
by_version(struct x402_payment *out, const json_t *object,
           enum x402_carrier carrier)
{
    int version;
    bool has_accepted = json_object_get(object, "accepted") != NULL;
    enum x402_err err = wire_version_read(&version, object);

    if (err != X402_OK)
        return err;
    if (carrier == X402_CARRIER_PAYMENT_SIGNATURE || has_accepted)
        return version == 2 || mutant("version_any")
                   ? payment_v2_read(out, object)
                   : X402_ERR_VERSION;
    if (version == 1)
        return payment_v1_read(out, object);
    return payment_seed000_read(out, object);
}

enum x402_err
x402_payment_from_json(struct x402_payment *out, const struct json_t *object,
                       enum x402_carrier carrier)
{
    memset(out, 0, sizeof(*out));
    if (!json_is_object(object))
        return X402_ERR_SYNTAX;
    if (json_object_get(object, "chain") == NULL)
        return by_version(out, object, carrier);

    if (carrier == X402_CARRIER_PAYMENT_SIGNATURE ||
        json_object_get(object, "x402Version") != NULL ||
        json_object_get(object, "accepted") != NULL)
        return X402_ERR_SYNTAX;
    return payment_seed001_read(out, object);
}

static enum x402_err
text_decode(struct x402_payment *out, enum x402_carrier carrier,
            struct x402_span text)
{
    json_t *object;
    enum x402_err err =
        x402_json_load(&object, text, text.len, WIRE_PAYMENT_DEPTH);

    if (err != X402_OK)
        return err;
    err = x402_payment_from_json(out, object, carrier);
    json_decref(object);
    if (err == X402_OK && out->wire == X402_WIRE_SEED001 &&
        text.len > WIRE_SEED001_MAX)
        return X402_ERR_TOO_LARGE;
    return err;
}

enum x402_err
x402_payment_decode(struct x402_payment *out, enum x402_carrier carrier,
                    struct x402_span header)
{
    uint8_t text[X402_BASE64_DECODED_MAX(X402_PAYMENT_HEADER_MAX)];
    size_t len;
    enum x402_err err;

    if (header.len == 0)
        return X402_ERR_SYNTAX;
    if (header.len > X402_PAYMENT_HEADER_MAX)
        return X402_ERR_TOO_LARGE;
    err = x402_base64_decode(text, &len, sizeof(text), header);
    if (err != X402_OK)
        return err;
    return text_decode(out, carrier,
                       (struct x402_span){(const char *)text, len});
}
