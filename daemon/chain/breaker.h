/* SPDX-License-Identifier: Apache-2.0 */
/* When transactions fail in a row although each was tried before, something is
 * wrong that trying does not show: a token that was changed, a contract that
 * says yes to a call and no to a transaction.  Then settling stops, and one
 * payment at a time finds out whether it is over.  Pure. */
#ifndef X402D_BREAKER_H
#define X402D_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include "pace.h"

#define BREAKER_FAILS 5
#define BREAKER_FIRST_MS pace_ms(10000)
#define BREAKER_MOST_MS pace_ms(600000)

struct breaker {
    unsigned fails; /* in a row */
    unsigned trips; /* how often it was found closed again, and was not */
    uint64_t until_ms;
};

/** A transaction was mined and paid nothing.  true: this one stops it. */
bool breaker_failed(struct breaker *breaker, uint64_t now_ms);
void breaker_worked(struct breaker *breaker);
/** One of the failures had a reason of its own: somebody was faster. */
void breaker_excused(struct breaker *breaker);
/** Settling is stopped, but for single tries. */
bool breaker_tripped(const struct breaker *breaker);
/** May this payment go?  While it is stopped one may from time to time, and
 *  that is the one that asked. */
bool breaker_lets(struct breaker *breaker, uint64_t now_ms);

#endif
