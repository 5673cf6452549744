/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What Lightning adds to answers: challenges and an entry to a 402, statuses
 * that go by the header which carried the proof, receipts.
 */

#include "ngx_http_x402.h"


#define NGX_HTTP_X402_LN_ENTRY    8192
#define NGX_HTTP_X402_LN_RECEIPT  1024
#define NGX_HTTP_X402_LN_PROBLEM  512


static ngx_int_t ngx_http_x402_ln_authenticate(ngx_http_request_t *r,
    const char *text);
static ngx_int_t ngx_http_x402_ln_response(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx);


/*
 * L402: missing is 402, invalid is 401.  The Payment scheme: its problems are
 * 402.  Several payments at once are 400 wherever they stand.
 */

ngx_uint_t
ngx_http_x402_ln_status(ngx_http_x402_ctx_t *ctx, enum x402_err err)
{
    ngx_uint_t  status;

    if (err == X402_OK) {
        return 402;
    }

    status = x402_err_info(err)->http_status;

    if (ctx == NULL || err == X402_ERR_CREDENTIALS) {
        return status;
    }

    if (ctx->dialect == X402_TILL_MPP && status == NGX_HTTP_BAD_REQUEST) {
        return 402;
    }

    if (ctx->dialect != X402_TILL_L402) {
        return status;
    }

    switch (err) {

    case X402_ERR_SYNTAX:
    case X402_ERR_TOO_LARGE:
    case X402_ERR_OFFER:
    case X402_ERR_LN_CREDENTIAL:
    case X402_ERR_LN_CHALLENGE:
    case X402_ERR_LN_PREIMAGE:
    case X402_ERR_LN_REQUEST:
        return NGX_HTTP_UNAUTHORIZED;

    default:
        return status;
    }
}


/* L402 first, where its clients look; the Payment scheme after it */

ngx_int_t
ngx_http_x402_ln_challenges(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    ngx_uint_t status)
{
    struct x402_till_issued  *issued;

    issued = (ctx && ctx->ln) ? ctx->ln->issued : NULL;

    if (issued == NULL) {

        /* a 401 without any challenge would be malformed */

        return (status == NGX_HTTP_UNAUTHORIZED)
               ? ngx_http_x402_ln_authenticate(r, "L402") : NGX_OK;
    }

    if (ngx_http_x402_ln_authenticate(r, issued->l402) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_x402_ln_authenticate(r, issued->mpp);
}


static ngx_int_t
ngx_http_x402_ln_authenticate(ngx_http_request_t *r, const char *text)
{
    ngx_str_t  value;

    value.data = (u_char *) text;
    value.len = ngx_strlen(text);

    return ngx_http_x402_header_out(r, "WWW-Authenticate", &value);
}


/* the entry of `accepts`; buf stays empty where there is none */

ngx_int_t
ngx_http_x402_ln_entry(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    ngx_http_x402_loc_conf_t *xlcf, struct x402_buf *buf)
{
    char                     *memory;
    ngx_str_t                *name;
    ngx_uint_t                i;
    struct x402_lnbtc_terms   terms;
    struct x402_till_issued  *issued;

    issued = (ctx && ctx->ln) ? ctx->ln->issued : NULL;

    if (issued == NULL
        || !(xlcf->ln.dialects & (X402_TILL_LNBTC|X402_TILL_HELD)))
    {
        return NGX_OK;
    }

    memory = ngx_palloc(r->pool, NGX_HTTP_X402_LN_ENTRY);
    if (memory == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&terms, sizeof(struct x402_lnbtc_terms));

    terms.network = issued->network;
    terms.amount = issued->amount;
    terms.timeout_s = issued->expiry_s;
    terms.has_tag = 1;
    terms.held = (xlcf->ln.dialects & X402_TILL_HELD) ? 1 : 0;
    terms.invoice = x402_span_of(issued->bolt11);
    ngx_memcpy(terms.pay_to, issued->payee, X402_NODE_LEN);
    ngx_memcpy(terms.request_hash, ctx->ln->request, 32);

    terms.headers_len = xlcf->ln.bind ? xlcf->ln.bind->nelts : 0;
    name = xlcf->ln.bind ? xlcf->ln.bind->elts : NULL;

    for (i = 0; i < terms.headers_len; i++) {
        terms.header[i] = ngx_http_x402_span(&name[i]);
    }

    *buf = x402_buf_on(memory, NGX_HTTP_X402_LN_ENTRY);

    x402_lnbtc_write_entry(buf, &terms);

    return buf->full ? NGX_ERROR : NGX_OK;
}


/* RFC 9457, instead of the offer's body: the offer stands in the headers */

ngx_int_t
ngx_http_x402_ln_problem(ngx_http_request_t *r, enum x402_err err,
    ngx_str_t *body)
{
    struct x402_buf          buf;
    struct x402_mpp_problem  problem;

    body->data = ngx_pnalloc(r->pool, NGX_HTTP_X402_LN_PROBLEM);
    if (body->data == NULL) {
        return NGX_ERROR;
    }

    problem = x402_mpp_problem_of(err);
    buf = x402_buf_on((char *) body->data, NGX_HTTP_X402_LN_PROBLEM);

    x402_buf_text(&buf, "{\"type\":");
    x402_buf_json(&buf, x402_span_of(problem.type));
    x402_buf_text(&buf, ",\"title\":");
    x402_buf_json(&buf, x402_span_of(problem.title));
    x402_buf_text(&buf, ",\"status\":402,\"detail\":");
    x402_buf_json(&buf, x402_span_of(x402_err_info(err)->token));
    x402_buf_text(&buf, "}\n");

    body->len = buf.len;

    ngx_str_set(&r->headers_out.content_type, "application/problem+json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    return buf.full ? NGX_ERROR : NGX_OK;
}


/* "only on 2xx" says the Payment scheme of its own */

ngx_int_t
ngx_http_x402_ln_receipt(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx)
{
    ngx_str_t        value;
    struct x402_buf  buf;

    if (ngx_http_x402_ln_response(r, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->dialect != X402_TILL_MPP
        || r->headers_out.status < NGX_HTTP_OK
        || r->headers_out.status >= NGX_HTTP_SPECIAL_RESPONSE)
    {
        return NGX_OK;
    }

    value.data = ngx_pnalloc(r->pool, NGX_HTTP_X402_LN_RECEIPT);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    buf = x402_buf_on((char *) value.data, NGX_HTTP_X402_LN_RECEIPT);

    x402_mpp_receipt(&buf, (uint64_t) ngx_time(), ctx->transaction,
                     ngx_http_x402_span(&ctx->ln->challenge));

    value.len = buf.len;

    if (buf.full) {
        return NGX_ERROR;
    }

    return ngx_http_x402_header_out(r, "Payment-Receipt", &value);
}


static ngx_int_t
ngx_http_x402_ln_response(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx)
{
    char             json[NGX_HTTP_X402_LN_RECEIPT / 2];
    ngx_str_t        value;
    struct x402_buf  buf, out;

    value.data = ngx_pnalloc(r->pool, NGX_HTTP_X402_LN_RECEIPT);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    buf = x402_buf_on(json, sizeof(json));
    x402_lnbtc_receipt(&buf, X402_OK, ctx->ln->network, ctx->transaction);

    out = x402_buf_on((char *) value.data, NGX_HTTP_X402_LN_RECEIPT);
    x402_buf_base64(&out, (const uint8_t *) json, buf.len);

    value.len = out.len;

    if (buf.full || out.full) {
        return NGX_ERROR;
    }

    return ngx_http_x402_header_out(r, "PAYMENT-RESPONSE", &value);
}
