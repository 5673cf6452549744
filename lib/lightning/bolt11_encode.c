/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a Lightning invoice, BOLT 11: for tests and nodes that are none. */
#include <x402/bolt11.h>

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include "bech32.h"
#include "hash.h"

/* "SHOULD use the shortest representation possible, by using the largest
 * multiplier or omitting the multiplier." */
static void
write_prefix(struct bech32 *out, const struct x402_bolt11 *invoice)
{
    static const struct {
        uint64_t factor;
        const char *letter;
    } units[] = {
        {100000000000u, ""}, {100000000u, "m"}, {100000u, "u"}, {100u, "n"}};
    struct x402_buf buf = x402_buf_on(out->hrp, sizeof out->hrp);
    uint64_t value = invoice->amount.value, number = value;
    const char *letter = "0p"; /* a tenth of a millisatoshi each */

    x402_buf_text(&buf, "ln");
    x402_buf_text(&buf, x402_ln_currency(invoice->network));
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (value % units[i].factor == 0) {
            number = value / units[i].factor;
            letter = units[i].letter;
            break;
        }
    }
    if (invoice->has_amount) {
        x402_buf_u64(&buf, number);
        x402_buf_text(&buf, letter);
    }
    out->hrp_len = buf.len;
}

static void
add_number(struct bech32 *out, uint64_t value, size_t groups)
{
    for (size_t i = groups; i > 0; i--)
        out->five[out->len++] = (uint8_t)(value >> 5 * (i - 1) & 31);
}

static void
add_bytes(struct bech32 *out, uint8_t type, const uint8_t *bytes, size_t len)
{
    out->five[out->len++] = type;
    add_number(out, (len * 8 + 4) / 5, 2);
    out->len += five_from_bytes(out->five + out->len, bytes, len);
}

/* "SHOULD use the minimum `data_length` possible." */
static void
add_short(struct bech32 *out, uint8_t type, uint64_t value)
{
    size_t groups = 1;

    while (groups < 12 && value >> 5 * groups != 0)
        groups++;
    out->five[out->len++] = type;
    add_number(out, groups, 2);
    add_number(out, value, groups);
}

static bool
add_fields(struct bech32 *out, const struct x402_bolt11 *invoice,
           const uint8_t node[X402_NODE_LEN])
{
    if (invoice->created_s >> 35 != 0 || invoice->expiry_s >> 60 != 0 ||
        invoice->description_len > X402_BOLT11_DESCRIPTION_MAX)
        return false;
    add_number(out, invoice->created_s, 7);
    add_bytes(out, 1, invoice->payment_hash, 32);
    add_bytes(out, 16, invoice->payment_secret, 32);
    if (invoice->has_description_hash)
        add_bytes(out, 23, invoice->description_hash, 32);
    else
        add_bytes(out, 13, (const uint8_t *)invoice->description,
                  invoice->description_len);
    if (invoice->has_node)
        add_bytes(out, 19, node, X402_NODE_LEN);
    add_short(out, 6, invoice->expiry_s);
    add_short(out, 24, invoice->min_final_cltv);
    add_short(out, 5, 1u << 14 | 1u << 8);
    return true;
}

/* Sign what is there and append it. */
static bool
sign(struct bech32 *out, const secp256k1_context *context,
     const uint8_t key32[32])
{
    secp256k1_ecdsa_recoverable_signature signature;
    uint8_t text[2 * X402_BOLT11_MAX], hash[32], bytes[65];
    size_t len = out->hrp_len;
    int id;

    memcpy(text, out->hrp, len);
    len += five_to_bytes_padded(text + len, out->five, out->len);
    hash_sha256(hash, hash_bytes(text, len));
    if (!secp256k1_ecdsa_sign_recoverable(context, &signature, hash, key32,
                                          NULL, NULL))
        return false;
    secp256k1_ecdsa_recoverable_signature_serialize_compact(context, bytes, &id,
                                                            &signature);
    bytes[64] = (uint8_t)id;
    out->len += five_from_bytes(out->five + out->len, bytes, sizeof bytes);
    return true;
}

static bool
make(struct bech32 *out, const struct x402_bolt11 *invoice,
     const secp256k1_context *context, const uint8_t key32[32])
{
    uint8_t node[X402_NODE_LEN];
    size_t len = sizeof node;
    secp256k1_pubkey point;

    if (!secp256k1_ec_pubkey_create(context, &point, key32))
        return false;
    secp256k1_ec_pubkey_serialize(context, node, &len, &point,
                                  SECP256K1_EC_COMPRESSED);
    write_prefix(out, invoice);
    return add_fields(out, invoice, node) && sign(out, context, key32);
}

enum x402_err
x402_bolt11_encode(struct x402_buf *buf, const struct x402_bolt11 *invoice,
                   const uint8_t key32[32])
{
    secp256k1_context *context =
        secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    struct bech32 out;
    bool made;

    if (context == NULL)
        return X402_ERR_INTERNAL;
    out.hrp_len = out.len = 0;
    made = x402_ln_currency(invoice->network) != NULL &&
           invoice->amount.value <= X402_MSAT_MAX &&
           invoice->has_amount == (invoice->amount.value != 0) &&
           make(&out, invoice, context, key32);
    secp256k1_context_destroy(context);
    if (!made)
        return X402_ERR_RANGE;
    bech32_encode(buf, &out);
    return buf->full ? X402_ERR_TOO_LARGE : X402_OK;
}
