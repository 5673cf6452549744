/* SPDX-License-Identifier: Apache-2.0 */
/* See till.h: the listener, and the life of the whole. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../log.h"
#include "inside.h"

#define WATCH_MS 1000
#define CLOSE_TICK_MS 20
#define BACKLOG 128

/* -- counting what is open -- */

void
till_hold(struct till *till)
{
    till->handles++;
}

void
till_drop(struct till *till)
{
    if (--till->handles > 0)
        return;
    if (till->closed != NULL)
        till->closed(till->closed_arg);
    free(till->path);
    free(till);
}

/* -- closing -- */

static void
on_handle_closed(uv_handle_t *handle)
{
    till_drop(handle->data);
}

static void
end(struct till *till)
{
    while (till->connections != NULL)
        connection_close(till->connections, "the daemon stops");
    worker_close_all(till);
    uv_close((uv_handle_t *)&till->watch, on_handle_closed);
    uv_close((uv_handle_t *)&till->flush, on_handle_closed);
}

static void
on_close_tick(uv_timer_t *timer)
{
    struct till *till = timer->data;

    if (till->in_flight > 0 && uv_now(timer->loop) < till->close_by_ms)
        return;
    uv_timer_stop(timer);
    end(till);
}

void
till_close(struct till *till, unsigned grace_ms, core_task closed, void *arg)
{
    till->closing = true;
    till->closed = closed;
    till->closed_arg = arg;
    till->close_by_ms = uv_now(core_loop(till->core)) + grace_ms;
    listen_remove(till);
    uv_close((uv_handle_t *)&till->listener, on_handle_closed);
    uv_timer_start(&till->watch, on_close_tick, 0, CLOSE_TICK_MS);
}

void
till_set_lightning(struct till *till, struct lightning *lightning)
{
    till->lightning = lightning;
}

size_t
till_workers(const struct till *till)
{
    size_t len = 0;

    for (const struct connection *c = till->connections; c != NULL; c = c->next)
        len += c->ready;
    return len;
}

/* -- opening -- */

static void
on_connection(uv_stream_t *listener, int status)
{
    if (status == 0)
        connection_accept(listener->data);
}

static void
on_watch(uv_timer_t *timer)
{
    connection_watch(timer->data);
}

static void
start(struct till *till)
{
    uv_loop_t *loop = core_loop(till->core);

    uv_pipe_init(loop, &till->listener, 0);
    uv_timer_init(loop, &till->watch);
    uv_prepare_init(loop, &till->flush);
    till->listener.data = till->watch.data = till->flush.data = till;
    till->handles = 3;
    uv_timer_start(&till->watch, on_watch, WATCH_MS, WATCH_MS);
    uv_prepare_start(&till->flush, connection_flush);
}

struct till *
till_open(struct core *core, const struct config *config,
          struct cashier *cashier, struct ledger *ledger, char *error,
          size_t error_len)
{
    struct till *till = calloc(1, sizeof *till);
    int fd;

    if (till == NULL || (till->path = strdup(config->till_socket)) == NULL)
        abort();
    till->core = core;
    till->config = config;
    till->cashier = cashier;
    till->ledger = ledger;
    till->lease_ms = X402_TILL_LEASE_S * 1000;
    fd = listen_socket(till, error, error_len);
    if (fd < 0) {
        free(till->path);
        free(till);
        return NULL;
    }
    start(till);
    worker_recall(till);
    if (uv_pipe_open(&till->listener, fd) == 0 &&
        uv_listen((uv_stream_t *)&till->listener, BACKLOG, on_connection) == 0)
        return till;
    snprintf(error, error_len, "till: %s: cannot listen", till->path);
    till_close(till, 0, NULL, NULL);
    return NULL;
}
