/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to the daemon.  A question takes a slot, whose number is part of
 * its id.  Frames are written when a turn of the event loop ends: what
 * requests asked in it goes out in one write.
 */

#include "ngx_http_x402_till.h"


#define NGX_HTTP_X402_TILL_AGAIN    200


static void ngx_http_x402_till_ask(ngx_http_x402_till_t *till);
static void ngx_http_x402_till_first(struct x402_till_frame *frame,
    ngx_http_x402_rsv_t *rsv);
static void ngx_http_x402_till_fill(struct x402_till_frame *frame,
    ngx_http_x402_rsv_t *rsv, ngx_uint_t what);


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


void
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


void
ngx_http_x402_till_guarded(ngx_event_t *ev)
{
    ngx_http_x402_till_t  *till;

    till = ev->data;

    if (till->count && !ngx_exiting) {
        ngx_add_timer(ev, X402_TILL_LEASE_S * 1000);
    }
}


void
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
        slot->asked = ngx_current_msec;

        rsv->asked |= what;

        frame->id = slot->id;
        ngx_http_x402_till_fill(frame, rsv, what);
        ngx_http_x402_till_put(till, frame);
    }
}


static void
ngx_http_x402_till_first(struct x402_till_frame *frame,
    ngx_http_x402_rsv_t *rsv)
{
    frame->type = rsv->type;

    if (rsv->type == X402_TILL_ISSUE) {
        frame->u.issue = *(struct x402_till_issue *) rsv->question;

    } else if (rsv->type == X402_TILL_PROOF) {
        frame->u.proof = *(struct x402_till_proof *) rsv->question;

    } else {
        frame->u.reserve = *(struct x402_till_reserve *) rsv->question;
    }

    ngx_free(rsv->question);
    rsv->question = NULL;
}


static void
ngx_http_x402_till_fill(struct x402_till_frame *frame,
    ngx_http_x402_rsv_t *rsv, ngx_uint_t what)
{
    switch (what) {

    case NGX_HTTP_X402_RESERVE:
        ngx_http_x402_till_first(frame, rsv);
        break;

    case NGX_HTTP_X402_CAPTURE:
        frame->type = X402_TILL_CAPTURE;
        ngx_memzero(&frame->u.capture, sizeof(struct x402_till_capture));
        frame->u.capture.rid = rsv->rid;
        frame->u.capture.has_charge = rsv->has_charge;
        frame->u.capture.charge = rsv->charge;
        break;

    case NGX_HTTP_X402_RELEASE:
        frame->type = X402_TILL_RELEASE;
        frame->u.release.rid = rsv->rid;
        frame->u.release.status = rsv->status;
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


ngx_uint_t
ngx_http_x402_till_put(ngx_http_x402_till_t *till,
    const struct x402_till_frame *frame)
{
    size_t  len;

    len = x402_till_encode(till->out + till->out_last,
                           till->out_size - till->out_last, frame);

    till->out_last += len;

    return len != 0;
}


void
ngx_http_x402_till_write(ngx_event_t *wev)
{
    ngx_connection_t      *c;
    ngx_http_x402_till_t  *till;

    c = wev->data;
    till = c->data;

    ngx_http_x402_till_flush(&till->flush);
}
