/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers of a response that was paid for: the receipt in the wire of the
 * payment, no storing by shared caches, and all of it readable for browsers.
 */

#include "ngx_http_x402.h"


#define NGX_HTTP_X402_RECEIPT_MAX  1024


static ngx_int_t ngx_http_x402_paid_receipt(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx);
static void ngx_http_x402_paid_clear(ngx_http_request_t *r);


static ngx_str_t  ngx_http_x402_private = ngx_string("private, no-store");


ngx_int_t
ngx_http_x402_paid(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx)
{
    if (ngx_http_x402_mutant("answer_public")) {
        return ngx_http_x402_paid_receipt(r, ctx);
    }

    ngx_http_x402_paid_clear(r);

    if (ngx_http_x402_paid_receipt(r, ctx) != NGX_OK
        || ngx_http_x402_header_out(r, "Cache-Control", &ngx_http_x402_private)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_x402_header_cors(r);
}


/* what an upstream may have sent of headers that are ours to send */

static void
ngx_http_x402_paid_clear(ngx_http_request_t *r)
{
    ngx_uint_t  i;

    static const char  *names[] = {
        "PAYMENT-RESPONSE",
        "X-PAYMENT-RESPONSE",
        "PAYMENT-REQUIRED",
        "Payment-Receipt",
        "X-Payment-Required",
        "X-Payment-Currency",
        "X-Payment-Chain",
        "X-Pay-To",
        "X-Payment-Error",
        "Cache-Control",
        "Expires",
        "Pragma",
        "Surrogate-Control",
        "CDN-Cache-Control",
        NULL
    };

    for (i = 0; names[i]; i++) {
        ngx_http_x402_header_clear(r, names[i]);
    }

    r->headers_out.expires = NULL;
}


static ngx_int_t
ngx_http_x402_paid_receipt(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx)
{
    ngx_str_t            value;
    const char          *name;
    struct x402_buf      buf;
    struct x402_receipt  receipt;

    if (ctx->ln) {
        return ngx_http_x402_ln_receipt(r, ctx);
    }

    ngx_memzero(&receipt, sizeof(struct x402_receipt));

    receipt.success = 1;
    receipt.reason = X402_OK;
    receipt.wire = ctx->payment->wire;
    receipt.chain_id = ctx->accept.asset->chain_id;
    receipt.payer = ctx->payment->auth.from;
    receipt.amount = ctx->has_charge ? ctx->charge : ctx->accept.amount;
    receipt.amount_unknown = ngx_http_x402_override_unknown(ctx);
    receipt.has_transaction = ctx->has_transaction;
    ngx_memcpy(receipt.transaction, ctx->transaction, 32);

    value.data = ngx_pnalloc(r->pool, NGX_HTTP_X402_RECEIPT_MAX);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    buf = x402_buf_on((char *) value.data, NGX_HTTP_X402_RECEIPT_MAX);

    x402_receipt_header(&buf, &receipt);

    if (buf.full) {
        return NGX_ERROR;
    }

    value.len = buf.len;

    name = (ctx->payment->wire == X402_WIRE_V2) ? "PAYMENT-RESPONSE"
                                                : "X-PAYMENT-RESPONSE";

    return ngx_http_x402_header_out(r, name, &value);
}
