/* SPDX-License-Identifier: Apache-2.0 */
/* Fees: never over the operator's caps, always enough of a bump. */
#include "chain/fees.h"
#include "test.h"

#define GWEI 1000000000ull

static uint64_t
wei(struct x402_amount amount)
{
    uint64_t value = UINT64_MAX;

    test_need(x402_amount_u64(&value, &amount), "fits");
    return value;
}

static const struct {
    const char *why;
    uint64_t base, tip;                /* wei */
    uint64_t cap_gwei, cap_settlement; /* gwei */
    uint64_t gas, payments;
    bool good;
    uint64_t max_fee, max_tip;
} offers[] = {
    {"twice the base fee and the tip", 10 * GWEI, 2 * GWEI, 0, 0, 100000, 1,
     true, 22 * GWEI, 2 * GWEI},
    {"less than a gwei", 5000000, 1000000, 0, 0, 100000, 1, true, 11000000,
     1000000},
    {"never no tip", 5 * GWEI, 0, 0, 0, 100000, 1, true, 10 * GWEI + 1, 1},
    {"under the cap by less than twice", 10 * GWEI, 2 * GWEI, 15, 0, 100000, 1,
     true, 15 * GWEI, 2 * GWEI},
    {"exactly the cap", 10 * GWEI, 2 * GWEI, 12, 0, 100000, 1, true, 12 * GWEI,
     2 * GWEI},
    {"over the cap", 10 * GWEI, 2 * GWEI, 11, 0, 100000, 1, false, 0, 0},
    {"without a cap 500 gwei", 501 * GWEI, 1, 0, 0, 100000, 1, false, 0, 0},
    {"a tip beyond belief", 10 * GWEI, 4000 * GWEI, 0, 0, 100000, 1, true,
     50 * GWEI, 30 * GWEI},
    {"a tip beyond belief with a high base fee", 40 * GWEI, 4000 * GWEI, 0, 0,
     100000, 1, true, 160 * GWEI, 80 * GWEI},
    {"the cap for a settlement", 10 * GWEI, 2 * GWEI, 0, 1300000, 100000, 1,
     true, 13 * GWEI, 2 * GWEI},
    {"is for each payment in it", 10 * GWEI, 2 * GWEI, 0, 700000, 100000, 2,
     true, 14 * GWEI, 2 * GWEI},
    {"and can be too low", 10 * GWEI, 2 * GWEI, 0, 1100000, 100000, 1, false, 0,
     0},
    {"a cap without end", 10 * GWEI, 2 * GWEI, UINT64_MAX, UINT64_MAX, 1, 200,
     true, 22 * GWEI, 2 * GWEI},
};

static struct fees_market
market_of(uint64_t base, uint64_t tip)
{
    return (struct fees_market){true, x402_amount_of(base),
                                x402_amount_of(tip)};
}

static void
offer(void)
{
    for (size_t i = 0; i < TEST_LEN(offers); i++) {
        struct fees_market market = market_of(offers[i].base, offers[i].tip);
        struct fees_caps caps = {offers[i].cap_gwei, offers[i].cap_settlement};
        struct fees fees;
        bool good = fees_offer(&fees, &market, &caps, offers[i].gas,
                               (size_t)offers[i].payments);

        test_ok(good == offers[i].good &&
                    (!good || (wei(fees.max_fee) == offers[i].max_fee &&
                               wei(fees.max_priority) == offers[i].max_tip)),
                "%s", offers[i].why);
    }
}

static void
absurd(void)
{
    struct fees_market market = market_of(1, 1);
    struct fees_caps caps = {UINT64_MAX, 0};
    struct fees fees;

    market.base.limb[3] = 1;
    test_ok(!fees_offer(&fees, &market, &caps, 100000, 1),
            "a base fee of 2^192 is over every cap");
    market = market_of(1, 1);
    market.known = false;
    test_ok(!fees_offer(&fees, &market, &caps, 100000, 1),
            "an unknown market has no price");
}

/* Nodes take a replacement from 10 % more on both; we promise 12.5 %. */
static bool
enough(uint64_t before, uint64_t after)
{
    return after >= before + before / 8 && after > before;
}

static void
bump(void)
{
    struct fees_market calm = market_of(1, 1);
    struct fees_market wild = market_of(90 * GWEI, 5 * GWEI);
    struct fees_caps caps = {200, 0};
    struct fees before = {x402_amount_of(20 * GWEI), x402_amount_of(GWEI)};
    struct fees after;
    struct fees tiny = {x402_amount_of(3), x402_amount_of(1)};
    unsigned steps = 0;

    test_ok(fees_bump(&after, &before, &calm, &caps, 100000, 1) &&
                enough(20 * GWEI, wei(after.max_fee)) &&
                enough(GWEI, wei(after.max_priority)),
            "at least an eighth more on both");
    test_ok(fees_bump(&after, &tiny, &calm, &caps, 100000, 1) &&
                wei(after.max_fee) > 3 && wei(after.max_priority) > 1,
            "also of next to nothing");
    test_ok(fees_bump(&after, &before, &wild, &caps, 100000, 1) &&
                wei(after.max_fee) == 185 * GWEI &&
                wei(after.max_priority) == 5 * GWEI,
            "or today's price when that is more");
    while (fees_bump(&after, &before, &calm, &caps, 100000, 1) && steps < 100) {
        test_need(wei(after.max_fee) <= 200 * GWEI &&
                      wei(after.max_priority) <= wei(after.max_fee),
                  "within the cap");
        before = after;
        steps++;
    }
    test_ok(steps > 15 && steps < 25, "until the cap: %u times", steps);
}

static void
cost(void)
{
    struct x402_amount fee = x402_amount_of(2 * GWEI), out;

    test_ok(fees_cost(&out, &fee, 100000) && wei(out) == 200000 * GWEI,
            "gas times fee");
    fee.limb[3] = UINT64_MAX;
    test_ok(!fees_cost(&out, &fee, 100000), "too much for 256 bits");
}

int
main(void)
{
    offer();
    absurd();
    bump();
    cost();
    return test_done();
}
