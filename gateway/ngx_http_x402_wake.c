/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a hold: what was held goes out, or something else in its place.
 */

#include "ngx_http_x402.h"


static ngx_uint_t ngx_http_x402_hold_cut(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx);
static ngx_int_t ngx_http_x402_hold_page(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx, ngx_uint_t status, enum x402_err err);
static void ngx_http_x402_hold_flush(ngx_http_request_t *r);


/* the daemon has answered: header, what was held, then on as usual */

void
ngx_http_x402_hold_wake(ngx_http_x402_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_str_t            token;
    ngx_chain_t         *held;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    r->buffered &= ~NGX_HTTP_X402_BUFFERED;
    ctx->state = ngx_http_x402_sending;

    if (ngx_http_x402_hold_cut(r, ctx)) {

        if (ctx->release) {
            ngx_http_x402_rsv_leave(ctx->rsv);

        } else {
            ctx->rsv->end = X402_TILL_END_SERVER;
            ngx_http_x402_rsv_ask(ctx->rsv, NGX_HTTP_X402_DONE);
            ngx_http_x402_rsv_leave(ctx->rsv);
        }

        ngx_http_x402_hold_replace(ctx, NGX_HTTP_BAD_GATEWAY, X402_OK);
        return;
    }

    if (!ctx->release) {

        if (ngx_http_x402_paid(r, ctx) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_ERROR);
            return;
        }

        ngx_http_x402_hold_start(ctx);

    } else if (ctx->err != X402_OK) {

        /* released by ourselves, not for what the upstream said */

        token.data = (u_char *) x402_err_info(ctx->err)->token;
        token.len = ngx_strlen(token.data);

        if (ngx_http_x402_header_out(r, "X-Payment-Error", &token) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_ERROR);
            return;
        }
    }

    held = ctx->held;
    ctx->held = NULL;

    rc = ngx_http_x402_next_header(r);

    if (rc != NGX_ERROR && rc <= NGX_OK) {

        if (r->header_only) {
            ctx->last = 1;
            ngx_http_x402_hold_discard(held);

        } else if (held) {
            rc = ngx_http_x402_hold_send(r, ctx, held);
        }
    }

    if (rc == NGX_ERROR || rc > NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    /* whoever is active: the request, or a subrequest that waited with it */

    r = c->data;

    r->write_event_handler(r);
}


/*
 * Did the upstream break off while its header was held?  Its handler sent no
 * last buffer and is not there any more; or, unbuffered, waits for us to take
 * what it has before it looks at the end of the connection.
 */

static ngx_uint_t
ngx_http_x402_hold_cut(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx)
{
    ngx_http_upstream_t  *u;

    u = r->upstream;

    if (u == NULL || !u->header_sent || u->upgrade
        || ctx->last || ctx->part || r->header_only || r->buffered
        || r->postponed || r->connection->data != r)
    {
        return 0;
    }

    if (u->cleanup == NULL) {
        return 1;
    }

    return !u->buffering
           && u->length > 0
           && u->peer.connection
           && (u->peer.connection->read->eof
               || u->peer.connection->read->error);
}


/* something else is sent in place of what is held */

void
ngx_http_x402_hold_replace(ngx_http_x402_ctx_t *ctx, ngx_uint_t status,
    enum x402_err err)
{
    ngx_int_t            rc;
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    r->buffered &= ~NGX_HTTP_X402_BUFFERED;

    ctx->state = ngx_http_x402_over;
    ctx->err = err;
    ctx->held = NULL;

    ngx_http_x402_run_cut(r);

    rc = ngx_http_x402_hold_page(r, ctx, status, err);

    ctx->discard = 1;

    if (rc == NGX_ERROR || rc > NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    if (c->data != r || r->postponed) {

        /* subrequests run on, into nowhere */

        r = c->data;
        r->write_event_handler(r);
        return;
    }

    /* nothing of the old response is to be read or sent any more */

    r->buffered = 0;

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_x402_hold_flush;

    ngx_http_x402_hold_flush(r);
}


static ngx_int_t
ngx_http_x402_hold_page(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    ngx_uint_t status, enum x402_err err)
{
    ngx_int_t     rc;
    ngx_str_t     body;
    ngx_chain_t  *out;

    ngx_http_clean_header(r);

    r->keepalive = 0;
    r->header_only = (r->method == NGX_HTTP_HEAD);

    if (ngx_http_x402_reply_headers(r, ctx, ctx->conf, status, err, &body)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = ngx_http_x402_next_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out = ngx_http_x402_whole(r->pool, body.data, body.len);
    if (out == NULL) {
        return NGX_ERROR;
    }

    return ngx_http_x402_next_body(r, out);
}


static void
ngx_http_x402_hold_flush(ngx_http_request_t *r)
{
    ngx_event_t               *wev;
    ngx_connection_t          *c;
    ngx_http_core_loc_conf_t  *clcf;

    c = r->connection;
    wev = c->write;

    if (wev->timedout) {
        c->timedout = 1;
        ngx_http_finalize_request(r, NGX_HTTP_REQUEST_TIME_OUT);
        return;
    }

    if (c->buffered && !wev->delayed
        && ngx_http_x402_next_body(r, NULL) == NGX_ERROR)
    {
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    if (!c->buffered) {

        /* a thread that still reads for the old response comes back here */

        if (r->blocked == 0) {
            ngx_http_finalize_request(r, NGX_OK);
        }

        return;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (!wev->delayed) {
        ngx_add_timer(wev, clcf->send_timeout);
    }

    if (ngx_handle_write_event(wev, clcf->send_lowat) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);
    }
}
