/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A 402 with an invoice: the body is read and hashed, one question brings the
 * finished challenges, and the answer goes out with them.  Whatever fails on
 * the way, it goes out without.
 */

#include "ngx_http_x402.h"


static ngx_uint_t ngx_http_x402_ln_accepted(ngx_http_request_t *r,
    ngx_http_x402_loc_conf_t *xlcf);
static ngx_uint_t ngx_http_x402_ln_named(u_char *p, u_char *last);
static ngx_int_t ngx_http_x402_ln_issue(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx);
static ngx_int_t ngx_http_x402_ln_price(ngx_http_request_t *r,
    ngx_http_x402_loc_conf_t *xlcf, struct x402_till_issue *issue);


ngx_uint_t
ngx_http_x402_ln_may_offer(ngx_http_request_t *r,
    ngx_http_x402_loc_conf_t *xlcf)
{
    if (!xlcf->ln.enable || r != r->main
        || xlcf->base_url.len + r->unparsed_uri.len >= X402_URL_MAX)
    {
        return 0;
    }

    /* a body of unknown length is not read before anything is paid */

    if (r->headers_in.content_length_n > (off_t) xlcf->ln.body
        || r->headers_in.chunked)
    {
        return 0;
    }

#if (NGX_HTTP_V2)
    if (r->stream && r->headers_in.content_length_n < 0
        && !r->stream->in_closed)
    {
        return 0;
    }
#endif

    if (!ngx_http_x402_ln_accepted(r, xlcf)) {
        return 0;
    }

    return !ngx_http_x402_ln_waits(r, xlcf);
}


/*
 * Accept-Payment: lightning/charge;q=0.8, evm/charge
 *
 * Who says what he accepts, and does not name Lightning, costs no invoice.
 */

static ngx_uint_t
ngx_http_x402_ln_accepted(ngx_http_request_t *r,
    ngx_http_x402_loc_conf_t *xlcf)
{
    u_char           *p, *last, *end;
    ngx_table_elt_t  *h;

    h = ngx_http_x402_header_in(r, "accept-payment",
                                sizeof("accept-payment") - 1);
    if (h == NULL) {
        return xlcf->ln.offer == NGX_HTTP_X402_LN_ALWAYS;
    }

    p = h->value.data;
    last = p + h->value.len;

    while (p < last) {

        end = ngx_strlchr(p, last, ',');

        if (end == NULL) {
            end = last;
        }

        if (ngx_http_x402_ln_named(p, end)) {
            return 1;
        }

        p = end + 1;
    }

    return 0;
}


/* one member of the list; q=0 is "not this one" */

