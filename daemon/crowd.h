/* SPDX-License-Identifier: Apache-2.0 */
/* Do many come at once?  What has a price per turn (a wake-up, a call to a
 * node) is then worth a moment's wait, because more will come in it; and when
 * nobody else comes, nobody waits. */
#ifndef X402D_CROWD_H
#define X402D_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CROWD_MANY 8 /* so many ... */
#define CROWD_MS 2   /* ... in so short a time */

/** When the last ones came, monotonic; all zero at the beginning. */
struct crowd {
    uint64_t came_ns[CROWD_MANY]; /* a ring */
    size_t came;
};

static inline void
crowd_came(struct crowd *crowd, uint64_t now_ns)
{
    crowd->came_ns[crowd->came++ % CROWD_MANY] = now_ns;
}

static inline bool
crowd_is(const struct crowd *crowd, uint64_t now_ns)
{
    return now_ns - crowd->came_ns[crowd->came % CROWD_MANY] <
           CROWD_MS * 1000000u;
}

#endif
