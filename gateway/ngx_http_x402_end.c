/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a request: what the daemon must still hear about its
 * reservation, and who it was that ended it.
 */

#include "ngx_http_x402.h"


static ngx_uint_t ngx_http_x402_run_client_left(ngx_http_request_t *r);
static ngx_uint_t ngx_http_x402_run_handed(ngx_http_request_t *r);
static enum x402_till_end ngx_http_x402_run_how(ngx_http_x402_ctx_t *ctx);


ngx_int_t
ngx_http_x402_log_handler(ngx_http_request_t *r)
{
    ngx_http_x402_ctx_t  *ctx;

    if (r != r->main) {
        return NGX_OK;
    }

    ctx = ngx_http_x402_get_ctx(r);

    if (ctx) {
        ngx_http_x402_run_end(ctx);
    }

    return NGX_OK;
}


/* the request ends here, whichever way it came; its memory goes next */

void
ngx_http_x402_run_end(ngx_http_x402_ctx_t *ctx)
{
    ngx_http_request_t   *r;
    ngx_http_x402_rsv_t  *rsv;

    if (ctx->ended) {
        return;
    }

    ctx->ended = 1;

    r = ctx->request;
    rsv = ctx->rsv;

    if (ctx->timer.timer_set) {
        ngx_del_timer(&ctx->timer);
    }

    if (rsv == NULL) {
        return;
    }

    switch (ctx->state) {

    case ngx_http_x402_running:

        if (ctx->captured) {
            rsv->end = ngx_http_x402_run_how(ctx);
            ngx_http_x402_rsv_ask(rsv, NGX_HTTP_X402_DONE);
            break;
        }

        if (!ctx->spoiled
            && ngx_http_x402_run_client_left(r)
            && ngx_http_x402_run_handed(r)
            && !ngx_http_x402_mutant("abort_free"))
        {
            ctx->status = "paid";
            rsv->end = X402_TILL_END_CLIENT;
            ngx_http_x402_rsv_ask(rsv,
                                  NGX_HTTP_X402_CAPTURE|NGX_HTTP_X402_DONE);
            break;
        }

        ctx->status = "released";
        ngx_http_x402_rsv_ask(rsv, NGX_HTTP_X402_RELEASE);
        break;

    case ngx_http_x402_holding:

        if (ctx->release) {
            break;
        }

        /* fall through */

    case ngx_http_x402_upgrading:
    case ngx_http_x402_sending:

        if (ctx->release) {
            break;
        }

        rsv->end = ngx_http_x402_run_how(ctx);
        ngx_http_x402_rsv_ask(rsv, NGX_HTTP_X402_DONE);
        break;

    case ngx_http_x402_issuing:
    case ngx_http_x402_reserving:
        /* if it is reserved yet, the answer will find nobody: RELEASE */
    case ngx_http_x402_start:
    case ngx_http_x402_reading:
    case ngx_http_x402_over:
        break;
    }

    ngx_http_x402_rsv_leave(rsv);
}


static ngx_uint_t
ngx_http_x402_run_client_left(ngx_http_request_t *r)
{
    ngx_connection_t  *c;

    c = r->connection;

#if (NGX_HTTP_V2)
    if (r->stream) {
        c = r->stream->connection->connection;
    }
#endif

    /* worker_shutdown_timeout: it was us */

    if (c->close) {
        return 0;
    }

    c = r->connection;

    return r->headers_out.status == NGX_HTTP_CLIENT_CLOSED_REQUEST
           || c->error
           || c->read->error
           || c->read->eof;
}


/* did any byte of the request reach an upstream, or a handler of our own? */

static ngx_uint_t
ngx_http_x402_run_handed(ngx_http_request_t *r)
{
    ngx_uint_t                  i;
    ngx_http_upstream_state_t  *state;

    if (r->upstream == NULL) {
        return 1;
    }

    if (r->upstream->request_sent) {
        return 1;
    }

    if (r->upstream_states == NULL) {
        return 0;
    }

    state = r->upstream_states->elts;

    for (i = 0; i < r->upstream_states->nelts; i++) {
        if (state[i].bytes_sent) {
            return 1;
        }
    }

    return 0;
}


static enum x402_till_end
ngx_http_x402_run_how(ngx_http_x402_ctx_t *ctx)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    if (ngx_http_x402_mutant("broken_is_whole")) {
        return X402_TILL_END_COMPLETE;
    }

    if (ctx->started && ctx->last && r->request_complete
        && !ngx_http_x402_mcp_cut(ctx)
        && !c->error && !c->timedout && !c->buffered)
    {
        return X402_TILL_END_COMPLETE;
    }

    if (ngx_http_x402_run_client_left(r)) {
        return X402_TILL_END_CLIENT;
    }

    /* who takes nothing makes an upstream give up, and never gains by it */

    if (ctx->started && (c->timedout || ctx->blocked || ctx->stalled)) {
        return X402_TILL_END_CLIENT;
    }

    return X402_TILL_END_SERVER;
}
