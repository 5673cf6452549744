/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers that the gateway gives itself: 402 with the offer, 400, 409, 503
 * without one.  They are sent from here, never returned as a status, so that
 * error_page cannot turn a refusal into content.
 */

#include "ngx_http_x402.h"


static ngx_int_t ngx_http_x402_reply_json(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx, const struct x402_err_info *info,
    ngx_str_t *body);
static ngx_int_t ngx_http_x402_reply_retry(ngx_http_request_t *r,
    ngx_uint_t status);


static ngx_str_t  ngx_http_x402_no_store = ngx_string("no-store");
static ngx_str_t  ngx_http_x402_vary = ngx_string("Accept");


ngx_int_t
ngx_http_x402_reply_headers(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    ngx_http_x402_loc_conf_t *xlcf, ngx_uint_t status, enum x402_err err,
    ngx_str_t *body)
{
    ngx_str_t                    token;
    ngx_http_x402_price_t        price;
    const struct x402_err_info  *info;

    info = x402_err_info(err);

    r->headers_out.status = status;
    r->headers_out.status_line.len = 0;

    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    /*
     * 412: an approval is missing, then the same offer holds.  A tool's call
     * is told the offer also when its payment is malformed.
     */

    if (status == 402 || status == NGX_HTTP_UNAUTHORIZED
        || status == NGX_HTTP_PRECONDITION_FAILED
        || (status == NGX_HTTP_BAD_REQUEST && ctx && ctx->call))
    {

        if (ngx_http_x402_ln_challenges(r, ctx, status) != NGX_OK) {
            return NGX_ERROR;
        }

        if (ngx_http_x402_price_get(r, xlcf, &price) != NGX_OK
            || ngx_http_x402_offer(r, xlcf, &price, err, body) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (xlcf->paywall
            && ngx_http_x402_header_out(r, "Vary", &ngx_http_x402_vary)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (ngx_http_x402_paywall_wanted(r, xlcf)
            && ngx_http_x402_paywall(r, body) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (ctx && ctx->dialect == X402_TILL_MPP && err != X402_OK
            && ngx_http_x402_ln_problem(r, err, body) != NGX_OK)
        {
            return NGX_ERROR;
        }

    } else if (ngx_http_x402_reply_json(r, ctx, info, body) != NGX_OK) {
        return NGX_ERROR;
    }

    if (err != X402_OK) {
        token = (ngx_str_t) { ngx_strlen(info->token), (u_char *) info->token };

        if (ngx_http_x402_header_out(r, "X-Payment-Error", &token) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ngx_http_x402_reply_retry(r, status) != NGX_OK
        || ngx_http_x402_header_out(r, "Cache-Control",
                                    &ngx_http_x402_no_store)
           != NGX_OK
        || ngx_http_x402_header_cors(r) != NGX_OK)
    {
        return NGX_ERROR;
    }

    r->headers_out.content_length_n = body->len;

    return NGX_OK;
}


static ngx_int_t
ngx_http_x402_reply_json(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    const struct x402_err_info *info, ngx_str_t *body)
{
    struct x402_buf  buf;

    body->data = ngx_pnalloc(r->pool, 256);
    if (body->data == NULL) {
        return NGX_ERROR;
    }

    buf = x402_buf_on((char *) body->data, 256);

    x402_buf_text(&buf, "{\"error\":");
    x402_buf_json(&buf, x402_span_of(info->token[0] ? info->token
                                                    : "bad_gateway"));

    if (ctx && ctx->has_transaction) {
        x402_buf_text(&buf, ",\"transaction\":\"");
        x402_buf_hex(&buf, ctx->transaction, 32);
        x402_buf_char(&buf, '"');
    }

    x402_buf_text(&buf, "}\n");

    body->len = buf.len;

    return buf.full ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_http_x402_reply_retry(ngx_http_request_t *r, ngx_uint_t status)
{
    ngx_str_t  seconds;

    switch (status) {

    case NGX_HTTP_CONFLICT:
        ngx_str_set(&seconds, "1");
        break;

    case NGX_HTTP_TOO_MANY_REQUESTS:
        ngx_str_set(&seconds, "10");
        break;

    case NGX_HTTP_SERVICE_UNAVAILABLE:
        ngx_str_set(&seconds, "2");
        break;

    default:
        return NGX_OK;
    }

    return ngx_http_x402_header_out(r, "Retry-After", &seconds);
}


/* before anything of a response exists; the caller returns NGX_DONE */

/* a body that is there already, and nothing after it */

ngx_chain_t *
ngx_http_x402_whole(ngx_pool_t *pool, void *data, size_t len)
{
    ngx_buf_t    *b;
    ngx_chain_t  *out;

    b = ngx_calloc_buf(pool);
    out = ngx_alloc_chain_link(pool);

    if (b == NULL || out == NULL) {
        return NULL;
    }

    b->memory = 1;
    b->pos = data;
    b->last = b->pos + len;
    b->last_buf = 1;
    b->last_in_chain = 1;

    out->buf = b;
    out->next = NULL;

    return out;
}


ngx_int_t
ngx_http_x402_reply(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    ngx_http_x402_loc_conf_t *xlcf, enum x402_err err)
{
    ngx_int_t     rc;
    ngx_str_t     body;
    ngx_uint_t    status;
    ngx_chain_t  *out;

    if (ctx) {
        ctx->state = ngx_http_x402_over;
        ctx->err = err;
    }

    status = ngx_http_x402_ln_status(ctx, err);

    /* 100-continue: we do not want the body, so do not ask for it */

    r->expect_tested = 1;

    if (!ngx_http_x402_mutant("body_left")
        && ngx_http_discard_request_body(r) != NGX_OK)
    {
        r->keepalive = 0;
    }

    /* a header or two may be there from an earlier location */

    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_content_length(r);

    if (ngx_http_x402_reply_headers(r, ctx, xlcf, status, err, &body)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    out = ngx_http_x402_whole(r->pool, body.data, body.len);
    if (out == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, out);
}
