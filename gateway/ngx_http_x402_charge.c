/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a response an answer that costs its price, or a failure that is free?
 */

#include "ngx_http_x402.h"


static ngx_uint_t ngx_http_x402_run_charges(ngx_http_x402_ctx_t *ctx,
    ngx_uint_t status);
static ngx_uint_t ngx_http_x402_run_upstream_status(ngx_http_request_t *r);


/* is this response an answer that costs its price? */

ngx_uint_t
ngx_http_x402_run_charged(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx)
{
    ngx_uint_t  status, upstream;

    if (ctx->spoiled || ngx_http_x402_mcp_too_large(r, ctx)) {
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

    if (status < 400 || ngx_http_x402_mutant("error_charged")) {
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
