/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request body: read whole, then hashed, because a payment is bound to
 * it.  A large one lies in a file; it is hashed a piece at a time, with other
 * requests served in between.
 */

#include "ngx_http_x402.h"

#include <openssl/evp.h>


#define NGX_HTTP_X402_BODY_READ   32768
#define NGX_HTTP_X402_BODY_TURN   (1024 * 1024)


static void ngx_http_x402_body_read(ngx_http_request_t *r);
static void ngx_http_x402_body_begin(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx);
static void ngx_http_x402_body_event(ngx_event_t *ev);
static ngx_int_t ngx_http_x402_body_turn(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx);
static ssize_t ngx_http_x402_body_file(ngx_http_x402_ctx_t *ctx,
    ngx_buf_t *b);
static void ngx_http_x402_body_end(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx);
static void ngx_http_x402_body_cleanup(void *data);


static u_char  ngx_http_x402_body_buf[NGX_HTTP_X402_BODY_READ];

/* SHA-256 of nothing */

static u_char  ngx_http_x402_body_empty[32] = {
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14,
    0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c,
    0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55
};


/* calls ngx_http_x402_gate_body(), now or later; the result is a phase's */

ngx_int_t
ngx_http_x402_body(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx)
{
    ngx_int_t  rc;

    ctx->state = ngx_http_x402_reading;

    rc = ngx_http_read_client_request_body(r, ngx_http_x402_body_read);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        ctx->state = ngx_http_x402_over;
        return rc;
    }

    ngx_http_finalize_request(r, NGX_DONE);

    return NGX_DONE;
}


static void
ngx_http_x402_body_read(ngx_http_request_t *r)
{
    ngx_http_x402_ctx_t  *ctx;

    /* for the content handler, and for what a redirect leads to */

    r->preserve_body = 1;

    r->write_event_handler = ngx_http_request_empty_handler;
    r->read_event_handler = ngx_http_test_reading;

    ctx = ngx_http_x402_get_ctx(r);

    ngx_http_x402_body_begin(r, ctx);
}


static void
ngx_http_x402_body_begin(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx)
{
    ngx_pool_cleanup_t  *cln;

    if (r->request_body == NULL || r->request_body->bufs == NULL) {
        ngx_http_x402_gate_body(r, ctx, ngx_http_x402_body_empty);
        return;
    }

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        ngx_http_x402_gate_refuse(r, ctx, X402_ERR_INTERNAL);
        return;
    }

    cln->handler = ngx_http_x402_body_cleanup;
    cln->data = ctx;

    ctx->sha256 = EVP_MD_CTX_new();

    if (ctx->sha256 == NULL
        || EVP_DigestInit_ex(ctx->sha256, EVP_sha256(), NULL) != 1)
    {
        ngx_http_x402_gate_refuse(r, ctx, X402_ERR_INTERNAL);
        return;
    }

    ctx->hashed = r->request_body->bufs;
    ctx->hashed_off = 0;

    ctx->hash.handler = ngx_http_x402_body_event;
    ctx->hash.data = ctx;
    ctx->hash.log = r->connection->log;

    if (ngx_http_x402_body_turn(r, ctx) == NGX_AGAIN) {
        ngx_post_event(&ctx->hash, &ngx_posted_next_events);
    }
}


static void
ngx_http_x402_body_event(ngx_event_t *ev)
{
    ngx_connection_t     *c;
    ngx_http_request_t   *r;
    ngx_http_x402_ctx_t  *ctx;

    ctx = ev->data;
    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (ngx_http_x402_body_turn(r, ctx) == NGX_AGAIN) {
        ngx_post_event(&ctx->hash, &ngx_posted_next_events);
        return;
    }

    ngx_http_run_posted_requests(c);
}


/* NGX_AGAIN: more to do, another time; the request may be gone otherwise */

static ngx_int_t
ngx_http_x402_body_turn(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx)
{
    size_t      done;
    ssize_t     n;
    ngx_buf_t  *b;

    done = 0;

    while (ctx->hashed) {

        if (done >= NGX_HTTP_X402_BODY_TURN) {
            return NGX_AGAIN;
        }

        b = ctx->hashed->buf;

        if (b->in_file && !ngx_buf_in_memory(b)) {

            n = ngx_http_x402_body_file(ctx, b);

            if (n == NGX_ERROR) {
                ngx_http_x402_gate_refuse(r, ctx, X402_ERR_INTERNAL);
                return NGX_OK;
            }

            done += n;

            if (n > 0) {
                continue;
            }

        } else if (b->last > b->pos) {

            if (EVP_DigestUpdate(ctx->sha256, b->pos, b->last - b->pos) != 1) {
                ngx_http_x402_gate_refuse(r, ctx, X402_ERR_INTERNAL);
                return NGX_OK;
            }

            done += b->last - b->pos;
        }

        ctx->hashed = ctx->hashed->next;
        ctx->hashed_off = 0;
    }

    ngx_http_x402_body_end(r, ctx);

    return NGX_OK;
}


/* bytes hashed, 0 at the end of the buffer */

static ssize_t
ngx_http_x402_body_file(ngx_http_x402_ctx_t *ctx, ngx_buf_t *b)
{
    off_t    rest;
    size_t   size;
    ssize_t  n;

    rest = b->file_last - b->file_pos - ctx->hashed_off;

    if (rest <= 0) {
        return 0;
    }

    size = (size_t) ngx_min(rest, NGX_HTTP_X402_BODY_READ);

    n = ngx_read_file(b->file, ngx_http_x402_body_buf, size,
                      b->file_pos + ctx->hashed_off);

    if (n != (ssize_t) size
        || EVP_DigestUpdate(ctx->sha256, ngx_http_x402_body_buf, n) != 1)
    {
        return NGX_ERROR;
    }

    ctx->hashed_off += n;

    return n;
}


static void
ngx_http_x402_body_end(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx)
{
    u_char        body32[32];
    unsigned int  len;

    len = 0;

    if (EVP_DigestFinal_ex(ctx->sha256, body32, &len) != 1 || len != 32) {
        ngx_http_x402_gate_refuse(r, ctx, X402_ERR_INTERNAL);
        return;
    }

    ngx_http_x402_gate_body(r, ctx, body32);
}


static void
ngx_http_x402_body_cleanup(void *data)
{
    ngx_http_x402_ctx_t  *ctx = data;

    if (ctx->hash.posted) {
        ngx_delete_posted_event(&ctx->hash);
    }

    EVP_MD_CTX_free(ctx->sha256);
    ctx->sha256 = NULL;
}
