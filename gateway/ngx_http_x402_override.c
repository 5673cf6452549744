/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x402_scheme upto: the price is the most that may be taken; what the work did
 * cost, the upstream says in Settlement-Overrides.  Without it: the price.
 */

#include "ngx_http_x402.h"

#include <x402/override.h>


static ngx_uint_t ngx_http_x402_override_find(ngx_http_request_t *r,
    ngx_str_t *value);
static ngx_uint_t ngx_http_x402_override_count(ngx_list_t *headers,
    ngx_str_t *value);


static const char  ngx_http_x402_override_name[] = "Settlement-Overrides";


/* a word between the upstream and us: no client sees it, in any scheme */

void
ngx_http_x402_override(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx)
{
    ngx_str_t      value;
    ngx_uint_t     n;
    enum x402_err  err;

    n = ngx_http_x402_override_find(r, &value);

    if (n == 0) {
        return;
    }

    ngx_http_x402_header_clear(r, ngx_http_x402_override_name);

    /* what was redeemed, was charged for its first run */

    if (ctx->accept.method != X402_METHOD_PERMIT2_UPTO || ctx->release
        || ctx->redeemed)
    {
        return;
    }

    err = (n > 1) ? X402_ERR_SYNTAX
                  : x402_override_read(&ctx->charge,
                                       ngx_http_x402_span(&value),
                                       &ctx->accept);

    if (err == X402_OK) {
        ctx->has_charge = 1;
        ctx->rsv->has_charge = 1;
        ctx->rsv->charge = ctx->charge;
        return;
    }

    /* the seller's error: nothing is charged for it */

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "x402: upstream sent \"%s: %V\", which is %s; the price "
                  "is the most that may be taken, nothing is charged",
                  ngx_http_x402_override_name, &value,
                  err == X402_ERR_EXCEEDS ? "above the price"
                                          : "not one amount");

    ctx->misnamed = 1;
    ctx->release = 1;
}


/* what the first run did cost stands in the ledger, not here */

ngx_uint_t
ngx_http_x402_override_unknown(ngx_http_x402_ctx_t *ctx)
{
    return ctx->redeemed && ctx->accept.method == X402_METHOD_PERMIT2_UPTO;
}


/* of X-Accel-Redirect's answer nginx keeps a few headers, and this is none */

static ngx_uint_t
ngx_http_x402_override_find(ngx_http_request_t *r, ngx_str_t *value)
{
    ngx_uint_t  n;

    n = ngx_http_x402_override_count(&r->headers_out.headers, value);

    if (n == 0 && r->upstream && r->upstream->headers_in.headers.part.elts) {
        n = ngx_http_x402_override_count(&r->upstream->headers_in.headers,
                                         value);
    }

    return n;
}


static ngx_uint_t
ngx_http_x402_override_count(ngx_list_t *headers, ngx_str_t *value)
{
    ngx_uint_t             n;
    ngx_table_elt_t       *h;
    ngx_http_x402_walk_t   walk;

    n = 0;
    ngx_http_x402_headers_walk(&walk, headers);

    while ((h = ngx_http_x402_headers_next(&walk)) != NULL) {

        if (h->hash != 0
            && h->key.len == sizeof(ngx_http_x402_override_name) - 1
            && ngx_strncasecmp(h->key.data,
                               (u_char *) ngx_http_x402_override_name,
                               sizeof(ngx_http_x402_override_name) - 1)
               == 0)
        {
            *value = h->value;
            n++;
        }
    }

    return n;
}
