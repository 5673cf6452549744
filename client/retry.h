/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a paid request is sent once more, with the same bytes, and when.
 * Pure: the clock is an argument. */
#ifndef CLIENT_RETRY_H
#define CLIENT_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#define RETRY_FAILURES 3 /* no answer, 408, 502, 504 */
#define RETRY_WAITS                                                            \
    20 /* the server says: not yet (409, 425, 429, 503,                        \
        and 5xx with Retry-After) */
#define RETRY_DELAY_MS 1000
#define RETRY_DELAY_GROWTH 8 /* at most so many times the first one */
#define RETRY_AFTER_MAX_S 60
/* A server wants some validity left; what arrives later is refused anyway. */
#define RETRY_MARGIN_S 6

struct retry {
    unsigned failures_left;
    unsigned waits_left;
    uint64_t delay_ms; /* of the next try without Retry-After; doubles */
    uint64_t delay_max_ms;
};

struct retry_case {
    long status; /* 0: no answer came */
    bool has_retry_after;
    uint64_t retry_after_s;
    uint64_t now_s;
    uint64_t valid_before_s;
    uint64_t left_ms; /* of --max-time; UINT64_MAX: no limit */
};

/** Answers that ask for another try, or come from something on the way that
 *  does not know.  Any other 5xx is the server's own answer, an error. */
bool retry_is_open(long status, bool has_retry_after);
/** Decide, and use one try up when it is true.
 *  Out: *wait_ms  how long to wait first. */
__attribute__((warn_unused_result)) bool
retry_decide(uint64_t *wait_ms, struct retry *retry,
             const struct retry_case *the_case);

#endif
