/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking for request headers, setting response headers; and the ones by
 * which browsers let a script read ours.
 */

#include "ngx_http_x402.h"




static ngx_str_t  ngx_http_x402_expose = ngx_string(
    "PAYMENT-REQUIRED, PAYMENT-RESPONSE, X-PAYMENT-RESPONSE, "
    "X-Payment-Required, X-Payment-Currency, X-Payment-Chain, X-Pay-To, "
    "X-Payment-Error, Retry-After, WWW-Authenticate, Payment-Receipt");


/* all elements of a list of headers, those that were cleared too */

void
ngx_http_x402_headers_walk(ngx_http_x402_walk_t *walk, ngx_list_t *headers)
{
    walk->part = &headers->part;
    walk->i = 0;
}


ngx_table_elt_t *
ngx_http_x402_headers_next(ngx_http_x402_walk_t *walk)
{
    ngx_table_elt_t  *h;

    while (walk->i >= walk->part->nelts) {

        if (walk->part->next == NULL) {
            return NULL;
        }

        walk->part = walk->part->next;
        walk->i = 0;
    }

    h = walk->part->elts;

    return &h[walk->i++];
}


ngx_table_elt_t *
ngx_http_x402_header_in(ngx_http_request_t *r, const char *lowcase, size_t len)
{
    ngx_table_elt_t       *h;
    ngx_http_x402_walk_t   walk;

    ngx_http_x402_headers_walk(&walk, &r->headers_in.headers);

    while ((h = ngx_http_x402_headers_next(&walk)) != NULL) {

        if (h->key.len == len
            && ngx_memcmp(h->lowcase_key, lowcase, len) == 0)
        {
            return h;
        }
    }

    return NULL;
}


ngx_int_t
ngx_http_x402_header_out(ngx_http_request_t *r, const char *key,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    if (value->len == 0) {
        return NGX_OK;
    }

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    h->key.data = (u_char *) key;
    h->key.len = ngx_strlen(key);
    h->value = *value;
    h->lowcase_key = NULL;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return NGX_OK;
}


void
ngx_http_x402_header_clear(ngx_http_request_t *r, const char *key)
{
    size_t                 len;
    ngx_table_elt_t       *h;
    ngx_http_x402_walk_t   walk;

    len = ngx_strlen(key);
    ngx_http_x402_headers_walk(&walk, &r->headers_out.headers);

    while ((h = ngx_http_x402_headers_next(&walk)) != NULL) {

        if (h->key.len == len
            && ngx_strncasecmp(h->key.data, (u_char *) key, len) == 0)
        {
            h->hash = 0;
        }
    }
}


ngx_table_elt_t *
ngx_http_x402_header_find(ngx_http_request_t *r, const char *key)
{
    size_t                 len;
    ngx_table_elt_t       *h;
    ngx_http_x402_walk_t   walk;

    len = ngx_strlen(key);
    ngx_http_x402_headers_walk(&walk, &r->headers_out.headers);

    while ((h = ngx_http_x402_headers_next(&walk)) != NULL) {

        if (h->hash != 0
            && h->key.len == len
            && ngx_strncasecmp(h->key.data, (u_char *) key, len) == 0)
        {
            return h;
        }
    }

    return NULL;
}


/*
 * Let a browser's script read our headers.  An upstream's own CORS decision
 * stands; "*" never meets credentials.
 */

ngx_int_t
ngx_http_x402_header_cors(ngx_http_request_t *r)
{
    u_char           *p;
    ngx_str_t         any, expose;
    ngx_table_elt_t  *h;

    if (ngx_http_x402_header_in(r, "origin", sizeof("origin") - 1) == NULL) {
        return NGX_OK;
    }

    if (ngx_http_x402_header_find(r, "Access-Control-Allow-Origin") == NULL
        && ngx_http_x402_header_find(r, "Access-Control-Allow-Credentials")
           == NULL)
    {
        ngx_str_set(&any, "*");

        if (ngx_http_x402_header_out(r, "Access-Control-Allow-Origin", &any)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    h = ngx_http_x402_header_find(r, "Access-Control-Expose-Headers");

    if (h == NULL) {
        return ngx_http_x402_header_out(r, "Access-Control-Expose-Headers",
                                        &ngx_http_x402_expose);
    }

    expose.len = h->value.len + 2 + ngx_http_x402_expose.len;

    expose.data = ngx_pnalloc(r->pool, expose.len);
    if (expose.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(expose.data, h->value.data, h->value.len);
    *p++ = ',';
    *p++ = ' ';
    ngx_memcpy(p, ngx_http_x402_expose.data, ngx_http_x402_expose.len);

    h->value = expose;

    return NGX_OK;
}
