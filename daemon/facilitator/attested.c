/* SPDX-License-Identifier: Apache-2.0 */
/* See attested.h.  Buckets of four by the key's own bits: it is a SHA-256, and
 * a full one gives up the entry that ends first. */
#include "attested.h"

#include "../failpoint.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#define WIDTH 4
#define BUCKETS (ATTESTED_MAX / WIDTH)

struct entry {
    uint8_t key[32];
    uint64_t valid_until_s; /* 0: free */
};

struct attested {
    struct entry entry[BUCKETS][WIDTH];
};

struct attested *
attested_new(void)
{
    struct attested *attested = calloc(1, sizeof *attested);

    if (attested == NULL)
        abort();
    return attested;
}

void
attested_free(struct attested *attested)
{
    free(attested);
}

/* The hash has a fixed length: the two cannot run into each other. */
static void
make_key(uint8_t out32[32], const uint8_t receipt_hash[32],
         struct x402_span resource)
{
    uint8_t both[64];

    memset(both, 0, sizeof both);
    if (!mutant("attested_any"))
        memcpy(both, receipt_hash, 32);
    SHA256((const uint8_t *)(resource.len > 0 ? resource.at : ""), resource.len,
           both + 32);
    SHA256(both, sizeof both, out32);
}

static size_t
bucket_of(const uint8_t key[32])
{
    return (size_t)(key[0] << 8 | key[1]) % BUCKETS;
}

void
attested_put(struct attested *attested, const uint8_t receipt_hash[32],
             struct x402_span resource, uint64_t valid_until_s)
{
    struct entry *bucket, *at;
    uint8_t key[32];

    make_key(key, receipt_hash, resource);
    bucket = attested->entry[bucket_of(key)];
    at = &bucket[0];
    for (size_t i = 0; i < WIDTH; i++) {
        if (memcmp(bucket[i].key, key, sizeof key) == 0) {
            at = &bucket[i];
            break;
        }
        if (bucket[i].valid_until_s < at->valid_until_s)
            at = &bucket[i];
    }
    memcpy(at->key, key, sizeof key);
    at->valid_until_s = valid_until_s;
}

bool
attested_has(const struct attested *attested, const uint8_t receipt_hash[32],
             struct x402_span resource, uint64_t now_s)
{
    const struct entry *bucket;
    uint8_t key[32];

    make_key(key, receipt_hash, resource);
    bucket = attested->entry[bucket_of(key)];
    for (size_t i = 0; i < WIDTH; i++) {
        if (memcmp(bucket[i].key, key, sizeof key) == 0)
            return bucket[i].valid_until_s > now_s;
    }
    return false;
}
