/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a Lightning invoice, BOLT 11. */
#include <x402/bolt11.h>

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include "bech32.h"
#include "hash.h"

#define TIMESTAMP_LEN 7   /* groups: 35 bits */
#define SIGNATURE_LEN 104 /* groups: 520 bits */
#define NUMBER_LEN 12     /* groups of a number: 60 bits */

/* BOLT 11, "Tagged Fields". */
enum field {
    FIELD_PAYMENT_HASH = 1,
    FIELD_FEATURES = 5,
    FIELD_EXPIRY = 6,
    FIELD_DESCRIPTION = 13,
    FIELD_SECRET = 16,
    FIELD_NODE = 19,
    FIELD_DESCRIPTION_HASH = 23,
    FIELD_CLTV = 24,
};

/* ---- the human-readable part ---- */

/* "MUST multiply `amount` by the `multiplier` value": millisatoshis of one
 * bitcoin / 1, 10^3, 10^6, 10^9; pico is a tenth. */
static uint64_t
factor_of(char multiplier)
{
    switch (multiplier) {
    case 'm':
        return 100000000u;
    case 'u':
        return 100000u;
    case 'n':
        return 100u;
    default:
        return 0;
    }
}

/* Digits and perhaps a multiplier. */
static enum x402_err
read_amount(struct x402_msat *out, struct x402_span text)
{
    char last = text.at[text.len - 1];
    uint64_t factor = 100000000000u, number = 0;
    bool pico = last == 'p';

    if (last < '0' || last > '9') {
        text.len--;
        factor = pico ? 1 : factor_of(last);
    }
    /* "a positive decimal integer with no leading 0s" */
    if (factor == 0 || text.len == 0 || text.at[0] == '0')
        return X402_ERR_SYNTAX;
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return X402_ERR_SYNTAX;
    }
    /* "if multiplier is `p` and the last decimal of `amount` is not 0: MUST
     * fail the payment."  What stands before it are millisatoshis. */
    if (pico && text.at[--text.len] != '0')
        return X402_ERR_RANGE;
    for (size_t i = 0; i < text.len; i++) {
        if (number > X402_MSAT_MAX / factor / 10)
            return X402_ERR_RANGE;
        number = number * 10 + (uint64_t)(text.at[i] - '0');
    }
    if (number > X402_MSAT_MAX / factor)
        return X402_ERR_RANGE;
    return x402_msat_of(out, number * factor);
}

static enum x402_err
read_prefix(struct x402_bolt11 *out, struct x402_span hrp)
{
    size_t end = 2;

    if (hrp.len < 3 || hrp.at[0] != 'l' || hrp.at[1] != 'n')
        return X402_ERR_SYNTAX;
    while (end < hrp.len && (hrp.at[end] < '0' || hrp.at[end] > '9'))
        end++;
    for (int n = X402_LN_MAINNET; n <= X402_LN_SIMNET; n++) {
        enum x402_ln_network network = (enum x402_ln_network)n;
        struct x402_span currency = {hrp.at + 2, end - 2};

        if (!x402_span_eq(currency, x402_span_of(x402_ln_currency(network))))
            continue;
        out->network = network;
        out->has_amount = end < hrp.len;
        return out->has_amount ? read_amount(&out->amount,
                                             (struct x402_span){hrp.at + end,
                                                                hrp.len - end})
                               : X402_OK;
    }
    return X402_ERR_NETWORK;
}

/* ---- tagged fields ---- */

/* What was seen, a bit a field. */
struct fields {
    uint32_t seen;
};

static bool
has(const struct fields *fields, enum field field)
{
    return fields->seen >> field & 1;
}

static bool
feature_is_known(size_t bit)
{
    return bit == 8 || bit == 14 || bit == 16 || bit == 48;
}

static bool
feature(const uint8_t *five, size_t len, size_t bit)
{
    return bit / 5 < len && (five[len - 1 - bit / 5] >> bit % 5 & 1);
}

