/* SPDX-License-Identifier: Apache-2.0 */
/* See spent.h. */
#include "spent.h"

#include "../failpoint.h"

#define HOUR_MS 3600000
#define GWEI 1000000000u

void
spent_add(struct spent *spent, const struct x402_amount *cost,
          const struct x402_amount *before, uint64_t at_ms)
{
    uint64_t hour = at_ms / HOUR_MS;
    size_t i = hour % SPENT_HOURS;
    struct x402_amount more;

    if (!x402_amount_sub(&more, cost, before))
        return; /* a replacement by something cheaper */
    if (spent->slot[i].hour != hour) {
        spent->slot[i].hour = hour;
        spent->slot[i].wei = (struct x402_amount){{0}};
    }
    if (!x402_amount_add(&spent->slot[i].wei, &spent->slot[i].wei, &more))
        spent->slot[i].wei = more; /* 2^256 wei: no such thing */
}

bool
spent_reached(const struct spent *spent, uint64_t limit_gwei, uint64_t now_ms)
{
    struct x402_amount sum = {{0}}, limit = x402_amount_of(limit_gwei);
    uint64_t hour = now_ms / HOUR_MS;

    if (limit_gwei == 0 || mutant("spent_forgotten") ||
        !x402_amount_mul_u64(&limit, &limit, GWEI))
        return false;
    for (size_t i = 0; i < SPENT_HOURS; i++) {
        if (spent->slot[i].hour + SPENT_HOURS > hour &&
            spent->slot[i].hour <= hour &&
            !x402_amount_add(&sum, &sum, &spent->slot[i].wei))
            return true;
    }
    return x402_amount_cmp(&sum, &limit) >= 0;
}
