/* SPDX-License-Identifier: Apache-2.0 */
/* See shown.h.  A table of one-entry buckets: forgetting costs one simulation.
 */
#include "shown.h"

#include <stddef.h>
#include <string.h>

#include "../failpoint.h"

/* All three belong to it. */
static struct shown_path
key_of(const struct shown_path *path)
{
    struct shown_path key = *path;

    if (mutant("shown_any_payer"))
        memset(&key.payer, 0, sizeof key.payer);
    if (mutant("shown_any_payee"))
        memset(&key.payee, 0, sizeof key.payee);
    return key;
}

static size_t
slot_of(const struct shown *shown, const struct shown_path *key)
{
    const uint8_t *bytes = (const uint8_t *)key;
    uint64_t hash = shown->seed;
    uint32_t word;

    _Static_assert(sizeof *key == 60, "three addresses, nothing between");
    for (size_t i = 0; i < sizeof *key; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        hash = (hash ^ word) * 0xbf58476d1ce4e5b9u; /* splitmix64's */
        hash ^= hash >> 29;
    }
    return (size_t)(hash % SHOWN_SLOTS);
}

bool
shown_has(const struct shown *shown, const struct shown_path *path,
          uint64_t now_ms, uint64_t age_ms)
{
    const struct shown_path key = key_of(path);
    const struct shown_slot *slot = &shown->slot[slot_of(shown, &key)];

    if (slot->at_ms == 0 || memcmp(&slot->path, &key, sizeof key) != 0)
        return false;
    return now_ms - slot->at_ms < age_ms || mutant("shown_forever");
}

void
shown_keep(struct shown *shown, const struct shown_path *path,
           uint64_t asked_ms)
{
    const struct shown_path key = key_of(path);

    shown->slot[slot_of(shown, &key)] = (struct shown_slot){key, asked_ms};
}

void
shown_forget(struct shown *shown, const struct shown_path *path)
{
    const struct shown_path key = key_of(path);
    struct shown_slot *slot = &shown->slot[slot_of(shown, &key)];

    if (memcmp(&slot->path, &key, sizeof key) == 0)
        slot->at_ms = 0;
}
