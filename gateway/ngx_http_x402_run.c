/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a reservation: from the daemon's answer through the
 * upstream's to the end of the request.
 *
 * Once CAPTURE was sent, RELEASE is never sent.
 */

#include "ngx_http_x402.h"


static void ngx_http_x402_run_go(ngx_http_x402_ctx_t *ctx);
static void ngx_http_x402_run_deadline(ngx_http_x402_ctx_t *ctx);
static void ngx_http_x402_run_late(ngx_http_x402_ctx_t *ctx);
static ngx_uint_t ngx_http_x402_run_charges(ngx_http_x402_ctx_t *ctx,
    ngx_uint_t status);
static ngx_uint_t ngx_http_x402_run_upstream_status(ngx_http_request_t *r);
static ngx_uint_t ngx_http_x402_run_handed(ngx_http_request_t *r);
static ngx_uint_t ngx_http_x402_run_client_left(ngx_http_request_t *r);
static enum x402_till_end ngx_http_x402_run_how(ngx_http_x402_ctx_t *ctx);


/* the answer to RESERVE; ctx->rsv is NULL unless it is X402_OK */

void
ngx_http_x402_run_reserved(ngx_http_x402_ctx_t *ctx,
    const struct x402_till_reserved *reserved)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (ctx->timer.timer_set) {
        ngx_del_timer(&ctx->timer);
    }

    if (reserved->has_transaction) {
        ctx->has_transaction = 1;
        ngx_memcpy(ctx->transaction, reserved->transaction, 32);
    }

    if (reserved->err != X402_OK) {
        ngx_http_x402_gate_refuse(r, ctx, reserved->err);
        ngx_http_run_posted_requests(c);
        return;
    }

    ctx->redeemed = reserved->redeemed;
    ctx->settled = reserved->settled;
    ctx->verified = 1;
    ctx->status = "reserved";

    if (ctx->conf->upgrade && r->headers_in.upgrade) {

        /* a 101 cannot be held: the capture comes first */

        ctx->upgrade = 1;
        ctx->state = ngx_http_x402_upgrading;

        ngx_add_timer(&ctx->timer, NGX_HTTP_X402_ANSWER_WAIT);
        ngx_http_x402_rsv_ask(ctx->rsv, NGX_HTTP_X402_CAPTURE);

        return;
    }

    ngx_http_x402_run_go(ctx);
}


static void
ngx_http_x402_run_go(ngx_http_x402_ctx_t *ctx)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    ctx->state = ngx_http_x402_running;

    ngx_http_x402_run_deadline(ctx);

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
    ngx_http_run_posted_requests(c);
}


/* an upstream that answers later than this could not be paid any more */

static void
ngx_http_x402_run_deadline(ngx_http_x402_ctx_t *ctx)
{
    int64_t  left;

    if (ctx->redeemed || ctx->settled || ctx->captured || ctx->lookup) {
        return;
    }

    left = (int64_t) ctx->payment->auth.valid_before_s
           - (int64_t) ctx->conf->settle_margin - (int64_t) ngx_time();

    ngx_add_timer(&ctx->timer, (ngx_msec_t) ngx_max(left, 1) * 1000);
}


/* the answer to CAPTURE or RELEASE */

void
ngx_http_x402_run_answer(ngx_http_x402_ctx_t *ctx, ngx_uint_t what,
    enum x402_err err)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    if (ctx->state != ngx_http_x402_holding
        && ctx->state != ngx_http_x402_upgrading)
    {
        return;
    }

    ngx_http_set_log_request(c->log, r);

    if (ctx->timer.timer_set) {
        ngx_del_timer(&ctx->timer);
    }

    if (ctx->state == ngx_http_x402_upgrading) {

        if (err == X402_OK) {
            ctx->captured = 1;
            ctx->status = ctx->redeemed ? "redeemed" : "paid";
            ngx_http_x402_run_go(ctx);
            return;
        }

        ngx_http_x402_rsv_leave(ctx->rsv);
        ngx_http_x402_gate_refuse(r, ctx, err);

    } else if (what == NGX_HTTP_X402_CAPTURE && err != X402_OK) {

        /* it could not be settled any more: what was held is dropped */

        ngx_http_x402_rsv_leave(ctx->rsv);

        ctx->status = (x402_err_info(err)->fault == X402_FAULT_PEER)
                      ? "refused" : "pending";

        ngx_http_x402_hold_replace(ctx, x402_err_info(err)->http_status, err);

    } else {

        if (what == NGX_HTTP_X402_CAPTURE) {
            ctx->captured = 1;
            ctx->status = ctx->redeemed ? "redeemed" : "paid";
        }

        ngx_http_x402_hold_wake(ctx);
    }

    ngx_http_run_posted_requests(c);
}


/* one timer for whatever a request waits for */

