/* SPDX-License-Identifier: Apache-2.0 */
/* Authorization: Payment, for a Lightning charge. */
#include <x402/mpp.h>

#include <strings.h>

#include <openssl/crypto.h>

#include <x402/encode.h>

#include "preimage.h"

#define CREDENTIAL_DEPTH 8

bool
x402_mpp_is(struct x402_span authorization)
{
    return authorization.len >= 8 && authorization.at[7] == ' ' &&
           strncasecmp(authorization.at, "Payment", 7) == 0;
}

/* Absent is {NULL,0}, another type is an error. */
static bool
optional(struct x402_span *out, const json_t *object, const char *key)
{
    *out = (struct x402_span){NULL, 0};
    return json_object_get(object, key) == NULL ||
           x402_json_string(out, object, key) == X402_OK;
}

static bool
read_challenge(struct x402_mpp_challenge *out, const json_t *echo)
{
    return x402_json_string(&out->id, echo, "id") == X402_OK &&
           x402_json_string(&out->realm, echo, "realm") == X402_OK &&
           x402_json_string(&out->method, echo, "method") == X402_OK &&
           x402_json_string(&out->intent, echo, "intent") == X402_OK &&
           x402_json_string(&out->request, echo, "request") == X402_OK &&
           optional(&out->expires, echo, "expires") &&
           optional(&out->digest, echo, "digest") &&
           optional(&out->description, echo, "description") &&
           optional(&out->opaque, echo, "opaque");
}

static enum x402_err
read_credential(struct x402_mpp_credential *out, const json_t *object)
{
    const json_t *payload = json_object_get(object, "payload");

    if (!read_challenge(&out->challenge, json_object_get(object, "challenge")))
        return X402_ERR_LN_CREDENTIAL;
    if (!x402_span_eq(out->challenge.method, x402_span_of("lightning")) ||
        !x402_span_eq(out->challenge.intent, x402_span_of("charge")))
        return X402_ERR_SCHEME;
    if (!json_is_object(payload))
        return X402_ERR_LN_CREDENTIAL;
    return preimage_read(out->preimage, out->payment_hash, payload);
}

enum x402_err
x402_mpp_decode(json_t **owner, struct x402_mpp_credential *out,
                struct x402_span authorization)
{
    uint8_t text[X402_BASE64_DECODED_MAX(X402_MPP_CREDENTIAL_MAX)];
    json_t *object;
    size_t len;
    enum x402_err err;

    if (!x402_mpp_is(authorization))
        return X402_ERR_LN_CREDENTIAL;
    authorization.at += 8;
    authorization.len -= 8;
    if (authorization.len > X402_MPP_CREDENTIAL_MAX)
        return X402_ERR_TOO_LARGE;
    if (x402_base64url_decode(text, &len, sizeof text, authorization) !=
            X402_OK ||
        x402_json_load(&object, hash_bytes(text, len), sizeof text,
                       CREDENTIAL_DEPTH) != X402_OK)
        return X402_ERR_LN_CREDENTIAL;
    err = read_credential(out, object);
    if (err == X402_OK)
        *owner = object;
    else
        json_decref(object);
    return err;
}

/* The payment hash that a charge of ours names. */
static bool
charged_hash(uint8_t out32[32], struct x402_span request)
{
    uint8_t text[X402_BASE64_DECODED_MAX(X402_MPP_REQUEST_MAX)];
    struct x402_span hash;
    json_t *object;
    size_t len;
    bool read;

    if (request.len > X402_MPP_REQUEST_MAX ||
        x402_base64url_decode(text, &len, sizeof text, request) != X402_OK ||
        x402_json_load(&object, hash_bytes(text, len), sizeof text,
                       CREDENTIAL_DEPTH) != X402_OK)
        return false;
    read = x402_json_string(&hash, json_object_get(object, "methodDetails"),
                            "paymentHash") == X402_OK &&
           x402_hex_decode_bare(out32, 32, hash) == X402_OK;
    json_decref(object);
    return read;
}

enum x402_err
x402_mpp_check(const struct x402_mpp_credential *credential,
               struct x402_span realm, const uint8_t *secret, size_t secret_len)
{
    const struct x402_mpp_challenge *challenge = &credential->challenge;
    char id[X402_MPP_ID_LEN + 1];
    uint8_t hash[32];

    if (challenge->id.len != X402_MPP_ID_LEN ||
        !x402_span_eq(challenge->realm, realm) ||
        x402_mpp_id(id, challenge, secret, secret_len) != X402_OK ||
        CRYPTO_memcmp(id, challenge->id.at, X402_MPP_ID_LEN) != 0 ||
        !charged_hash(hash, challenge->request))
        return X402_ERR_LN_CHALLENGE;
    return memcmp(hash, credential->payment_hash, sizeof hash) == 0
               ? X402_OK
               : X402_ERR_LN_PREIMAGE;
}
