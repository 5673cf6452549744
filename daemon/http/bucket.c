/* SPDX-License-Identifier: Apache-2.0 */
/* See bucket.h.  Each request moves the time at which the bucket is full again
 * by one step; a bucket that would be full later than it can ever be is empty.
 */
#include "bucket.h"

#define SECOND_US 1000000u
#define BURST_US (2 * SECOND_US)

bool
bucket_take(struct bucket *bucket, unsigned per_second, uint64_t now_us,
            unsigned *wait_s)
{
    uint64_t step_us = SECOND_US / per_second;
    uint64_t full_us = bucket->full_us > now_us ? bucket->full_us : now_us;

    if (full_us + step_us > now_us + BURST_US) {
        uint64_t wait_us = full_us + step_us - now_us - BURST_US;

        *wait_s = (unsigned)((wait_us + SECOND_US - 1) / SECOND_US);
        return false;
    }
    bucket->full_us = full_us + step_us;
    return true;
}
