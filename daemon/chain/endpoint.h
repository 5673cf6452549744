/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of one endpoint, and which of several is asked next.  No
 * sockets and no clock: the caller brings the time. */
#ifndef X402D_ENDPOINT_H
#define X402D_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENDPOINT_BACKOFF_FIRST_MS 250
#define ENDPOINT_BACKOFF_MAX_MS 30000
#define ENDPOINT_RETRY_AFTER_MAX_S 300 /* what it may ask us to wait */
#define ENDPOINT_BEHIND_S 30 /* its head is so much older than another's */

struct endpoint {
    const char *url;
    char host[128];
    unsigned fails;           /* in a row */
    uint64_t down_until_ms;   /* asked only when nobody else is left */
    uint64_t barred_until_ms; /* it said itself when to come back */
    uint64_t checked_ms;      /* when it last said our chain id; 0: never */
    bool wrong;               /* it said another one */
    /* its rate: a bucket that holds a second's worth */
    unsigned rate; /* calls a second; 0: as many as we like */
    int64_t left;  /* thousandths of a call; below zero: a debt */
    uint64_t filled_ms;
    /* the newest block that it showed */
    uint64_t head_time_s;
    uint64_t head_seen_ms; /* 0: never */
    bool behind;           /* as last judged */
};

/** It gave nothing usable.  In: retry_after_s  its own wish; 0: none. */
void endpoint_bad(struct endpoint *endpoint, const char *why,
                  uint64_t retry_after_s, uint64_t now_ms);
void endpoint_good(struct endpoint *endpoint);

/** How long until it may be asked, by its own word and by its rate; 0: now. */
uint64_t endpoint_wait_ms(struct endpoint *endpoint, uint64_t now_ms);
/** So many calls are being sent to it. */
void endpoint_spend(struct endpoint *endpoint, size_t calls);

/** It showed this as its newest block.  Judges all of them anew: one whose
 *  head is older than another's of about the same moment is `behind`. */
void endpoint_head(struct endpoint *endpoints, size_t len, size_t which,
                   uint64_t head_time_s, uint64_t now_ms);

/** The best of those whose bit is not set in `without`: up, not behind and
 *  within its rate; in the order of the configuration.  Returns its index, or
 *  len: none.  Out: *wait_ms  endpoint_wait_ms. */
size_t endpoint_choose(struct endpoint *endpoints, size_t len, unsigned without,
                       uint64_t now_ms, uint64_t *wait_ms);

#endif
