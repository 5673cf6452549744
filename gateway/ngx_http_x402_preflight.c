/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CORS preflight: OPTIONS with Origin and Access-Control-Request-Method.  It
 * is answered here, free, and never proxied.  Any other OPTIONS has a price.
 */

#include "ngx_http_x402.h"


static ngx_uint_t ngx_http_x402_preflight_token(ngx_str_t *s,
    ngx_uint_t list);


static ngx_str_t  ngx_http_x402_preflight_headers = ngx_string(
    "PAYMENT-SIGNATURE, X-PAYMENT, Content-Type, Accept, Authorization, "
    "Access-Control-Expose-Headers");


/* NGX_DECLINED: not a preflight; else the caller finalizes with the value */

ngx_int_t
ngx_http_x402_preflight(ngx_http_request_t *r)
{
    ngx_str_t         any, age, vary, *names;
    ngx_table_elt_t  *origin, *method, *headers;

    if (r->method != NGX_HTTP_OPTIONS) {
        return NGX_DECLINED;
    }

    origin = ngx_http_x402_header_in(r, "origin", sizeof("origin") - 1);
    method = ngx_http_x402_header_in(r, "access-control-request-method",
                                sizeof("access-control-request-method") - 1);

    if (ngx_http_x402_mutant("options_free")) {
        r->headers_out.status = NGX_HTTP_NO_CONTENT;
        r->header_only = 1;
        return ngx_http_send_header(r);
    }

    if (origin == NULL || method == NULL) {
        return NGX_DECLINED;
    }

    if (!ngx_http_x402_preflight_token(&method->value, 0)) {
        return NGX_DECLINED;
    }

    headers = ngx_http_x402_header_in(r, "access-control-request-headers",
                                sizeof("access-control-request-headers") - 1);

    names = &ngx_http_x402_preflight_headers;

    if (headers && ngx_http_x402_preflight_token(&headers->value, 1)) {
        names = &headers->value;
    }

    r->expect_tested = 1;

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }

    ngx_str_set(&any, "*");
    ngx_str_set(&age, "600");
    ngx_str_set(&vary, "Origin, Access-Control-Request-Method, "
                       "Access-Control-Request-Headers");

    if (ngx_http_x402_header_out(r, "Access-Control-Allow-Origin", &any)
        != NGX_OK
        || ngx_http_x402_header_out(r, "Access-Control-Allow-Methods",
                                    &method->value)
           != NGX_OK
        || ngx_http_x402_header_out(r, "Access-Control-Allow-Headers", names)
           != NGX_OK
        || ngx_http_x402_header_out(r, "Access-Control-Max-Age", &age)
           != NGX_OK
        || ngx_http_x402_header_out(r, "Vary", &vary) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;
    ngx_http_clear_content_length(r);

    return ngx_http_send_header(r);
}


/* RFC 9110 section 5.6.2: a token, or a list of them */

static ngx_uint_t
ngx_http_x402_preflight_token(ngx_str_t *s, ngx_uint_t list)
{
    u_char  *p, *last;

    p = s->data;
    last = p + s->len;

    if (p == last || s->len > 1024) {
        return 0;
    }

    for ( /* void */ ; p < last; p++) {

        if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')
            || (*p >= '0' && *p <= '9') || *p == '-' || *p == '_')
        {
            continue;
        }

        if (list && (*p == ',' || *p == ' ')) {
            continue;
        }

        return 0;
    }

    return 1;
}
