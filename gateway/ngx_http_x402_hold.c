/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hold: no byte of a response leaves before its payment is durable.
 *
 * The filters stand after the range filter (206 and 416 are known) and before
 * the ones that write.  The header filter keeps the request alive with a bit
 * in r->buffered; the body filter collects what comes meanwhile, which is
 * never more than the buffers of whoever produces it, because a producer
 * waits for them to be sent.
 */

#include "ngx_http_x402.h"


static ngx_int_t ngx_http_x402_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_x402_hold(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx);
static ngx_int_t ngx_http_x402_hold_captured(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx);
static ngx_int_t ngx_http_x402_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_x402_hold_collect(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx, ngx_chain_t *in);


ngx_http_output_header_filter_pt  ngx_http_x402_next_header;
ngx_http_output_body_filter_pt    ngx_http_x402_next_body;


void
ngx_http_x402_hold_init(void)
{
    ngx_http_x402_next_header = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_x402_header_filter;

    ngx_http_x402_next_body = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_x402_body_filter;
}


static ngx_int_t
ngx_http_x402_header_filter(ngx_http_request_t *r)
{
    ngx_http_x402_ctx_t  *ctx;

    if (r != r->main) {
        return ngx_http_x402_next_header(r);
    }

    ctx = ngx_http_x402_get_ctx(r);

    if (ctx == NULL) {
        return ngx_http_x402_next_header(r);
    }

    switch (ctx->state) {

    case ngx_http_x402_running:

        if (ctx->captured) {
            return ngx_http_x402_hold_captured(r, ctx);
        }

        return ngx_http_x402_hold(r, ctx);

    case ngx_http_x402_holding:

        /* a second header while the first one waits */

        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "x402: response replaced while it was held");
        return NGX_ERROR;

    case ngx_http_x402_start:
    case ngx_http_x402_reading:
    case ngx_http_x402_issuing:
    case ngx_http_x402_reserving:
    case ngx_http_x402_upgrading:
    case ngx_http_x402_sending:
    case ngx_http_x402_over:
        break;
    }

    return ngx_http_x402_next_header(r);
}


static ngx_int_t
ngx_http_x402_hold(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx)
{
    if (ctx->timer.timer_set) {
        ngx_del_timer(&ctx->timer);
    }

    ctx->release = !ngx_http_x402_run_charged(r, ctx);

    /*
     * A filter broke its response off (416, 412): nginx resets what is
     * pending after it, a hold would never end.  Not charged, not held.
     */

    if (r->filter_finalize) {
        ctx->release = 1;
    }

    ngx_http_x402_override(r, ctx);

    if (ctx->release) {
        ctx->status = "released";
        ctx->rsv->status = (uint16_t) ngx_min(r->headers_out.status,
                                              X402_TILL_STATUS_MAX);
    }

    if (ngx_http_x402_mutant("capture_skipped") && !ctx->release) {
        ctx->state = ngx_http_x402_over;
        return ngx_http_x402_next_header(r);
    }

    if (r->filter_finalize || ngx_http_x402_mutant("hold_off")) {

        ngx_http_x402_rsv_ask(ctx->rsv, ctx->release ? NGX_HTTP_X402_RELEASE
                                                     : NGX_HTTP_X402_CAPTURE);
        ngx_http_x402_rsv_leave(ctx->rsv);

        ctx->state = ngx_http_x402_over;

        return ngx_http_x402_next_header(r);
    }

    if (r->buffered & NGX_HTTP_X402_BUFFERED) {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "x402: another module uses bit %d of r->buffered",
                      NGX_HTTP_X402_BUFFERED);
        return NGX_ERROR;
    }

    r->buffered |= NGX_HTTP_X402_BUFFERED;
    ctx->state = ngx_http_x402_holding;

    /* what the header filter would say: handlers look at it at once */

    if (r->method == NGX_HTTP_HEAD
        || r->headers_out.status == NGX_HTTP_NO_CONTENT
        || r->headers_out.status == NGX_HTTP_NOT_MODIFIED)
    {
        r->header_only = 1;
    }

    ngx_add_timer(&ctx->timer, NGX_HTTP_X402_ANSWER_WAIT);

    ngx_http_x402_rsv_ask(ctx->rsv, ctx->release ? NGX_HTTP_X402_RELEASE
                                                 : NGX_HTTP_X402_CAPTURE);

    return NGX_OK;
}


