/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The till: one connection to the daemon per worker, see include/x402/till.h.
 *
 * A question takes a slot, whose number is part of its id; an answer that
 * names no slot, or is of the wrong kind, closes the connection.  Frames are
 * written when a turn of the event loop ends: what requests asked in it goes
 * out in one write.
 */

#include "ngx_http_x402.h"

#include <openssl/rand.h>


#define NGX_HTTP_X402_TILL_OUT      (4 * X402_TILL_FRAME_MAX)
#define NGX_HTTP_X402_TILL_IN       (4 * X402_TILL_FRAME_MAX)
#define NGX_HTTP_X402_TILL_BACKOFF  20
#define NGX_HTTP_X402_TILL_FARTHEST 1000
#define NGX_HTTP_X402_TILL_AGAIN    200


typedef struct {
    uint64_t                     id;
    ngx_http_x402_rsv_t         *rsv;
    ngx_uint_t                   what;
} ngx_http_x402_slot_t;


struct ngx_http_x402_till_s {
    ngx_str_t                    path;
    struct sockaddr_un           sockaddr;

    ngx_peer_connection_t        peer;
    ngx_connection_t            *connection;     /* NULL: down */
    ngx_log_t                    quiet;
    struct x402_till_hello       hello;

    ngx_event_t                  tick;           /* heartbeat, reconnect */
    ngx_event_t                  again;
    ngx_event_t                  guard;
    ngx_event_t                  flush;

    ngx_queue_t                  all;            /* ngx_http_x402_rsv_t */
    ngx_queue_t                  ready;
    ngx_uint_t                   count;
    ngx_uint_t                   reserving;

    ngx_http_x402_slot_t        *slots;
    uint16_t                    *free;
    ngx_uint_t                   nfree;
    uint64_t                     seq;

    u_char                      *in;
    size_t                       in_len;
    u_char                      *out;
    size_t                       out_size;
    size_t                       out_pos;
    size_t                       out_last;

    ngx_msec_t                   backoff;
    ngx_msec_t                   heard;
    unsigned                     pinged:1;
    unsigned                     complained:1;
};


static ngx_int_t ngx_http_x402_till_start(ngx_http_x402_till_t *till,
    ngx_cycle_t *cycle);
static void ngx_http_x402_till_event(ngx_http_x402_till_t *till,
    ngx_event_t *ev, ngx_event_handler_pt handler);
static void ngx_http_x402_till_connect(ngx_http_x402_till_t *till);
static ngx_int_t ngx_http_x402_till_greet(ngx_http_x402_till_t *till);
static void ngx_http_x402_till_close(ngx_http_x402_till_t *till,
    const char *why);
static void ngx_http_x402_till_lose(ngx_http_x402_till_t *till);
static void ngx_http_x402_till_tick(ngx_event_t *ev);
static void ngx_http_x402_till_again(ngx_event_t *ev);
static void ngx_http_x402_till_guarded(ngx_event_t *ev);
static void ngx_http_x402_till_flush(ngx_event_t *ev);
static void ngx_http_x402_till_ask(ngx_http_x402_till_t *till);
static ngx_uint_t ngx_http_x402_till_put(ngx_http_x402_till_t *till,
    const struct x402_till_frame *frame);
static void ngx_http_x402_till_fill(struct x402_till_frame *frame,
    ngx_http_x402_rsv_t *rsv, ngx_uint_t what);
static void ngx_http_x402_till_write(ngx_event_t *wev);
static void ngx_http_x402_till_read(ngx_event_t *rev);
static ngx_int_t ngx_http_x402_till_frames(ngx_http_x402_till_t *till);
static ngx_int_t ngx_http_x402_till_answer(ngx_http_x402_till_t *till,
    struct x402_till_frame *frame);


/* large, and needed for a moment only */

static struct x402_till_frame  ngx_http_x402_till_frame;


