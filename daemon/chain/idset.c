/* SPDX-License-Identifier: Apache-2.0 */
/* See idset.h.  Open addressing; ids are positive. */
#include "idset.h"

#include <stdlib.h>

#define GONE (-1)

static size_t
find(const struct idset *set, int64_t id)
{
    size_t i = (size_t)((uint64_t)id * 0x9e3779b97f4a7c15u) % set->cap;

    while (set->slot[i] != 0 && set->slot[i] != id)
        i = (i + 1) % set->cap;
    return i;
}

static void
grow(struct idset *set)
{
    struct idset bigger = {.cap = 2 * (set->len + 32)};

    bigger.slot = calloc(bigger.cap, sizeof *bigger.slot);
    if (bigger.slot == NULL)
        abort();
    for (size_t i = 0; i < set->cap; i++) {
        if (set->slot[i] > 0)
            bigger.slot[find(&bigger, set->slot[i])] = set->slot[i];
    }
    bigger.len = bigger.used = set->len;
    free(set->slot);
    *set = bigger;
}

void
idset_add(struct idset *set, int64_t id)
{
    size_t i;

    if (2 * (set->used + 1) > set->cap)
        grow(set);
    i = find(set, id);
    if (set->slot[i] == id)
        return;
    set->slot[i] = id;
    set->len++;
    set->used++;
}

void
idset_remove(struct idset *set, int64_t id)
{
    size_t i;

    if (set->cap == 0)
        return;
    i = find(set, id);
    if (set->slot[i] != id)
        return;
    set->slot[i] = GONE;
    set->len--;
}

bool
idset_has(const struct idset *set, int64_t id)
{
    return set->cap > 0 && set->slot[find(set, id)] == id;
}

void
idset_list(const struct idset *set, int64_t *out)
{
    for (size_t i = 0; i < set->cap; i++) {
        if (set->slot[i] > 0)
            *out++ = set->slot[i];
    }
}

void
idset_free(struct idset *set)
{
    free(set->slot);
    *set = (struct idset){0};
}