static ngx_uint_t
ngx_http_x402_ln_named(u_char *p, u_char *last)
{
    u_char  *q;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    if (last - p < 9 || ngx_strncasecmp(p, (u_char *) "lightning", 9) != 0) {
        return 0;
    }

    p += 9;

    if (p < last && *p != '/' && *p != ';' && *p != ' ') {
        return 0;
    }

    q = ngx_strlcasestrn(p, last, (u_char *) "q=", 2 - 1);

    if (q == NULL) {
        return 1;
    }

    for (q += 2; q < last; q++) {
        if (*q >= '1' && *q <= '9') {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_x402_ln_begin(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    ngx_http_x402_loc_conf_t *xlcf)
{
    if (ctx == NULL) {

        ctx = ngx_http_x402_add_ctx(r);
        if (ctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ctx->status = "unpaid";
    }

    if (ngx_http_x402_ln_get(r, ctx) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->ln->proof = NULL;
    ctx->conf = xlcf;

    return ngx_http_x402_body(r, ctx);
}


/* a refused proof gets a fresh invoice beside the reason */

ngx_uint_t
ngx_http_x402_ln_wants(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    ngx_http_x402_loc_conf_t *xlcf, enum x402_err err)
{
    ngx_uint_t  status;

    if (ctx->ln == NULL) {
        return 0;
    }

    status = ngx_http_x402_ln_status(ctx, err);

    return (status == 402 || status == NGX_HTTP_UNAUTHORIZED)
           && ngx_http_x402_ln_may_offer(r, xlcf);
}


/* the body was read for the proof: its hash is there */

ngx_int_t
ngx_http_x402_ln_again(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    enum x402_err err)
{
    if (ctx->ln->url.len == 0 || ctx->ln->proof == NULL) {
        return NGX_DECLINED;
    }

    ctx->ln->proof = NULL;
    ctx->ln->err = err;

    return ngx_http_x402_ln_issue(r, ctx);
}


/* the body's digest is known */

void
ngx_http_x402_ln_ask(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    u_char *body32)
{
    if (ngx_http_x402_ln_request(r, ctx->conf, ctx->ln, body32) != NGX_OK
        || ngx_http_x402_ln_issue(r, ctx) != NGX_OK)
    {
        ngx_http_x402_ln_unissued(r, ctx);
    }
}


static ngx_int_t
ngx_http_x402_ln_issue(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx)
{
    ngx_int_t                  rc;
    ngx_http_x402_loc_conf_t  *xlcf;

    static struct x402_till_issue  issue;

    xlcf = ctx->conf;
    ngx_memzero(&issue, sizeof(struct x402_till_issue));

    if (ngx_http_x402_ln_price(r, xlcf, &issue) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_x402_ln_peer(r, issue.peer);
    issue.dialects = (uint8_t) (xlcf->ln.dialects
                                & (X402_TILL_LNBTC|X402_TILL_L402
                                   |X402_TILL_MPP|X402_TILL_HELD));
    issue.expiry_s = (uint32_t) xlcf->timeout;
    ngx_memcpy(issue.request_hash, ctx->ln->request, 32);
    ngx_memcpy(issue.realm, xlcf->ln.realm.data, xlcf->ln.realm.len);
    ngx_memcpy(issue.resource, ctx->ln->url.data, ctx->ln->url.len);

    rc = ngx_http_x402_rsv_open(ctx, xlcf->till, X402_TILL_ISSUE, &issue,
                                sizeof(struct x402_till_issue));
    if (rc != NGX_OK) {
        return rc;
    }

    ctx->state = ngx_http_x402_issuing;

    r->write_event_handler = ngx_http_request_empty_handler;
    r->read_event_handler = ngx_http_test_reading;

    ngx_add_timer(&ctx->timer, NGX_HTTP_X402_ISSUE_WAIT);

    return NGX_OK;
}


/* in bitcoin, or the first entry's price for the daemon to convert */

static ngx_int_t
ngx_http_x402_ln_price(ngx_http_request_t *r, ngx_http_x402_loc_conf_t *xlcf,
    struct x402_till_issue *issue)
{
    ngx_http_x402_price_t  price;

    if (xlcf->ln.price.value) {
        issue->unit = X402_TILL_MILLISAT;
        issue->price = x402_amount_of(xlcf->ln.price.value);
        return NGX_OK;
    }

    if (ngx_http_x402_price_get(r, xlcf, &price) != NGX_OK) {
        return NGX_ERROR;
    }

    issue->unit = X402_TILL_TOKEN;
    issue->price = price.accepts[0].amount;
    issue->decimals = (uint8_t) price.accepts[0].asset->decimals;

    return NGX_OK;
}


/* the answer to ISSUE; ctx->rsv is NULL */

void
ngx_http_x402_ln_issued(ngx_http_x402_ctx_t *ctx,
    const struct x402_till_issued *issued)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (ctx->timer.timer_set) {
        ngx_del_timer(&ctx->timer);
    }

    ngx_http_x402_ln_wait(r, ctx->conf->till, issued);

    if (issued->err == X402_OK) {
        ctx->ln->issued = ngx_palloc(r->pool, sizeof(struct x402_till_issued));

        if (ctx->ln->issued) {
            *ctx->ln->issued = *issued;
        }
    }

    ngx_http_x402_ln_unissued(r, ctx);
    ngx_http_run_posted_requests(c);
}


/* answer with what there is; the request may be gone afterwards */

void
ngx_http_x402_ln_unissued(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_http_x402_reply(r, ctx, ctx->conf, ctx->ln->err);

    ngx_http_finalize_request(r, rc);
}
