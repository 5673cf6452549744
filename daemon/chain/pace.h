/* SPDX-License-Identifier: Apache-2.0 */
/* How long the settler waits where trying again at once would not help.  The
 * figures are made for a real network; tests that see the whole of a long wait
 * divide all of them by one number, so that their order and their ratios stay.
 */
#ifndef X402D_PACE_H
#define X402D_PACE_H

#include <stdint.h>

/** 1 in x402d.  A test sets it before a chain is opened. */
extern unsigned pace_divisor;

static inline uint64_t
pace_ms(uint64_t ms)
{
    return ms / pace_divisor;
}

#endif
