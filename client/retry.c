/* SPDX-License-Identifier: Apache-2.0 */
/* Retries of a paid request. */
#include "retry.h"

static bool
is_wait(const struct retry_case *the_case)
{
    long status = the_case->status;

    return status == 409 || status == 425 || status == 429 || status == 503 ||
           (status >= 500 && the_case->has_retry_after);
}

bool
retry_is_open(long status, bool has_retry_after)
{
    return status == 0 || status == 408 || status == 409 || status == 425 ||
           status == 429 || (status >= 502 && status <= 504) ||
           (status >= 500 && has_retry_after);
}

static uint64_t
wait_of(struct retry *retry, const struct retry_case *the_case)
{
    uint64_t wait = retry->delay_ms;

    if (the_case->has_retry_after) {
        uint64_t asked = the_case->retry_after_s;

        if (asked > RETRY_AFTER_MAX_S)
            asked = RETRY_AFTER_MAX_S;
        /* "0" does not mean: as fast as you can */
        return asked * 1000 > wait ? asked * 1000 : wait;
    }
    if (retry->delay_ms < retry->delay_max_ms)
        retry->delay_ms *= 2;
    return wait;
}

bool
retry_decide(uint64_t *wait_ms, struct retry *retry,
             const struct retry_case *the_case)
{
    unsigned *left =
        is_wait(the_case) ? &retry->waits_left : &retry->failures_left;
    uint64_t wait;

    if (!retry_is_open(the_case->status, the_case->has_retry_after) ||
        *left == 0)
        return false;
    wait = wait_of(retry, the_case);
    if (the_case->now_s + (wait + 999) / 1000 + RETRY_MARGIN_S >=
            the_case->valid_before_s ||
        wait >= the_case->left_ms)
        return false;
    (*left)--;
    *wait_ms = wait;
    return true;
}
