/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directives that need more than a slot.
 */

#include "ngx_http_x402.h"


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


/*
 * "upto ADDRESS": with upto a payer names the account that settles.  The offer
 * is made without asking the daemon, so it is told here; the daemon refuses an
 * address that is none of its signers.
 */

char *
ngx_http_x402_set_scheme(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_x402_loc_conf_t  *xlcf = conf;

    ngx_str_t  *value;

    if (xlcf->upto != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "exact") == 0 && cf->args->nelts == 2) {
        xlcf->upto = 0;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "upto") != 0 || cf->args->nelts != 3) {
        return "must be \"exact\", or \"upto\" and the address of x402d's "
               "signer";
    }

    if (x402_address_parse_checked(&xlcf->facilitator,
                                   ngx_http_x402_span(&value[2]))
        != X402_OK
        || x402_address_is_zero(&xlcf->facilitator))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not an address with a right checksum",
                           &value[2]);
        return NGX_CONF_ERROR;
    }

    xlcf->upto = 1;

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
