/* SPDX-License-Identifier: Apache-2.0 */
/* See later.h.  Eight entries a bucket; a full bucket loses the entry that is
 * due first, which costs one early try. */
#include "later.h"

#include <stdlib.h>

#define WIDTH 8
#define BUCKETS (LATER_MAX / WIDTH)

struct entry {
    int64_t payment; /* 0: free */
    uint64_t until_ms;
    unsigned tries;
    enum x402_err reason;
    bool never;
};

struct later {
    struct entry entry[BUCKETS][WIDTH];
    size_t len;
};

struct later *
later_new(void)
{
    struct later *later = calloc(1, sizeof *later);

    if (later == NULL)
        abort();
    return later;
}

void
later_free(struct later *later)
{
    free(later);
}

static const struct entry *
find(const struct later *later, int64_t payment)
{
    const struct entry *bucket = later->entry[(uint64_t)payment % BUCKETS];

    for (size_t i = 0; i < WIDTH; i++) {
        if (bucket[i].payment == payment)
            return &bucket[i];
    }
    return NULL;
}

static struct entry *
make(struct later *later, int64_t payment)
{
    struct entry *bucket = later->entry[(uint64_t)payment % BUCKETS];
    struct entry *at = (struct entry *)find(later, payment);

    if (at != NULL)
        return at;
    at = &bucket[0];
    for (size_t i = 0; i < WIDTH; i++) {
        if (bucket[i].payment == 0 || bucket[i].until_ms < at->until_ms)
            at = &bucket[i];
        if (at->payment == 0)
            break;
    }
    if (at->payment == 0)
        later->len++;
    *at = (struct entry){.payment = payment};
    return at;
}

void
later_put(struct later *later, int64_t payment, enum x402_err reason,
          uint64_t now_ms)
{
    struct entry *entry = make(later, payment);
    uint64_t wait = LATER_MOST_MS;

    if (entry->tries < 6)
        wait = (uint64_t)LATER_FIRST_MS << entry->tries;
    entry->tries++;
    entry->until_ms = now_ms + wait;
    entry->reason = reason;
}

bool
later_waits(const struct later *later, int64_t payment, uint64_t now_ms)
{
    const struct entry *entry = find(later, payment);

    if (entry == NULL)
        return false;
    return entry->never || (now_ms < entry->until_ms &&
                            entry->until_ms - now_ms <= LATER_MOST_MS);
}

enum x402_err
later_reason(const struct later *later, int64_t payment)
{
    const struct entry *entry = find(later, payment);

    return entry == NULL ? X402_OK : entry->reason;
}

unsigned
later_tries(const struct later *later, int64_t payment)
{
    const struct entry *entry = find(later, payment);

    return entry == NULL ? 0 : entry->tries;
}

void
later_never(struct later *later, int64_t payment)
{
    make(later, payment)->never = true;
}

void
later_forget(struct later *later, int64_t payment)
{
    struct entry *entry = (struct entry *)find(later, payment);

    if (entry == NULL)
        return;
    *entry = (struct entry){0};
    later->len--;
}

size_t
later_len(const struct later *later)
{
    return later->len;
}
