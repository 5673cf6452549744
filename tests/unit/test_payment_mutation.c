/* SPDX-License-Identifier: Apache-2.0 */
/* One member of a good payment changed at a time: decode, match and verify
 * together must refuse it, and for the right reason. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x402/eip712.h>
#include <x402/encode.h>
#include <x402/payment.h>

#include "wire_test.h"

#define PS X402_CARRIER_PAYMENT_SIGNATURE
#define XP X402_CARRIER_X_PAYMENT

static struct x402_payment payment;

static enum x402_err
decode(enum x402_carrier carrier, struct x402_span json)
{
    return x402_payment_decode(&payment, carrier, test_base64(json));
}

static enum x402_err
match(size_t *which)
{
    struct x402_requirement offer = test_requirement();
    struct x402_clock clock = test_clock();

    return x402_payment_match(which, &payment, &offer, 1, &clock);
}

static void
domain_of(uint8_t out32[32], const struct x402_asset *asset)
{
    x402_eip712_domain(out32, x402_span_of(asset->eip712_name),
                       x402_span_of(asset->eip712_version), asset->chain_id,
                       &asset->address);
}

/* -- one member changed at a time -- */

struct mutation {
    const char *path;
    const char *value; /* JSON; NULL: the member is left out */
    enum x402_err err; /* of decode, then match, then verify */
};

static enum x402_err
whole(enum x402_carrier carrier, struct x402_span json)
{
    struct x402_requirement offer = test_requirement();
    uint8_t domain32[32];
    size_t which;
    enum x402_err err = decode(carrier, json);

    if (err == X402_OK)
        err = match(&which);
    if (err != X402_OK)
        return err;
    domain_of(domain32, offer.asset);
    return x402_payment_verify(&payment, domain32);
}

static void
mutated(const char *base, enum x402_carrier carrier,
        const struct mutation *mutation)
{
    json_t *root = test_json(base);
    const char *last;
    json_t *parent = test_parent(root, mutation->path, &last);
    enum x402_err err;

    if (mutation->value == NULL) {
        json_object_del(parent, last);
    } else {
        json_t *value =
            json_loads(test_quote(mutation->value), JSON_DECODE_ANY, NULL);

        if (value == NULL || json_object_set_new(parent, last, value) != 0)
            abort();
    }
    err = whole(carrier, test_dump(root));
    test_ok(err == mutation->err, "%s = %s: %s", mutation->path,
            mutation->value == NULL ? "nothing" : mutation->value,
            x402_err_info(err)->name);
    json_decref(root);
}

#define ZERO "'0x0000000000000000000000000000000000000000'"
#define MAX256                                                                 \
    "1157920892373161954235709850086879078532699846656405640394575840079131"   \
    "29639935"
#define OVER256                                                                \
    "1157920892373161954235709850086879078532699846656405640394575840079131"   \
    "29639936"

