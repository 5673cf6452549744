/* SPDX-License-Identifier: Apache-2.0 */
/* See watch.h.  A hash table of lists by payment, and one timer for the nearest
 * deadline. */
#include "watch.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024
#define TICK_MS 100

struct watch {
    struct watch *next;
    int64_t payment;
    uint64_t deadline_ms; /* of the loop's clock */
    chain_watch_cb cb;
    void *arg;
};

struct watches {
    struct chain *chain;
    uv_timer_t timer;
    struct watch *bucket[BUCKETS];
    size_t len;
    void (*closed)(void *arg);
    void *closed_arg;
};

static struct watch **
bucket_of(struct watches *watches, int64_t payment)
{
    return &watches->bucket[(uint64_t)payment % BUCKETS];
}

/* -- telling -- */

static void
tell(struct watches *watches, struct watch *w, enum chain_outcome outcome,
     enum x402_err reason)
{
    struct pay_row row;

    memset(&row, 0, sizeof row);
    (void)ledger_get(watches->chain->ledger, w->payment, &row);
    if (outcome == CHAIN_REFUSED)
        row.reason = reason;
    watches->len--;
    w->cb(w->arg, outcome, &row);
    free(w);
}

static void
tell_payment(struct watches *watches, int64_t payment,
             enum chain_outcome outcome, enum x402_err reason)
{
    struct watch **at = bucket_of(watches, payment);
    struct watch *due = NULL;

    while (*at != NULL) {
        struct watch *w = *at;

        if (w->payment != payment) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        w->next = due;
        due = w;
    }
    /* a callback may watch again: the table is whole before it runs */
    while (due != NULL) {
        struct watch *w = due;

        due = w->next;
        tell(watches, w, outcome, reason);
    }
}

void
watch_mined(struct watches *watches, int64_t payment)
{
    tell_payment(watches, payment, CHAIN_MINED, X402_OK);
}

void
watch_refused(struct watches *watches, int64_t payment, enum x402_err reason)
{
    tell_payment(watches, payment, CHAIN_REFUSED, reason);
}

/* -- deadlines -- */

static void
take_late(struct watch **at, uint64_t now_ms, struct watch **late)
{
    while (*at != NULL) {
        struct watch *w = *at;

        if (w->deadline_ms > now_ms) {
            at = &w->next;
            continue;
        }
        *at = w->next;
        w->next = *late;
        *late = w;
    }
}

static void
tell_late(struct watches *watches, uint64_t now_ms)
{
    struct watch *late = NULL;

    for (size_t i = 0; i < BUCKETS; i++)
        take_late(&watches->bucket[i], now_ms, &late);
    while (late != NULL) {
        struct watch *w = late;

        late = w->next;
        tell(watches, w, CHAIN_TIMEOUT, X402_OK);
    }
    if (watches->len == 0)
        uv_timer_stop(&watches->timer);
}

static void
on_tick(uv_timer_t *timer)
{
    tell_late(timer->data, uv_now(timer->loop));
}

/* -- a new one -- */

/* What the ledger knows already; told from the loop, never from inside
 * chain_watch. */
static void
tell_known(struct watches *watches, int64_t payment)
{
    struct pay_row row;

    if (!ledger_get(watches->chain->ledger, payment, &row)) {
        watch_refused(watches, payment, X402_ERR_UNKNOWN_RESERVATION);
        return;
    }
    switch (row.state) {
    case PAY_MINED:
    case PAY_FINAL:
        watch_mined(watches, payment);
        return;
    case PAY_RELEASED:
    case PAY_FAILED:
        watch_refused(watches, payment, row.reason);
        return;
    case PAY_RESERVED:
    case PAY_CAPTURED:
    case PAY_SUBMITTED:
        return;
    }
}

struct look_up {
    struct watches *watches;
    int64_t payment;
};

static void
look_up_task(void *arg)
{
    struct look_up *look_up = arg;

    tell_known(look_up->watches, look_up->payment);
    free(look_up);
}

void
chain_look_again(struct chain *chain, int64_t payment)
{
    struct look_up *look_up;

    if (chain->closing)
        return;
    look_up = chain_alloc(sizeof *look_up);
    *look_up = (struct look_up){chain->watches, payment};
    core_post(chain->core, look_up_task, look_up);
}

/* The network is being closed: nobody will know any more. */
static void
too_late_task(void *arg)
{
    struct watch *w = arg;
    struct pay_row row;

    memset(&row, 0, sizeof row);
    row.id = w->payment;
    w->cb(w->arg, CHAIN_TIMEOUT, &row);
    free(w);
}

void
chain_watch(struct chain *chain, int64_t payment, unsigned timeout_ms,
            chain_watch_cb cb, void *arg)
{
    struct watches *watches = chain->watches;
    struct watch **at = bucket_of(watches, payment);
    struct watch *w = chain_alloc(sizeof *w);

    uv_update_time(core_loop(chain->core));
    *w = (struct watch){
        .payment = payment,
        .deadline_ms = uv_now(core_loop(chain->core)) + timeout_ms,
        .cb = cb,
        .arg = arg,
    };
    if (chain->closing || watches->len >= WATCH_MAX) {
        core_post(chain->core, too_late_task, w);
        return;
    }
    w->next = *at;
    *at = w;
    watches->len++;
    if (!uv_is_active((uv_handle_t *)&watches->timer))
        uv_timer_start(&watches->timer, on_tick, TICK_MS, TICK_MS);
    chain_look_again(chain, payment);
}

/* -- open, close -- */

struct watches *
watch_new(struct chain *chain)
{
    struct watches *watches = chain_alloc(sizeof *watches);

    watches->chain = chain;
    uv_timer_init(core_loop(chain->core), &watches->timer);
    watches->timer.data = watches;
    return watches;
}

/* Look-ups that were posted come before this. */
static void
tell_last(void *arg)
{
    struct watches *watches = arg;

    tell_late(watches, UINT64_MAX);
    watches->closed(watches->closed_arg);
}

static void
on_closed(uv_handle_t *handle)
{
    struct watches *watches = handle->data;

    core_post(watches->chain->core, tell_last, watches);
}

void
watch_close(struct watches *watches, void (*closed)(void *arg), void *arg)
{
    watches->closed = closed;
    watches->closed_arg = arg;
    tell_late(watches, UINT64_MAX);
    uv_close((uv_handle_t *)&watches->timer, on_closed);
}

void
watch_free(struct watches *watches)
{
    free(watches);
}
