/* SPDX-License-Identifier: Apache-2.0 */
/* One worker's connection: bytes in, frames out of them; answers in, bytes out
 * of them, all of one turn of the loop in one write.  Every anomaly closes it,
 * and the worker fails what waited on it closed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../failpoint.h"
#include "../log.h"
#include "inside.h"

struct sending {
    uv_write_t request;
    struct connection *connection;
    size_t len;
    uint8_t bytes[];
};

/* -- closing -- */

static void
on_closed(uv_handle_t *handle)
{
    struct connection *c = handle->data;
    struct till *till = c->till;

    if (c->pidfd >= 0)
        close(c->pidfd);
    free(c->held);
    free(c->out);
    free(c);
    till_drop(till);
}

static void
clean(struct connection *c)
{
    struct connection **at = &c->till->dirty;

    while (c->dirty && *at != c)
        at = &(*at)->dirty_next;
    if (c->dirty)
        *at = c->dirty_next;
    c->dirty = false;
}

void
connection_close(struct connection *c, const char *why)
{
    if (c->closing)
        return;
    c->closing = true;
    log_event(LOG_INFO, "worker_disconnected", "why", why, NULL);
    clean(c);
    *c->at = c->next;
    if (c->next != NULL)
        c->next->at = c->at;
    c->till->connections_len--;
    frame_orphan(c);
    if (c->worker != NULL)
        worker_gone(c->worker);
    c->worker = NULL;
    uv_close((uv_handle_t *)&c->pipe, on_closed);
}

/* -- sending -- */

static bool
make_room(struct connection *c, size_t len)
{
    size_t cap = c->out_cap == 0 ? 4096 : c->out_cap;
    uint8_t *out;

    if (c->unsent + c->out_len + len > TILL_UNSENT_MAX)
        return false;
    while (cap < c->out_len + len)
        cap *= 2;
    if (cap == c->out_cap)
        return true;
    out = realloc(c->out, cap);
    if (out == NULL)
        return false;
    c->out = out;
    c->out_cap = cap;
    return true;
}

void
connection_send(struct connection *c, const struct x402_till_frame *frame)
{
    uint8_t bytes[X402_TILL_FRAME_MAX];
    size_t len = x402_till_encode(bytes, sizeof bytes, frame);

    if (c->closing)
        return;
    if (len == 0 || !make_room(c, len)) {
        connection_close(c, "reads too slowly");
        return;
    }
    memcpy(c->out + c->out_len, bytes, len);
    c->out_len += len;
    if (c->dirty)
        return;
    c->dirty = true;
    c->dirty_next = c->till->dirty;
    c->till->dirty = c;
}

static void
on_sent(uv_write_t *request, int status)
{
    struct sending *sending = request->data;
    struct connection *c = sending->connection;

    c->unsent -= sending->len;
    if (status < 0 && status != UV_ECANCELED)
        connection_close(c, "cannot be written to");
    free(sending);
}

static void
send_later(struct connection *c, const uint8_t *bytes, size_t len)
{
    struct sending *sending = malloc(sizeof *sending + len);
    uv_buf_t buf;

    if (sending == NULL) {
        connection_close(c, "out of memory");
        return;
    }
    sending->request.data = sending;
    sending->connection = c;
    sending->len = len;
    memcpy(sending->bytes, bytes, len);
    buf = uv_buf_init((char *)sending->bytes, (unsigned)len);
    if (uv_write(&sending->request, (uv_stream_t *)&c->pipe, &buf, 1,
                 on_sent) != 0) {
        free(sending);
        connection_close(c, "cannot be written to");
        return;
    }
    c->unsent += len;
}

static void
send_now(struct connection *c)
{
    uv_buf_t buf = uv_buf_init((char *)c->out, (unsigned)c->out_len);
    size_t len = c->out_len;
    int sent = 0;

    failpoint("before_answer");
    c->out_len = 0;
    if (c->unsent == 0)
        sent = uv_try_write((uv_stream_t *)&c->pipe, &buf, 1);
    if (sent == UV_EAGAIN)
        sent = 0;
    if (sent < 0)
        connection_close(c, "cannot be written to");
    else if ((size_t)sent < len)
        send_later(c, c->out + sent, len - (size_t)sent);
    failpoint("after_answer");
}

