/* SPDX-License-Identifier: Apache-2.0 */
/* See plan.h. */
#include "plan.h"

#include "../failpoint.h"

static bool
pays(const struct plan_item *item, const struct x402_address *who)
{
    return x402_address_eq(&item->payment.auth->from, who);
}

static bool
earns(const struct plan_item *item, const struct x402_address *who)
{
    return x402_address_eq(&item->payment.auth->to, who);
}

static bool
fit_together(const struct plan_item *a, const struct plan_item *b)
{
    const struct x402_authorization *auth = b->payment.auth;

    if ((earns(a, &auth->from) || pays(a, &auth->to)) &&
        !mutant("plan_any_company"))
        return false;
    return !((a->apart || b->apart) && pays(a, &auth->from));
}

static bool
fits_all(const struct plan_item *item, const struct plan_item *items,
         const size_t *which, size_t chosen)
{
    for (size_t i = 0; i < chosen; i++) {
        if (!fit_together(&items[which[i]], item))
            return false;
    }
    return true;
}

size_t
plan_group(size_t *which, size_t cap, const struct plan_item *items, size_t n)
{
    size_t chosen = 0;

    if (n == 0 || cap == 0)
        return 0;
    which[chosen++] = 0;
    if (items[0].alone)
        return chosen;
    for (size_t i = 1; i < n && chosen < cap; i++) {
        if (!items[i].alone && fits_all(&items[i], items, which, chosen))
            which[chosen++] = i;
    }
    return chosen;
}
