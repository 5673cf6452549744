/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the text of a price to what is asked for on each network.  A price
 * that is empty, invalid or zero is an error, never free.
 */

#include "ngx_http_x402.h"


static enum x402_method ngx_http_x402_price_method(
    ngx_http_x402_loc_conf_t *xlcf, const struct x402_asset *asset);


ngx_int_t
ngx_http_x402_price_set(ngx_pool_t *pool, ngx_http_x402_loc_conf_t *xlcf,
    ngx_str_t *text, ngx_http_x402_price_t *price)
{
    ngx_uint_t                 i;
    ngx_http_x402_pay_to_t    *pay_to;
    const struct x402_asset   *asset;
    struct x402_requirement   *accept;

    pay_to = xlcf->pay_to->elts;

    price->n = 0;

    price->accepts = ngx_palloc(pool, xlcf->pay_to->nelts
                                      * sizeof(struct x402_requirement));
    price->domains = ngx_palloc(pool, xlcf->pay_to->nelts * 32);

    if (price->accepts == NULL || price->domains == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < xlcf->pay_to->nelts; i++) {

        asset = x402_asset_by_symbol(pay_to[i].network->chain_id,
                                     ngx_http_x402_span(&xlcf->currency));
        if (asset == NULL) {
            return NGX_ERROR;
        }

        accept = &price->accepts[i];

        ngx_memzero(accept, sizeof(struct x402_requirement));

        accept->asset = asset;
        accept->pay_to = pay_to[i].address;
        accept->timeout_s = (uint32_t) xlcf->timeout;
        accept->method = ngx_http_x402_price_method(xlcf, asset);
        accept->facilitator = xlcf->facilitator;

        if (x402_amount_parse_decimal(&accept->amount,
                                      ngx_http_x402_span(text),
                                      asset->decimals)
            != X402_OK
            || (x402_amount_is_zero(&accept->amount)
                && !ngx_http_x402_mutant("price_zero")))
        {
            return NGX_ERROR;
        }

        x402_method_domain(price->domains[i], accept->method, asset);
    }

    price->n = xlcf->pay_to->nelts;

    return NGX_OK;
}


/* Permit2 where the seller asks for it, or the token knows nothing else */

static enum x402_method
ngx_http_x402_price_method(ngx_http_x402_loc_conf_t *xlcf,
    const struct x402_asset *asset)
{
    if (xlcf->upto) {
        return X402_METHOD_PERMIT2_UPTO;
    }

    if (xlcf->transfer == NGX_HTTP_X402_BY_PERMIT2
        || asset->transfer == X402_TRANSFER_PERMIT2)
    {
        return X402_METHOD_PERMIT2_EXACT;
    }

    return X402_METHOD_EIP3009;
}


ngx_int_t
ngx_http_x402_price_get(ngx_http_request_t *r, ngx_http_x402_loc_conf_t *xlcf,
    ngx_http_x402_price_t *price)
{
    ngx_str_t  text;

    if (xlcf->fixed.n) {
        *price = xlcf->fixed;
        return NGX_OK;
    }

    if (ngx_http_complex_value(r, xlcf->price, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_x402_price_set(r->pool, xlcf, &text, price) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "x402: \"%V %V\" is not a price above zero",
                      &text, &xlcf->currency);
        return NGX_ERROR;
    }

    return NGX_OK;
}
