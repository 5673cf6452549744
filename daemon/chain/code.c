/* SPDX-License-Identifier: Apache-2.0 */
/* See code.h.  A table of one-entry buckets: forgetting costs one question. */
#include "code.h"

#include <string.h>

static size_t
slot_of(const struct code_cache *cache, const struct x402_address *address)
{
    uint64_t hash = cache->seed;

    for (size_t i = 0; i < sizeof address->byte; i++)
        hash = (hash ^ address->byte[i]) * 0x100000001b3u;
    return (size_t)((hash ^ hash >> 29) % CODE_SLOTS);
}

enum code
code_find(const struct code_cache *cache, const struct x402_address *address,
          uint64_t now_ms)
{
    const struct code_slot *slot = &cache->slot[slot_of(cache, address)];

    if (now_ms >= slot->until_ms || !x402_address_eq(&slot->address, address))
        return CODE_UNKNOWN;
    /* the wall clock went back: nothing is known for longer than it may be */
    if (slot->until_ms - now_ms > CODE_KEEP_MS)
        return CODE_UNKNOWN;
    return slot->some ? CODE_SOME : CODE_NONE;
}

void
code_keep(struct code_cache *cache, const struct x402_address *address,
          bool some, uint64_t now_ms)
{
    struct code_slot *slot = &cache->slot[slot_of(cache, address)];

    slot->address = *address;
    slot->some = some;
    slot->until_ms = now_ms + CODE_KEEP_MS;
}
