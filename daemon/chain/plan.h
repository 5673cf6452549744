/* SPDX-License-Identifier: Apache-2.0 */
/* Which payments may stand together in one aggregate, simulated or settled. */
#ifndef X402D_PLAN_H
#define X402D_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "look.h"

struct plan_item {
    struct look_payment payment;
    bool alone; /* the payer has code: nobody else in its aggregate */
    bool apart; /* failed beside another of its payer: now without them */
};

/** Choose up to cap items, in their order, beginning with the first.
 *  Nobody stands beside a payment of a payer with code: its contract runs in
 *  the same transaction and could burn the others' gas.  No payer of one is the
 *  payee of another: what he is paid in it would count as his balance.
 *  Out: which[0..returned) indexes into items.  Pure. */
size_t plan_group(size_t *which, size_t cap, const struct plan_item *items,
                  size_t n);

#endif
