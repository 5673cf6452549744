/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Spellings of a path that the gateway and an upstream could read
 * differently.  What nginx matched is its own normal form; what it forwards is
 * the raw target.  So in servers with priced locations
 *
 *   - raw targets whose meaning is a matter of opinion are 400: encoded
 *     slashes, backslashes and control characters, dot segments, double
 *     encoding, bytes that are not UTF-8;
 *   - paths that a loose upstream would take for another location than the one
 *     that was matched are 404: see guard.
 */

#include "ngx_http_x402.h"


static ngx_uint_t ngx_http_x402_path_odd(ngx_str_t *target);
static ngx_uint_t ngx_http_x402_path_odd_byte(u_char ch);
static ngx_int_t ngx_http_x402_path_hex(u_char *p, u_char *last);
static ngx_uint_t ngx_http_x402_path_twice(u_char *p, u_char *last);
static ngx_uint_t ngx_http_x402_path_dots(u_char *p, u_char *last);
static ngx_uint_t ngx_http_x402_path_utf8(u_char *p, u_char *last);


ngx_int_t
ngx_http_x402_path_handler(ngx_http_request_t *r)
{
    ngx_http_x402_srv_conf_t  *xscf;

    if (r != r->main || r->internal) {
        return NGX_DECLINED;
    }

    xscf = ngx_http_get_module_srv_conf(r, ngx_http_x402_module);

    if (!xscf->priced) {
        return NGX_DECLINED;
    }

    if (ngx_http_x402_path_odd(&r->unparsed_uri)
        && !ngx_http_x402_mutant("path_odd"))
    {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "x402: ambiguous path refused");
        return NGX_HTTP_BAD_REQUEST;
    }

    return NGX_DECLINED;
}


static ngx_uint_t
ngx_http_x402_path_odd(ngx_str_t *target)
{
    u_char     *p, *d, *last;
    u_char      buf[NGX_HTTP_X402_PATH_MAX];
    ngx_int_t   ch;

    p = target->data;
    last = ngx_strlchr(p, p + target->len, '?');

    if (last == NULL) {
        last = p + target->len;
    }

    if (p == last || *p != '/' || (size_t) (last - p) > sizeof(buf)) {
        return 1;
    }

    for (d = buf; p < last; p++) {

        if (*p != '%') {

            if (*p == '#' || ngx_http_x402_path_odd_byte(*p)) {
                return 1;
            }

            *d++ = *p;
            continue;
        }

        ch = ngx_http_x402_path_hex(p, last);

        if (ch < 0 || ch == '/' || ngx_http_x402_path_odd_byte((u_char) ch)) {
            return 1;
        }

        *d++ = (u_char) ch;
        p += 2;
    }

    return ngx_http_x402_path_twice(buf, d)
           || ngx_http_x402_path_dots(buf, d)
           || ngx_http_x402_path_utf8(buf, d);
}


static ngx_uint_t
ngx_http_x402_path_odd_byte(u_char ch)
{
    return ch < 0x20 || ch == 0x7f || ch == '\\';
}


/* the value of "%41" at p */

static ngx_int_t
ngx_http_x402_path_hex(u_char *p, u_char *last)
{
    if (p + 3 > last) {
        return NGX_ERROR;
    }

    return ngx_hextoi(p + 1, 2);
}


/* decoded, and still encoded: an upstream may decode twice */

static ngx_uint_t
ngx_http_x402_path_twice(u_char *p, u_char *last)
{
    for ( /* void */ ; p < last; p++) {
        if (*p == '%' && ngx_http_x402_path_hex(p, last) >= 0) {
            return 1;
        }
    }

    return 0;
}


/* "." and ".." as segments, also before a ';' */

static ngx_uint_t
ngx_http_x402_path_dots(u_char *p, u_char *last)
{
    u_char  *s, *e;

    while (p < last) {

        s = ++p;            /* after a '/' */

        while (p < last && *p != '/') {
            p++;
        }

        for (e = s; e < p && *e != ';'; e++) { /* void */ }

        if ((e - s == 1 && s[0] == '.')
            || (e - s == 2 && s[0] == '.' && s[1] == '.'))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_http_x402_path_utf8(u_char *p, u_char *last)
{
    while (p < last) {

        if (*p < 0x80) {
            p++;
            continue;
        }

        if (ngx_utf8_decode(&p, last - p) > 0x10ffff) {
            return 1;
        }
    }

    return 0;
}
