/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer to a tool's call.  These filters stand behind the hold: what
 * comes to them was paid for, or refused.  It is collected, up to 1 MiB, and
 * goes on as one JSON-RPC response.
 */

#include "ngx_http_x402.h"
#include "ngx_http_x402_mcp.h"


static ngx_int_t ngx_http_x402_mcp_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_x402_mcp_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_x402_mcp_head(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx);
static void ngx_http_x402_mcp_take(ngx_http_request_t *r, const char *key,
    ngx_str_t *value);
static ngx_int_t ngx_http_x402_mcp_collect(ngx_http_request_t *r,
    ngx_http_x402_call_t *call, ngx_buf_t *b);
static ngx_int_t ngx_http_x402_mcp_grow(ngx_http_request_t *r,
    ngx_http_x402_call_t *call, size_t size);
static ngx_uint_t ngx_http_x402_mcp_broken(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_x402_mcp_finish(ngx_http_request_t *r,
    ngx_http_x402_call_t *call);
static ngx_int_t ngx_http_x402_mcp_write(ngx_http_request_t *r,
    ngx_http_x402_call_t *call, struct x402_buf *buf);
static ngx_int_t ngx_http_x402_mcp_decode(ngx_http_request_t *r,
    ngx_str_t *value, struct x402_span *text);


static ngx_http_output_header_filter_pt  ngx_http_x402_mcp_next_header;
static ngx_http_output_body_filter_pt    ngx_http_x402_mcp_next_body;


void
ngx_http_x402_mcp_out_init(void)
{
    ngx_http_x402_mcp_next_header = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_x402_mcp_header_filter;

    ngx_http_x402_mcp_next_body = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_x402_mcp_body_filter;
}


/* told before it is paid: what says its length is not charged in vain */

ngx_uint_t
ngx_http_x402_mcp_too_large(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx)
{
    return ctx->call
           && r->headers_out.content_length_n > NGX_HTTP_X402_MCP_ANSWER
           && !ngx_http_x402_mutant("mcp_too_large");
}


/* did the client get less than the answer?  Then it may have it once more */

ngx_uint_t
ngx_http_x402_mcp_cut(ngx_http_x402_ctx_t *ctx)
{
    return ctx->call && ctx->call->trouble;
}


static ngx_int_t
ngx_http_x402_mcp_header_filter(ngx_http_request_t *r)
{
    ngx_http_x402_ctx_t  *ctx;

    ctx = ngx_http_x402_get_ctx(r);

    if (ctx == NULL || ctx->call == NULL || r != r->main) {
        return ngx_http_x402_mcp_next_header(r);
    }

    if (ctx->call->headed) {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "x402: a second answer to a tool's call");
        return NGX_ERROR;
    }

    return ngx_http_x402_mcp_head(r, ctx);
}


static ngx_int_t
ngx_http_x402_mcp_head(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx)
{
    ngx_http_x402_call_t  *call;

    call = ctx->call;

    call->headed = 1;
    call->status = r->headers_out.status;
    call->type = r->headers_out.content_type;

    /* an upstream's words of this kind are not ours */

    if (ctx->state == ngx_http_x402_over) {
        ngx_http_x402_mcp_take(r, "PAYMENT-REQUIRED", &call->required);
    }

    if (ctx->captured) {
        ngx_http_x402_mcp_take(r, "PAYMENT-RESPONSE", &call->receipt);
    }

    if (ngx_http_x402_mcp_too_large(r, ctx)) {
        call->trouble = "the answer is larger than 1 MiB: ask for it by HTTP. "
                        "Nothing was charged";
    }

    if (r->header_only
        || r->method == NGX_HTTP_HEAD
        || call->status == NGX_HTTP_NO_CONTENT
        || call->status == NGX_HTTP_NOT_MODIFIED
        || call->trouble)
    {
        return ngx_http_x402_mcp_finish(r, call);
    }

    return NGX_OK;
}


static void
ngx_http_x402_mcp_take(ngx_http_request_t *r, const char *key,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_http_x402_header_find(r, key);

    if (h) {
        *value = h->value;
    }
}


static ngx_int_t
ngx_http_x402_mcp_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_uint_t             last;
    ngx_chain_t           *cl;
    ngx_http_x402_ctx_t   *ctx;
    ngx_http_x402_call_t  *call;

    ctx = ngx_http_x402_get_ctx(r);

    if (ctx == NULL || ctx->call == NULL) {
        return ngx_http_x402_mcp_next_body(r, in);
    }

    call = ctx->call;
    last = 0;

    for (cl = in; cl; cl = cl->next) {

        if (!call->sent
            && ngx_http_x402_mcp_collect(r, call, cl->buf) != NGX_OK)
        {
            return NGX_ERROR;
        }

        last |= cl->buf->last_buf;
    }

    if (!call->sent && !last && ngx_http_x402_mcp_broken(r, in)) {
        call->trouble = "the answer broke off: ask again with the same "
                        "payment";
        last = 1;
    }

    ngx_http_x402_hold_discard(in);

    if (!call->sent && (last || call->trouble)) {
        return ngx_http_x402_mcp_finish(r, call);
    }

    return r->connection->buffered ? ngx_http_x402_mcp_next_body(r, NULL)
                                   : NGX_OK;
}


