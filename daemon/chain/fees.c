/* SPDX-License-Identifier: Apache-2.0 */
/* See fees.h.  Wei per gas fits 64 bits with room to spare (18 ether); what
 * does not is over every cap. */
#include "fees.h"
#include "../failpoint.h"

#include "../failpoint.h"

#define GWEI 1000000000u
#define DEFAULT_MAX_FEE_GWEI 500
/* what a node may suggest as a tip before we think that it is mistaken */
#define PRIORITY_PLAUSIBLE (30ull * GWEI)

__extension__ typedef unsigned __int128 wide;

static uint64_t
narrow(wide value)
{
    return value > UINT64_MAX ? UINT64_MAX : (uint64_t)value;
}

static uint64_t
wei(const struct x402_amount *amount)
{
    uint64_t value = UINT64_MAX;

    if (!x402_amount_u64(&value, amount))
        return UINT64_MAX;
    return value;
}

static uint64_t
least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t
most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t
limit_of(const struct fees_caps *caps, uint64_t gas_limit, size_t payments)
{
    uint64_t gwei =
        caps->max_fee_gwei == 0 ? DEFAULT_MAX_FEE_GWEI : caps->max_fee_gwei;
    uint64_t limit = narrow((wide)gwei * GWEI);
    wide settlement;

    if (mutant("fees_uncapped"))
        return UINT64_MAX;
    if (caps->max_settlement_gwei == 0 || gas_limit == 0)
        return limit;
    /* no overflow: 2^64 * 2^8 * 2^30 */
    settlement = (wide)caps->max_settlement_gwei * GWEI * payments;
    return least(limit, narrow(settlement / gas_limit));
}

/* At least one wei: nodes drop transactions that tip nothing. */
static uint64_t
tip_of(const struct fees_market *market, uint64_t base)
{
    uint64_t plausible =
        most(narrow((wide)base * 2), (uint64_t)PRIORITY_PLAUSIBLE);

    return most(1, least(wei(&market->priority), plausible));
}

bool
fees_offer(struct fees *out, const struct fees_market *market,
           const struct fees_caps *caps, uint64_t gas_limit, size_t payments)
{
    uint64_t limit = limit_of(caps, gas_limit, payments);
    uint64_t base = wei(&market->base);
    uint64_t tip = tip_of(market, base);

    if (!market->known || ((wide)base + tip > limit && !mutant("fee_uncapped")))
        return false;
    out->max_fee = x402_amount_of(least(limit, narrow((wide)base * 2 + tip)));
    out->max_priority = x402_amount_of(tip);
    return true;
}

/* At least one eighth more, rounded up. */
static uint64_t
raised(const struct x402_amount *before)
{
    uint64_t value = wei(before);

    return narrow((wide)value + value / 8 + 1);
}

bool
fees_bump(struct fees *out, const struct fees *before,
          const struct fees_market *market, const struct fees_caps *caps,
          uint64_t gas_limit, size_t payments)
{
    uint64_t limit = limit_of(caps, gas_limit, payments);
    uint64_t fee = raised(&before->max_fee);
    uint64_t tip = raised(&before->max_priority);
    struct fees today;

    if (fees_offer(&today, market, caps, gas_limit, payments)) {
        fee = most(fee, wei(&today.max_fee));
        tip = most(tip, wei(&today.max_priority));
    }
    if (fee > limit)
        return false;
    out->max_fee = x402_amount_of(fee);
    out->max_priority = x402_amount_of(least(tip, fee));
    return true;
}

bool
fees_cost(struct x402_amount *out, const struct x402_amount *max_fee,
          uint64_t gas_limit)
{
    return x402_amount_mul_u64(out, max_fee, gas_limit);
}
