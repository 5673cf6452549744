/* SPDX-License-Identifier: Apache-2.0 */
/* What the transactions of the last 24 hours may have cost, at most: their gas
 * limits at their highest fees.  Pure. */
#ifndef X402D_SPENT_H
#define X402D_SPENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <x402/amount.h>

#define SPENT_HOURS 25 /* the current one, and 24 before it */

struct spent {
    struct {
        uint64_t hour; /* since 1970 */
        struct x402_amount wei;
    } slot[SPENT_HOURS];
};

/** A transaction was signed that may cost so much, in place of one of the same
 *  account nonce that may have cost `before` (zero: none). */
void spent_add(struct spent *spent, const struct x402_amount *cost,
               const struct x402_amount *before, uint64_t at_ms);
/** Is it this much or more?  limit_gwei 0: never. */
bool spent_reached(const struct spent *spent, uint64_t limit_gwei,
                   uint64_t now_ms);

#endif