/* "if the `9` field contains unknown _even_ bits that are non-zero: MUST fail
 * the payment."  "if the feature vector does not set all known, transitive
 * feature dependencies: MUST NOT attempt the payment": multi-part needs the
 * secret, the secret the onion. */
static bool
features_are_good(const uint8_t *five, size_t len)
{
    bool onion = feature(five, len, 8) || feature(five, len, 9);
    bool secret = feature(five, len, 14) || feature(five, len, 15);
    bool parts = feature(five, len, 16) || feature(five, len, 17);

    for (size_t bit = 0; bit < 5 * len; bit += 2) {
        if (feature(five, len, bit) && !feature_is_known(bit))
            return false;
    }
    return (!parts || secret) && (!secret || onion);
}

static bool
read_number(uint64_t *out, uint64_t max, const uint8_t *five, size_t len)
{
    if (len > NUMBER_LEN)
        return false;
    *out = five_number(five, len);
    return *out <= max;
}

static bool
read_description(struct x402_bolt11 *out, const uint8_t *five, size_t len)
{
    out->description_len = len * 5 / 8;
    if (!five_to_bytes((uint8_t *)out->description, five, len))
        return false;
    out->description[out->description_len] = '\0';
    return true;
}

static bool
read_field(struct x402_bolt11 *out, enum field field, const uint8_t *five,
           size_t len)
{
    uint64_t number;

    switch (field) {
    case FIELD_PAYMENT_HASH:
        return five_to_bytes(out->payment_hash, five, len);
    case FIELD_SECRET:
        return five_to_bytes(out->payment_secret, five, len);
    case FIELD_DESCRIPTION_HASH:
        out->has_description_hash = true;
        return five_to_bytes(out->description_hash, five, len);
    case FIELD_NODE:
        out->has_node = true;
        return five_to_bytes(out->payee, five, len);
    case FIELD_DESCRIPTION:
        return read_description(out, five, len);
    case FIELD_EXPIRY:
        return read_number(&out->expiry_s, UINT64_MAX, five, len);
    case FIELD_CLTV:
        if (!read_number(&number, UINT32_MAX, five, len))
            return false;
        out->min_final_cltv = (uint32_t)number;
        return true;
    case FIELD_FEATURES:
        return features_are_good(five, len);
    }
    return true;
}

/* "MUST skip over unknown fields, OR [...] `p`, `h`, `s` or `n` fields that do
 * NOT have `data_length`s of 52, 52, 52 or 53, respectively." */
static bool
is_read(unsigned type, size_t len)
{
    switch (type) {
    case FIELD_PAYMENT_HASH:
    case FIELD_SECRET:
    case FIELD_DESCRIPTION_HASH:
        return len == 52;
    case FIELD_NODE:
        return len == 53;
    case FIELD_DESCRIPTION:
    case FIELD_EXPIRY:
    case FIELD_CLTV:
    case FIELD_FEATURES:
        return true;
    default:
        return false;
    }
}

static enum x402_err
read_fields(struct x402_bolt11 *out, const uint8_t *five, size_t len)
{
    struct fields fields = {0};

    for (size_t at = 0; at < len;) {
        unsigned type = five[at];
        size_t n;

        if (len - at < 3)
            return X402_ERR_SYNTAX;
        n = (size_t)five[at + 1] << 5 | five[at + 2];
        at += 3;
        if (n > len - at)
            return X402_ERR_SYNTAX;
        if (is_read(type, n)) {
            /* Readers differ in which of two they take. */
            if (has(&fields, (enum field)type) ||
                !read_field(out, (enum field)type, five + at, n))
                return X402_ERR_SYNTAX;
            fields.seen |= 1u << type;
        }
        at += n;
    }
    /* "MUST include exactly one `p` field"; "either exactly one `d` or exactly
     * one `h` field"; without a secret nobody can pay it today. */
    if (!has(&fields, FIELD_PAYMENT_HASH) || !has(&fields, FIELD_SECRET) ||
        has(&fields, FIELD_DESCRIPTION) == has(&fields, FIELD_DESCRIPTION_HASH))
        return X402_ERR_SYNTAX;
    return X402_OK;
}

