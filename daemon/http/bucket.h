/* SPDX-License-Identifier: Apache-2.0 */
/* A token bucket: so many requests a second, and bursts of two seconds' worth.
 * Kept as one number, the time at which the bucket is full again. */
#ifndef X402D_HTTP_BUCKET_H
#define X402D_HTTP_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
    uint64_t full_us; /* 0: full */
};

/** Take one.  false: empty; *wait_s is when to come back, 1 at least. */
bool bucket_take(struct bucket *bucket, unsigned per_second, uint64_t now_us,
                 unsigned *wait_s);

#endif
