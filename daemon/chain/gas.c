/* SPDX-License-Identifier: Apache-2.0 */
/* See gas.h. */
#include "gas.h"

/* The transaction itself, and what Multicall3 does once. */
#define BASE 30000

void
gas_learn(struct gas *gas, uint64_t estimate, size_t payments, uint64_t now_ms)
{
    uint64_t rest = estimate > BASE ? estimate - BASE : 0;
    uint64_t each = rest / payments + 1;

    /* one was cheaper than the others: not what the others will need */
    if (gas_guess(gas, payments, now_ms) == 0 || each > gas->each)
        gas->each = each;
    gas->learned_ms = now_ms;
}

uint64_t
gas_guess(const struct gas *gas, size_t payments, uint64_t now_ms)
{
    if (gas->each == 0 || now_ms < gas->learned_ms ||
        now_ms - gas->learned_ms > GAS_LEARNED_MS)
        return 0;
    return BASE + gas->each * payments + gas->each * payments / 20;
}