/* In all wires: what stands in payload{signature, authorization}. */
static const struct mutation signed_part[] = {
    {"payload", NULL, X402_ERR_SYNTAX},
    {"payload", "null", X402_ERR_SYNTAX},
    {"payload", "[]", X402_ERR_SYNTAX},
    {"payload", "'x'", X402_ERR_SYNTAX},
    {"payload.authorization", NULL, X402_ERR_SYNTAX},
    {"payload.authorization", "[]", X402_ERR_SYNTAX},
    {"payload.unknown", "1", X402_OK},
    {"payload.authorization.unknown", "1", X402_OK},

    {"payload.authorization.value", NULL, X402_ERR_SYNTAX},
    {"payload.authorization.value", "3000", X402_ERR_SYNTAX},
    {"payload.authorization.value", "'2999'", X402_ERR_AMOUNT},
    {"payload.authorization.value", "'3001'", X402_ERR_AMOUNT},
    {"payload.authorization.value", "'0'", X402_ERR_AMOUNT},
    {"payload.authorization.value", "'" MAX256 "'", X402_ERR_AMOUNT},
    {"payload.authorization.value", "'" OVER256 "'", X402_ERR_RANGE},
    {"payload.authorization.value", "'1" MAX256 "'", X402_ERR_RANGE},
    {"payload.authorization.value", "'03000'", X402_ERR_SYNTAX},
    {"payload.authorization.value", "'+3000'", X402_ERR_SYNTAX},
    {"payload.authorization.value", "'-3000'", X402_ERR_SYNTAX},
    {"payload.authorization.value", "'3e3'", X402_ERR_SYNTAX},
    {"payload.authorization.value", "'3000.0'", X402_ERR_SYNTAX},
    {"payload.authorization.value", "' 3000'", X402_ERR_SYNTAX},
    {"payload.authorization.value", "'3000 '", X402_ERR_SYNTAX},
    {"payload.authorization.value", "'0xbb8'", X402_ERR_SYNTAX},
    {"payload.authorization.value", "'3000abc'", X402_ERR_SYNTAX},
    {"payload.authorization.value", "''", X402_ERR_SYNTAX},

    {"payload.authorization.from", NULL, X402_ERR_SYNTAX},
    {"payload.authorization.from", ZERO, X402_ERR_RANGE},
    {"payload.authorization.from", "'" PAYEE "'", X402_ERR_SIGNATURE},
    {"payload.authorization.from",
     "'0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a'", X402_OK},
    {"payload.authorization.from",
     "'0X19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A'", X402_ERR_SYNTAX},
    {"payload.authorization.from",
     "'0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2'", X402_ERR_SYNTAX},
    {"payload.authorization.to", "'" PAYER "'", X402_ERR_PAYEE},
    {"payload.authorization.to", ZERO, X402_ERR_RANGE},
    {"payload.authorization.to", "1", X402_ERR_SYNTAX},

    {"payload.authorization.validAfter", NULL, X402_ERR_SYNTAX},
    {"payload.authorization.validAfter", "1699999940", X402_ERR_SYNTAX},
    {"payload.authorization.validAfter", "'0'", X402_ERR_SIGNATURE},
    {"payload.authorization.validAfter", "'1699999999'", X402_ERR_SIGNATURE},
    {"payload.authorization.validAfter", "'1700000000'",
     X402_ERR_NOT_YET_VALID},
    {"payload.authorization.validAfter", "'1700000001'",
     X402_ERR_NOT_YET_VALID},
    {"payload.authorization.validAfter", "'1700000060'",
     X402_ERR_NOT_YET_VALID},
    {"payload.authorization.validAfter", "'18446744073709551616'",
     X402_ERR_NOT_YET_VALID},
    {"payload.authorization.validAfter", "'" MAX256 "'",
     X402_ERR_NOT_YET_VALID},
    {"payload.authorization.validAfter", "'" OVER256 "'", X402_ERR_RANGE},
    {"payload.authorization.validAfter", "'-1'", X402_ERR_SYNTAX},

    {"payload.authorization.validBefore", NULL, X402_ERR_SYNTAX},
    {"payload.authorization.validBefore", "1700000060", X402_ERR_SYNTAX},
    {"payload.authorization.validBefore", "'1700000024'", X402_ERR_EXPIRED},
    {"payload.authorization.validBefore", "'1700000025'", X402_ERR_SIGNATURE},
    {"payload.authorization.validBefore", "'1700000300'", X402_ERR_SIGNATURE},
    {"payload.authorization.validBefore", "'1700000301'", X402_ERR_TOO_LONG},
    {"payload.authorization.validBefore", "'18446744073709551615'",
     X402_ERR_TOO_LONG},
    {"payload.authorization.validBefore", "'18446744073709551616'",
     X402_ERR_TOO_LONG},
    {"payload.authorization.validBefore", "'" MAX256 "'", X402_ERR_TOO_LONG},
    {"payload.authorization.validBefore", "'01700000060'", X402_ERR_SYNTAX},

    {"payload.authorization.nonce", NULL, X402_ERR_SYNTAX},
    {"payload.authorization.nonce", "'0xab'", X402_ERR_SYNTAX},
    {"payload.authorization.nonce", "'" NONCE "ab'", X402_ERR_SYNTAX},
    {"payload.authorization.nonce",
     "'abababababababababababababababababababababababababababababababab'",
     X402_ERR_SYNTAX},
    {"payload.authorization.nonce",
     "'0xABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB'",
     X402_OK},
    {"payload.authorization.nonce",
     "'0xacababababababababababababababababababababababababababababababab'",
     X402_ERR_SIGNATURE},

    {"payload.signature", NULL, X402_ERR_SYNTAX},
    {"payload.signature", "null", X402_ERR_SYNTAX},
    {"payload.signature", "''", X402_ERR_SYNTAX},
    {"payload.signature", "'0x'", X402_ERR_SYNTAX},
    {"payload.signature", "'0x0'", X402_ERR_SYNTAX},
    {"payload.signature", "'0xzz'", X402_ERR_SYNTAX},
    {"payload.signature", "'0x00'", X402_ERR_SIGNATURE},
    {"payload.signature", "'" SIGNATURE "00'", X402_ERR_SIGNATURE},
    /* v as 0 */
    {"payload.signature",
     "'0xe40a7bee5a224994059a161d3480eaa66c99f8b4ea10779d49e9a1c2bfbeaec8"
     "4d3a3d1ffde8d22044a7fb1b39f0b90825e1de4a4b28dbba0059fe3c59eb37b200'",
     X402_OK},
    /* v as 1, 28, 29, 2: another key or none */
    {"payload.signature",
     "'0xe40a7bee5a224994059a161d3480eaa66c99f8b4ea10779d49e9a1c2bfbeaec8"
     "4d3a3d1ffde8d22044a7fb1b39f0b90825e1de4a4b28dbba0059fe3c59eb37b201'",
     X402_ERR_SIGNATURE},
    {"payload.signature",
     "'0xe40a7bee5a224994059a161d3480eaa66c99f8b4ea10779d49e9a1c2bfbeaec8"
     "4d3a3d1ffde8d22044a7fb1b39f0b90825e1de4a4b28dbba0059fe3c59eb37b21c'",
     X402_ERR_SIGNATURE},
    {"payload.signature",
     "'0xe40a7bee5a224994059a161d3480eaa66c99f8b4ea10779d49e9a1c2bfbeaec8"
     "4d3a3d1ffde8d22044a7fb1b39f0b90825e1de4a4b28dbba0059fe3c59eb37b21d'",
     X402_ERR_SIGNATURE},
    {"payload.signature",
     "'0xe40a7bee5a224994059a161d3480eaa66c99f8b4ea10779d49e9a1c2bfbeaec8"
     "4d3a3d1ffde8d22044a7fb1b39f0b90825e1de4a4b28dbba0059fe3c59eb37b202'",
     X402_ERR_SIGNATURE},
    /* n - s with v flipped: the same signer, and USDC refuses it */
    {"payload.signature",
     "'0xe40a7bee5a224994059a161d3480eaa66c99f8b4ea10779d49e9a1c2bfbeaec8"
     "b2c5c2e002172ddfbb5804e4c60f46f694ccfe9c641fc481bf786050764b098f1c'",
     X402_ERR_SIGNATURE},
};