/*
 * x402_upgrade: captured before it was proxied.  What is not an answer does
 * not count as started, so that the same payment buys it once more.
 */

static ngx_int_t
ngx_http_x402_hold_captured(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx)
{
    ngx_http_x402_header_clear(r, "Settlement-Overrides");

    if (r->headers_out.status != NGX_HTTP_SWITCHING_PROTOCOLS
        && !ngx_http_x402_run_charged(r, ctx))
    {
        ctx->status = "released";
        ctx->state = ngx_http_x402_sending;

        return ngx_http_x402_next_header(r);
    }

    if (ngx_http_x402_paid(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->state = ngx_http_x402_sending;
    ngx_http_x402_hold_start(ctx);

    return ngx_http_x402_next_header(r);
}


void
ngx_http_x402_hold_start(ngx_http_x402_ctx_t *ctx)
{
    ctx->started = 1;

    ngx_http_x402_rsv_ask(ctx->rsv, NGX_HTTP_X402_STARTED);
}


static ngx_int_t
ngx_http_x402_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_http_x402_ctx_t  *ctx;

    ctx = ngx_http_x402_get_ctx(r);

    if (ctx == NULL) {
        return ngx_http_x402_next_body(r, in);
    }

    if (ctx->state == ngx_http_x402_holding) {

        if (ngx_http_x402_hold_collect(r, ctx, in) != NGX_OK) {
            return NGX_ERROR;
        }

        return NGX_AGAIN;
    }

    if (ctx->discard) {

        ngx_http_x402_hold_discard(in);

        /* what was sent in its place may not have left yet */

        return r->connection->buffered ? ngx_http_x402_next_body(r, NULL)
                                       : NGX_OK;
    }

    if (ctx->state == ngx_http_x402_sending) {
        return ngx_http_x402_hold_send(r, ctx, in);
    }

    return ngx_http_x402_next_body(r, in);
}


/*
 * Buffers stay their producer's, which sees by their size whether they were
 * sent.  An empty one looks sent, and will be used again: it is copied.
 */

static ngx_int_t
ngx_http_x402_hold_collect(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    ngx_chain_t *in)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    for ( /* void */ ; in; in = in->next) {

        b = in->buf;

        if (b->last_buf) {
            ctx->last = 1;
        }

        /* slice: the end of a part, the next is fetched when this one left */

        if (b->last_in_chain) {
            ctx->part = 1;
        }

        if (ngx_buf_size(b) == 0) {

            b = ngx_calloc_buf(r->pool);
            if (b == NULL) {
                return NGX_ERROR;
            }

            *b = *in->buf;
        }

        cl = ngx_alloc_chain_link(r->pool);
        if (cl == NULL) {
            return NGX_ERROR;
        }

        cl->buf = b;
        cl->next = NULL;

        *ctx->held_last = cl;
        ctx->held_last = &cl->next;
    }

    return NGX_OK;
}


/* passes on, and notes whether the client takes what it gets */

ngx_int_t
ngx_http_x402_hold_send(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    ngx_chain_t *in)
{
    ngx_int_t          rc;
    ngx_chain_t       *cl;
    ngx_connection_t  *c;

    c = r->connection;

    for (cl = in; cl; cl = cl->next) {
        if (cl->buf->last_buf) {
            ctx->last = 1;
        }
    }

    if (ctx->blocked && c->sent == ctx->client_sent
        && ngx_current_msec - ctx->client_time > NGX_HTTP_X402_STALL)
    {
        ctx->stalled = 1;
    }

    rc = ngx_http_x402_next_body(r, in);

    if (!c->buffered) {
        ctx->blocked = 0;

    } else if (!ctx->blocked || c->sent != ctx->client_sent) {
        ctx->blocked = 1;
        ctx->client_sent = c->sent;
        ctx->client_time = ngx_current_msec;
    }

    return rc;
}


void
ngx_http_x402_hold_discard(ngx_chain_t *in)
{
    for ( /* void */ ; in; in = in->next) {
        in->buf->pos = in->buf->last;
        in->buf->file_pos = in->buf->file_last;
    }
}