/* ---- the signature ---- */

/* "the SHA2 256-bit hash of the human-readable part, represented as UTF-8
 * bytes, concatenated with the data part (excluding the signature) with 0 bits
 * appended to pad the data to the next byte boundary" */
static void
signed_hash(uint8_t out32[32], const struct bech32 *in)
{
    uint8_t text[2 * X402_BOLT11_MAX];
    size_t len = in->hrp_len;

    memcpy(text, in->hrp, len);
    len += five_to_bytes_padded(text + len, in->five, in->len - SIGNATURE_LEN);
    hash_sha256(out32, hash_bytes(text, len));
}

/* "if a valid `n` field is provided: MUST use the `n` field to validate the
 * signature instead of performing signature recovery."  libsecp256k1's verify
 * accepts low s only, its recovery either. */
static bool
verify_stated(const secp256k1_ecdsa_recoverable_signature *recoverable,
              const uint8_t hash[32], const uint8_t node[X402_NODE_LEN])
{
    const secp256k1_context *context = secp256k1_context_static;
    secp256k1_ecdsa_signature signature;
    secp256k1_pubkey point;

    secp256k1_ecdsa_recoverable_signature_convert(context, &signature,
                                                  recoverable);
    return secp256k1_ec_pubkey_parse(context, &point, node, X402_NODE_LEN) &&
           secp256k1_ecdsa_verify(context, &signature, hash, &point);
}

static bool
recover(uint8_t out[X402_NODE_LEN],
        const secp256k1_ecdsa_recoverable_signature *signature,
        const uint8_t hash[32])
{
    const secp256k1_context *context = secp256k1_context_static;
    secp256k1_pubkey point;
    size_t len = X402_NODE_LEN;

    if (!secp256k1_ecdsa_recover(context, &point, signature, hash))
        return false;
    secp256k1_ec_pubkey_serialize(context, out, &len, &point,
                                  SECP256K1_EC_COMPRESSED);
    return true;
}

static bool
check_signature(struct x402_bolt11 *out, const struct bech32 *in)
{
    secp256k1_ecdsa_recoverable_signature signature;
    uint8_t bytes[65], hash[32];

    /* 104 groups are 65 bytes exactly. */
    if (!five_to_bytes(bytes, in->five + in->len - SIGNATURE_LEN,
                       SIGNATURE_LEN))
        return false;
    if (bytes[64] > 3 ||
        !secp256k1_ecdsa_recoverable_signature_parse_compact(
            secp256k1_context_static, &signature, bytes, bytes[64]))
        return false;
    signed_hash(hash, in);
    return out->has_node ? verify_stated(&signature, hash, out->payee)
                         : recover(out->payee, &signature, hash);
}

enum x402_err
x402_bolt11_decode(struct x402_bolt11 *out, struct x402_span text)
{
    struct x402_bolt11 invoice = {.expiry_s = 3600, .min_final_cltv = 18};
    struct bech32 in;
    enum x402_err err = bech32_decode(&in, text);

    if (err != X402_OK)
        return err;
    err = read_prefix(&invoice, (struct x402_span){in.hrp, in.hrp_len});
    if (err != X402_OK)
        return err;
    if (in.len < TIMESTAMP_LEN + SIGNATURE_LEN)
        return X402_ERR_SYNTAX;
    invoice.created_s = five_number(in.five, TIMESTAMP_LEN);
    err = read_fields(&invoice, in.five + TIMESTAMP_LEN,
                      in.len - TIMESTAMP_LEN - SIGNATURE_LEN);
    if (err != X402_OK)
        return err;
    if (!check_signature(&invoice, &in))
        return X402_ERR_SIGNATURE;
    *out = invoice;
    return X402_OK;
}

bool
x402_bolt11_is_expired(const struct x402_bolt11 *invoice, uint64_t now_s)
{
    /* 35 and 60 bits: the sum fits. */
    return now_s >= invoice->created_s + invoice->expiry_s;
}
