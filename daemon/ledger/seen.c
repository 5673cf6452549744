/* SPDX-License-Identifier: Apache-2.0 */
/* See seen.h.  Three bits of one word per key: one cache line to look at, and
 * with 16 bits of room per row about one "perhaps" in fifty that is wrong. */
#include "seen.h"

#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define ROWS_SPARE 1000000u
#define ROWS_PER_WORD 4             /* 16 bits for each */
#define WORDS_MAX ((size_t)1 << 23) /* 64 MiB */

void
seen_init(struct seen *seen, uint64_t rows)
{
    uint64_t room = 2 * rows > ROWS_SPARE ? 2 * rows : ROWS_SPARE;

    seen->len = 1;
    while (seen->len < room / ROWS_PER_WORD && seen->len < WORDS_MAX)
        seen->len *= 2;
    seen->words = command_new(seen->len * sizeof *seen->words);
    core_random(seen->seed, sizeof seen->seed);
}

void
seen_free(struct seen *seen)
{
    free(seen->words);
    seen->words = NULL;
}

/* The seed keeps it from being known which keys meet; keys that do cost a
 * look-up, no more. */
static uint64_t
hash(const struct seen *seen, const struct x402_address *payer,
     const uint8_t nonce[32])
{
    uint64_t h = seen->seed[0], words[7] = {0};

    memcpy(words, nonce, 32);
    memcpy((uint8_t *)words + 32, payer->byte, sizeof payer->byte);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        h = (h ^ words[i]) * 0xbf58476d1ce4e5b9u;
        h ^= h >> 31;
    }
    h = (h ^ seen->seed[1]) * 0x94d049bb133111ebu;
    return h ^ h >> 29;
}

static uint64_t
bits_of(uint64_t h)
{
    return (uint64_t)1 << (h & 63) | (uint64_t)1 << (h >> 6 & 63) |
           (uint64_t)1 << (h >> 12 & 63);
}

static _Atomic uint64_t *
word_of(const struct seen *seen, uint64_t h)
{
    return &seen->words[(h >> 32) & (seen->len - 1)];
}

void
seen_add(struct seen *seen, const struct x402_address *payer,
         const uint8_t nonce[32])
{
    uint64_t h = hash(seen, payer, nonce);

    atomic_fetch_or_explicit(word_of(seen, h), bits_of(h),
                             memory_order_relaxed);
}

bool
seen_perhaps(const struct seen *seen, const struct x402_address *payer,
             const uint8_t nonce[32])
{
    uint64_t h = hash(seen, payer, nonce), bits = bits_of(h);

    return (atomic_load_explicit(word_of(seen, h), memory_order_relaxed) &
            bits) == bits;
}
