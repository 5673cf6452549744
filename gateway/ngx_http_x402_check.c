/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What "nginx -t" refuses: a configuration that would let requests pass
 * unpaid, or that could not be paid.  Runs when all modules are merged.
 */

#include "ngx_http_x402.h"


static ngx_int_t ngx_http_x402_check_location(ngx_conf_t *cf,
    ngx_http_x402_seen_t *seen);
static ngx_int_t ngx_http_x402_check_complete(ngx_conf_t *cf,
    ngx_http_x402_loc_conf_t *xlcf);
static ngx_int_t ngx_http_x402_check_price(ngx_conf_t *cf,
    ngx_http_x402_loc_conf_t *xlcf);
static ngx_int_t ngx_http_x402_check_resource(ngx_conf_t *cf,
    ngx_http_x402_loc_conf_t *xlcf);
static ngx_int_t ngx_http_x402_check_name(ngx_conf_t *cf,
    ngx_http_x402_seen_t *seen);
#if (NGX_PCRE)
static ngx_int_t ngx_http_x402_check_regex(ngx_conf_t *cf,
    ngx_http_core_loc_conf_t *clcf, ngx_http_x402_location_t *location);
#endif


ngx_int_t
ngx_http_x402_check(ngx_conf_t *cf)
{
    ngx_uint_t                  i;
    ngx_http_x402_seen_t       *seen;
    ngx_http_x402_main_conf_t  *xmcf;

    xmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_x402_module);

    seen = xmcf->seen.elts;

    for (i = 0; i < xmcf->seen.nelts; i++) {

        if (ngx_http_x402_check_name(cf, &seen[i]) != NGX_OK
            || ngx_http_x402_mcp_check(cf, &seen[i]) != NGX_OK
            || ngx_http_x402_check_location(cf, &seen[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (seen[i].xscf->priced) {
            xmcf->priced = 1;
        }
    }

    if (ngx_http_x402_mcp_make(cf, xmcf) != NGX_OK
        || ngx_http_x402_discovery(cf, xmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_x402_grace(cf, xmcf);
}


static ngx_int_t
ngx_http_x402_check_location(ngx_conf_t *cf, ngx_http_x402_seen_t *seen)
{
    ngx_http_x402_loc_conf_t  *xlcf;

    xlcf = seen->loc_conf[ngx_http_x402_module.ctx_index];

    if (xlcf->enable == NGX_HTTP_X402_OFF) {
        return NGX_OK;
    }

    if (ngx_http_x402_check_complete(cf, xlcf) != NGX_OK
        || ngx_http_x402_check_price(cf, xlcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (xlcf->enable == NGX_HTTP_X402_OBSERVE) {
        return NGX_OK;
    }

    seen->xscf->priced = 1;

    if (ngx_http_x402_check_bypass(cf, seen) != NGX_OK
        || ngx_http_x402_ln_check(cf, seen) != NGX_OK
        || ngx_http_x402_check_resource(cf, xlcf) != NGX_OK
        || ngx_http_x402_discovery_extensions(cf, seen, xlcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_x402_offer_init(cf, xlcf);
}


static ngx_int_t
ngx_http_x402_check_complete(ngx_conf_t *cf, ngx_http_x402_loc_conf_t *xlcf)
{
    if (xlcf->price == NULL) {
        return ngx_http_x402_check_no(cf, xlcf, "has no x402_price");
    }

    if (xlcf->pay_to == NULL) {
        return ngx_http_x402_check_no(cf, xlcf, "has no x402_pay_to");
    }

    if (xlcf->base_url.len == 0) {
        return ngx_http_x402_check_no(cf, xlcf, "has no x402_base_url");
    }

    if (xlcf->till == NULL && xlcf->enable == NGX_HTTP_X402_ON) {
        return ngx_http_x402_check_no(cf, xlcf, "has no x402_daemon");
    }

    if (xlcf->timeout > 86400) {
        return ngx_http_x402_check_no(cf, xlcf,
                                      "has an x402_timeout above one day");
    }

    if (xlcf->upto && xlcf->settle == NGX_HTTP_X402_BEFORE) {
        return ngx_http_x402_check_no(cf, xlcf, "has x402_scheme upto, whose "
                               "amount is not known before the work is done, "
                               "and x402_settle before");
    }

    if (xlcf->upto && xlcf->upgrade) {
        return ngx_http_x402_check_no(cf, xlcf, "has x402_scheme upto and "
                               "x402_upgrade, which captures before the work");
    }

    /* a client signs for x402_timeout: it must be enough for us */

    if (xlcf->timeout
        <= xlcf->settle_margin + NGX_HTTP_X402_CLOCK_SLACK)
    {
        return ngx_http_x402_check_no(cf, xlcf, "has an x402_timeout that is "
                               "not above x402_settle_margin plus 5 seconds");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_x402_check_price(ngx_conf_t *cf, ngx_http_x402_loc_conf_t *xlcf)
{
    ngx_uint_t                i;
    ngx_http_x402_pay_to_t   *pay_to;
    const struct x402_asset  *asset;

    pay_to = xlcf->pay_to->elts;

    for (i = 0; i < xlcf->pay_to->nelts; i++) {

        asset = x402_asset_by_symbol(pay_to[i].network->chain_id,
                                     ngx_http_x402_span(&xlcf->currency));

        if (asset && asset->transfer == X402_TRANSFER_PERMIT2
            && xlcf->transfer == NGX_HTTP_X402_BY_EIP3009)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "x402: asset \"%V\" on network \"%s\" moves "
                               "by permit2 only",
                               &xlcf->currency, pay_to[i].network->caip2);
            return NGX_ERROR;
        }

        if (asset == NULL) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "x402: unknown asset \"%V\" on network \"%s\"",
                               &xlcf->currency, pay_to[i].network->caip2);
            return NGX_ERROR;
        }
    }

    if (xlcf->price->lengths) {
        return NGX_OK;
    }

    if (ngx_http_x402_price_set(cf->pool, xlcf, &xlcf->price->value,
                                &xlcf->fixed)
        != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "x402: \"%V %V\" is not a price above zero",
                           &xlcf->price->value, &xlcf->currency);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_x402_check_resource(ngx_conf_t *cf, ngx_http_x402_loc_conf_t *xlcf)
{
    u_char                    *p;
    size_t                     len;
    uintptr_t                  escape;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = xlcf->clcf;

    if (clcf->noname || clcf->named || clcf->name.len == 0
#if (NGX_PCRE)
        || clcf->regex
#endif
       )
    {
        return NGX_OK;
    }

    escape = 2 * ngx_escape_uri(NULL, clcf->name.data, clcf->name.len,
                                NGX_ESCAPE_URI);

    len = xlcf->base_url.len + clcf->name.len + escape;

    if (len >= X402_URL_MAX) {
        return ngx_http_x402_check_no(cf, xlcf, "has too long a name");
    }

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    xlcf->resource.len = len;
    xlcf->resource.data = p;

    p = ngx_cpymem(p, xlcf->base_url.data, xlcf->base_url.len);

    (void) ngx_escape_uri(p, clcf->name.data, clcf->name.len, NGX_ESCAPE_URI);

    if (escape == 0) {
        ngx_memcpy(p, clcf->name.data, clcf->name.len);
    }

    return NGX_OK;
}


/* the names that the server's requests are matched against, see path */

static ngx_int_t
ngx_http_x402_check_name(ngx_conf_t *cf, ngx_http_x402_seen_t *seen)
{
    u_char                    *p;
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_x402_location_t  *location;

    clcf = seen->loc_conf[ngx_http_core_module.ctx_index];

    if (clcf->noname || clcf->named || clcf->name.len == 0) {
        return NGX_OK;
    }

    location = ngx_array_push(&seen->xscf->locations);
    if (location == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(location, sizeof(ngx_http_x402_location_t));

    location->loc_conf = seen->loc_conf;

#if (NGX_PCRE)
    if (clcf->regex) {
        return ngx_http_x402_check_regex(cf, clcf, location);
    }
#endif

    p = ngx_pnalloc(cf->pool, clcf->name.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_http_x402_path_loose(p, &clcf->name, 0, &location->name);

    return NGX_OK;
}


#if (NGX_PCRE)

static ngx_int_t
ngx_http_x402_check_regex(ngx_conf_t *cf, ngx_http_core_loc_conf_t *clcf,
    ngx_http_x402_location_t *location)
{
    u_char                errstr[NGX_MAX_CONF_ERRSTR];
    ngx_regex_compile_t   rc;

    ngx_memzero(&rc, sizeof(ngx_regex_compile_t));

    rc.pattern = clcf->name;
    rc.options = NGX_REGEX_CASELESS;
    rc.pool = cf->pool;
    rc.err.len = NGX_MAX_CONF_ERRSTR;
    rc.err.data = errstr;

    if (ngx_regex_compile(&rc) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%V", &rc.err);
        return NGX_ERROR;
    }

    location->regex = rc.regex;

    return NGX_OK;
}

#endif


ngx_int_t
ngx_http_x402_check_no(ngx_conf_t *cf, ngx_http_x402_loc_conf_t *xlcf,
    const char *text)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "x402: priced location \"%V\" in server \"%V\" %s",
                       &xlcf->clcf->name, &xlcf->cscf->server_name, text);

    return NGX_ERROR;
}
