/* SPDX-License-Identifier: Apache-2.0 */
/* See attestation.h. */
#include <x402/attestation.h>

#include <string.h>

#include <openssl/sha.h>

#include <x402/eip712.h>
#include <x402/encode.h>
#include <x402/facilitator.h>
#include <x402/jcs.h>

#include "wire.h"

#define DOMAIN_TYPE "EIP712Domain(string name,string version,uint256 chainId)"
#define TYPE                                                                   \
    "Attestation(uint256 version,string receiptHash,string resourceUrl,"       \
    "string scheme,string network,string asset,string payTo,string amount,"    \
    "string payer,string paymentId,uint256 issuedAt,uint256 validUntil)"

/* -- the receipt's hash -- */

static enum x402_err
hash_value(uint8_t out32[32], const json_t *value)
{
    static const size_t most = X402_FACILITATOR_BODY_MAX;
    char memory[X402_FACILITATOR_BODY_MAX];
    struct x402_buf text = x402_buf_on(memory, most);
    enum x402_err err;

    if (!json_is_object(value))
        return X402_ERR_SYNTAX;
    err = x402_jcs_write(&text, value);
    if (err == X402_OK &&
        SHA256((const uint8_t *)text.at, text.len, out32) == NULL)
        return X402_ERR_INTERNAL;
    return err;
}

static enum x402_err
load(json_t **out, struct x402_span text)
{
    return x402_json_load(out, text, X402_FACILITATOR_BODY_MAX,
                          X402_JSON_DEPTH_MAX);
}

enum x402_err
x402_receipt_hash(uint8_t out32[32], struct x402_span json)
{
    json_t *value;
    enum x402_err err = load(&value, json);

    if (err != X402_OK)
        return err;
    err = hash_value(out32, value);
    json_decref(value);
    return err;
}

enum x402_err
x402_receipt_hash_of_request(uint8_t out32[32], struct x402_span body)
{
    json_t *value;
    enum x402_err err = load(&value, body);

    if (err != X402_OK)
        return err;
    err = hash_value(out32, json_object_get(value, "paymentPayload"));
    json_decref(value);
    return err;
}

/* -- the members, as text -- */

struct members {
    char hash[67];
    char pay_to[X402_ADDRESS_TEXT_LEN + 1];
    char payer[X402_ADDRESS_TEXT_LEN + 1];
    char amount[80];
    char id[X402_PAYMENT_ID_MAX];
    const char *network, *asset;
};

static struct members
members_of(const struct x402_attestation *a)
{
    struct members m = {.asset = a->asset->address_text};
    struct x402_authorization auth = {.from = a->payer};
    struct x402_buf amount = x402_buf_on(m.amount, sizeof(m.amount) - 1);

    m.network = x402_network_by_id(a->asset->chain_id)->caip2;
    memcpy(auth.nonce, a->nonce, sizeof(auth.nonce));
    x402_hex_encode(m.hash, a->receipt_hash, sizeof(a->receipt_hash));
    x402_address_format(m.pay_to, &a->pay_to);
    x402_address_format(m.payer, &a->payer);
    x402_buf_amount(&amount, &a->amount);
    m.amount[amount.len] = '\0';
    x402_payment_id(m.id, a->asset->chain_id, &a->asset->address, &auth);
    return m;
}

enum x402_err
x402_attestation_payload(struct x402_buf *out, const struct x402_attestation *a)
{
    const struct members m = members_of(a);
    json_t *payload = json_pack(
        "{s:s,s:s,s:I,s:s,s:s,s:s,s:s,s:s,s:s%,s:s,s:I,s:i}", "amount",
        m.amount, "asset", m.asset, "issuedAt", (json_int_t)a->issued_at_s,
        "network", m.network, "payTo", m.pay_to, "payer", m.payer, "paymentId",
        m.id, "receiptHash", m.hash, "resourceUrl", a->resource.at,
        a->resource.len, "scheme", "exact", "validUntil",
        (json_int_t)a->valid_until_s, "version", 1);
    enum x402_err err;

    if (payload == NULL)
        return X402_ERR_SYNTAX;
    err = x402_jcs_write(out, payload);
    json_decref(payload);
    return err;
}

/* -- EIP-712 -- */

static void
add_number(struct x402_eip712_struct *s, uint64_t value)
{
    struct x402_amount amount = x402_amount_of(value);

    x402_eip712_amount(s, &amount);
}

static void
add_text(struct x402_eip712_struct *s, const char *text)
{
    x402_eip712_string(s, x402_span_of(text));
}

static void
domain(uint8_t out32[32])
{
    struct x402_eip712_struct s;

    x402_eip712_begin(&s, DOMAIN_TYPE);
    add_text(&s, "x402 attestation");
    add_text(&s, "1");
    add_number(&s, 1);
    x402_eip712_end(&s, out32);
}

