/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration structures, and how levels inherit.  Whether the whole is safe
 * to run is decided in check, when all of it is known.
 */

#include "ngx_http_x402.h"


static ngx_int_t ngx_http_x402_seen(ngx_conf_t *cf,
    ngx_http_x402_loc_conf_t *conf);


void *
ngx_http_x402_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_x402_main_conf_t  *xmcf;

    xmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_x402_main_conf_t));
    if (xmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&xmcf->tills, cf->pool, 2,
                       sizeof(ngx_http_x402_till_t *))
        != NGX_OK)
    {
        return NULL;
    }

    if (ngx_array_init(&xmcf->seen, cf->pool, 16,
                       sizeof(ngx_http_x402_seen_t))
        != NGX_OK)
    {
        return NULL;
    }

    return xmcf;
}


void *
ngx_http_x402_create_srv_conf(ngx_conf_t *cf)
{
    ngx_http_x402_srv_conf_t  *xscf;

    xscf = ngx_pcalloc(cf->pool, sizeof(ngx_http_x402_srv_conf_t));
    if (xscf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&xscf->locations, cf->pool, 8,
                       sizeof(ngx_http_x402_location_t))
        != NGX_OK)
    {
        return NULL;
    }

    xscf->discovery = NGX_CONF_UNSET;

    return xscf;
}


char *
ngx_http_x402_merge_srv_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_x402_srv_conf_t  *prev = parent;
    ngx_http_x402_srv_conf_t  *conf = child;

    ngx_uint_t  i;

    ngx_conf_merge_value(conf->discovery, prev->discovery, 0);

    for (i = 0; i < NGX_HTTP_X402_SERVICE_KEYS; i++) {
        ngx_conf_merge_str_value(conf->service[i], prev->service[i], "");
    }

    return NGX_CONF_OK;
}


void *
ngx_http_x402_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_x402_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_x402_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->facilitator_url, description, mime_type, base_url,
     *     conf->currency, resource = { 0, NULL };
     *     conf->price, pay_to, schema, till = NULL;
     *     everything that is made by ngx_http_x402_check()
     */

    conf->enable = NGX_CONF_UNSET_UINT;
    conf->settle = NGX_CONF_UNSET_UINT;
    conf->body = NGX_CONF_UNSET_UINT;
    conf->transfer = NGX_CONF_UNSET_UINT;
    conf->upto = NGX_CONF_UNSET;
    conf->smart_wallets = NGX_CONF_UNSET;
    conf->upgrade = NGX_CONF_UNSET;
    conf->paywall = NGX_CONF_UNSET;
    conf->mcp = NGX_CONF_UNSET;
    conf->timeout = NGX_CONF_UNSET;
    conf->settle_margin = NGX_CONF_UNSET;
    conf->charge_status = NGX_CONF_UNSET_PTR;

    conf->ln.enable = NGX_CONF_UNSET;
    conf->ln.offer = NGX_CONF_UNSET_UINT;
    conf->ln.body = NGX_CONF_UNSET_SIZE;
    conf->ln.bind = NGX_CONF_UNSET_PTR;

    return conf;
}


char *
ngx_http_x402_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_x402_loc_conf_t  *prev = parent;
    ngx_http_x402_loc_conf_t  *conf = child;

    ngx_conf_merge_uint_value(conf->enable, prev->enable, NGX_HTTP_X402_OFF);
    ngx_conf_merge_uint_value(conf->settle, prev->settle,
                              NGX_HTTP_X402_AFTER);
    ngx_conf_merge_uint_value(conf->body, prev->body,
                              NGX_HTTP_X402_BODY_SEED);
    ngx_conf_merge_uint_value(conf->transfer, prev->transfer,
                              NGX_HTTP_X402_BY_ASSET);
    ngx_conf_merge_bitmask_value(conf->sponsoring, prev->sponsoring,
                                 NGX_CONF_BITMASK_SET);
    ngx_conf_merge_value(conf->smart_wallets, prev->smart_wallets, 0);
    ngx_conf_merge_value(conf->upgrade, prev->upgrade, 0);
    ngx_conf_merge_value(conf->paywall, prev->paywall, 0);
    ngx_conf_merge_sec_value(conf->timeout, prev->timeout, 60);
    ngx_conf_merge_sec_value(conf->settle_margin, prev->settle_margin, 20);
    ngx_conf_merge_ptr_value(conf->charge_status, prev->charge_status, NULL);
    ngx_conf_merge_str_value(conf->facilitator_url, prev->facilitator_url, "");
    ngx_conf_merge_str_value(conf->description, prev->description, "");
    ngx_conf_merge_str_value(conf->mime_type, prev->mime_type, "");
    ngx_conf_merge_str_value(conf->base_url, prev->base_url, "");

    /* a price of one's own ends what was asked for in bitcoin, too */

    if (conf->price == NULL && conf->ln.price.value == 0) {
        conf->ln.price = prev->ln.price;
    }

    if (ngx_http_x402_ln_merge(cf, &prev->ln, &conf->ln) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (conf->upto == NGX_CONF_UNSET) {
        conf->upto = (prev->upto == NGX_CONF_UNSET) ? 0 : prev->upto;
        conf->facilitator = prev->facilitator;
    }

    if (conf->price == NULL) {
        conf->price = prev->price;
        conf->currency = prev->currency;
    }

    if (conf->pay_to == NULL) {
        conf->pay_to = prev->pay_to;
    }

    if (conf->till == NULL) {
        conf->till = prev->till;
    }

    if (conf->mcp == NGX_CONF_UNSET) {
        conf->mcp = 0;
    }

    if (ngx_http_x402_seen(cf, conf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/*
 * Checks need the configuration of other modules, merged as well; so each
 * location is only noted here.
 */

static ngx_int_t
ngx_http_x402_seen(ngx_conf_t *cf, ngx_http_x402_loc_conf_t *conf)
{
    ngx_http_conf_ctx_t        *ctx;
    ngx_http_x402_seen_t       *seen;
    ngx_http_x402_main_conf_t  *xmcf;

    ctx = cf->ctx;
    xmcf = ctx->main_conf[ngx_http_x402_module.ctx_index];

    seen = ngx_array_push(&xmcf->seen);
    if (seen == NULL) {
        return NGX_ERROR;
    }

    seen->loc_conf = ctx->loc_conf;
    seen->xscf = ctx->srv_conf[ngx_http_x402_module.ctx_index];
    seen->cscf = ctx->srv_conf[ngx_http_core_module.ctx_index];

    conf->cscf = seen->cscf;
    conf->clcf = ctx->loc_conf[ngx_http_core_module.ctx_index];

    return NGX_OK;
}
