/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a reservation: from the daemon's answer through the
 * upstream's header.
 *
 * Once CAPTURE was sent, RELEASE is never sent.
 */

#include "ngx_http_x402.h"


static void ngx_http_x402_run_go(ngx_http_x402_ctx_t *ctx);
static void ngx_http_x402_run_deadline(ngx_http_x402_ctx_t *ctx);
static void ngx_http_x402_run_misnamed(ngx_http_x402_ctx_t *ctx);
static void ngx_http_x402_run_late(ngx_http_x402_ctx_t *ctx);


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

    if (ctx->ln) {
        ctx->ln->network = reserved->network;
        ctx->ln->amount = reserved->amount;
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

    } else if (ctx->misnamed) {

        ngx_http_x402_run_misnamed(ctx);

    } else {

        if (what == NGX_HTTP_X402_CAPTURE) {
            ctx->captured = 1;
            ctx->status = ctx->redeemed ? "redeemed" : "paid";
        }

        ngx_http_x402_hold_wake(ctx);
    }

    ngx_http_run_posted_requests(c);
}


/* upto, and the upstream did not say an amount: 502 in place of its answer */

static void
ngx_http_x402_run_misnamed(ngx_http_x402_ctx_t *ctx)
{
    ngx_http_x402_rsv_leave(ctx->rsv);

    ngx_http_x402_hold_replace(ctx, NGX_HTTP_BAD_GATEWAY, X402_ERR_OVERRIDE);
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

    case ngx_http_x402_issuing:

        ngx_log_error(NGX_LOG_WARN, c->log, 0, "x402: ISSUE not answered");

        ngx_http_x402_rsv_leave(ctx->rsv);
        ngx_http_x402_ln_unissued(r, ctx);
        break;

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

        if (ctx->misnamed) {
            ngx_http_x402_run_misnamed(ctx);
            break;
        }

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

    if (r->blocked) {
        ngx_add_timer(&ctx->timer, 100);
        return;
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "x402: the upstream did not answer while the payment "
                  "could be settled");

    /* the 504 is held like any response, until the release is done */

    ctx->spoiled = 1;
    ctx->err = X402_ERR_UPSTREAM;

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
