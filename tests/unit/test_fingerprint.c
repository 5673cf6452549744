/* SPDX-License-Identifier: Apache-2.0 */
/* The digest that binds a payment to a request: its value as another program
 * computes it, and that every part of the request changes it. */
#include <stdio.h>
#include <string.h>

#include <x402/encode.h>
#include <x402/payment.h>

#include "wire_test.h"

struct request {
    const char *method, *origin, *target;
    uint64_t price;
    uint8_t body32[32];
};

static const struct request base = {
    "GET", "https://api.example.com", "/premium-data?a=1", 3000, {0}};

static void
digest(uint8_t out32[32], const struct request *request,
       const struct x402_asset *asset)
{
    struct x402_amount price = x402_amount_of(request->price);

    x402_fingerprint(
        out32, x402_span_of(request->method), x402_span_of(request->origin),
        x402_span_of(request->target), &price, asset, request->body32);
}

/* python3: sha256 over, for method, origin and target, an 8-byte big-endian
 * length and the bytes; then 32 bytes price, 8 bytes chain id, 20 bytes token,
 * 32 bytes body digest. */
static void
test_value(void)
{
    uint8_t out32[32];
    char hex[67];

    digest(out32, &base, test_requirement().asset);
    x402_hex_encode(hex, out32, 32);
    test_ok(strcmp(hex, "0x292aadfe2248925f4f3dcaf47d1f1e83a4544b02fbb4f937aaad"
                        "024dc0defba4") == 0,
            "the value is %s", hex);
}

static void
differs(const char *why, const struct request *request,
        const struct x402_asset *asset)
{
    uint8_t one[32], other[32];

    digest(one, &base, test_requirement().asset);
    digest(other, request, asset);
    test_ok(memcmp(one, other, 32) != 0, "another digest: %s", why);
}

static void
test_every_part(void)
{
    const struct x402_asset *asset = test_requirement().asset;
    struct x402_asset other = *asset;
    struct request request = base;

    request.method = "POST";
    differs("method", &request, asset);
    request = base;
    request.origin = "https://api.example.com:8443";
    differs("origin", &request, asset);
    request = base;
    request.target = "/premium-data?a=2";
    differs("query", &request, asset);
    request = base;
    request.price = 3001;
    differs("price", &request, asset);
    request = base;
    request.body32[31] = 1;
    differs("body", &request, asset);
    other.chain_id = 84532;
    differs("chain", &base, &other);
    other = *asset;
    other.address.byte[0] ^= 1;
    differs("token", &base, &other);
}

/* No byte may wander from one field into the next. */
static void
test_borders(void)
{
    const struct x402_asset *asset = test_requirement().asset;
    struct request request = base;

    request.method = "GEThttps://api.example.com";
    request.origin = "";
    differs("method swallows origin", &request, asset);
    request = base;
    request.origin = "https://api.example.com/";
    request.target = "premium-data?a=1";
    differs("origin swallows a slash", &request, asset);
}

int
main(void)
{
    test_value();
    test_every_part();
    test_borders();
    return test_done();
}
