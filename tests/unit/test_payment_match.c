/* SPDX-License-Identifier: Apache-2.0 */
/* What a well-formed payment buys: several offers, time, domains. */
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
decode_text(enum x402_carrier carrier, const char *quoted)
{
    return decode(carrier, x402_span_of(test_quote(quoted)));
}

static void
domain_of(uint8_t out32[32], const struct x402_asset *asset)
{
    x402_eip712_domain(out32, x402_span_of(asset->eip712_name),
                       x402_span_of(asset->eip712_version), asset->chain_id,
                       &asset->address);
}

/* -- several offers: the refusal that says most -- */

static void
test_best_refusal(void)
{
    struct x402_requirement offer[3];
    struct x402_clock clock = test_clock();
    size_t which = 9;

    for (size_t i = 0; i < 3; i++)
        offer[i] = test_requirement();
    test_ok(decode_text(XP, V1) == X402_OK, "a payment of 3000");
    offer[0].asset = x402_asset_by_symbol(84532, x402_span_of("USDC"));
    offer[1].pay_to.byte[0] ^= 1;
    offer[2].amount = x402_amount_of(3001);
    test_ok(x402_payment_match(&which, &payment, offer, 3, &clock) ==
                    X402_ERR_AMOUNT &&
                which == 9,
            "other network, other payee, other amount: amount");
    test_ok(x402_payment_match(&which, &payment, offer, 2, &clock) ==
                X402_ERR_PAYEE,
            "other network, other payee: payee");
    test_ok(x402_payment_match(&which, &payment, offer, 1, &clock) ==
                X402_ERR_NETWORK,
            "other network: network");
    test_ok(x402_payment_match(&which, &payment, offer, 0, &clock) ==
                X402_ERR_NETWORK,
            "no offer: network");
    offer[2] = test_requirement();
    test_ok(x402_payment_match(&which, &payment, offer, 3, &clock) == X402_OK &&
                which == 2,
            "the third offer fits");
    clock.now_s = 1800000000;
    which = 9;
    test_ok(x402_payment_match(&which, &payment, offer, 3, &clock) ==
                    X402_ERR_EXPIRED &&
                which == 2,
            "expired: everything but time is right, and for which offer");
    offer[2].amount = x402_amount_of(0);
    payment.auth.value = x402_amount_of(0);
    test_ok(x402_payment_match(&which, &payment, offer, 3, &clock) ==
                X402_ERR_AMOUNT,
            "nothing is sold for nothing");
}

/* -- time, at the limits of the numbers -- */

static void
test_time(void)
{
    static const struct {
        const char *why;
        uint64_t after, before;
        struct x402_clock clock;
        enum x402_err err;
    } rows[] = {
        {"one second is left of validAfter", 99, 200, {100, 0, 100}, X402_OK},
        {"now = validAfter", 100, 200, {100, 0, 100}, X402_ERR_NOT_YET_VALID},
        {"now < validAfter", 101, 200, {100, 0, 100}, X402_ERR_NOT_YET_VALID},
        {"now = validBefore", 1, 100, {100, 0, 100}, X402_ERR_EXPIRED},
        {"now = validBefore - 1", 1, 101, {100, 0, 100}, X402_OK},
        {"margin short by one", 1, 119, {100, 20, 100}, X402_ERR_EXPIRED},
        {"margin exact", 1, 120, {100, 20, 100}, X402_OK},
        {"longest", 1, 200, {100, 20, 100}, X402_OK},
        {"longer", 1, 201, {100, 20, 100}, X402_ERR_TOO_LONG},
        {"2^64-1", 1, UINT64_MAX, {100, 20, UINT64_MAX}, X402_ERR_TOO_LONG},
        {"2^64-2", 1, UINT64_MAX - 1, {100, 20, UINT64_MAX}, X402_OK},
        {"a margin beyond all time",
         1,
         200,
         {100, UINT64_MAX, 100},
         X402_ERR_EXPIRED},
        {"empty interval, past", 50, 50, {100, 0, 100}, X402_ERR_NOT_YET_VALID},
        {"turned interval, past",
         60,
         50,
         {100, 0, 100},
         X402_ERR_NOT_YET_VALID},
        {"turned interval, to come",
         190,
         150,
         {100, 0, 100},
         X402_ERR_NOT_YET_VALID},
    };
    struct x402_requirement offer = test_requirement();
    size_t which;

    if (decode_text(XP, V1) != X402_OK)
        abort();
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        payment.auth.valid_after_s = rows[i].after;
        payment.auth.valid_before_s = rows[i].before;
        test_ok(x402_payment_match(&which, &payment, &offer, 1,
                                   &rows[i].clock) == rows[i].err,
                "time: %s", rows[i].why);
    }
}

/* A signature made for one chain or one name is worth nothing on another. */
static void
test_domains(void)
{
    struct x402_requirement offer = test_requirement();
    struct x402_asset asset = *offer.asset;
    uint8_t domain32[32];

    if (decode_text(XP, V1) != X402_OK)
        abort();
    asset.chain_id = 84532;
    domain_of(domain32, &asset);
    test_ok(x402_payment_verify(&payment, domain32) == X402_ERR_SIGNATURE,
            "domain of another chain");
    asset = *offer.asset;
    asset.eip712_name = "USDC";
    domain_of(domain32, &asset);
    test_ok(x402_payment_verify(&payment, domain32) == X402_ERR_SIGNATURE,
            "domain with the name that seed 000 prints");
    asset = *offer.asset;
    asset.address.byte[19] ^= 1;
    domain_of(domain32, &asset);
    test_ok(x402_payment_verify(&payment, domain32) == X402_ERR_SIGNATURE,
            "domain of another token");
}

int
main(void)
{
    test_best_refusal();
    test_time();
    test_domains();
    return test_done();
}
