/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths that a loose upstream (letter case, "//", a trailing slash, ";..." make
 * no difference to it) would take for a priced location other than the one
 * that nginx matched.
 */

#include "ngx_http_x402.h"


static ngx_uint_t ngx_http_x402_path_other(ngx_http_request_t *r,
    ngx_http_x402_srv_conf_t *xscf, ngx_str_t *path, ngx_str_t *full);
static ngx_uint_t ngx_http_x402_path_in(ngx_str_t *path,
    ngx_http_x402_location_t *location);
static ngx_uint_t ngx_http_x402_path_same(ngx_http_x402_loc_conf_t *a,
    ngx_http_x402_loc_conf_t *b);


/*
 * The loosest reading that servers in use make of a path: lower case, slashes
 * merged, no trailing slashes, dots or spaces; parameters (";...") and what
 * looks like a query dropped, unless they are to be kept.  dst holds as much
 * as the path.
 */

void
ngx_http_x402_path_loose(u_char *dst, ngx_str_t *path, ngx_uint_t keep,
    ngx_str_t *out)
{
    u_char  *p, *d, *last;

    d = dst;
    p = path->data;
    last = p + path->len;

    while (p < last && (keep || (*p != '?' && *p != '#'))) {

        if (*p == ';' && !keep) {

            while (p < last && *p != '/') {
                p++;
            }

            continue;
        }

        if (*p != '/' || d == dst || d[-1] != '/') {
            *d++ = ngx_tolower(*p);
        }

        p++;
    }

    while (d - dst > 1
           && (d[-1] == '/' || d[-1] == '.' || d[-1] == ' '))
    {
        d--;
    }

    out->data = dst;
    out->len = d - dst;
}


/*
 * Would a loose upstream take the path for a priced location other than the
 * one that nginx chose?
 */

ngx_int_t
ngx_http_x402_path_guard(ngx_http_request_t *r)
{
    u_char                     buf[NGX_HTTP_X402_PATH_MAX];
    u_char                     full_buf[NGX_HTTP_X402_PATH_MAX];
    ngx_str_t                  path, full;
    ngx_http_x402_srv_conf_t  *xscf;

    xscf = ngx_http_get_module_srv_conf(r, ngx_http_x402_module);

    if (!xscf->priced || r->uri.len == 0 || r->uri.data[0] != '/') {
        return NGX_OK;
    }

    if (r->uri.len > sizeof(buf)) {
        return NGX_HTTP_BAD_REQUEST;
    }

    ngx_http_x402_path_loose(buf, &r->uri, 0, &path);

    if (path.len == r->uri.len
        && ngx_memcmp(path.data, r->uri.data, path.len) == 0)
    {
        return NGX_OK;
    }

    ngx_http_x402_path_loose(full_buf, &r->uri, 1, &full);

    if (!ngx_http_x402_path_other(r, xscf, &path, &full)
        || ngx_http_x402_mutant("path_loose"))
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "x402: spelling of a priced path refused");

    return NGX_HTTP_NOT_FOUND;
}


static ngx_uint_t
ngx_http_x402_path_other(ngx_http_request_t *r, ngx_http_x402_srv_conf_t *xscf,
    ngx_str_t *path, ngx_str_t *full)
{
    size_t                     len, own;
    ngx_uint_t                 i;
    ngx_http_core_loc_conf_t  *clcf, *other;
    ngx_http_x402_loc_conf_t  *xlcf, *mine, *best;
    ngx_http_x402_location_t  *location;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    mine = ngx_http_get_module_loc_conf(r, ngx_http_x402_module);

    location = xscf->locations.elts;
    best = NULL;
    len = 0;
    own = 0;

    for (i = 0; i < xscf->locations.nelts; i++) {

        /* an expression may look at the parameters, too */

        if (!ngx_http_x402_path_in(path, &location[i])
#if (NGX_PCRE)
            && !(location[i].regex
                 && ngx_http_x402_path_in(full, &location[i]))
#endif
           )
        {
            continue;
        }

        other = location[i].loc_conf[ngx_http_core_module.ctx_index];
        xlcf = location[i].loc_conf[ngx_http_x402_module.ctx_index];

#if (NGX_PCRE)

        if (location[i].regex) {

            if (xlcf->enable == NGX_HTTP_X402_ON && other != clcf
                && !ngx_http_x402_path_same(mine, xlcf))
            {
                return 1;
            }

            continue;
        }

#endif

        /* "if" and limit_except blocks share their location's name */

        if (other->name.data == clcf->name.data) {
            own = location[i].name.len;
        }

        if (location[i].name.len > len
            || (location[i].name.len == len
                && xlcf->enable == NGX_HTTP_X402_ON))
        {
            len = location[i].name.len;
            best = xlcf;
        }
    }

    return best && best->enable == NGX_HTTP_X402_ON && own != len
           && !ngx_http_x402_path_same(mine, best);
}


static ngx_uint_t
ngx_http_x402_path_in(ngx_str_t *path, ngx_http_x402_location_t *location)
{
    ngx_str_t                 *name;
    ngx_http_core_loc_conf_t  *clcf;

#if (NGX_PCRE)

    if (location->regex) {
        return ngx_regex_exec(location->regex, path, NULL, 0) >= 0;
    }

#endif

    clcf = location->loc_conf[ngx_http_core_module.ctx_index];
    name = &location->name;

    if (path->len < name->len
        || ngx_memcmp(path->data, name->data, name->len) != 0)
    {
        return 0;
    }

    if (path->len == name->len) {
        return 1;
    }

    if (clcf->exact_match) {
        return 0;
    }

    /* "location /a/" lost its slash: "/ab" is not in it */

    return clcf->name.data[clcf->name.len - 1] != '/'
           || name->len == 1
           || path->data[name->len] == '/';
}


static ngx_uint_t
ngx_http_x402_path_same(ngx_http_x402_loc_conf_t *a,
    ngx_http_x402_loc_conf_t *b)
{
    return a->enable == b->enable
           && a->price == b->price
           && a->pay_to == b->pay_to
           && a->settle == b->settle;
}
