/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prices of the configuration before this one.  Who got an offer before a
 * reload may still pay it for x402_timeout seconds.
 *
 * The old cycle is still there while the new one is read, and gone soon after:
 * what is needed is copied.  A location is the same one when its name, its
 * server's name and the base URL are.  An "if" has no name of its own: nobody
 * can say which of several it was, so it takes today's price alone.
 */

#include "ngx_http_x402.h"


#define NGX_HTTP_X402_GRACE_MAX  64


static ngx_int_t ngx_http_x402_grace_location(ngx_conf_t *cf,
    ngx_http_x402_loc_conf_t *xlcf, ngx_http_x402_main_conf_t *before);
static ngx_uint_t ngx_http_x402_grace_same(ngx_http_x402_loc_conf_t *a,
    ngx_http_x402_loc_conf_t *b);
static ngx_uint_t ngx_http_x402_grace_equal(ngx_str_t *a, ngx_str_t *b);
static ngx_int_t ngx_http_x402_grace_keep(ngx_conf_t *cf,
    ngx_http_x402_loc_conf_t *xlcf, struct x402_requirement *accept,
    time_t expires);


ngx_int_t
ngx_http_x402_grace(ngx_conf_t *cf, ngx_http_x402_main_conf_t *xmcf)
{
    ngx_uint_t                  i;
    ngx_cycle_t                *cycle;
    ngx_http_x402_seen_t       *seen;
    ngx_http_x402_loc_conf_t   *xlcf;
    ngx_http_x402_main_conf_t  *before;

    cycle = cf->cycle->old_cycle;

    if (cycle == NULL || ngx_is_init_cycle(cycle)
        || ngx_http_x402_module.index >= cycle->modules_n
        || cycle->conf_ctx[ngx_http_module.index] == NULL)
    {
        return NGX_OK;
    }

    before = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_x402_module);
    if (before == NULL) {
        return NGX_OK;
    }

    seen = xmcf->seen.elts;

    for (i = 0; i < xmcf->seen.nelts; i++) {

        xlcf = seen[i].loc_conf[ngx_http_x402_module.ctx_index];

        if (xlcf->enable == NGX_HTTP_X402_ON
            && ngx_http_x402_grace_location(cf, xlcf, before) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_x402_grace_location(ngx_conf_t *cf, ngx_http_x402_loc_conf_t *xlcf,
    ngx_http_x402_main_conf_t *before)
{
    ngx_uint_t                 i, j;
    ngx_http_x402_old_t       *old;
    ngx_http_x402_seen_t      *seen;
    ngx_http_x402_loc_conf_t  *prev;

    seen = before->seen.elts;

    for (i = 0; i < before->seen.nelts; i++) {

        prev = seen[i].loc_conf[ngx_http_x402_module.ctx_index];

        if (prev->enable != NGX_HTTP_X402_ON
            || !ngx_http_x402_grace_same(xlcf, prev))
        {
            continue;
        }

        for (j = 0; j < prev->fixed.n; j++) {
            if (ngx_http_x402_grace_keep(cf, xlcf, &prev->fixed.accepts[j],
                                         ngx_time() + prev->timeout)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        if (prev->old == NULL) {
            continue;
        }

        old = prev->old->elts;

        for (j = 0; j < prev->old->nelts; j++) {
            if (ngx_http_x402_grace_keep(cf, xlcf, &old[j].accept,
                                         old[j].expires)
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_x402_grace_same(ngx_http_x402_loc_conf_t *a,
    ngx_http_x402_loc_conf_t *b)
{
    return ngx_http_x402_grace_equal(&a->clcf->name, &b->clcf->name)
           && !a->clcf->noname
           && !b->clcf->noname
#if (NGX_PCRE)
           && !a->clcf->regex == !b->clcf->regex
#endif
           && a->clcf->exact_match == b->clcf->exact_match
           && ngx_http_x402_grace_equal(&a->cscf->server_name,
                                        &b->cscf->server_name)
           && ngx_http_x402_grace_equal(&a->base_url, &b->base_url);
}


static ngx_uint_t
ngx_http_x402_grace_equal(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len && ngx_memcmp(a->data, b->data, a->len) == 0;
}


static ngx_int_t
ngx_http_x402_grace_keep(ngx_conf_t *cf, ngx_http_x402_loc_conf_t *xlcf,
    struct x402_requirement *accept, time_t expires)
{
    ngx_uint_t                i;
    ngx_http_x402_old_t      *old;
    struct x402_requirement  *now;

    if (expires < ngx_time()) {
        return NGX_OK;
    }

    for (i = 0; i < xlcf->fixed.n; i++) {

        now = &xlcf->fixed.accepts[i];

        if (now->asset == accept->asset
            && now->timeout_s == accept->timeout_s
            && now->method == accept->method
            && x402_address_eq(&now->facilitator, &accept->facilitator)
            && x402_address_eq(&now->pay_to, &accept->pay_to)
            && x402_amount_cmp(&now->amount, &accept->amount) == 0)
        {
            return NGX_OK;
        }
    }

    if (xlcf->old == NULL) {
        xlcf->old = ngx_array_create(cf->pool, 4, sizeof(ngx_http_x402_old_t));
        if (xlcf->old == NULL) {
            return NGX_ERROR;
        }
    }

    if (xlcf->old->nelts == NGX_HTTP_X402_GRACE_MAX) {
        return NGX_OK;
    }

    old = ngx_array_push(xlcf->old);
    if (old == NULL) {
        return NGX_ERROR;
    }

    old->accept = *accept;
    old->expires = expires;

    return NGX_OK;
}
