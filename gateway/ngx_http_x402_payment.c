/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The payment of a request: from a header's value to "reserve this", with
 * what a worker can check by itself on the way, cheap before dear.
 */

#include "ngx_http_x402.h"


static enum x402_err ngx_http_x402_payment_match(ngx_http_x402_ctx_t *ctx,
    ngx_http_x402_loc_conf_t *xlcf, ngx_http_x402_price_t *price);
static enum x402_err ngx_http_x402_payment_old(ngx_http_x402_ctx_t *ctx,
    ngx_http_x402_loc_conf_t *xlcf, struct x402_clock *clock);
static void ngx_http_x402_payment_clock(ngx_http_x402_loc_conf_t *xlcf,
    struct x402_clock *clock);
static ngx_uint_t ngx_http_x402_payment_others(ngx_http_request_t *r);
static void ngx_http_x402_cleanup(void *data);


/*
 * Internal redirects and ngx_http_filter_finalize_request() clear r->ctx; the
 * pool's cleanup list they leave alone.
 */

ngx_http_x402_ctx_t *
ngx_http_x402_get_ctx(ngx_http_request_t *r)
{
    ngx_http_x402_ctx_t  *ctx;
    ngx_pool_cleanup_t   *cln;

    r = r->main;

    ctx = ngx_http_get_module_ctx(r, ngx_http_x402_module);

    if (ctx || !(r->internal || r->filter_finalize || r->logged)) {
        return ctx;
    }

    for (cln = r->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler == ngx_http_x402_cleanup) {
            ctx = cln->data;
            ngx_http_set_ctx(r, ctx, ngx_http_x402_module);
            return ctx;
        }
    }

    return NULL;
}


ngx_http_x402_ctx_t *
ngx_http_x402_add_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t   *cln;
    ngx_http_x402_ctx_t  *ctx;

    r = r->main;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_x402_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    ctx = cln->data;
    ngx_memzero(ctx, sizeof(ngx_http_x402_ctx_t));

    ctx->request = r;
    ctx->held_last = &ctx->held;

    ctx->timer.handler = ngx_http_x402_run_timer;
    ctx->timer.data = ctx;
    ctx->timer.log = r->connection->log;

    cln->handler = ngx_http_x402_cleanup;

    ngx_http_set_ctx(r, ctx, ngx_http_x402_module);

    return ctx;
}


static void
ngx_http_x402_cleanup(void *data)
{
    ngx_http_x402_ctx_t  *ctx = data;

    ngx_http_x402_run_end(ctx);
}


/* payments of other kinds: "Authorization: L402 ...", LSAT, Payment */

static ngx_uint_t
ngx_http_x402_payment_others(ngx_http_request_t *r)
{
    size_t            len;
    ngx_uint_t        i, j, n;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    static const char  *schemes[] = { "L402", "LSAT", "Payment" };

    n = 0;
    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return n;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len != sizeof("Authorization") - 1
            || ngx_strncasecmp(h[i].key.data, (u_char *) "Authorization",
                               sizeof("Authorization") - 1)
               != 0)
        {
            continue;
        }

        for (j = 0; j < sizeof(schemes) / sizeof(schemes[0]); j++) {
            len = ngx_strlen(schemes[j]);

            if (h[i].value.len > len && h[i].value.data[len] == ' '
                && ngx_strncasecmp(h[i].value.data, (u_char *) schemes[j], len)
                   == 0)
            {
                n++;
            }
        }
    }
}


/* X402_OK: go on to read the body and reserve */

enum x402_err
ngx_http_x402_payment(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    ngx_http_x402_loc_conf_t *xlcf, ngx_http_x402_price_t *price)
{
    enum x402_err      err;
    struct x402_clock  clock;

    if (ctx->credentials + ngx_http_x402_payment_others(r) > 1
        && !ngx_http_x402_mutant("credentials"))
    {
        return X402_ERR_CREDENTIALS;
    }

    if (ctx->credential.len > X402_PAYMENT_HEADER_MAX) {
        return X402_ERR_TOO_LARGE;
    }

    ctx->conf = xlcf;
    ctx->first = price->accepts[0];

    /* an observed location may have looked at it before */

    ctx->lookup = 0;
    ctx->smart = 0;
    ctx->verified = 0;

    /* it may pay by something else */

    if (xlcf->ln.enable && xlcf->enable == NGX_HTTP_X402_ON) {
        err = ngx_http_x402_ln_credential(r, ctx, xlcf);

        if (err != X402_ERR_NETWORK) {
            return err;
        }
    }

    ctx->payment = ngx_palloc(r->pool, sizeof(struct x402_payment));
    if (ctx->payment == NULL) {
        return X402_ERR_INTERNAL;
    }

    err = x402_payment_decode(ctx->payment, ctx->carrier,
                              ngx_http_x402_span(&ctx->credential));
    if (err != X402_OK) {
        ctx->payment = NULL;
        return err;
    }

    err = ngx_http_x402_payment_match(ctx, xlcf, price);

    /* valid in all but time: it may have been paid for already */

    if (err == X402_ERR_EXPIRED) {
        ctx->lookup = 1;

    } else if (err != X402_OK) {
        return err;
    }

    ngx_http_x402_payment_clock(xlcf, &clock);

    err = x402_payment_sponsor_check(ctx->payment, &clock);

    if (err != X402_OK && !ctx->lookup) {
        return err;
    }

    err = x402_payment_verify(ctx->payment, ctx->domain);

    if (err == X402_OK || ngx_http_x402_mutant("verify_off")) {
        ctx->verified = 1;
        return X402_OK;
    }

    if (xlcf->smart_wallets) {

        /* verified when the daemon says so */

        ctx->smart = 1;
        return X402_OK;
    }

    return err;
}


