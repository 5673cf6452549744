/* SPDX-License-Identifier: Apache-2.0 */
/* The signed part of a Permit2 payment, into the common form of permit2.h:
 *
 *     payload{signature, permit2Authorization{from, permitted{token,amount},
 *         spender, nonce, deadline, witness{to, validAfter}}}
 *
 * upto has witness.facilitator as well. */
#include <x402/encode.h>

#include "wire.h"

/* The packages write the nonce as a decimal string; the specification of upto
 * shows one of 0x and 64 digits. */
static enum x402_err
nonce_read(uint8_t out32[32], const json_t *object)
{
    struct x402_amount nonce;
    struct x402_span text;
    enum x402_err err = x402_json_string(&text, object, "nonce");

    if (err != X402_OK)
        return err;
    if (text.len > 2 && text.at[0] == '0' && text.at[1] == 'x')
        return x402_hex_decode(out32, 32, text);
    err = x402_amount_parse(&nonce, text);
    if (err == X402_OK)
        x402_amount_to_be32(out32, &nonce);
    return err;
}

static enum x402_err
permitted_read(struct x402_payment *out, const json_t *object)
{
    const json_t *permitted;
    enum x402_err err = x402_json_object(&permitted, object, "permitted");

    if (err == X402_OK)
        err = x402_json_address(&out->token, permitted, "token");
    if (err == X402_OK)
        err = x402_json_amount(&out->auth.value, permitted, "amount");
    return err;
}

static enum x402_err
witness_read(struct x402_payment *out, const json_t *object)
{
    const json_t *witness;
    enum x402_err err = x402_json_object(&witness, object, "witness");

    if (err == X402_OK)
        err = wire_party_read(&out->auth.to, witness, "to");
    if (err == X402_OK)
        err =
            wire_seconds_read(&out->auth.valid_after_s, witness, "validAfter");
    if (err == X402_OK && out->method == X402_METHOD_PERMIT2_UPTO)
        err = wire_party_read(&out->facilitator, witness, "facilitator");
    return err;
}

static enum x402_err
authorization_read(struct x402_payment *out, const json_t *object)
{
    struct x402_address spender;
    enum x402_err err = wire_party_read(&out->auth.from, object, "from");

    if (err == X402_OK)
        err = permitted_read(out, object);
    if (err == X402_OK)
        err = x402_json_address(&spender, object, "spender");
    if (err == X402_OK)
        err = nonce_read(out->auth.nonce, object);
    if (err == X402_OK)
        err = wire_seconds_read(&out->auth.valid_before_s, object, "deadline");
    if (err == X402_OK)
        err = witness_read(out, object);
    if (err == X402_OK)
        out->spender_wrong = !x402_address_eq(
            &spender, x402_method_target(out->method, &out->token));
    return err;
}

enum x402_err
permit2_read(struct x402_payment *out, const json_t *payload)
{
    const json_t *authorization;
    enum x402_err err =
        x402_json_object(&authorization, payload, "permit2Authorization");

    /* Two authorizations in one payment: which one is it? */
    if (json_object_get(payload, "authorization") != NULL)
        return X402_ERR_SYNTAX;
    if (out->method == X402_METHOD_EIP3009)
        out->method = X402_METHOD_PERMIT2_EXACT;
    if (err == X402_OK)
        err = authorization_read(out, authorization);
    if (err == X402_OK)
        err = wire_signature_read(out, payload);
    return err;
}
