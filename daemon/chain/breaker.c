/* SPDX-License-Identifier: Apache-2.0 */
/* See breaker.h. */
#include "breaker.h"

static uint64_t
pause_ms(const struct breaker *breaker)
{
    uint64_t wait = BREAKER_FIRST_MS;

    for (unsigned i = 1; i < breaker->trips && wait < BREAKER_MOST_MS; i++)
        wait *= 2;
    return wait < BREAKER_MOST_MS ? wait : BREAKER_MOST_MS;
}

bool
breaker_failed(struct breaker *breaker, uint64_t now_ms)
{
    if (++breaker->fails < BREAKER_FAILS)
        return false;
    breaker->trips++;
    breaker->until_ms = now_ms + pause_ms(breaker);
    return breaker->fails == BREAKER_FAILS;
}

void
breaker_worked(struct breaker *breaker)
{
    *breaker = (struct breaker){0};
}

void
breaker_excused(struct breaker *breaker)
{
    if (breaker->fails > 0)
        breaker->fails--;
}

bool
breaker_tripped(const struct breaker *breaker)
{
    return breaker->fails >= BREAKER_FAILS;
}

bool
breaker_lets(struct breaker *breaker, uint64_t now_ms)
{
    if (!breaker_tripped(breaker))
        return true;
    /* the clock may have gone back */
    if (now_ms < breaker->until_ms &&
        breaker->until_ms - now_ms <= BREAKER_MOST_MS)
        return false;
    breaker->until_ms = now_ms + pause_ms(breaker);
    return true;
}