ngx_http_x402_till_t *
ngx_http_x402_till_add(ngx_conf_t *cf, ngx_str_t *url)
{
    ngx_str_t                   path;
    ngx_uint_t                  i;
    ngx_http_x402_till_t       *till, **tills;
    ngx_http_x402_main_conf_t  *xmcf;

    xmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_x402_module);

    if (url->len < 7 || ngx_strncmp(url->data, "unix:/", 6) != 0
        || url->len - 5 >= sizeof(till->sockaddr.sun_path))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not \"unix:\" and a path of at most "
                           "%uz bytes", url,
                           sizeof(till->sockaddr.sun_path) - 1);
        return NULL;
    }

    path.data = url->data + 5;
    path.len = url->len - 5;

    tills = xmcf->tills.elts;

    for (i = 0; i < xmcf->tills.nelts; i++) {
        if (tills[i]->path.len == path.len
            && ngx_memcmp(tills[i]->path.data, path.data, path.len) == 0)
        {
            return tills[i];
        }
    }

    till = ngx_pcalloc(cf->pool, sizeof(ngx_http_x402_till_t));
    if (till == NULL) {
        return NULL;
    }

    till->path = path;
    till->sockaddr.sun_family = AF_UNIX;
    ngx_memcpy(till->sockaddr.sun_path, path.data, path.len);

    tills = ngx_array_push(&xmcf->tills);
    if (tills == NULL) {
        return NULL;
    }

    *tills = till;

    return till;
}


ngx_int_t
ngx_http_x402_till_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                   i;
    ngx_http_x402_till_t       **tills;
    ngx_http_x402_main_conf_t   *xmcf;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    xmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_x402_module);
    if (xmcf == NULL) {
        return NGX_OK;
    }

    tills = xmcf->tills.elts;

    for (i = 0; i < xmcf->tills.nelts; i++) {
        if (ngx_http_x402_till_start(tills[i], cycle) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_x402_till_start(ngx_http_x402_till_t *till, ngx_cycle_t *cycle)
{
    ngx_uint_t  i;

    till->slots = ngx_pcalloc(cycle->pool, X402_TILL_INFLIGHT_MAX
                                           * sizeof(ngx_http_x402_slot_t));
    till->free = ngx_palloc(cycle->pool, X402_TILL_INFLIGHT_MAX
                                         * sizeof(uint16_t));
    till->in = ngx_palloc(cycle->pool, NGX_HTTP_X402_TILL_IN);
    till->out = ngx_alloc(NGX_HTTP_X402_TILL_OUT, cycle->log);

    if (till->slots == NULL || till->free == NULL
        || till->in == NULL || till->out == NULL)
    {
        return NGX_ERROR;
    }

    till->out_size = NGX_HTTP_X402_TILL_OUT;

    for (i = 0; i < X402_TILL_INFLIGHT_MAX; i++) {
        till->free[i] = (uint16_t) (X402_TILL_INFLIGHT_MAX - 1 - i);
    }

    till->nfree = X402_TILL_INFLIGHT_MAX;
    till->backoff = NGX_HTTP_X402_TILL_BACKOFF;

    if (RAND_bytes(till->hello.worker, sizeof(till->hello.worker)) != 1) {
        return NGX_ERROR;
    }

    ngx_queue_init(&till->all);
    ngx_queue_init(&till->ready);

    ngx_http_x402_till_event(till, &till->tick, ngx_http_x402_till_tick);
    ngx_http_x402_till_event(till, &till->again, ngx_http_x402_till_again);
    ngx_http_x402_till_event(till, &till->guard, ngx_http_x402_till_guarded);
    ngx_http_x402_till_event(till, &till->flush, ngx_http_x402_till_flush);

    /* an idle till must not keep a worker from exiting */

    till->tick.cancelable = 1;

    till->quiet = *cycle->log;
    till->quiet.log_level = NGX_LOG_EMERG;
    till->quiet.next = NULL;

    ngx_http_x402_till_connect(till);

    return NGX_OK;
}


static void
ngx_http_x402_till_event(ngx_http_x402_till_t *till, ngx_event_t *ev,
    ngx_event_handler_pt handler)
{
    ev->handler = handler;
    ev->data = till;
    ev->log = ngx_cycle->log;
}


void
ngx_http_x402_till_exit_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                   i;
    ngx_http_x402_till_t       **tills;
    ngx_http_x402_main_conf_t   *xmcf;

    xmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_x402_module);
    if (xmcf == NULL) {
        return;
    }

    tills = xmcf->tills.elts;

    for (i = 0; i < xmcf->tills.nelts; i++) {

        if (tills[i]->connection) {
            ngx_http_x402_till_flush(&tills[i]->flush);
        }

        if (tills[i]->connection) {
            ngx_close_connection(tills[i]->connection);
            tills[i]->connection = NULL;
        }
    }
}


