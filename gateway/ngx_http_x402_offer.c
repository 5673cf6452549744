/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A 402, in all wires at once: PAYMENT-REQUIRED (v2), the body (seed 000, or
 * v1 by x402_body), four plain headers (seed 001).  Where nothing depends on
 * the request it is written once, when the configuration loads.
 */

#include "ngx_http_x402.h"


typedef struct {
    ngx_str_t                *resource;
    ngx_str_t                *method;
    ngx_http_x402_price_t    *price;
    enum x402_err             err;
    struct x402_span          lightning;         /* a finished entry */
} ngx_http_x402_offer_t;


static ngx_int_t ngx_http_x402_offer_page(ngx_pool_t *pool,
    ngx_http_x402_loc_conf_t *xlcf, ngx_http_x402_offer_t *of,
    ngx_http_x402_page_t *page);
static ngx_int_t ngx_http_x402_offer_plain(ngx_pool_t *pool,
    ngx_http_x402_price_t *price, ngx_http_x402_plain_t *plain);
static ngx_int_t ngx_http_x402_offer_copy(ngx_pool_t *pool, const char *text,
    size_t len, ngx_str_t *out);
static ngx_http_x402_page_t *ngx_http_x402_offer_ready(ngx_http_request_t *r,
    ngx_http_x402_loc_conf_t *xlcf, enum x402_err err);


/* a worker has one thread: these are free between two calls */

static char  ngx_http_x402_offer_buf[NGX_HTTP_X402_OFFER_MAX];
static char  ngx_http_x402_offer_scratch[NGX_HTTP_X402_OFFER_MAX];


