/* SPDX-License-Identifier: Apache-2.0 */
/* How many invoices a peer may ask for: a token bucket for each, in a table of
 * fixed size.  Peers whose places fall together share a bucket; which ones do
 * is a secret of this process. */
#ifndef X402D_ALLOWANCE_H
#define X402D_ALLOWANCE_H

#include <stdint.h>

#define ALLOWANCE_PLACES 16384

struct allowance {
    uint64_t step_ms; /* one token comes back in */
    uint64_t depth;   /* tokens of a full bucket */
    uint64_t salt[2];
    uint64_t full_ms[ALLOWANCE_PLACES]; /* when it is full again */
};

void allowance_init(struct allowance *allowance, unsigned per_minute,
                    unsigned depth);
/** Take one token.  0: taken; else the milliseconds until there is one. */
uint64_t allowance_take(struct allowance *allowance, const uint8_t peer[16],
                        uint64_t now_ms);

#endif
