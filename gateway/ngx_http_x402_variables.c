/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variables for logs and for headers to the upstream.
 *
 *   $x402_status      unpaid, refused, pending, reserved, paid, redeemed,
 *                     released, observed, observed_unpaid, observed_refused;
 *                     empty where nothing is priced
 *   $x402_payer       address, EIP-55
 *   $x402_amount      atomic units
 *   $x402_asset       token address, EIP-55
 *   $x402_network     CAIP-2
 *   $x402_payment_id  network, asset, payer and nonce
 *   $x402_reason      the X-Payment-Error of a refusal
 *
 * payer and payment_id are empty unless the payment's signature was checked.
 */

#include "ngx_http_x402.h"


static ngx_int_t ngx_http_x402_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_x402_variable_ln(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data, ngx_http_x402_ln_t *ln);
static ngx_int_t ngx_http_x402_variable_set(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, const char *text, size_t len);


enum {
    ngx_http_x402_var_status = 0,
    ngx_http_x402_var_payer,
    ngx_http_x402_var_amount,
    ngx_http_x402_var_asset,
    ngx_http_x402_var_network,
    ngx_http_x402_var_payment_id,
    ngx_http_x402_var_reason
};


static ngx_http_variable_t  ngx_http_x402_variables[] = {

    { ngx_string("x402_status"), NULL, ngx_http_x402_variable,
      ngx_http_x402_var_status, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_payer"), NULL, ngx_http_x402_variable,
      ngx_http_x402_var_payer, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_amount"), NULL, ngx_http_x402_variable,
      ngx_http_x402_var_amount, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_asset"), NULL, ngx_http_x402_variable,
      ngx_http_x402_var_asset, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_network"), NULL, ngx_http_x402_variable,
      ngx_http_x402_var_network, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_payment_id"), NULL, ngx_http_x402_variable,
      ngx_http_x402_var_payment_id, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("x402_reason"), NULL, ngx_http_x402_variable,
      ngx_http_x402_var_reason, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_x402_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_x402_variables; v->name.len; v++) {

        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_x402_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    char                             text[X402_PAYMENT_ID_MAX];
    const char                      *p;
    ngx_http_x402_ctx_t             *ctx;
    const struct x402_asset         *asset;
    ngx_http_x402_loc_conf_t        *xlcf;
    const struct x402_network       *network;

    ctx = ngx_http_x402_get_ctx(r);
    xlcf = ngx_http_get_module_loc_conf(r, ngx_http_x402_module);

    p = "";

    if (ctx == NULL || ctx->status == NULL) {

        if (data == ngx_http_x402_var_status && r->main == r
            && xlcf->enable == NGX_HTTP_X402_ON
            && r->headers_out.status == 402)
        {
            p = "unpaid";
        }

        return ngx_http_x402_variable_set(r, v, p, ngx_strlen(p));
    }

    if (ctx->ln && data != ngx_http_x402_var_status
        && data != ngx_http_x402_var_reason)
    {
        return ngx_http_x402_variable_ln(r, v, data, ctx->ln);
    }

    asset = ctx->accept.asset;

    switch (data) {

    case ngx_http_x402_var_status:
        p = ctx->status;
        break;

    case ngx_http_x402_var_reason:

        if (ctx->err != X402_OK) {
            p = x402_err_info(ctx->err)->token;
        }

        break;

    case ngx_http_x402_var_payer:

        if (ctx->verified) {
            x402_address_format(text, &ctx->payment->auth.from);
            p = text;
        }

        break;

    case ngx_http_x402_var_payment_id:

        if (ctx->verified) {
            x402_payment_id(text, asset->chain_id,
                            x402_method_contract(ctx->payment->method,
                                                 &asset->address),
                            &ctx->payment->auth);
            p = text;
        }

        break;

    case ngx_http_x402_var_amount:

        if (asset && !ngx_http_x402_override_unknown(ctx)) {
            (void) x402_amount_format(text, ctx->has_charge
                                            ? &ctx->charge
                                            : &ctx->accept.amount);
            p = text;
        }

        break;

    case ngx_http_x402_var_asset:

        if (asset) {
            p = asset->address_text;
        }

        break;

    default: /* ngx_http_x402_var_network */

        if (asset) {
            network = x402_network_by_id(asset->chain_id);
            p = network ? network->caip2 : "";
        }

        break;
    }

    return ngx_http_x402_variable_set(r, v, p, ngx_strlen(p));
}


/* known once the daemon has said so; nobody knows who paid */

static ngx_int_t
ngx_http_x402_variable_ln(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data, ngx_http_x402_ln_t *ln)
{
    char         text[X402_LNBTC_ID_MAX];
    const char  *p;

    p = "";

    if (ln->network == 0) {
        return ngx_http_x402_variable_set(r, v, p, 0);
    }

    switch (data) {

    case ngx_http_x402_var_payment_id:
        x402_lnbtc_id(text, ln->network, ln->proof->payment_hash);
        p = text;
        break;

    case ngx_http_x402_var_amount:
        (void) x402_msat_format(text, ln->amount);
        p = text;
        break;

    case ngx_http_x402_var_asset:
        p = "BTC";
        break;

    case ngx_http_x402_var_network:
        p = x402_ln_caip2(ln->network);
        break;
    }

    return ngx_http_x402_variable_set(r, v, p, ngx_strlen(p));
}


static ngx_int_t
ngx_http_x402_variable_set(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    const char *text, size_t len)
{
    if (len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
    v->len = len;

    v->data = ngx_pnalloc(r->pool, len);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(v->data, text, len);

    return NGX_OK;
}
