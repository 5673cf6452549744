/* SPDX-License-Identifier: Apache-2.0 */
/* A limit on what may be signed within a rolling window of time. */
#ifndef CLIENT_BUDGET_H
#define CLIENT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include <x402/amount.h>
#include <x402/error.h>
#include <x402/span.h>

struct budget {
    bool set;
    struct x402_amount limit; /* money.h's scale */
    uint64_t window_s;
};

#define BUDGET_WINDOW_MAX_S (7 * 24 * 3600)
#define BUDGET_TEXT_MAX 128

/** Parse "1.00/day"; also /hour, /week, and "none". */
X402_MUST_CHECK enum x402_err budget_parse(struct budget *out,
                                           struct x402_span text);
void budget_format(char out[BUDGET_TEXT_MAX], const struct budget *budget);
/** May `price` be added to what was spent within the window? */
bool budget_allows(const struct budget *budget, const struct x402_amount *spent,
                   const struct x402_amount *price);

#endif
