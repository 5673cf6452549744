/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The till: one connection to the daemon per worker, see include/x402/till.h.
 * Here is its life: opened when the worker starts, opened again when it
 * breaks, with what is still held named first.
 */

#include "ngx_http_x402_till.h"

#include <openssl/rand.h>


#define NGX_HTTP_X402_TILL_OUT      (4 * X402_TILL_FRAME_MAX)
#define NGX_HTTP_X402_TILL_FARTHEST 1000


static ngx_int_t ngx_http_x402_till_start(ngx_http_x402_till_t *till,
    ngx_cycle_t *cycle);
static void ngx_http_x402_till_event(ngx_http_x402_till_t *till,
    ngx_event_t *ev, ngx_event_handler_pt handler);
static void ngx_http_x402_till_connect(ngx_http_x402_till_t *till);
static ngx_int_t ngx_http_x402_till_greet(ngx_http_x402_till_t *till);
static void ngx_http_x402_till_lose(ngx_http_x402_till_t *till);
static void ngx_http_x402_till_tick(ngx_event_t *ev);
static ngx_uint_t ngx_http_x402_till_overdue(ngx_http_x402_till_t *till);


struct x402_till_frame  ngx_http_x402_till_frame;


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
    till->waits = ngx_pcalloc(cycle->pool, NGX_HTTP_X402_LN_WAITS
                                           * sizeof(ngx_http_x402_ln_wait_t));
    till->waits_all.until = ngx_current_msec;
    till->waits_tokens = ngx_current_msec;
    till->in = ngx_palloc(cycle->pool, NGX_HTTP_X402_TILL_IN);
    till->out = ngx_alloc(NGX_HTTP_X402_TILL_OUT, cycle->log);

    if (till->slots == NULL || till->free == NULL || till->waits == NULL
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


void
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
    ngx_msec_t             next, silent;
    ngx_http_x402_till_t  *till;

    till = ev->data;

    if (till->connection == NULL) {
        ngx_http_x402_till_connect(till);
        return;
    }

    silent = ngx_current_msec - till->heard;

    if (till->pinged && silent >= NGX_HTTP_X402_TILL_SILENT) {
        ngx_http_x402_till_close(till, "no heartbeat");
        return;
    }

    if (ngx_http_x402_till_overdue(till)) {
        ngx_http_x402_till_close(till, "no answer");
        return;
    }

    next = X402_TILL_HEARTBEAT_S * 1000;

    if (till->pinged) {
        next = ngx_min(next, NGX_HTTP_X402_TILL_SILENT - silent);
    }

    ngx_add_timer(&till->tick, next);

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


/* the daemon lives, and has forgotten a question: a new connection asks anew */

static ngx_uint_t
ngx_http_x402_till_overdue(ngx_http_x402_till_t *till)
{
    ngx_uint_t  i;

    for (i = 0; i < X402_TILL_INFLIGHT_MAX; i++) {

        if (till->slots[i].rsv
            && ngx_current_msec - till->slots[i].asked
               >= X402_TILL_ANSWER_S * 1000)
        {
            return 1;
        }
    }

    return 0;
}