void
ngx_http_x402_run_timer(ngx_event_t *ev)
{
    ngx_connection_t     *c;
    ngx_http_request_t   *r;
    ngx_http_x402_ctx_t  *ctx;

    ctx = ev->data;
    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    switch (ctx->state) {

    case ngx_http_x402_reserving:

        ngx_log_error(NGX_LOG_ERR, c->log, 0, "x402: RESERVE not answered");

        ngx_http_x402_rsv_leave(ctx->rsv);
        ngx_http_x402_gate_refuse(r, ctx, X402_ERR_UNAVAILABLE);
        break;

    case ngx_http_x402_upgrading:

        ngx_log_error(NGX_LOG_ERR, c->log, 0, "x402: CAPTURE not answered");

        ctx->rsv->end = X402_TILL_END_SERVER;
        ngx_http_x402_rsv_ask(ctx->rsv, NGX_HTTP_X402_DONE);
        ngx_http_x402_rsv_leave(ctx->rsv);
        ngx_http_x402_gate_refuse(r, ctx, X402_ERR_PENDING);
        break;

    case ngx_http_x402_running:

        ngx_http_x402_run_late(ctx);
        break;

    case ngx_http_x402_holding:

        if (ctx->release) {
            ngx_http_x402_hold_wake(ctx);
            break;
        }

        ngx_log_error(NGX_LOG_ERR, c->log, 0, "x402: CAPTURE not answered");

        ctx->status = "pending";
        ctx->rsv->end = X402_TILL_END_SERVER;
        ngx_http_x402_rsv_ask(ctx->rsv, NGX_HTTP_X402_DONE);
        ngx_http_x402_rsv_leave(ctx->rsv);
        ngx_http_x402_hold_replace(ctx, NGX_HTTP_SERVICE_UNAVAILABLE,
                                   X402_ERR_PENDING);
        break;

    case ngx_http_x402_start:
    case ngx_http_x402_reading:
    case ngx_http_x402_sending:
    case ngx_http_x402_over:
        break;
    }

    ngx_http_run_posted_requests(c);
}


static void
ngx_http_x402_run_late(ngx_http_x402_ctx_t *ctx)
{
    ngx_http_request_t  *r;

    r = ctx->request;

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "x402: the upstream did not answer while the payment "
                  "could be settled");

    /* the 504 is held like any response, until the release is done */

    ctx->spoiled = 1;

    ngx_http_x402_run_cut(r);

    ngx_http_finalize_request(r, NGX_HTTP_GATEWAY_TIME_OUT);
}


/*
 * Close the upstream.  Its cleanup handler finalizes the request with
 * NGX_DONE: that takes the reference that is added here, so that the one it
 * had is now the caller's.
 */

void
ngx_http_x402_run_cut(ngx_http_request_t *r)
{
    ngx_http_upstream_t  *u;

    u = r->upstream;

    if (u == NULL || u->cleanup == NULL) {
        return;
    }

    r->main->count++;

    (*u->cleanup)(r);
}


/* is this response an answer that costs its price? */

ngx_uint_t
ngx_http_x402_run_charged(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx)
{
    ngx_uint_t  status, upstream;

    if (ctx->spoiled) {
        return 0;
    }

    status = r->headers_out.status;
    upstream = ngx_http_x402_run_upstream_status(r);

    /* 101 without x402_upgrade: not what was asked for */

    if (status < 200) {
        return 0;
    }

    /* the upstream's own last status decides, not an error_page's */

    if (upstream && !ngx_http_x402_run_charges(ctx, upstream)
        && !ngx_http_x402_mutant("error_page"))
    {
        return 0;
    }

    /* "error_page 404 =200 /page": nginx itself failed */

    if (upstream == 0 && r->err_status >= 200 && r->err_status < 300
        && r->err_status != NGX_HTTP_CREATED
        && r->err_status != NGX_HTTP_NO_CONTENT)
    {
        return 0;
    }

    return ngx_http_x402_run_charges(ctx, status);
}


static ngx_uint_t
ngx_http_x402_run_charges(ngx_http_x402_ctx_t *ctx, ngx_uint_t status)
{
    ngx_uint_t  i, *s;

    if (status < 400) {
        return 1;
    }

    if (ctx->conf->charge_status) {

        s = ctx->conf->charge_status->elts;

        for (i = 0; i < ctx->conf->charge_status->nelts; i++) {
            if (s[i] == status) {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_x402_run_upstream_status(ngx_http_request_t *r)
{
    ngx_uint_t                  i, status;
    ngx_http_upstream_state_t  *state;

    if (r->upstream_states == NULL) {
        return 0;
    }

    status = 0;
    state = r->upstream_states->elts;

    for (i = 0; i < r->upstream_states->nelts; i++) {
        if (state[i].status) {
            status = state[i].status;
        }
    }

    return status;
}


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
    return r->headers_out.status == NGX_HTTP_CLIENT_CLOSED_REQUEST
           || r->connection->error
           || r->connection->read->error
           || r->connection->read->eof;
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

    if (ctx->started && ctx->last && r->request_complete
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
