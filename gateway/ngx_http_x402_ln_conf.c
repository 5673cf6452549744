/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Lightning rail's directives, and what "nginx -t" refuses of them.
 */

#include "ngx_http_x402.h"


#define NGX_HTTP_X402_LN_ALL                                                  \
    (X402_TILL_LNBTC|X402_TILL_L402|X402_TILL_MPP)


static int ngx_libc_cdecl ngx_http_x402_ln_compare(const void *one,
    const void *two);
static ngx_uint_t ngx_http_x402_ln_auth_basic(ngx_conf_t *cf,
    void **loc_conf);


/* the part of ngx_http_auth_basic_module's configuration that we look at */

typedef struct {
    ngx_http_complex_value_t  *realm;
} ngx_http_x402_auth_basic_t;


/* "21 sat", "1500 millisat" */

char *
ngx_http_x402_ln_set_price(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_x402_loc_conf_t  *xlcf = conf;

    u_char              text[64], *p;
    ngx_str_t          *value, unit;
    struct x402_span    span;

    if (xlcf->ln.price.value) {
        return "is duplicate";
    }

    value = cf->args->elts;
    unit = value[2];

    if (unit.len == 8 && ngx_strncmp(unit.data, "millisat", 8) == 0) {
        ngx_str_set(&unit, "msat");
    }

    p = ngx_slprintf(text, text + sizeof(text), "%V %V", &value[1], &unit);

    span.at = (const char *) text;
    span.len = p - text;

    if (x402_msat_parse_price(&xlcf->ln.price, span) != X402_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V %V\" is not a price in sat or millisat",
                           &value[1], &value[2]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* names of request headers, ascending */

char *
ngx_http_x402_ln_set_bind(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_x402_loc_conf_t  *xlcf = conf;

    ngx_str_t   *value, *name;
    ngx_uint_t   i;

    if (xlcf->ln.bind != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    if (cf->args->nelts - 1 > X402_LNBTC_HEADERS_MAX) {
        return "has too many names";
    }

    xlcf->ln.bind = ngx_array_create(cf->pool, 4, sizeof(ngx_str_t));
    if (xlcf->ln.bind == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        name = ngx_array_push(xlcf->ln.bind);
        if (name == NULL) {
            return NGX_CONF_ERROR;
        }

        *name = value[i];
        ngx_strlow(name->data, name->data, name->len);

        if (x402_lnbtc_check_name(ngx_http_x402_span(name)) != X402_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" is not a header that can be bound",
                               name);
            return NGX_CONF_ERROR;
        }
    }

    name = xlcf->ln.bind->elts;

    ngx_qsort(name, xlcf->ln.bind->nelts, sizeof(ngx_str_t),
              ngx_http_x402_ln_compare);

    for (i = 1; i < xlcf->ln.bind->nelts; i++) {
        if (ngx_http_x402_ln_compare(&name[i - 1], &name[i]) == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" is named twice", &name[i]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static int ngx_libc_cdecl
ngx_http_x402_ln_compare(const void *one, const void *two)
{
    ngx_str_t  *first = (ngx_str_t *) one;
    ngx_str_t  *second = (ngx_str_t *) two;

    return (int) ngx_memn2cmp(first->data, second->data, first->len,
                              second->len);
}


char *
ngx_http_x402_ln_merge(ngx_conf_t *cf, ngx_http_x402_ln_conf_t *prev,
    ngx_http_x402_ln_conf_t *conf)
{
    ngx_conf_merge_value(conf->enable, prev->enable, 0);
    ngx_conf_merge_uint_value(conf->offer, prev->offer,
                              NGX_HTTP_X402_LN_ALWAYS);
    ngx_conf_merge_size_value(conf->body, prev->body, 65536);
    ngx_conf_merge_ptr_value(conf->bind, prev->bind, NULL);
    ngx_conf_merge_bitmask_value(conf->dialects, prev->dialects,
                            (NGX_CONF_BITMASK_SET|NGX_HTTP_X402_LN_ALL));

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_x402_ln_check(ngx_conf_t *cf, ngx_http_x402_seen_t *seen)
{
    u_char                    *p;
    ngx_str_t                 *base;
    ngx_http_x402_loc_conf_t  *xlcf;

    xlcf = seen->loc_conf[ngx_http_x402_module.ctx_index];

    if (!xlcf->ln.enable) {
        return NGX_OK;
    }

    if ((xlcf->ln.dialects & X402_TILL_HELD)
        && (xlcf->ln.dialects & NGX_HTTP_X402_LN_ALL))
    {
        return ngx_http_x402_check_no(cf, xlcf, "has the dialect hold beside "
                                      "others, whose proof is a preimage that "
                                      "the payer of a held invoice does not "
                                      "have");
    }

    if ((xlcf->ln.dialects & (X402_TILL_L402|X402_TILL_MPP))
        && ngx_http_x402_ln_auth_basic(cf, seen->loc_conf))
    {
        return ngx_http_x402_check_no(cf, xlcf, "has \"auth_basic\" beside "
                                      "the dialects l402 and mpp, which need "
                                      "the Authorization header; write "
                                      "\"x402_lightning_dialects lnbtc\"");
    }

    if (xlcf->ln.price.value == 0
        && ngx_strlcasestrn(xlcf->currency.data,
                            xlcf->currency.data + xlcf->currency.len,
                            (u_char *) "usd", 3 - 1)
           == NULL)
    {
        return ngx_http_x402_check_no(cf, xlcf, "has no x402_lightning_price, "
                                      "and a price that is not in dollars");
    }

    base = &xlcf->base_url;

    if (x402_lnbtc_check_url(ngx_http_x402_span(base)) != X402_OK) {
        return ngx_http_x402_check_no(cf, xlcf, "has an x402_base_url that "
                                      "Lightning's binding does not allow");
    }

    p = ngx_strlchr(base->data, base->data + base->len, '/') + 2;

    xlcf->ln.realm.data = p;
    xlcf->ln.realm.len = base->data + base->len - p;

    if (xlcf->ln.realm.len >= X402_TILL_REALM_MAX) {
        return ngx_http_x402_check_no(cf, xlcf, "has too long a host");
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_x402_ln_auth_basic(ngx_conf_t *cf, void **loc_conf)
{
    ngx_uint_t                   i;
    ngx_module_t               **modules;
    ngx_http_x402_auth_basic_t  *alcf;

    modules = cf->cycle->modules;

    for (i = 0; modules[i]; i++) {

        if (ngx_strcmp(modules[i]->name, "ngx_http_auth_basic_module") != 0) {
            continue;
        }

        alcf = loc_conf[modules[i]->ctx_index];

        return alcf->realm && alcf->realm != NGX_CONF_UNSET_PTR
               && !(alcf->realm->lengths == NULL
                    && alcf->realm->value.len == 3
                    && ngx_strncmp(alcf->realm->value.data, "off", 3) == 0);
    }

    return 0;
}