static void
ngx_http_x402_till_connect(ngx_http_x402_till_t *till)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    ngx_memzero(&till->peer, sizeof(ngx_peer_connection_t));

    till->peer.sockaddr = (struct sockaddr *) &till->sockaddr;
    till->peer.socklen = sizeof(struct sockaddr_un);
    till->peer.name = &till->path;
    till->peer.get = ngx_event_get_peer;
    till->peer.log = &till->quiet;
    till->peer.log_error = NGX_ERROR_ERR;

    rc = ngx_event_connect_peer(&till->peer);

    if (rc != NGX_OK && rc != NGX_AGAIN) {

        if (!till->complained) {
            till->complained = 1;
            ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_socket_errno,
                          "x402: no daemon at \"unix:%V\"", &till->path);
        }

        ngx_add_timer(&till->tick, till->backoff);
        till->backoff = ngx_min(till->backoff * 2,
                                NGX_HTTP_X402_TILL_FARTHEST);
        return;
    }

    c = till->peer.connection;

    c->data = till;
    c->log = ngx_cycle->log;
    c->read->log = c->log;
    c->write->log = c->log;
    c->read->handler = ngx_http_x402_till_read;
    c->write->handler = ngx_http_x402_till_write;

    till->connection = c;
    till->in_len = 0;
    till->out_pos = 0;
    till->out_last = 0;
    till->pinged = 0;
    till->heard = ngx_current_msec;

    if (ngx_http_x402_till_greet(till) != NGX_OK) {
        ngx_http_x402_till_close(till, "out of memory");
        return;
    }

    ngx_add_timer(&till->tick, X402_TILL_HEARTBEAT_S * 1000);

    ngx_http_x402_till_flush(&till->flush);
}


/* who we are, and what we still hold */

static ngx_int_t
ngx_http_x402_till_greet(ngx_http_x402_till_t *till)
{
    size_t                   size;
    u_char                  *out;
    ngx_queue_t             *q;
    ngx_http_x402_rsv_t     *rsv;
    struct x402_till_frame  *frame;

    size = (till->count / X402_TILL_HOLD_MAX + 4) * X402_TILL_FRAME_MAX;

    if (size > till->out_size) {

        out = ngx_alloc(size, ngx_cycle->log);
        if (out == NULL) {
            return NGX_ERROR;
        }

        ngx_free(till->out);
        till->out = out;
        till->out_size = size;
    }

    frame = &ngx_http_x402_till_frame;
    frame->id = 0;

    frame->type = X402_TILL_HELLO;
    frame->u.hello = till->hello;
    ngx_http_x402_till_put(till, frame);

    frame->type = X402_TILL_HOLD;
    frame->u.hold.len = 0;

    for (q = ngx_queue_head(&till->all);
         q != ngx_queue_sentinel(&till->all);
         q = ngx_queue_next(q))
    {
        rsv = ngx_queue_data(q, ngx_http_x402_rsv_t, queue);

        if (!rsv->reserved) {
            continue;
        }

        if (rsv->want) {
            ngx_http_x402_till_wake(till, rsv);
        }

        frame->u.hold.rid[frame->u.hold.len++] = rsv->rid;

        if (frame->u.hold.len == X402_TILL_HOLD_MAX) {
            ngx_http_x402_till_put(till, frame);
            frame->u.hold.len = 0;
        }
    }

    if (frame->u.hold.len) {
        ngx_http_x402_till_put(till, frame);
    }

    frame->type = X402_TILL_READY;
    ngx_http_x402_till_put(till, frame);

    return NGX_OK;
}


static void
ngx_http_x402_till_close(ngx_http_x402_till_t *till, const char *why)
{
    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "x402: connection to the daemon at \"unix:%V\" closed: %s",
                  &till->path, why);

    ngx_close_connection(till->connection);
    till->connection = NULL;
    till->complained = 1;

    if (till->flush.posted) {
        ngx_delete_posted_event(&till->flush);
    }

    ngx_add_timer(&till->tick, till->backoff);
    till->backoff = ngx_min(till->backoff * 2, NGX_HTTP_X402_TILL_FARTHEST);

    ngx_http_x402_till_lose(till);
}


