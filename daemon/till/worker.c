/* SPDX-License-Identifier: Apache-2.0 */
/* Workers and their leases.  "A reservation lives as long as its worker's till
 * connection; after a break, and after a daemon's start, the worker has 30 s to
 * come back and list what it holds."  A worker whose process is dead will not
 * come back: its lease ends at once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../log.h"
#include "inside.h"

static void end_lease(struct worker *worker);

/* -- life -- */

static void
on_handle_closed(uv_handle_t *handle)
{
    struct worker *worker = handle->data;
    struct till *till = worker->till;

    worker->gone = true;
    if (!worker->ending)
        free(worker);
    till_drop(till);
}

/* The watch over a worker's process: its own allocation, because a libuv handle
 * closes later than the next one may be wanted. */
struct death {
    uv_poll_t poll;
    struct till *till;
    struct worker *worker;
    int pidfd;
};

static void
on_death_closed(uv_handle_t *handle)
{
    struct death *death = handle->data;
    struct till *till = death->till;

    close(death->pidfd);
    free(death);
    till_drop(till);
}

static void
forget_process(struct worker *worker)
{
    if (worker->death == NULL)
        return;
    uv_close((uv_handle_t *)&worker->death->poll, on_death_closed);
    worker->death = NULL;
}

static void
worker_close(struct worker *worker)
{
    if (worker->closed)
        return;
    worker->closed = true;
    *worker->at = worker->next;
    if (worker->next != NULL)
        worker->next->at = worker->at;
    worker->till->workers_len--;
    forget_process(worker);
    uv_close((uv_handle_t *)&worker->lease, on_handle_closed);
}

static struct worker *
worker_new(struct till *till, const uint8_t id[16])
{
    struct worker *worker;

    if (till->workers_len >= TILL_WORKERS_MAX)
        return NULL;
    worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        return NULL;
    worker->till = till;
    memcpy(worker->id, id, sizeof worker->id);
    worker->next = till->workers;
    worker->at = &till->workers;
    if (worker->next != NULL)
        worker->next->at = &worker->next;
    till->workers = worker;
    till->workers_len++;
    uv_timer_init(core_loop(till->core), &worker->lease);
    worker->lease.data = worker;
    till_hold(till);
    return worker;
}

static struct worker *
find(struct till *till, const uint8_t id[16])
{
    struct worker *worker = till->workers;

    while (worker != NULL && memcmp(worker->id, id, sizeof worker->id) != 0)
        worker = worker->next;
    return worker;
}

/* -- the end of a lease -- */

static void
on_lease(uv_timer_t *timer)
{
    end_lease(timer->data);
}

static void
on_lease_ended(void *arg, enum x402_err err, int64_t payment)
{
    struct worker *worker = arg;

    (void)payment;
    worker->ending = false;
    if (worker->gone) {
        free(worker);
        return;
    }
    cashier_lease_ended(worker->till->cashier, worker->id);
    if (worker->closed || worker->connection != NULL)
        return;
    if (err == X402_OK)
        worker_close(worker);
    else
        uv_timer_start(&worker->lease, on_lease, TILL_RETRY_MS, 0);
}

static void
end_lease(struct worker *worker)
{
    if (worker->connection != NULL || worker->ending || worker->closed)
        return;
    worker->ending = true;
    uv_timer_stop(&worker->lease);
    forget_process(worker);
    log_event(LOG_INFO, "worker_lease_ended", NULL);
    ledger_lease_end(worker->till->ledger, worker->id, NULL, 0, core_now_ms(),
                     on_lease_ended, worker);
}

static void
on_death(uv_poll_t *poll, int status, int events)
{
    struct death *death = poll->data;

    (void)status;
    (void)events;
    end_lease(death->worker);
}

/* pidfd: a descriptor of the process, which becomes readable when it is dead.
 * Where the kernel gives none (-1) the lease's time has to do. */
static void
watch_process(struct worker *worker, int pidfd)
{
    uv_loop_t *loop = core_loop(worker->till->core);
    struct death *death;

    forget_process(worker);
    if (pidfd < 0)
        return;
    death = calloc(1, sizeof *death);
    if (death == NULL || uv_poll_init(loop, &death->poll, pidfd) != 0) {
        free(death);
        close(pidfd);
        return;
    }
    death->poll.data = death;
    death->till = worker->till;
    death->worker = worker;
    death->pidfd = pidfd;
    worker->death = death;
    till_hold(worker->till);
    uv_poll_start(&death->poll, UV_READABLE, on_death);
}

/* -- coming and going -- */

struct worker *
worker_hello(struct connection *connection, const uint8_t id[16])
{
    struct worker *worker = find(connection->till, id);

    if (worker == NULL)
        worker = worker_new(connection->till, id);
    if (worker == NULL)
        return NULL;
    if (worker->connection != NULL) {
        struct connection *old = worker->connection;

        old->worker = NULL;
        connection_close(old, "the worker has a newer connection");
    }
    uv_timer_stop(&worker->lease);
    forget_process(worker);
    worker->connection = connection;
    return worker;
}

void
worker_gone(struct worker *worker)
{
    struct till *till = worker->till;
    int pidfd = worker->connection->pidfd;

    worker->connection->pidfd = -1;
    worker->connection = NULL;
    watch_process(worker, pidfd);
    if (till->closing)
        worker_close(worker);
    else
        uv_timer_start(&worker->lease, on_lease, till->lease_ms, 0);
}

static void
on_workers(void *arg, const uint8_t (*ids)[16], size_t len)
{
    struct till *till = arg;

    for (size_t i = 0; i < len && !till->closing; i++) {
        struct worker *worker = find(till, ids[i]);

        if (worker != NULL)
            continue;
        worker = worker_new(till, ids[i]);
        if (worker != NULL)
            uv_timer_start(&worker->lease, on_lease, till->lease_ms, 0);
    }
    till_drop(till);
}

void
worker_recall(struct till *till)
{
    till_hold(till);
    ledger_workers(till->ledger, on_workers, till);
}

void
worker_close_all(struct till *till)
{
    while (till->workers != NULL)
        worker_close(till->workers);
}
