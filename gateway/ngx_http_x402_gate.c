/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate, first in PRECONTENT: whoever gets past it with NGX_DECLINED from a
 * priced location has a reservation.  Every other way out ends the request.
 */

#include "ngx_http_x402.h"


static ngx_int_t ngx_http_x402_gate_first(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx, ngx_http_x402_loc_conf_t *xlcf);
static ngx_int_t ngx_http_x402_gate_again(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx, ngx_http_x402_loc_conf_t *xlcf);
static ngx_uint_t ngx_http_x402_gate_same(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx, ngx_http_x402_loc_conf_t *xlcf);
static ngx_uint_t ngx_http_x402_gate_same_ln(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx, ngx_http_x402_loc_conf_t *xlcf);
static void ngx_http_x402_gate_observe(ngx_http_request_t *r,
    ngx_http_x402_loc_conf_t *xlcf);
static ngx_int_t ngx_http_x402_gate_end(ngx_http_request_t *r, ngx_int_t rc);


ngx_int_t
ngx_http_x402_gate_handler(ngx_http_request_t *r)
{
    ngx_http_x402_ctx_t       *ctx;
    ngx_http_x402_loc_conf_t  *xlcf;

    xlcf = ngx_http_get_module_loc_conf(r, ngx_http_x402_module);

    if (xlcf->enable == NGX_HTTP_X402_OFF) {
        return NGX_DECLINED;
    }

    if (xlcf->enable == NGX_HTTP_X402_OBSERVE) {
        ngx_http_x402_gate_observe(r, xlcf);
        return NGX_DECLINED;
    }

    if (r != r->main) {

        /* nobody pays for a part of a page */

        if (ngx_http_x402_mutant("subrequest")) {
            return NGX_DECLINED;
        }

        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "x402: subrequest into a priced location refused");
        return NGX_HTTP_FORBIDDEN;
    }

    ctx = ngx_http_x402_get_ctx(r);

    if (ctx && ctx->state != ngx_http_x402_start) {
        return ngx_http_x402_gate_again(r, ctx, xlcf);
    }

    return ngx_http_x402_gate_first(r, ctx, xlcf);
}


static ngx_int_t
ngx_http_x402_gate_first(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    ngx_http_x402_loc_conf_t *xlcf)
{
    ngx_int_t               rc;
    enum x402_err           err;
    ngx_http_x402_price_t   price;

    rc = ngx_http_x402_preflight(r);

    if (rc != NGX_DECLINED) {
        return ngx_http_x402_gate_end(r, rc);
    }

    if (ngx_http_x402_price_get(r, xlcf, &price) != NGX_OK) {

        rc = ngx_http_x402_reply(r, ctx, xlcf, X402_ERR_INTERNAL);

        return ngx_http_x402_gate_end(r, rc);
    }

    if (ctx == NULL || ctx->credentials == 0) {

        if (ctx) {
            ctx->status = "unpaid";
        }

        if (ngx_http_x402_ln_may_offer(r, xlcf)) {
            return ngx_http_x402_ln_begin(r, ctx, xlcf);
        }

        rc = ngx_http_x402_reply(r, ctx, xlcf, X402_OK);

        return ngx_http_x402_gate_end(r, rc);
    }

    err = ngx_http_x402_payment(r, ctx, xlcf, &price);

    if (err != X402_OK) {

        ctx->status = "refused";

        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "x402: payment refused: %s", x402_err_info(err)->name);

        if (ngx_http_x402_ln_wants(r, ctx, xlcf, err)) {
            ctx->ln->err = err;
            return ngx_http_x402_ln_begin(r, ctx, xlcf);
        }

        rc = ngx_http_x402_reply(r, ctx, xlcf, err);

        return ngx_http_x402_gate_end(r, rc);
    }

    return ngx_http_x402_body(r, ctx);
}


/*
 * Here again: after a wait, or through error_page, X-Accel-Redirect,
 * try_files, a named location.
 */

static ngx_int_t
ngx_http_x402_gate_again(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    ngx_http_x402_loc_conf_t *xlcf)
{
    switch (ctx->state) {

    case ngx_http_x402_running:

        if (!ctx->spoiled && ngx_http_x402_gate_same(r, ctx, xlcf))
        {
            return NGX_DECLINED;
        }

        /* what was paid for is not what would be sent */

        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "x402: redirect to a location of another price");

        ctx->spoiled = 1;

        return NGX_HTTP_INTERNAL_SERVER_ERROR;

    case ngx_http_x402_reading:
    case ngx_http_x402_issuing:
    case ngx_http_x402_reserving:
    case ngx_http_x402_upgrading:
        return NGX_DONE;

    case ngx_http_x402_start:
    case ngx_http_x402_holding:
    case ngx_http_x402_sending:
    case ngx_http_x402_over:
        break;
    }

    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* the invoice's price is the location's own, or was made of the first entry */

static ngx_uint_t
ngx_http_x402_gate_same_ln(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    ngx_http_x402_loc_conf_t *xlcf)
{
    ngx_http_x402_price_t    price;
    struct x402_requirement *accept;

    if (!xlcf->ln.enable
        || x402_msat_cmp(xlcf->ln.price, ctx->conf->ln.price) != 0)
    {
        return 0;
    }

    if (xlcf->ln.price.value) {
        return 1;
    }

    if (ngx_http_x402_price_get(r, xlcf, &price) != NGX_OK) {
        return 0;
    }

    accept = &price.accepts[0];

    return accept->asset->decimals == ctx->first.asset->decimals
           && x402_amount_cmp(&accept->amount, &ctx->first.amount) == 0;
}