/*
 * Questions without an answer: RESERVE fails closed, the others are asked
 * again on the next connection.
 */

static void
ngx_http_x402_till_lose(ngx_http_x402_till_t *till)
{
    ngx_uint_t             i;
    ngx_queue_t           *q, lost;
    ngx_http_x402_rsv_t   *rsv;
    ngx_http_x402_slot_t  *slot;

    for (i = 0; i < X402_TILL_INFLIGHT_MAX; i++) {

        slot = &till->slots[i];

        if (slot->rsv == NULL) {
            continue;
        }

        slot->rsv->asked &= ~slot->what;
        slot->rsv = NULL;
        till->free[till->nfree++] = (uint16_t) i;
    }

    ngx_queue_init(&lost);

    while (!ngx_queue_empty(&till->ready)) {
        q = ngx_queue_head(&till->ready);
        ngx_queue_remove(q);
        rsv = ngx_queue_data(q, ngx_http_x402_rsv_t, ready);
        rsv->queued = 0;
    }

    for (q = ngx_queue_head(&till->all);
         q != ngx_queue_sentinel(&till->all);
         q = ngx_queue_next(q))
    {
        rsv = ngx_queue_data(q, ngx_http_x402_rsv_t, queue);

        if (rsv->want & NGX_HTTP_X402_RESERVE) {
            rsv->queued = 1;
            ngx_queue_insert_tail(&lost, &rsv->ready);
        }
    }

    /* each of these ends a request, and frees its reservation */

    while (!ngx_queue_empty(&lost)) {
        q = ngx_queue_head(&lost);
        ngx_queue_remove(q);
        rsv = ngx_queue_data(q, ngx_http_x402_rsv_t, ready);
        rsv->queued = 0;
        till->reserving--;
        ngx_http_x402_rsv_lost(rsv);
    }
}


static void
ngx_http_x402_till_tick(ngx_event_t *ev)
{
    ngx_http_x402_till_t  *till;

    till = ev->data;

    if (till->connection == NULL) {
        ngx_http_x402_till_connect(till);
        return;
    }

    if (till->pinged
        && ngx_current_msec - till->heard
           > 3 * X402_TILL_HEARTBEAT_S * 1000)
    {
        ngx_http_x402_till_close(till, "no heartbeat");
        return;
    }

    ngx_add_timer(&till->tick, X402_TILL_HEARTBEAT_S * 1000);

    if (till->pinged || till->out_size - till->out_last < X402_TILL_FRAME_MAX)
    {
        return;
    }

    till->pinged = 1;

    ngx_http_x402_till_frame.type = X402_TILL_PING;
    ngx_http_x402_till_frame.id = 0;
    ngx_http_x402_till_put(till, &ngx_http_x402_till_frame);

    ngx_http_x402_till_flush(&till->flush);
}


/* X402_OK: rsv belongs to the till until ngx_http_x402_till_leave() */

enum x402_err
ngx_http_x402_till_enter(ngx_http_x402_till_t *till, ngx_http_x402_rsv_t *rsv)
{
    if (till->connection == NULL) {
        return X402_ERR_UNAVAILABLE;
    }

    if (till->reserving >= X402_TILL_INFLIGHT_MAX) {
        return X402_ERR_BUSY;
    }

    ngx_queue_insert_tail(&till->all, &rsv->queue);
    till->count++;
    till->reserving++;

    return X402_OK;
}


void
ngx_http_x402_till_leave(ngx_http_x402_till_t *till, ngx_http_x402_rsv_t *rsv)
{
    ngx_queue_remove(&rsv->queue);
    till->count--;

    if (rsv->queued) {
        ngx_queue_remove(&rsv->ready);
        rsv->queued = 0;
    }

    if (till->count == 0 && till->guard.timer_set) {
        ngx_del_timer(&till->guard);
    }
}


void
ngx_http_x402_till_wake(ngx_http_x402_till_t *till, ngx_http_x402_rsv_t *rsv)
{
    if (till->connection == NULL || rsv->queued
        || ngx_http_x402_rsv_next(rsv) == 0)
    {
        return;
    }

    rsv->queued = 1;
    ngx_queue_insert_tail(&till->ready, &rsv->ready);

    if (!till->flush.posted) {
        ngx_post_event(&till->flush, &ngx_posted_events);
    }
}


