/* SPDX-License-Identifier: Apache-2.0 */
/* See endpoint.h. */
#include "endpoint.h"

#include "../failpoint.h"
#include "../log.h"

#define SEEN_TOGETHER_MS 30000 /* heads that are compared */

void
endpoint_bad(struct endpoint *endpoint, const char *why, uint64_t retry_after_s,
             uint64_t now_ms)
{
    uint64_t wait = ENDPOINT_BACKOFF_MAX_MS;

    if (endpoint->fails == 0)
        log_event(LOG_WARN, "rpc_endpoint_down", "host", endpoint->host, "why",
                  why, NULL);
    if (endpoint->fails < 7)
        wait = (uint64_t)ENDPOINT_BACKOFF_FIRST_MS << endpoint->fails;
    if (retry_after_s > ENDPOINT_RETRY_AFTER_MAX_S)
        retry_after_s = ENDPOINT_RETRY_AFTER_MAX_S;
    endpoint->barred_until_ms = now_ms + retry_after_s * 1000;
    endpoint->fails++;
    endpoint->down_until_ms = now_ms + wait;
    endpoint->checked_ms = 0; /* what comes back may be another node */
}

void
endpoint_good(struct endpoint *endpoint)
{
    if (endpoint->fails > 0)
        log_event(LOG_INFO, "rpc_endpoint_up", "host", endpoint->host, NULL);
    endpoint->fails = 0;
    endpoint->down_until_ms = 0;
}

/* -- rate -- */

static void
fill(struct endpoint *endpoint, uint64_t now_ms)
{
    const int64_t full = (int64_t)endpoint->rate * 1000;
    uint64_t passed = now_ms - endpoint->filled_ms;

    if (endpoint->filled_ms == 0 || now_ms < endpoint->filled_ms ||
        passed > 60000)
        endpoint->left = full;
    else
        endpoint->left += (int64_t)(passed * endpoint->rate);
    if (endpoint->left > full)
        endpoint->left = full;
    endpoint->filled_ms = now_ms;
}

uint64_t
endpoint_wait_ms(struct endpoint *endpoint, uint64_t now_ms)
{
    uint64_t wait = 0;

    if (endpoint->barred_until_ms > now_ms)
        wait = endpoint->barred_until_ms - now_ms;
    if (wait > ENDPOINT_RETRY_AFTER_MAX_S * 1000) /* the clock went back */
        wait = 0;
    if (endpoint->rate == 0)
        return wait;
    fill(endpoint, now_ms);
    if (endpoint->left <= 0 &&
        (uint64_t)-endpoint->left / endpoint->rate >= wait)
        wait = (uint64_t)-endpoint->left / endpoint->rate + 1;
    return wait;
}

/* A question of more calls than a second holds is sent whole, and paid off. */
void
endpoint_spend(struct endpoint *endpoint, size_t calls)
{
    if (endpoint->rate != 0)
        endpoint->left -= (int64_t)calls * 1000;
}

/* -- heads -- */

static bool
is_older(const struct endpoint *a, const struct endpoint *b)
{
    return a->head_seen_ms != 0 && b->head_seen_ms != 0 &&
           a->head_time_s + ENDPOINT_BEHIND_S < b->head_time_s &&
           a->head_seen_ms + SEEN_TOGETHER_MS >= b->head_seen_ms;
}

static void
judge(struct endpoint *endpoint, const struct endpoint *all, size_t len)
{
    bool behind = false;

    for (size_t i = 0; i < len; i++)
        behind = behind || is_older(endpoint, &all[i]);
    if (behind && !endpoint->behind)
        log_event(LOG_WARN, "rpc_endpoint_behind", "host", endpoint->host,
                  NULL);
    endpoint->behind = behind && !mutant("stale_head");
}

void
endpoint_head(struct endpoint *endpoints, size_t len, size_t which,
              uint64_t head_time_s, uint64_t now_ms)
{
    endpoints[which].head_time_s = head_time_s;
    endpoints[which].head_seen_ms = now_ms;
    for (size_t i = 0; i < len; i++)
        judge(&endpoints[i], endpoints, len);
}

/* -- choosing -- */

/* The lower the better. */
static uint64_t
badness(struct endpoint *endpoint, uint64_t now_ms)
{
    if (endpoint->down_until_ms > now_ms)
        return UINT64_MAX;
    return endpoint_wait_ms(endpoint, now_ms) +
           (endpoint->behind ? UINT32_MAX : 0);
}

size_t
endpoint_choose(struct endpoint *endpoints, size_t len, unsigned without,
                uint64_t now_ms, uint64_t *wait_ms)
{
    size_t best = len;
    uint64_t least = 0;

    for (size_t i = 0; i < len; i++) {
        uint64_t mine;

        if ((without >> i & 1) != 0)
            continue;
        mine = badness(&endpoints[i], now_ms);
        if (best == len || mine < least) {
            best = i;
            least = mine;
        }
    }
    if (best < len)
        *wait_ms = endpoint_wait_ms(&endpoints[best], now_ms);
    return best;
}