static ngx_int_t
ngx_http_x402_mcp_collect(ngx_http_request_t *r, ngx_http_x402_call_t *call,
    ngx_buf_t *b)
{
    off_t  size;

    size = ngx_buf_size(b);

    if (size <= 0 || call->trouble) {
        return NGX_OK;
    }

    if (size > NGX_HTTP_X402_MCP_ANSWER - (off_t) call->body.len) {
        call->trouble = "the answer is larger than 1 MiB: ask for it by HTTP, "
                        "with the same payment";
        call->body.len = 0;
        return NGX_OK;
    }

    if (ngx_http_x402_mcp_grow(r, call, (size_t) size) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_buf_in_memory(b)) {
        ngx_memcpy(call->body.data + call->body.len, b->pos, (size_t) size);

    } else if (ngx_read_file(b->file, call->body.data + call->body.len,
                             (size_t) size, b->file_pos)
               != (ssize_t) size)
    {
        return NGX_ERROR;
    }

    call->body.len += (size_t) size;

    return NGX_OK;
}


static ngx_int_t
ngx_http_x402_mcp_grow(ngx_http_request_t *r, ngx_http_x402_call_t *call,
    size_t size)
{
    u_char  *p;
    size_t   room;

    if (call->size - call->body.len >= size) {
        return NGX_OK;
    }

    room = ngx_max(2 * call->size, call->body.len + size);
    room = ngx_max(room, 16384);

    p = ngx_pnalloc(r->pool, room);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, call->body.data ? call->body.data : p, call->body.len);

    if (call->body.data) {
        (void) ngx_pfree(r->pool, call->body.data);
    }

    call->body.data = p;
    call->size = room;

    return NGX_OK;
}


/* an upstream that broke off leaves a flush behind, and no last buffer */

static ngx_uint_t
ngx_http_x402_mcp_broken(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_chain_t  *cl;

    if (r != r->main || r->upstream == NULL || r->upstream->cleanup) {
        return 0;
    }

    for (cl = in; cl; cl = cl->next) {
        if (cl->buf->flush) {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_x402_mcp_finish(ngx_http_request_t *r, ngx_http_x402_call_t *call)
{
    ngx_int_t         rc;
    ngx_str_t         no_store;
    ngx_uint_t        header_only;
    ngx_chain_t      *out;
    struct x402_buf   buf;

    r = r->main;
    call->sent = 1;

    if (ngx_http_x402_mcp_write(r, call, &buf) != NGX_OK) {
        return NGX_ERROR;
    }

    out = ngx_http_x402_whole(r->pool, buf.at, buf.len);
    if (out == NULL) {
        return NGX_ERROR;
    }

    ngx_http_clean_header(r);

    /* the client's request was a POST, whatever the route's was */

    header_only = r->header_only;
    r->header_only = 0;
    r->method = NGX_HTTP_POST;

    ngx_str_set(&no_store, "no-store");

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = buf.len;
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    if (ngx_http_x402_header_out(r, "Cache-Control", &no_store) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_http_x402_mcp_next_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK) {
        return rc;
    }

    rc = ngx_http_x402_mcp_next_body(r, out);

    r->header_only = header_only;

    return rc;
}


/* escaped, a byte takes up to six; most texts take little more than one */

static ngx_int_t
ngx_http_x402_mcp_write(ngx_http_request_t *r, ngx_http_x402_call_t *call,
    struct x402_buf *buf)
{
    char                    *p;
    size_t                   size, room;
    ngx_uint_t               i;
    struct x402_mcp_answer   answer;

    ngx_memzero(&answer, sizeof(struct x402_mcp_answer));

    answer.status = (unsigned) call->status;
    answer.url = call->tool->route.url;
    answer.type = ngx_http_x402_span(&call->type);
    answer.body = ngx_http_x402_span(&call->body);
    answer.promised = x402_mcp_promises(&call->tool->route);
    answer.trouble = call->trouble;

    if (ngx_http_x402_mcp_decode(r, &call->required, &answer.required)
        != NGX_OK
        || ngx_http_x402_mcp_decode(r, &call->receipt, &answer.receipt)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    size = answer.body.len + answer.required.len;

    for (i = 0; i < 2; i++) {

        room = (i ? 8 : 3) * size + answer.receipt.len + 16384;

        p = ngx_palloc(r->pool, room);
        if (p == NULL) {
            return NGX_ERROR;
        }

        *buf = x402_buf_on(p, room);

        x402_mcp_call_result(buf, call->message.id, &answer);

        if (!buf->full) {
            return NGX_OK;
        }

        (void) ngx_pfree(r->pool, p);
    }

    return NGX_ERROR;
}


static ngx_int_t
ngx_http_x402_mcp_decode(ngx_http_request_t *r, ngx_str_t *value,
    struct x402_span *text)
{
    u_char  *p;
    size_t   len;

    if (value->len == 0) {
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, X402_BASE64_DECODED_MAX(value->len));

    if (p == NULL
        || x402_base64_decode(p, &len, X402_BASE64_DECODED_MAX(value->len),
                              ngx_http_x402_span(value))
           != X402_OK)
    {
        return NGX_ERROR;
    }

    text->at = (char *) p;
    text->len = len;

    return NGX_OK;
}
