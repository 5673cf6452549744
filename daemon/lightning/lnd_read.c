/* SPDX-License-Identifier: Apache-2.0 */
/* See lnd_read.h. */
#include "lnd_read.h"

#include <string.h>

#include <x402/encode.h>
#include <x402/json.h>

#include "../failpoint.h"

static bool
read_u64(uint64_t *out, const json_t *object, const char *key)
{
    struct x402_amount amount;

    return x402_json_amount(&amount, object, key) == X402_OK &&
           x402_amount_u64(out, &amount) && *out <= INT64_MAX;
}

static bool
read_msat(struct x402_msat *out, const json_t *object, const char *key)
{
    uint64_t value;

    return read_u64(&value, object, key) && x402_msat_of(out, value) == X402_OK;
}

static bool
read_hash(uint8_t out[32], const json_t *object, const char *key)
{
    uint8_t bytes[X402_BASE64_DECODED_MAX(X402_BASE64_LEN(32))];
    struct x402_span text;
    size_t len;

    if (x402_json_string(&text, object, key) != X402_OK ||
        x402_base64_decode(bytes, &len, sizeof bytes, text) != X402_OK ||
        len != 32)
        return false;
    memcpy(out, bytes, 32);
    return true;
}

static enum lnd_state
state_of(struct x402_span name)
{
    static const struct {
        const char *name;
        enum lnd_state state;
    } rows[] = {
        {"OPEN", LND_OPEN},
        {"SETTLED", LND_SETTLED},
        {"CANCELED", LND_CANCELED},
        {"ACCEPTED", LND_ACCEPTED},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (x402_span_eq(name, x402_span_of(rows[i].name)))
            return rows[i].state == LND_ACCEPTED && mutant("invoice_accepted")
                       ? LND_SETTLED
                       : rows[i].state;
    }
    return LND_UNKNOWN;
}

/* "htlcs": "expiry_height: Block height at which this htlc expires." */
static uint64_t
held_until(const json_t *object)
{
    const json_t *htlc, *list = json_object_get(object, "htlcs");
    uint64_t first = 0;
    struct x402_span state;
    size_t i;

    json_array_foreach(list, i, htlc)
    {
        json_int_t height =
            json_integer_value(json_object_get(htlc, "expiry_height"));

        if (x402_json_string(&state, htlc, "state") != X402_OK ||
            !x402_span_eq(state, x402_span_of("ACCEPTED")))
            continue;
        if (height <= 0)
            return 0;
        if (first == 0 || (uint64_t)height < first)
            first = (uint64_t)height;
    }
    return first;
}

bool
lnd_read_invoice(struct lnd_invoice *out, const json_t *object)
{
    struct lnd_invoice in = {.state = LND_UNKNOWN};
    struct x402_span state;

    memset(out, 0, sizeof *out);
    if (x402_json_string(&state, object, "state") != X402_OK ||
        !read_hash(in.payment_hash, object, "r_hash") ||
        !read_msat(&in.paid, object, "amt_paid_msat") ||
        !read_u64(&in.add_index, object, "add_index") ||
        !read_u64(&in.settle_index, object, "settle_index"))
        return false;
    in.state = state_of(state);
    if (in.state == LND_UNKNOWN)
        return false;
    in.held_until = in.state == LND_ACCEPTED ? held_until(object) : 0;
    *out = in;
    return true;
}

bool
lnd_read_added(struct lnd_added *out, const json_t *object)
{
    return read_hash(out->payment_hash, object, "r_hash") &&
           x402_json_string(&out->bolt11, object, "payment_request") == X402_OK;
}

bool
lnd_read_held(struct x402_span *bolt11, const json_t *object)
{
    return x402_json_string(bolt11, object, "payment_request") == X402_OK;
}

/* 66 hexadecimal digits, without the "0x" that x402_hex_decode wants */
static bool
read_node(uint8_t out[X402_NODE_LEN], const json_t *object)
{
    char text[2 + 2 * X402_NODE_LEN];
    struct x402_span hex;

    if (x402_json_string(&hex, object, "identity_pubkey") != X402_OK ||
        hex.len != 2 * X402_NODE_LEN)
        return false;
    memcpy(text, "0x", 2);
    memcpy(text + 2, hex.at, hex.len);
    return x402_hex_decode(out, X402_NODE_LEN,
                           (struct x402_span){text, sizeof text}) == X402_OK;
}

static bool
read_network(enum x402_ln_network *out, const json_t *object)
{
    const json_t *chain = json_array_get(json_object_get(object, "chains"), 0);
    struct x402_span name;

    return x402_json_string(&name, chain, "network") == X402_OK &&
           x402_ln_by_name(out, name) == X402_OK;
}

bool
lnd_read_info(struct lnd_info *out, const json_t *object)
{
    const json_t *synced = json_object_get(object, "synced_to_chain");

    const json_t *height = json_object_get(object, "block_height");

    out->synced = json_is_true(synced);
    out->height = json_is_integer(height) && json_integer_value(height) > 0
                      ? (uint64_t)json_integer_value(height)
                      : 0;
    return json_is_boolean(synced) && read_node(out->node, object) &&
           read_network(&out->network, object);
}

/* "LOCKED", "WAITING_TO_START", ..: calls are refused; "RPC_ACTIVE": some of
 * them still are. */
bool
lnd_read_active(const json_t *object)
{
    struct x402_span state;

    return x402_json_string(&state, object, "state") == X402_OK &&
           x402_span_eq(state, x402_span_of("SERVER_ACTIVE"));
}