/* the daemon is busy: ask what is not answered again, a little later */

void
ngx_http_x402_till_retry(ngx_http_x402_till_t *till)
{
    if (!till->again.timer_set) {
        ngx_add_timer(&till->again, NGX_HTTP_X402_TILL_AGAIN);
    }
}


static void
ngx_http_x402_till_again(ngx_event_t *ev)
{
    ngx_queue_t           *q;
    ngx_http_x402_till_t  *till;

    till = ev->data;

    for (q = ngx_queue_head(&till->all);
         q != ngx_queue_sentinel(&till->all);
         q = ngx_queue_next(q))
    {
        ngx_http_x402_till_wake(till,
                           ngx_queue_data(q, ngx_http_x402_rsv_t, queue));
    }
}


/*
 * A worker that is to exit waits for its timers: this one stands for what the
 * daemon has not been told yet, for as long as it would wait for us.
 */

void
ngx_http_x402_till_guard(ngx_http_x402_till_t *till)
{
    if (!till->guard.timer_set) {
        ngx_add_timer(&till->guard, X402_TILL_LEASE_S * 1000);
    }
}


static void
ngx_http_x402_till_guarded(ngx_event_t *ev)
{
    ngx_http_x402_till_t  *till;

    till = ev->data;

    if (till->count && !ngx_exiting) {
        ngx_add_timer(ev, X402_TILL_LEASE_S * 1000);
    }
}


static void
ngx_http_x402_till_flush(ngx_event_t *ev)
{
    ssize_t                n;
    ngx_connection_t      *c;
    ngx_http_x402_till_t  *till;

    till = ev->data;
    c = till->connection;

    for ( ;; ) {

        ngx_http_x402_till_ask(till);

        if (till->out_pos == till->out_last) {
            till->out_pos = 0;
            till->out_last = 0;
            break;
        }

        n = c->send(c, till->out + till->out_pos,
                    till->out_last - till->out_pos);

        if (n == NGX_ERROR) {
            ngx_http_x402_till_close(till, "write failed");
            return;
        }

        if (n == NGX_AGAIN) {
            break;
        }

        till->out_pos += n;
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_http_x402_till_close(till, "event failed");
    }
}


static void
ngx_http_x402_till_ask(ngx_http_x402_till_t *till)
{
    uint16_t                 i;
    ngx_uint_t               what;
    ngx_queue_t             *q;
    ngx_http_x402_rsv_t     *rsv;
    ngx_http_x402_slot_t    *slot;
    struct x402_till_frame  *frame;

    frame = &ngx_http_x402_till_frame;

    while (!ngx_queue_empty(&till->ready)) {

        if (till->nfree == 0
            || till->out_size - till->out_last < X402_TILL_FRAME_MAX)
        {
            return;
        }

        q = ngx_queue_head(&till->ready);
        rsv = ngx_queue_data(q, ngx_http_x402_rsv_t, ready);

        what = ngx_http_x402_rsv_next(rsv);

        if (what == 0) {
            ngx_queue_remove(q);
            rsv->queued = 0;
            continue;
        }

        i = till->free[--till->nfree];
        slot = &till->slots[i];

        slot->id = (++till->seq * X402_TILL_INFLIGHT_MAX) | i;
        slot->rsv = rsv;
        slot->what = what;

        rsv->asked |= what;

        frame->id = slot->id;
        ngx_http_x402_till_fill(frame, rsv, what);
        ngx_http_x402_till_put(till, frame);
    }
}


static void
ngx_http_x402_till_fill(struct x402_till_frame *frame,
    ngx_http_x402_rsv_t *rsv, ngx_uint_t what)
{
    switch (what) {

    case NGX_HTTP_X402_RESERVE:
        frame->type = X402_TILL_RESERVE;
        frame->u.reserve = *rsv->reserve;
        ngx_free(rsv->reserve);
        rsv->reserve = NULL;
        break;

    case NGX_HTTP_X402_CAPTURE:
        frame->type = X402_TILL_CAPTURE;
        frame->u.rid = rsv->rid;
        break;

    case NGX_HTTP_X402_RELEASE:
        frame->type = X402_TILL_RELEASE;
        frame->u.rid = rsv->rid;
        break;

    case NGX_HTTP_X402_STARTED:
        frame->type = X402_TILL_STARTED;
        frame->u.rid = rsv->rid;
        break;

    default: /* NGX_HTTP_X402_DONE */
        frame->type = X402_TILL_DONE;
        frame->u.done.rid = rsv->rid;
        frame->u.done.end = rsv->end;
        break;
    }
}


