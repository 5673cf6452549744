/* SPDX-License-Identifier: Apache-2.0 */
/* See allowance.h.  Generic cell rate algorithm: one time says how full it is.
 */
#include "allowance.h"

#include <string.h>

#include "../core.h"

void
allowance_init(struct allowance *allowance, unsigned per_minute, unsigned depth)
{
    memset(allowance, 0, sizeof *allowance);
    allowance->step_ms = 60000 / per_minute;
    if (allowance->step_ms == 0)
        allowance->step_ms = 1;
    allowance->depth = depth;
    core_random(allowance->salt, sizeof allowance->salt);
}

/* splitmix64's finish over both halves, salted */
static uint64_t
place(const struct allowance *allowance, const uint8_t peer[16])
{
    uint64_t hash = allowance->salt[0], word;

    for (int i = 0; i < 2; i++) {
        memcpy(&word, peer + 8 * i, sizeof word);
        hash ^= word ^ allowance->salt[1];
        hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
        hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
        hash ^= hash >> 31;
    }
    return hash % ALLOWANCE_PLACES;
}

uint64_t
allowance_take(struct allowance *allowance, const uint8_t peer[16],
               uint64_t now_ms)
{
    uint64_t *full_ms = &allowance->full_ms[place(allowance, peer)];
    uint64_t room = allowance->depth * allowance->step_ms;
    uint64_t from = *full_ms > now_ms ? *full_ms : now_ms;

    /* the clock was set back */
    if (from > now_ms + room)
        from = now_ms + room;
    if (from + allowance->step_ms > now_ms + room)
        return from + allowance->step_ms - now_ms - room;
    *full_ms = from + allowance->step_ms;
    return 0;
}