void
connection_flush(uv_prepare_t *flush)
{
    struct till *till = flush->data;

    while (till->dirty != NULL) {
        struct connection *c = till->dirty;

        till->dirty = c->dirty_next;
        c->dirty = false;
        send_now(c);
    }
}

/* -- reading -- */

static void
on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct connection *c = handle->data;

    (void)suggested;
    *buf = uv_buf_init((char *)c->in + c->in_len,
                       (unsigned)(sizeof c->in - c->in_len));
}

static void
take_frames(struct connection *c)
{
    /* one at a time on this one thread; too large for every caller's stack */
    static struct x402_till_frame frame;
    size_t at = 0, used = 0;

    while (!c->closing && at < c->in_len) {
        if (x402_till_decode(&frame, &used, c->in + at, c->in_len - at) !=
            X402_OK) {
            connection_close(c, "sent what is not a frame");
            return;
        }
        if (used == 0)
            break;
        at += used;
        if (!frame_take(c, &frame))
            connection_close(c, "sent a frame that does not belong there");
    }
    if (c->closing)
        return;
    memmove(c->in, c->in + at, c->in_len - at);
    c->in_len -= at;
    if (c->in_len == sizeof c->in)
        connection_close(c, "sent a frame that never ends");
}

static void
on_bytes(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct connection *c = stream->data;

    (void)buf;
    if (c->closing || len == 0)
        return;
    if (len < 0) {
        connection_close(c, len == UV_EOF ? "closed by the worker"
                                          : uv_strerror((int)len));
        return;
    }
    c->heard_ms = uv_now(stream->loop);
    c->in_len += (size_t)len;
    take_frames(c);
}

void
connection_watch(struct till *till)
{
    uint64_t now = uv_now(core_loop(till->core));
    struct connection *c = till->connections, *next;

    for (; c != NULL; c = next) {
        uint64_t since = c->ready ? c->heard_ms : c->accepted_ms;

        next = c->next;
        if (now - since > TILL_SILENT_MS)
            connection_close(c, "silent");
    }
}

/* -- accepting -- */

static struct connection *
connection_new(struct till *till)
{
    struct connection *c = calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    if (uv_pipe_init(core_loop(till->core), &c->pipe, 0) != 0) {
        free(c);
        return NULL;
    }
    till_hold(till);
    c->pipe.data = c;
    c->till = till;
    c->pidfd = -1;
    c->accepted_ms = c->heard_ms = uv_now(core_loop(till->core));
    c->next = till->connections;
    c->at = &till->connections;
    if (c->next != NULL)
        c->next->at = &c->next;
    till->connections = c;
    till->connections_len++;
    return c;
}

static void
log_peer(const struct peer *peer)
{
    char pid[16], uid[16];

    snprintf(pid, sizeof pid, "%d", peer->pid);
    snprintf(uid, sizeof uid, "%u", peer->uid);
    log_event(LOG_INFO, "worker_connected", "pid", pid, "uid", uid, NULL);
}

static const char *
admit(struct connection *c)
{
    struct till *till = c->till;
    struct peer peer;
    uv_os_fd_t fd;

    if (uv_accept((uv_stream_t *)&till->listener, (uv_stream_t *)&c->pipe) !=
            0 ||
        uv_fileno((uv_handle_t *)&c->pipe, &fd) != 0)
        return "cannot be accepted";
    if (till->connections_len > TILL_CONNECTIONS_MAX)
        return "too many connections";
    if (!peer_allowed(till, fd, &peer)) {
        log_peer(&peer);
        return "not allowed in";
    }
    log_peer(&peer);
    if (peer.pid > 0)
        c->pidfd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
    if (uv_read_start((uv_stream_t *)&c->pipe, on_room, on_bytes) != 0)
        return "cannot be read";
    return NULL;
}

void
connection_accept(struct till *till)
{
    struct connection *c = connection_new(till);
    const char *problem;

    if (c == NULL)
        return; /* the backlog keeps it */
    problem = admit(c);
    if (problem != NULL)
        connection_close(c, problem);
}
