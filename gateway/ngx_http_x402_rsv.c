/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reservation: one payment that the daemon holds for one request.  It has
 * memory of its own, because what must still be told (captured, released,
 * how it ended) outlives the request, and broken connections too.
 */

#include "ngx_http_x402.h"


/* RESERVE, PROOF or ISSUE, whose answer comes to ctx */

ngx_int_t
ngx_http_x402_rsv_open(ngx_http_x402_ctx_t *ctx, ngx_http_x402_till_t *till,
    enum x402_till_type type, const void *question, size_t size)
{
    ngx_http_x402_rsv_t  *rsv;

    rsv = ngx_calloc(sizeof(ngx_http_x402_rsv_t), ctx->timer.log);
    if (rsv == NULL) {
        return NGX_ERROR;
    }

    rsv->question = ngx_alloc(size, ctx->timer.log);
    if (rsv->question == NULL) {
        ngx_free(rsv);
        return NGX_ERROR;
    }

    ngx_memcpy(rsv->question, question, size);

    rsv->type = type;
    rsv->till = till;
    rsv->want = NGX_HTTP_X402_RESERVE;

    ctx->err = ngx_http_x402_till_enter(till, rsv);

    if (ctx->err != X402_OK) {
        ngx_free(rsv->question);
        ngx_free(rsv);
        return NGX_BUSY;
    }

    rsv->ctx = ctx;
    ctx->rsv = rsv;

    ngx_http_x402_till_wake(till, rsv);

    return NGX_OK;
}


void
ngx_http_x402_rsv_ask(ngx_http_x402_rsv_t *rsv, ngx_uint_t what)
{
    rsv->want |= what;

    ngx_http_x402_till_wake(rsv->till, rsv);
}


/* the request is gone, or has its answer; what is wanted still goes out */

void
ngx_http_x402_rsv_leave(ngx_http_x402_rsv_t *rsv)
{
    rsv->ctx->rsv = NULL;
    rsv->ctx = NULL;

    if (rsv->want == 0) {
        ngx_http_x402_rsv_free(rsv);
        return;
    }

    ngx_http_x402_till_guard(rsv->till);
}


void
ngx_http_x402_rsv_free(ngx_http_x402_rsv_t *rsv)
{
    ngx_http_x402_till_leave(rsv->till, rsv);

    if (rsv->question) {
        ngx_free(rsv->question);
    }

    ngx_free(rsv);
}


/*
 * The next question, 0: none now.  CAPTURE and RELEASE are answered before
 * anything else is said about the reservation.
 */

ngx_uint_t
ngx_http_x402_rsv_next(ngx_http_x402_rsv_t *rsv)
{
    ngx_uint_t  i, first, rest;

    static const ngx_uint_t  order[] = {
        NGX_HTTP_X402_CAPTURE,
        NGX_HTTP_X402_RELEASE,
        NGX_HTTP_X402_STARTED,
        NGX_HTTP_X402_DONE
    };

    if (rsv->want & NGX_HTTP_X402_RESERVE) {
        return (rsv->asked & NGX_HTTP_X402_RESERVE) ? 0
                                                    : NGX_HTTP_X402_RESERVE;
    }

    first = NGX_HTTP_X402_CAPTURE|NGX_HTTP_X402_RELEASE;

    if (rsv->asked & first) {
        return 0;
    }

    rest = rsv->want & ~rsv->asked;

    if (rest & first) {
        rest &= first;
    }

    /* "every byte was sent" says that the first one was */

    if ((rest & NGX_HTTP_X402_STARTED) && (rest & NGX_HTTP_X402_DONE)
        && rsv->end == X402_TILL_END_COMPLETE)
    {
        rsv->want &= ~NGX_HTTP_X402_STARTED;
        return NGX_HTTP_X402_DONE;
    }

    for (i = 0; i < sizeof(order) / sizeof(ngx_uint_t); i++) {
        if (rest & order[i]) {
            return order[i];
        }
    }

    return 0;
}


void
ngx_http_x402_rsv_reserved(ngx_http_x402_rsv_t *rsv,
    const struct x402_till_reserved *reserved)
{
    ngx_http_x402_ctx_t  *ctx;

    rsv->want &= ~NGX_HTTP_X402_RESERVE;
    rsv->asked &= ~NGX_HTTP_X402_RESERVE;

    ctx = rsv->ctx;

    if (reserved->err == X402_OK) {

        rsv->rid = reserved->rid;
        rsv->reserved = 1;

        if (ctx == NULL) {
            ngx_http_x402_rsv_ask(rsv, NGX_HTTP_X402_RELEASE);
            return;
        }

    } else {

        if (ctx) {
            ctx->rsv = NULL;
        }

        ngx_http_x402_rsv_free(rsv);
    }

    if (ctx) {
        ngx_http_x402_run_reserved(ctx, reserved);
    }
}


/* nothing is held for an invoice: it ends here */

void
ngx_http_x402_rsv_issued(ngx_http_x402_rsv_t *rsv,
    const struct x402_till_issued *issued)
{
    ngx_http_x402_ctx_t  *ctx;

    ctx = rsv->ctx;

    if (ctx) {
        ctx->rsv = NULL;
    }

    ngx_http_x402_rsv_free(rsv);

    if (ctx) {
        ngx_http_x402_ln_issued(ctx, issued);
    }
}


void
ngx_http_x402_rsv_ack(ngx_http_x402_rsv_t *rsv, ngx_uint_t what,
    enum x402_err err)
{
    ngx_http_x402_ctx_t  *ctx;

    rsv->asked &= ~what;

    if (x402_err_info(err)->fault == X402_FAULT_AGAIN) {
        ngx_http_x402_till_retry(rsv->till);
        return;
    }

    rsv->want &= ~what;

    if (err != X402_OK) {

        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "x402: the daemon refused to %s: %s",
                      what == NGX_HTTP_X402_CAPTURE ? "capture" :
                      what == NGX_HTTP_X402_RELEASE ? "release" : "note",
                      x402_err_info(err)->name);

        if (what == NGX_HTTP_X402_CAPTURE) {
            rsv->want &= ~(NGX_HTTP_X402_STARTED|NGX_HTTP_X402_DONE);
        }
    }

    ctx = rsv->ctx;

    if (ctx == NULL) {

        if (rsv->want == 0) {
            ngx_http_x402_rsv_free(rsv);
            return;
        }

        ngx_http_x402_till_wake(rsv->till, rsv);
        return;
    }

    if (what & (NGX_HTTP_X402_CAPTURE|NGX_HTTP_X402_RELEASE)) {
        ngx_http_x402_run_answer(ctx, what, err);
        return;
    }

    ngx_http_x402_till_wake(rsv->till, rsv);
}


/*
 * The connection broke before RESERVED.  If the daemon did reserve, it gives
 * the payment back when we come again without naming it.
 */

void
ngx_http_x402_rsv_lost(ngx_http_x402_rsv_t *rsv)
{
    struct x402_till_issued    issued;
    struct x402_till_reserved  reserved;

    if (rsv->type == X402_TILL_ISSUE) {
        ngx_memzero(&issued, sizeof(struct x402_till_issued));
        issued.err = X402_ERR_UNAVAILABLE;

        ngx_http_x402_rsv_issued(rsv, &issued);
        return;
    }

    ngx_memzero(&reserved, sizeof(struct x402_till_reserved));
    reserved.err = X402_ERR_UNAVAILABLE;

    ngx_http_x402_rsv_reserved(rsv, &reserved);
}
