/* SPDX-License-Identifier: Apache-2.0 */
/* The signed part of a payment, the same in all EVM wires:
 * payload{signature,
 * authorization{from,to,value,validAfter,validBefore,nonce}}. The
 * specification, scheme exact on EVM: numbers are decimal strings.  Version 2
 * may have payload{signature, permit2Authorization} instead. */
#include <x402/encode.h>

#include "wire.h"

enum { EOA_SIGNATURE = 65 };

/* Seconds that do not fit 64 bits read as 2^64-1: a validBefore so late is
 * refused as too long, a validAfter as not yet valid. */
enum x402_err
wire_seconds_read(uint64_t *out, const json_t *object, const char *key)
{
    struct x402_amount value;
    enum x402_err err = x402_json_amount(&value, object, key);

    if (err != X402_OK)
        return err;
    if (!x402_amount_u64(out, &value))
        *out = UINT64_MAX;
    return X402_OK;
}

/* A recovery that fails gives the zero address elsewhere; none may pay or be
 * paid from here. */
enum x402_err
wire_party_read(struct x402_address *out, const json_t *object, const char *key)
{
    enum x402_err err = x402_json_address(out, object, key);

    if (err != X402_OK)
        return err;
    return x402_address_is_zero(out) ? X402_ERR_RANGE : X402_OK;
}

static enum x402_err
authorization_read(struct x402_authorization *out, const json_t *object)
{
    enum x402_err err = wire_party_read(&out->from, object, "from");

    if (err == X402_OK)
        err = wire_party_read(&out->to, object, "to");
    if (err == X402_OK)
        err = x402_json_amount(&out->value, object, "value");
    if (err == X402_OK)
        err = wire_seconds_read(&out->valid_after_s, object, "validAfter");
    if (err == X402_OK)
        err = wire_seconds_read(&out->valid_before_s, object, "validBefore");
    if (err == X402_OK)
        err = x402_json_hex(out->nonce, sizeof(out->nonce), object, "nonce");
    return err;
}

/* Wallets write v as 27/28 or as 0/1; USDC takes only the former.  One form
 * from here on. */
enum x402_err
wire_signature_read(struct x402_payment *out, const json_t *payload)
{
    struct x402_span text;
    uint8_t *v = &out->signature[EOA_SIGNATURE - 1];
    enum x402_err err = x402_json_string(&text, payload, "signature");

    if (err == X402_OK)
        err = x402_hex_decode_any(out->signature, &out->signature_len,
                                  sizeof(out->signature), text);
    if (err != X402_OK)
        return err;
    if (out->signature_len == 0)
        return X402_ERR_SYNTAX;
    if (out->signature_len == EOA_SIGNATURE && *v <= 1)
        *v = (uint8_t)(*v + 27);
    return X402_OK;
}

enum x402_err
wire_payload_read(struct x402_payment *out, const json_t *object)
{
    const json_t *payload;
    const json_t *authorization;
    enum x402_err err = x402_json_object(&payload, object, "payload");

    if (err != X402_OK)
        return err;
    /* Its presence selects Permit2, another transfer method. */
    if (json_object_get(payload, "permit2Authorization") != NULL)
        return out->wire == X402_WIRE_V2 ? permit2_read(out, payload)
                                         : X402_ERR_SCHEME;
    if (out->method == X402_METHOD_PERMIT2_UPTO)
        return X402_ERR_PAYLOAD_TYPE;
    err = x402_json_object(&authorization, payload, "authorization");
    if (err == X402_OK)
        err = authorization_read(&out->auth, authorization);
    if (err == X402_OK)
        err = wire_signature_read(out, payload);
    return err;
}