static ngx_uint_t
ngx_http_x402_gate_same(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    ngx_http_x402_loc_conf_t *xlcf)
{
    ngx_uint_t               i;
    ngx_http_x402_price_t    price;
    struct x402_requirement *accept;

    if (ngx_http_x402_mutant("redirect")) {
        return 1;
    }

    /* of one location, too: a price may depend on what a redirect changed */

    if (ctx->conf == xlcf && (xlcf->fixed.n || !r->internal)) {
        return 1;
    }

    if (ctx->ln) {
        return ngx_http_x402_gate_same_ln(r, ctx, xlcf);
    }

    if (ctx->conf->settle != xlcf->settle
        || ngx_http_x402_price_get(r, xlcf, &price) != NGX_OK)
    {
        return 0;
    }

    for (i = 0; i < price.n; i++) {

        accept = &price.accepts[i];

        if (accept->asset == ctx->accept.asset
            && accept->method == ctx->accept.method
            && x402_address_eq(&accept->pay_to, &ctx->accept.pay_to)
            && x402_amount_cmp(&accept->amount, &ctx->accept.amount) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* checked and logged, never blocked, and the daemon is not asked */

static void
ngx_http_x402_gate_observe(ngx_http_request_t *r,
    ngx_http_x402_loc_conf_t *xlcf)
{
    enum x402_err           err;
    ngx_http_x402_ctx_t    *ctx;
    ngx_http_x402_price_t   price;

    if (r != r->main) {
        return;
    }

    ctx = ngx_http_x402_get_ctx(r);

    if (ctx == NULL) {
        ctx = ngx_http_x402_add_ctx(r);
        if (ctx == NULL) {
            return;
        }
    }

    if (ctx->state != ngx_http_x402_start || ctx->status) {
        return;
    }

    if (ngx_http_x402_price_get(r, xlcf, &price) != NGX_OK) {
        ctx->err = X402_ERR_INTERNAL;
        ctx->status = "observed_refused";
        return;
    }

    ctx->conf = xlcf;
    ctx->accept = price.accepts[0];

    if (ctx->credentials == 0) {
        ctx->status = "observed_unpaid";

    } else {
        err = ngx_http_x402_payment(r, ctx, xlcf, &price);

        if (err == X402_OK && ctx->lookup) {
            err = X402_ERR_EXPIRED;
        }

        ctx->err = err;
        ctx->status = (err == X402_OK) ? "observed" : "observed_refused";
    }

    ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                  "x402: observe: %s %s", ctx->status,
                  ctx->err == X402_OK ? "" : x402_err_info(ctx->err)->name);
}


/* the request's body is known: ask the daemon, then wait */

void
ngx_http_x402_gate_body(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    u_char *body32)
{
    ngx_int_t      rc;
    enum x402_err  err;

    if (ctx->ln && ctx->ln->proof == NULL) {
        ngx_http_x402_ln_ask(r, ctx, body32);
        return;
    }

    err = ctx->ln ? ngx_http_x402_ln_prove(r, ctx, body32)
                  : ngx_http_x402_payment_time(ctx);

    if (err != X402_OK) {
        ngx_http_x402_gate_refuse(r, ctx, err);
        return;
    }

    ctx->state = ngx_http_x402_reserving;

    rc = ctx->ln ? ngx_http_x402_rsv_open(ctx, ctx->conf->till,
                                          X402_TILL_PROOF, ctx->ln->proof,
                                          sizeof(struct x402_till_proof))
                 : ngx_http_x402_payment_ask(r, ctx, body32);

    switch (rc) {

    case NGX_OK:
        break;

    case NGX_BUSY:
        ngx_http_x402_gate_refuse(r, ctx, ctx->err);
        return;

    default:
        ngx_http_x402_gate_refuse(r, ctx, X402_ERR_INTERNAL);
        return;
    }

    r->write_event_handler = ngx_http_request_empty_handler;
    r->read_event_handler = ngx_http_test_reading;

    ngx_add_timer(&ctx->timer, NGX_HTTP_X402_RESERVE_WAIT);
}


/* outside of a phase handler; the request may be gone afterwards */

void
ngx_http_x402_gate_refuse(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    enum x402_err err)
{
    ngx_int_t  rc;

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "x402: payment refused: %s", x402_err_info(err)->name);

    ctx->status = (x402_err_info(err)->fault == X402_FAULT_PEER) ? "refused"
                                                                : "pending";

    if (ngx_http_x402_ln_wants(r, ctx, ctx->conf, err)
        && ngx_http_x402_ln_again(r, ctx, err) == NGX_OK)
    {
        return;
    }

    rc = ngx_http_x402_reply(r, ctx, ctx->conf, err);

    ngx_http_finalize_request(r, rc);
}


/* NGX_OK from PRECONTENT would go on to the content: never let it out */

static ngx_int_t
ngx_http_x402_gate_end(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_http_finalize_request(r, rc);

    return NGX_DONE;
}