static ngx_uint_t
ngx_http_x402_till_put(ngx_http_x402_till_t *till,
    const struct x402_till_frame *frame)
{
    size_t  len;

    len = x402_till_encode(till->out + till->out_last,
                           till->out_size - till->out_last, frame);

    till->out_last += len;

    return len != 0;
}


static void
ngx_http_x402_till_write(ngx_event_t *wev)
{
    ngx_connection_t      *c;
    ngx_http_x402_till_t  *till;

    c = wev->data;
    till = c->data;

    ngx_http_x402_till_flush(&till->flush);
}


static void
ngx_http_x402_till_read(ngx_event_t *rev)
{
    ssize_t                n;
    ngx_connection_t      *c;
    ngx_http_x402_till_t  *till;

    c = rev->data;
    till = c->data;

    for ( ;; ) {

        n = c->recv(c, till->in + till->in_len,
                    NGX_HTTP_X402_TILL_IN - till->in_len);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR || n == 0) {
            ngx_http_x402_till_close(till, n ? "read failed" : "by the daemon");
            return;
        }

        till->in_len += n;
        till->heard = ngx_current_msec;

        if (ngx_http_x402_till_frames(till) != NGX_OK) {
            ngx_http_x402_till_close(till, "it broke the protocol");
            return;
        }

        /* an answer may have ended in a write that failed */

        if (till->connection != c) {
            return;
        }
    }

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_http_x402_till_close(till, "event failed");
    }
}


static ngx_int_t
ngx_http_x402_till_frames(ngx_http_x402_till_t *till)
{
    size_t                   pos, used;
    ngx_connection_t        *c;
    struct x402_till_frame  *frame;

    pos = 0;
    c = till->connection;
    frame = &ngx_http_x402_till_frame;

    for ( ;; ) {

        if (x402_till_decode(frame, &used, till->in + pos, till->in_len - pos)
            != X402_OK)
        {
            return NGX_ERROR;
        }

        if (used == 0) {
            break;
        }

        pos += used;

        if (ngx_http_x402_till_answer(till, frame) != NGX_OK) {
            return NGX_ERROR;
        }

        if (till->connection != c) {
            return NGX_OK;
        }
    }

    till->in_len -= pos;
    ngx_memmove(till->in, till->in + pos, till->in_len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_x402_till_answer(ngx_http_x402_till_t *till,
    struct x402_till_frame *frame)
{
    ngx_uint_t                   i, what;
    ngx_http_x402_rsv_t         *rsv;
    ngx_http_x402_slot_t        *slot;
    struct x402_till_reserved    reserved;

    if (frame->type == X402_TILL_PONG) {

        if (!till->pinged) {
            return NGX_ERROR;
        }

        till->pinged = 0;
        till->backoff = NGX_HTTP_X402_TILL_BACKOFF;
        return NGX_OK;
    }

    i = (ngx_uint_t) (frame->id % X402_TILL_INFLIGHT_MAX);
    slot = &till->slots[i];

    if (slot->rsv == NULL || slot->id != frame->id) {
        return NGX_ERROR;
    }

    if (frame->type != (slot->what == NGX_HTTP_X402_RESERVE
                        ? X402_TILL_RESERVED : X402_TILL_ACK))
    {
        return NGX_ERROR;
    }

    rsv = slot->rsv;
    what = slot->what;

    slot->rsv = NULL;
    till->free[till->nfree++] = (uint16_t) i;

    till->backoff = NGX_HTTP_X402_TILL_BACKOFF;
    till->complained = 0;

    if (!ngx_queue_empty(&till->ready) && !till->flush.posted) {
        ngx_post_event(&till->flush, &ngx_posted_events);
    }

    /* the frame's memory is used again by what follows */

    if (frame->type == X402_TILL_RESERVED) {
        till->reserving--;
        reserved = frame->u.reserved;
        ngx_http_x402_rsv_reserved(rsv, &reserved);

    } else {
        ngx_http_x402_rsv_ack(rsv, what, frame->u.ack.err);
    }

    return NGX_OK;
}
