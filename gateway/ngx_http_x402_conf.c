/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directives that need more than a slot, and how levels inherit.  Whether
 * the whole is safe to run is decided in check, when all of it is known.
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

    return xscf;
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
     *     conf->price, pay_to, till = NULL;
     *     everything that is made by ngx_http_x402_check()
     */

    conf->enable = NGX_CONF_UNSET_UINT;
    conf->settle = NGX_CONF_UNSET_UINT;
    conf->body = NGX_CONF_UNSET_UINT;
    conf->smart_wallets = NGX_CONF_UNSET;
    conf->upgrade = NGX_CONF_UNSET;
    conf->timeout = NGX_CONF_UNSET;
    conf->settle_margin = NGX_CONF_UNSET;
    conf->charge_status = NGX_CONF_UNSET_PTR;

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
    ngx_conf_merge_value(conf->smart_wallets, prev->smart_wallets, 0);
    ngx_conf_merge_value(conf->upgrade, prev->upgrade, 0);
    ngx_conf_merge_sec_value(conf->timeout, prev->timeout, 60);
    ngx_conf_merge_sec_value(conf->settle_margin, prev->settle_margin, 20);
    ngx_conf_merge_ptr_value(conf->charge_status, prev->charge_status, NULL);
    ngx_conf_merge_str_value(conf->facilitator_url, prev->facilitator_url, "");
    ngx_conf_merge_str_value(conf->description, prev->description, "");
    ngx_conf_merge_str_value(conf->mime_type, prev->mime_type, "");
    ngx_conf_merge_str_value(conf->base_url, prev->base_url, "");

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


char *
ngx_http_x402_set_price(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_x402_loc_conf_t  *xlcf = conf;

    ngx_str_t                         *value;
    ngx_http_compile_complex_value_t   ccv;

    if (xlcf->price) {
        return "is duplicate";
    }

    value = cf->args->elts;

    xlcf->price = ngx_palloc(cf->pool, sizeof(ngx_http_complex_value_t));
    if (xlcf->price == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &value[1];
    ccv.complex_value = xlcf->price;

    if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    xlcf->currency = value[2];

    return NGX_CONF_OK;
}


char *
ngx_http_x402_set_pay_to(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_x402_loc_conf_t  *xlcf = conf;

    ngx_str_t                    *value;
    ngx_uint_t                    i;
    ngx_http_x402_pay_to_t       *pay_to, *other;
    const struct x402_network    *network;

    value = cf->args->elts;

    network = x402_network_by_any(ngx_http_x402_span(&value[1]));
    if (network == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown network \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (xlcf->pay_to == NULL) {
        xlcf->pay_to = ngx_array_create(cf->pool, 2,
                                        sizeof(ngx_http_x402_pay_to_t));
        if (xlcf->pay_to == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    other = xlcf->pay_to->elts;

    for (i = 0; i < xlcf->pay_to->nelts; i++) {
        if (other[i].network == network) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate network \"%V\"", &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    if (xlcf->pay_to->nelts == X402_ACCEPTS_MAX) {
        return "has too many networks";
    }

    pay_to = ngx_array_push(xlcf->pay_to);
    if (pay_to == NULL) {
        return NGX_CONF_ERROR;
    }

    pay_to->network = network;

    if (x402_address_parse_checked(&pay_to->address,
                                   ngx_http_x402_span(&value[2]))
        != X402_OK
        || x402_address_is_zero(&pay_to->address))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not an address with a right checksum",
                           &value[2]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_x402_set_daemon(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_x402_loc_conf_t  *xlcf = conf;

    ngx_str_t  *value;

    if (xlcf->till) {
        return "is duplicate";
    }

    value = cf->args->elts;

    xlcf->till = ngx_http_x402_till_add(cf, &value[1]);
    if (xlcf->till == NULL) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/*
 * An origin: scheme, host and port.  What a client is told to pay for, and
 * what a payment is bound to, never comes from the Host header.
 */

char *
ngx_http_x402_set_base_url(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_x402_loc_conf_t  *xlcf = conf;

    u_char     *p, *last;
    ngx_str_t  *value;

    if (xlcf->base_url.len) {
        return "is duplicate";
    }

    value = cf->args->elts;
    p = value[1].data;
    last = p + value[1].len;

    if (ngx_strncmp(p, "https://", 8) == 0) {
        p += 8;

    } else if (ngx_strncmp(p, "http://", 7) == 0) {
        p += 7;

    } else {
        return "must begin with \"http://\" or \"https://\"";
    }

    if (last > p && last[-1] == '/') {
        last--;
    }

    xlcf->base_url.data = value[1].data;
    xlcf->base_url.len = last - value[1].data;

    if (p == last || xlcf->base_url.len > X402_URL_MAX / 2) {
        return "has no host, or is too long";
    }

    for ( /* void */ ; p < last; p++) {
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z')
              || (*p >= '0' && *p <= '9') || *p == '.' || *p == '-'
              || *p == ':' || *p == '[' || *p == ']' || *p == '_'))
        {
            return "must be scheme, host and port only";
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_x402_set_charge_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_x402_loc_conf_t  *xlcf = conf;

    ngx_int_t    status;
    ngx_str_t   *value;
    ngx_uint_t   i, *s;

    if (xlcf->charge_status != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    xlcf->charge_status = ngx_array_create(cf->pool, 2, sizeof(ngx_uint_t));
    if (xlcf->charge_status == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        status = ngx_atoi(value[i].data, value[i].len);

        if (status < 400 || status > 599 || status == 402) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" is not a status from 400 to 599 "
                               "other than 402", &value[i]);
            return NGX_CONF_ERROR;
        }

        s = ngx_array_push(xlcf->charge_status);
        if (s == NULL) {
            return NGX_CONF_ERROR;
        }

        *s = status;
    }

    return NGX_CONF_OK;
}