static const struct mutation v2_part[] = {
    {"x402Version", NULL, X402_ERR_SYNTAX},
    {"x402Version", "1", X402_ERR_VERSION},
    {"x402Version", "3", X402_ERR_VERSION},
    {"accepted", NULL, X402_ERR_SYNTAX},
    {"accepted", "null", X402_ERR_SYNTAX},
    {"accepted", "[]", X402_ERR_SYNTAX},
    {"payload.permit2Authorization", "{}", X402_ERR_SYNTAX},
    {"accepted.scheme", NULL, X402_ERR_SYNTAX},
    {"accepted.scheme", "'upto'", X402_ERR_PAYLOAD_TYPE},
    {"accepted.network", NULL, X402_ERR_SYNTAX},
    {"accepted.network", "'base'", X402_ERR_NETWORK},
    {"accepted.network", "8453", X402_ERR_SYNTAX},
    {"accepted.network", "'eip155:84532'", X402_ERR_NETWORK},
    {"accepted.network", "'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp'",
     X402_ERR_NETWORK},
    {"accepted.amount", NULL, X402_ERR_SYNTAX},
    {"accepted.amount", "3000", X402_ERR_SYNTAX},
    {"accepted.amount", "'2999'", X402_ERR_OFFER},
    {"accepted.amount", "'3001'", X402_ERR_OFFER},
    {"accepted.amount", "'03000'", X402_ERR_SYNTAX},
    {"accepted.asset", NULL, X402_ERR_SYNTAX},
    {"accepted.asset", "'0x833589fcd6edb6e08f4c7c32d4f71b54bda02913'", X402_OK},
    {"accepted.asset", "'0x036CbD53842c5426634e7929541eC2318f3dCF7e'",
     X402_ERR_ASSET},
    {"accepted.asset", ZERO, X402_ERR_ASSET},
    {"accepted.payTo", NULL, X402_ERR_SYNTAX},
    {"accepted.payTo", "'0x5cbdd86a2fa8dc4bddd8a8f69dba48572eec07f'",
     X402_ERR_SYNTAX},
    {"accepted.payTo", "'0x5cbdd86a2fa8dc4bddd8a8f69dba48572eec07fb'", X402_OK},
    {"accepted.payTo", "'" PAYER "'", X402_ERR_OFFER},
    {"accepted.maxTimeoutSeconds", NULL, X402_ERR_SYNTAX},
    {"accepted.maxTimeoutSeconds", "'60'", X402_ERR_SYNTAX},
    {"accepted.maxTimeoutSeconds", "60.0", X402_ERR_SYNTAX},
    {"accepted.maxTimeoutSeconds", "0", X402_ERR_RANGE},
    {"accepted.maxTimeoutSeconds", "-60", X402_ERR_RANGE},
    {"accepted.maxTimeoutSeconds", "4294967356", X402_ERR_RANGE},
    {"accepted.maxTimeoutSeconds", "61", X402_ERR_OFFER},
    {"accepted.maxTimeoutSeconds", "59", X402_ERR_OFFER},
    {"accepted.extra", NULL, X402_ERR_DOMAIN},
    {"accepted.extra", "null", X402_ERR_DOMAIN},
    {"accepted.extra", "{}", X402_ERR_DOMAIN},
    {"accepted.extra", "[]", X402_ERR_SYNTAX},
    {"accepted.extra.name", NULL, X402_ERR_DOMAIN},
    {"accepted.extra.name", "'USDC'", X402_ERR_DOMAIN},
    {"accepted.extra.name", "'usd coin'", X402_ERR_DOMAIN},
    {"accepted.extra.version", NULL, X402_ERR_DOMAIN},
    {"accepted.extra.version", "2", X402_ERR_DOMAIN},
    {"accepted.extra.version", "'1'", X402_ERR_DOMAIN},
    {"accepted.extra.assetTransferMethod", "'eip3009'", X402_OK},
    {"accepted.extra.assetTransferMethod", "'permit2'", X402_ERR_OFFER},
    {"accepted.extra.assetTransferMethod", "null", X402_ERR_OFFER},
    {"accepted.extra.unknown", "{}", X402_OK},
    {"accepted.unknown", "1", X402_OK},
    {"resource", "{'url':'https://other.example/'}", X402_OK},
    {"extensions", "null", X402_OK},
    /* copies of version 1's members must say the same */
    {"scheme", "'exact'", X402_OK},
    {"scheme", "'upto'", X402_ERR_SYNTAX},
    {"network", "'eip155:8453'", X402_OK},
    {"network", "'base'", X402_ERR_SYNTAX},
    {"chain", "'base'", X402_ERR_SYNTAX},
};