void
x402_attestation_digest(uint8_t out32[32], const struct x402_attestation *a)
{
    const struct members m = members_of(a);
    struct x402_eip712_struct s;
    uint8_t separator[32], hash[32];

    x402_eip712_begin(&s, TYPE);
    add_number(&s, 1);
    add_text(&s, m.hash);
    x402_eip712_string(&s, a->resource);
    add_text(&s, "exact");
    add_text(&s, m.network);
    add_text(&s, m.asset);
    add_text(&s, m.pay_to);
    add_text(&s, m.amount);
    add_text(&s, m.payer);
    add_text(&s, m.id);
    add_number(&s, a->issued_at_s);
    add_number(&s, a->valid_until_s);
    x402_eip712_end(&s, hash);
    domain(separator);
    x402_eip712_digest(out32, separator, hash);
}

enum x402_err
x402_attestation_sign(struct x402_buf *out, const struct x402_attestation *a,
                      const struct x402_signer *verifier)
{
    uint8_t digest[32], signature[65];
    enum x402_err err;

    x402_attestation_digest(digest, a);
    err = x402_sign(signature, verifier, digest);
    if (err != X402_OK)
        return err;
    x402_buf_text(out, "{\"format\":\"eip712\",\"payload\":");
    err = x402_attestation_payload(out, a);
    x402_buf_text(out, ",\"signature\":\"");
    x402_buf_hex(out, signature, sizeof(signature));
    x402_buf_text(out, "\"}");
    return err == X402_OK && out->full ? X402_ERR_TOO_LARGE : err;
}

/* -- checking -- */

static enum x402_err
time_read(uint64_t *out, const json_t *payload, const char *key)
{
    const json_t *member = json_object_get(payload, key);

    if (!json_is_integer(member) || json_integer_value(member) < 0)
        return X402_ERR_SYNTAX;
    *out = (uint64_t)json_integer_value(member);
    return X402_OK;
}

/* Word for word what we would have written, but for the times. */
static enum x402_err
payload_check(struct x402_attestation *expected, const json_t *payload)
{
    char ours[X402_ATTESTATION_MAX], theirs[X402_ATTESTATION_MAX];
    struct x402_buf mine = x402_buf_on(ours, sizeof(ours));
    struct x402_buf said = x402_buf_on(theirs, sizeof(theirs));
    enum x402_err err = time_read(&expected->issued_at_s, payload, "issuedAt");

    if (err == X402_OK)
        err = time_read(&expected->valid_until_s, payload, "validUntil");
    if (err == X402_OK)
        err = x402_attestation_payload(&mine, expected);
    if (err == X402_OK)
        err = x402_jcs_write(&said, payload);
    if (err == X402_OK &&
        !x402_span_eq(x402_buf_span(&mine), x402_buf_span(&said)))
        err = X402_ERR_SYNTAX;
    return err == X402_OK ? X402_OK : X402_ERR_SYNTAX;
}

static enum x402_err
signature_check(const struct x402_attestation *expected,
                const json_t *attestation, const struct x402_address *verifier)
{
    uint8_t digest[32], signature[65];
    struct x402_address who;

    if (x402_json_hex(signature, sizeof(signature), attestation, "signature") !=
        X402_OK)
        return X402_ERR_SYNTAX;
    x402_attestation_digest(digest, expected);
    if (x402_address_is_zero(verifier) ||
        x402_recover(&who, signature, digest) != X402_OK ||
        !x402_address_eq(&who, verifier))
        return X402_ERR_SIGNATURE;
    return X402_OK;
}

static enum x402_err
attestation_check(struct x402_attestation *expected, const json_t *attestation,
                  const struct x402_address *verifier, uint64_t now_s)
{
    struct x402_span format;
    enum x402_err err = x402_json_string(&format, attestation, "format");

    if (err == X402_OK && !wire_is(format, "eip712"))
        err = X402_ERR_SYNTAX;
    if (err == X402_OK)
        err = payload_check(expected, json_object_get(attestation, "payload"));
    if (err == X402_OK)
        err = signature_check(expected, attestation, verifier);
    if (err == X402_OK &&
        (expected->issued_at_s > now_s + X402_ATTESTATION_SKEW_S ||
         expected->valid_until_s <= now_s ||
         expected->valid_until_s <= expected->issued_at_s))
        err = X402_ERR_EXPIRED;
    return err;
}

enum x402_err
x402_attestation_check(struct x402_attestation *expected, struct x402_span body,
                       const struct x402_address *verifier, uint64_t now_s)
{
    const json_t *at;
    json_t *answer;
    enum x402_err err = load(&answer, body);

    if (err != X402_OK)
        return err;
    at = json_object_get(answer, "extensions");
    at = json_object_get(at, "verification-attestation");
    at = json_object_get(json_object_get(at, "info"), "attestation");
    err = attestation_check(expected, at, verifier, now_s);
    json_decref(answer);
    return err;
}