ngx_int_t
ngx_http_x402_offer_init(ngx_conf_t *cf, ngx_http_x402_loc_conf_t *xlcf)
{
    ngx_uint_t              i;
    ngx_http_x402_offer_t   of;

    if (xlcf->fixed.n == 0) {
        return NGX_OK;
    }

    if (ngx_http_x402_offer_plain(cf->pool, &xlcf->fixed, &xlcf->plain)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (xlcf->resource.len == 0) {
        return NGX_OK;
    }

    ngx_str_set(&xlcf->pages[0].method, "GET");
    ngx_str_set(&xlcf->pages[1].method, "POST");

    for (i = 0; i < 2; i++) {

        of.resource = &xlcf->resource;
        of.method = &xlcf->pages[i].method;
        of.price = &xlcf->fixed;
        of.err = X402_OK;
        ngx_memzero(&of.lightning, sizeof(struct x402_span));

        if (ngx_http_x402_offer_page(cf->pool, xlcf, &of, &xlcf->pages[i])
            != NGX_OK)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "x402: the offer of location \"%V\" is too "
                               "large", &xlcf->clcf->name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_x402_offer_page(ngx_pool_t *pool, ngx_http_x402_loc_conf_t *xlcf,
    ngx_http_x402_offer_t *of, ngx_http_x402_page_t *page)
{
    struct x402_buf                   buf, scratch;
    struct x402_offer                 offer;
    const struct x402_err_info       *info;

    ngx_memzero(&offer, sizeof(struct x402_offer));

    info = x402_err_info(of->err);

    offer.resource_url = ngx_http_x402_span(of->resource);
    offer.method = ngx_http_x402_span(of->method);
    offer.description = ngx_http_x402_span(&xlcf->description);
    offer.mime_type = ngx_http_x402_span(&xlcf->mime_type);
    offer.facilitator_url = ngx_http_x402_span(&xlcf->facilitator_url);
    offer.extensions_json = ngx_http_x402_span(&xlcf->extensions);
    offer.accepts = of->price->accepts;
    offer.accepts_len = of->price->n;
    offer.lightning_json = of->lightning;

    if (of->err != X402_OK) {
        offer.error = x402_span_of(x402_err_reason(of->err, 2,
                                       of->price->accepts[0].method));
    }

    buf = x402_buf_on(ngx_http_x402_offer_buf, NGX_HTTP_X402_OFFER_MAX);
    scratch = x402_buf_on(ngx_http_x402_offer_scratch,
                          NGX_HTTP_X402_OFFER_MAX);

    x402_offer_v2_header(&buf, &scratch, &offer);

    if (buf.full || scratch.full
        || ngx_http_x402_offer_copy(pool, buf.at, buf.len, &page->header)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    buf = x402_buf_on(ngx_http_x402_offer_buf, NGX_HTTP_X402_OFFER_MAX);

    if (xlcf->body == NGX_HTTP_X402_BODY_V1) {

        if (of->err != X402_OK) {
            offer.error = x402_span_of(info->v1);
        }

        x402_offer_body_v1(&buf, &offer);

    } else {
        x402_offer_body_seed000(&buf, &offer);
    }

    if (buf.full) {
        return NGX_ERROR;
    }

    return ngx_http_x402_offer_copy(pool, buf.at, buf.len, &page->body);
}


static ngx_int_t
ngx_http_x402_offer_plain(ngx_pool_t *pool, ngx_http_x402_price_t *price,
    ngx_http_x402_plain_t *plain)
{
    struct x402_offer          offer;
    struct x402_offer_headers  h;

    ngx_memzero(&offer, sizeof(struct x402_offer));

    offer.accepts = price->accepts;
    offer.accepts_len = price->n;

    ngx_memzero(plain, sizeof(ngx_http_x402_plain_t));

    if (!x402_offer_headers(&h, &offer)) {
        return NGX_OK;
    }

    if (ngx_http_x402_offer_copy(pool, h.required, ngx_strlen(h.required),
                                 &plain->required)
        != NGX_OK
        || ngx_http_x402_offer_copy(pool, h.currency, ngx_strlen(h.currency),
                                    &plain->currency)
           != NGX_OK
        || ngx_http_x402_offer_copy(pool, h.chain, ngx_strlen(h.chain),
                                    &plain->chain)
           != NGX_OK
        || ngx_http_x402_offer_copy(pool, h.pay_to, ngx_strlen(h.pay_to),
                                    &plain->pay_to)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_x402_offer_copy(ngx_pool_t *pool, const char *text, size_t len,
    ngx_str_t *out)
{
    out->len = len;

    out->data = ngx_pnalloc(pool, len);
    if (out->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(out->data, text, len);

    return NGX_OK;
}


/* headers of the 402 into r->headers_out, its body into *body */

ngx_int_t
ngx_http_x402_offer(ngx_http_request_t *r, ngx_http_x402_loc_conf_t *xlcf,
    ngx_http_x402_price_t *price, enum x402_err err, ngx_str_t *body)
{
    ngx_str_t               resource;
    struct x402_buf         entry;
    ngx_http_x402_ctx_t    *ctx;
    ngx_http_x402_page_t   *page, made;
    ngx_http_x402_plain_t  *plain, one;
    ngx_http_x402_offer_t   of;

    ctx = ngx_http_x402_get_ctx(r);
    ngx_memzero(&entry, sizeof(struct x402_buf));

    if (ngx_http_x402_ln_entry(r, ctx, xlcf, &entry) != NGX_OK) {
        return NGX_ERROR;
    }

    page = entry.len ? NULL : ngx_http_x402_offer_ready(r, xlcf, err);

    if (page == NULL) {

        if (ngx_http_x402_resource(r, xlcf, &resource) != NGX_OK) {
            return NGX_ERROR;
        }

        of.resource = entry.len ? &ctx->ln->url : &resource;
        of.method = &r->method_name;
        of.price = price;
        of.err = err;
        of.lightning = x402_buf_span(&entry);

        page = &made;

        if (ngx_http_x402_offer_page(r->pool, xlcf, &of, page) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    plain = &xlcf->plain;

    if (xlcf->fixed.n == 0) {

        plain = &one;

        if (ngx_http_x402_offer_plain(r->pool, price, plain) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    *body = page->body;

    if (ngx_http_x402_header_out(r, "PAYMENT-REQUIRED", &page->header)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* seed 001's clients know EIP-3009 alone */

    if (plain->required.len == 0) {
        return NGX_OK;
    }

    if (ngx_http_x402_header_out(r, "X-Payment-Required", &plain->required)
        != NGX_OK
        || ngx_http_x402_header_out(r, "X-Payment-Currency", &plain->currency)
           != NGX_OK
        || ngx_http_x402_header_out(r, "X-Payment-Chain", &plain->chain)
           != NGX_OK
        || ngx_http_x402_header_out(r, "X-Pay-To", &plain->pay_to) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_http_x402_page_t *
ngx_http_x402_offer_ready(ngx_http_request_t *r,
    ngx_http_x402_loc_conf_t *xlcf, enum x402_err err)
{
    if (err != X402_OK || xlcf->fixed.n == 0 || xlcf->resource.len == 0) {
        return NULL;
    }

    if (r->method == NGX_HTTP_GET) {
        return &xlcf->pages[0];
    }

    if (r->method == NGX_HTTP_POST) {
        return &xlcf->pages[1];
    }

    return NULL;
}


/*
 * base URL + the location's path; where a location has no path (regex, named,
 * "if"), the request's.  Never the Host header, never a query.
 */

ngx_int_t
ngx_http_x402_resource(ngx_http_request_t *r, ngx_http_x402_loc_conf_t *xlcf,
    ngx_str_t *url)
{
    u_char     *p;
    uintptr_t   escape;

    if (xlcf->resource.len) {
        *url = xlcf->resource;
        return NGX_OK;
    }

    escape = 2 * ngx_escape_uri(NULL, r->uri.data, r->uri.len, NGX_ESCAPE_URI);

    url->len = xlcf->base_url.len + r->uri.len + escape;

    url->data = ngx_pnalloc(r->pool, url->len);
    if (url->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(url->data, xlcf->base_url.data, xlcf->base_url.len);

    if (escape) {
        (void) ngx_escape_uri(p, r->uri.data, r->uri.len, NGX_ESCAPE_URI);

    } else {
        ngx_memcpy(p, r->uri.data, r->uri.len);
    }

    if (url->len >= X402_URL_MAX) {
        url->len = xlcf->base_url.len;
    }

    return NGX_OK;
}
