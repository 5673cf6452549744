/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers from the daemon.  One that does not read, names no slot, or is of
 * the wrong kind closes the connection, and whatever waited fails closed.
 */

#include "ngx_http_x402_till.h"


static ngx_int_t ngx_http_x402_till_frames(ngx_http_x402_till_t *till);
static enum x402_till_type ngx_http_x402_till_expected(
    ngx_http_x402_slot_t *slot);
static ngx_int_t ngx_http_x402_till_answer(ngx_http_x402_till_t *till,
    struct x402_till_frame *frame);


void
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
            if (ngx_http_x402_mutant("till_any_frame")) {
                till->in_len = 0;
                return NGX_OK;
            }

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


static enum x402_till_type
ngx_http_x402_till_expected(ngx_http_x402_slot_t *slot)
{
    if (slot->what != NGX_HTTP_X402_RESERVE) {
        return X402_TILL_ACK;
    }

    return (slot->rsv->type == X402_TILL_ISSUE) ? X402_TILL_ISSUED
                                                : X402_TILL_RESERVED;
}


static ngx_int_t
ngx_http_x402_till_answer(ngx_http_x402_till_t *till,
    struct x402_till_frame *frame)
{
    ngx_uint_t                   i, what;
    ngx_http_x402_rsv_t         *rsv;
    ngx_http_x402_slot_t        *slot;
    struct x402_till_issued      issued;
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

    if (frame->type != ngx_http_x402_till_expected(slot)) {
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

    } else if (frame->type == X402_TILL_ISSUED) {
        till->reserving--;
        issued = frame->u.issued;
        ngx_http_x402_rsv_issued(rsv, &issued);

    } else {
        ngx_http_x402_rsv_ack(rsv, what, frame->u.ack.err);
    }

    return NGX_OK;
}
