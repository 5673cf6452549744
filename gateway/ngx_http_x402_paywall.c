/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of a 402 for people: one page, the same bytes for every route.  Its
 * script and style are named by hash in the Content-Security-Policy, so that
 * nothing else can run in it.
 */

#include "ngx_http_x402.h"

#include <openssl/sha.h>


static ngx_int_t ngx_http_x402_paywall_hash(struct x402_buf *buf,
    const char *open, const char *close);


static u_char  ngx_http_x402_paywall_page[] =
#include "paywall.html.h"
;

static char    ngx_http_x402_paywall_policy[512];
static size_t  ngx_http_x402_paywall_policy_len;


/* once a process reads a configuration; the result is always the same */

ngx_int_t
ngx_http_x402_paywall_init(ngx_conf_t *cf)
{
    struct x402_buf  buf;

    buf = x402_buf_on(ngx_http_x402_paywall_policy,
                      sizeof(ngx_http_x402_paywall_policy));

    x402_buf_text(&buf, "default-src 'none'; connect-src 'self'; "
                        "img-src blob:; frame-src blob:; base-uri 'none'; "
                        "form-action 'none'; frame-ancestors 'none'; "
                        "script-src 'sha256-");

    if (ngx_http_x402_paywall_hash(&buf, "<script>", "</script>") != NGX_OK) {
        return NGX_ERROR;
    }

    x402_buf_text(&buf, "'; style-src 'sha256-");

    if (ngx_http_x402_paywall_hash(&buf, "<style>", "</style>") != NGX_OK) {
        return NGX_ERROR;
    }

    x402_buf_text(&buf, "'");

    ngx_http_x402_paywall_policy_len = buf.len;

    return buf.full ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_http_x402_paywall_hash(struct x402_buf *buf, const char *open,
    const char *close)
{
    u_char  *p, *last, hash[SHA256_DIGEST_LENGTH];

    p = (u_char *) ngx_strstr(ngx_http_x402_paywall_page, open);
    last = (u_char *) ngx_strstr(ngx_http_x402_paywall_page, close);

    if (p == NULL || last == NULL) {
        return NGX_ERROR;
    }

    p += ngx_strlen(open);

    SHA256(p, last - p, hash);
    x402_buf_base64(buf, hash, sizeof(hash));

    return NGX_OK;
}


/* "Accept: text/html": what browsers send for a page, and programs do not */

ngx_uint_t
ngx_http_x402_paywall_wanted(ngx_http_request_t *r,
    ngx_http_x402_loc_conf_t *xlcf)
{
    u_char           *p;
    ngx_table_elt_t  *accept;

    if (!xlcf->paywall || !(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return 0;
    }

    accept = ngx_http_x402_header_in(r, "accept", sizeof("accept") - 1);

    if (accept == NULL) {
        return 0;
    }

    p = ngx_strlcasestrn(accept->value.data,
                         accept->value.data + accept->value.len,
                         (u_char *) "text/html", sizeof("text/html") - 2);

    return p != NULL;
}


/* the headers of the offer are there already */

ngx_int_t
ngx_http_x402_paywall(ngx_http_request_t *r, ngx_str_t *body)
{
    ngx_str_t  policy, nosniff, referrer;

    policy.len = ngx_http_x402_paywall_policy_len;
    policy.data = (u_char *) ngx_http_x402_paywall_policy;

    ngx_str_set(&nosniff, "nosniff");
    ngx_str_set(&referrer, "no-referrer");

    ngx_str_set(&r->headers_out.content_type, "text/html");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    ngx_str_set(&r->headers_out.charset, "utf-8");

    body->len = sizeof(ngx_http_x402_paywall_page) - 1;
    body->data = ngx_http_x402_paywall_page;

    if (ngx_http_x402_header_out(r, "Content-Security-Policy", &policy)
        != NGX_OK
        || ngx_http_x402_header_out(r, "X-Content-Type-Options", &nosniff)
           != NGX_OK
        || ngx_http_x402_header_out(r, "Referrer-Policy", &referrer)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}