static const struct mutation seed001_part[] = {
    {"chain", "'BASE'", X402_OK},
    {"chain", "'base-sepolia'", X402_ERR_NETWORK},
    {"chain", "'lightning'", X402_ERR_NETWORK},
    {"chain", "'eip155:8453'", X402_ERR_NETWORK},
    {"chain", "8453", X402_ERR_SYNTAX},
    {"chain", "null", X402_ERR_SYNTAX},
    {"chain", NULL, X402_ERR_SYNTAX},
    {"currency", NULL, X402_ERR_SYNTAX},
    {"currency", "'usdc'", X402_OK},
    {"currency", "'USDT'", X402_ERR_ASSET},
    {"currency", "''", X402_ERR_SYNTAX},
    {"currency", "'USDCUSDCUSDCUSD'", X402_ERR_ASSET},
    {"currency", "'USDCUSDCUSDCUSDC'", X402_ERR_SYNTAX},
    {"resource", NULL, X402_ERR_SYNTAX},
    {"resource", "{}", X402_ERR_SYNTAX},
    {"resource", "'https://other.example/'", X402_OK},
    {"scheme", NULL, X402_ERR_SYNTAX},
    {"scheme", "'upto'", X402_ERR_SCHEME},
    {"version", NULL, X402_ERR_SYNTAX},
    {"version", "'1'", X402_ERR_SYNTAX},
    {"version", "1.0", X402_ERR_SYNTAX},
    {"version", "2", X402_ERR_VERSION},
    {"x402Version", "1", X402_ERR_SYNTAX},
    {"x402Version", "2", X402_ERR_SYNTAX},
    {"accepted", ACCEPTED, X402_ERR_SYNTAX},
};

#define EACH(array, base, carrier)                                             \
    for (size_t i = 0; i < TEST_LEN(array); i++)                               \
    mutated(base, carrier, &(array)[i])

static void
test_mutations(void)
{
    EACH(signed_part, V2, PS);
    EACH(signed_part, V1, XP);
    EACH(signed_part, SEED000, XP);
    EACH(signed_part, SEED001, XP);
    EACH(v2_part, V2, PS);
    EACH(seed001_part, SEED001, XP);
}

static void
test_long_signatures(void)
{
    static char hex[2 + 2 * X402_SIGNATURE_MAX + 4];
    json_t *root = test_json(V1);
    const char *last;
    json_t *parent = test_parent(root, "payload.signature", &last);

    memset(hex, '1', sizeof(hex) - 1);
    hex[1] = 'x';
    hex[0] = '0';
    json_object_set_new(parent, last,
                        json_stringn(hex, 2 + 2 * X402_SIGNATURE_MAX));
    test_ok(decode(XP, test_dump(root)) == X402_OK &&
                payment.signature_len == X402_SIGNATURE_MAX,
            "a smart wallet's signature of 2048 bytes");
    json_object_set_new(parent, last,
                        json_stringn(hex, 4 + 2 * X402_SIGNATURE_MAX));
    test_ok(decode(XP, test_dump(root)) == X402_ERR_TOO_LARGE,
            "a signature of 2049 bytes");
    json_decref(root);
}

int
main(void)
{
    test_mutations();
    test_long_signatures();
    return test_done();
}