static enum x402_err
ngx_http_x402_payment_match(ngx_http_x402_ctx_t *ctx,
    ngx_http_x402_loc_conf_t *xlcf, ngx_http_x402_price_t *price)
{
    size_t             which;
    enum x402_err      err, old;
    struct x402_clock  clock;

    ngx_http_x402_payment_clock(xlcf, &clock);

    err = x402_payment_match(&which, ctx->payment, price->accepts, price->n,
                             &clock);

    if (err == X402_OK || err == X402_ERR_EXPIRED) {
        ctx->accept = price->accepts[which];
        ngx_memcpy(ctx->domain, price->domains[which], 32);
        return err;
    }

    old = ngx_http_x402_payment_old(ctx, xlcf, &clock);

    return (old == X402_OK || old == X402_ERR_EXPIRED) ? old : err;
}


/* against what was asked before the last reload */

static enum x402_err
ngx_http_x402_payment_old(ngx_http_x402_ctx_t *ctx,
    ngx_http_x402_loc_conf_t *xlcf, struct x402_clock *clock)
{
    size_t                    which;
    ngx_uint_t                i;
    enum x402_err             err;
    const struct x402_asset  *asset;
    ngx_http_x402_old_t      *old;

    if (xlcf->old == NULL) {
        return X402_ERR_OFFER;
    }

    old = xlcf->old->elts;

    for (i = 0; i < xlcf->old->nelts; i++) {

        if (old[i].expires < ngx_time()) {
            continue;
        }

        err = x402_payment_match(&which, ctx->payment, &old[i].accept, 1,
                                 clock);

        if (err != X402_OK && err != X402_ERR_EXPIRED) {
            continue;
        }

        asset = old[i].accept.asset;
        ctx->accept = old[i].accept;

        x402_method_domain(ctx->domain, ctx->accept.method, asset);

        return err;
    }

    return X402_ERR_OFFER;
}


static void
ngx_http_x402_payment_clock(ngx_http_x402_loc_conf_t *xlcf,
    struct x402_clock *clock)
{
    clock->now_s = (uint64_t) ngx_time();
    clock->margin_s = (uint64_t) (xlcf->settle_margin
                                  + NGX_HTTP_X402_CLOCK_SLACK);

    /* some clients sign for an hour whatever they are told */

    clock->max_s = (uint64_t) ngx_max(xlcf->timeout, 3600) + 60;
}


/* once more when the body is there: it may have taken long */

enum x402_err
ngx_http_x402_payment_time(ngx_http_x402_ctx_t *ctx)
{
    size_t             which;
    enum x402_err      err;
    struct x402_clock  clock;

    if (ctx->lookup) {
        return X402_OK;
    }

    ngx_http_x402_payment_clock(ctx->conf, &clock);

    err = x402_payment_match(&which, ctx->payment, &ctx->accept, 1, &clock);

    if (err == X402_ERR_EXPIRED) {
        ctx->lookup = 1;
        return X402_OK;
    }

    return err;
}


/* RESERVE; NGX_BUSY: ctx->err says why it could not be asked */

ngx_int_t
ngx_http_x402_payment_ask(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    u_char *body32)
{
    ngx_str_t                  resource;
    ngx_http_x402_loc_conf_t  *xlcf;
    struct x402_payment       *payment;
    struct x402_till_reserve  *ask;

    static struct x402_till_reserve  reserve;

    xlcf = ctx->conf;
    payment = ctx->payment;

    if (ngx_http_x402_mutant("body")) {
        ngx_memzero(body32, 32);
    }

    x402_fingerprint(ctx->fingerprint, ngx_http_x402_span(&r->method_name),
                     ngx_http_x402_span(&xlcf->base_url),
                     ngx_http_x402_span(&r->unparsed_uri),
                     &ctx->accept.amount, ctx->accept.asset, body32);

    if (ngx_http_x402_resource(r, xlcf, &resource) != NGX_OK) {
        return NGX_ERROR;
    }

    ask = &reserve;
    ngx_memzero(ask, sizeof(struct x402_till_reserve));

    ask->flags = (xlcf->settle == NGX_HTTP_X402_BEFORE
                  ? X402_TILL_SETTLE_FIRST : 0)
                 | (ctx->lookup ? X402_TILL_LOOK_UP : 0)
                 | (ctx->smart ? X402_TILL_SMART_WALLET : 0);

    ask->wire = payment->wire;
    ask->method = payment->method;
    ask->facilitator = payment->facilitator;
    ask->sponsor = payment->sponsor;
    ask->chain_id = ctx->accept.asset->chain_id;
    ask->asset = ctx->accept.asset->address;
    ask->auth = payment->auth;
    ngx_memcpy(ask->fingerprint, ctx->fingerprint, 32);
    ngx_memcpy(ask->signature, payment->signature, payment->signature_len);
    ask->signature_len = payment->signature_len;

    /* resource.len < X402_URL_MAX, so that a zero follows */

    ngx_memcpy(ask->resource, resource.data, resource.len);

    return ngx_http_x402_rsv_open(ctx, xlcf->till, X402_TILL_RESERVE, ask,
                                  sizeof(struct x402_till_reserve));
}
