/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an invoice is bound to: method, URL, headers and body, as profile
 * http:1 of scheme_exact_lnbtc.md hashes them; and who asks.
 */

#include "ngx_http_x402.h"


#define NGX_HTTP_X402_LN_LINES  64


static ngx_int_t ngx_http_x402_ln_url(ngx_http_request_t *r,
    ngx_http_x402_loc_conf_t *xlcf, ngx_str_t *url);
static ngx_int_t ngx_http_x402_ln_lines(ngx_http_request_t *r,
    ngx_str_t *name, struct x402_span *lines, size_t *len);


/* "the public origin comes from configuration, not from Host" */

static ngx_int_t
ngx_http_x402_ln_url(ngx_http_request_t *r, ngx_http_x402_loc_conf_t *xlcf,
    ngx_str_t *url)
{
    u_char  *p;

    url->len = xlcf->base_url.len + r->unparsed_uri.len;

    if (url->len >= X402_URL_MAX) {
        return NGX_DECLINED;
    }

    url->data = ngx_pnalloc(r->pool, url->len);
    if (url->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(url->data, xlcf->base_url.data, xlcf->base_url.len);
    ngx_memcpy(p, r->unparsed_uri.data, r->unparsed_uri.len);

    return NGX_OK;
}


/* the field lines of one header, in order */

static ngx_int_t
ngx_http_x402_ln_lines(ngx_http_request_t *r, ngx_str_t *name,
    struct x402_span *lines, size_t *len)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NGX_OK;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len != name->len
            || ngx_strncasecmp(h[i].key.data, name->data, name->len) != 0)
        {
            continue;
        }

        if (*len == NGX_HTTP_X402_LN_LINES) {
            return NGX_DECLINED;
        }

        lines[(*len)++] = ngx_http_x402_span(&h[i].value);
    }
}


/* NGX_DECLINED: a request that cannot be bound */

ngx_int_t
ngx_http_x402_ln_request(ngx_http_request_t *r, ngx_http_x402_loc_conf_t *xlcf,
    ngx_http_x402_ln_t *ln, u_char *body32)
{
    size_t                      used, begin;
    ngx_int_t                   rc;
    ngx_str_t                  *name;
    ngx_uint_t                  i, n;
    struct x402_span            lines[NGX_HTTP_X402_LN_LINES];
    struct x402_lnbtc_header    headers[X402_LNBTC_HEADERS_MAX];
    struct x402_lnbtc_request   request;

    rc = ngx_http_x402_ln_url(r, xlcf, &ln->url);

    if (rc != NGX_OK) {
        return rc;
    }

    n = xlcf->ln.bind ? xlcf->ln.bind->nelts : 0;
    name = xlcf->ln.bind ? xlcf->ln.bind->elts : NULL;
    used = 0;

    for (i = 0; i < n; i++) {
        begin = used;

        if (ngx_http_x402_ln_lines(r, &name[i], lines, &used) != NGX_OK) {
            return NGX_DECLINED;
        }

        headers[i].name = ngx_http_x402_span(&name[i]);
        headers[i].lines = &lines[begin];
        headers[i].lines_len = used - begin;
    }

    ngx_memzero(&request, sizeof(struct x402_lnbtc_request));

    request.method = ngx_http_x402_span(&r->method_name);
    request.url = ngx_http_x402_span(&ln->url);
    request.headers = headers;
    request.headers_len = n;
    ngx_memcpy(request.body_hash, body32, 32);

    if (x402_lnbtc_request_hash(ln->request, &request) != X402_OK) {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* an address; of IPv6 the network, which one peer has all of */

void
ngx_http_x402_ln_peer(ngx_http_request_t *r, u_char *peer)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    ngx_memzero(peer, 16);

    switch (r->connection->sockaddr->sa_family) {

    case AF_INET:
        sin = (struct sockaddr_in *) r->connection->sockaddr;
        peer[10] = 0xff;
        peer[11] = 0xff;
        ngx_memcpy(&peer[12], &sin->sin_addr, 4);
        break;

#if (NGX_HAVE_INET6)

    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) r->connection->sockaddr;

        ngx_memcpy(peer, &sin6->sin6_addr,
                   IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr) ? 16 : 8);
        break;

#endif
    }
}


ngx_http_x402_ln_t *
ngx_http_x402_ln_get(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx)
{
    if (ctx->ln == NULL) {
        ctx->ln = ngx_pcalloc(r->pool, sizeof(ngx_http_x402_ln_t));
    }

    return ctx->ln;
}
