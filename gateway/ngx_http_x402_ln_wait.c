/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Ask again then": what the daemon said when it had no invoice to give.
 * While it holds, a 402 goes without one and costs no question.  When it has
 * just ended there is one invoice, not one for everybody who asks at that
 * moment: a single question goes out, and the wait begins anew.
 */

#include "ngx_http_x402_till.h"


static ngx_http_x402_ln_wait_t *ngx_http_x402_ln_place(
    ngx_http_x402_till_t *till, u_char *peer);
static ngx_uint_t ngx_http_x402_ln_before(ngx_msec_t until);
static ngx_uint_t ngx_http_x402_ln_still(ngx_http_x402_ln_wait_t *wait);


static ngx_http_x402_ln_wait_t *
ngx_http_x402_ln_place(ngx_http_x402_till_t *till, u_char *peer)
{
    return &till->waits[ngx_crc32_short(peer, 16) % NGX_HTTP_X402_LN_WAITS];
}


static ngx_uint_t
ngx_http_x402_ln_before(ngx_msec_t until)
{
    return (ngx_msec_int_t) (until - ngx_current_msec) > 0;
}


static ngx_uint_t
ngx_http_x402_ln_still(ngx_http_x402_ln_wait_t *wait)
{
    if (ngx_http_x402_ln_before(wait->until)) {
        return 1;
    }

    if (ngx_http_x402_ln_before(wait->until + wait->step)) {
        wait->until = ngx_current_msec + wait->step;
        wait->asked = 1;
    }

    return 0;
}


ngx_uint_t
ngx_http_x402_ln_waits(ngx_http_request_t *r, ngx_http_x402_loc_conf_t *xlcf)
{
    u_char                    peer[16];
    ngx_http_x402_till_t     *till;
    ngx_http_x402_ln_wait_t  *wait;

    till = xlcf->till;

    if (till->connection == NULL
        || ngx_http_x402_ln_before(till->waits_all.until)
        || (xlcf->ln.price.value == 0
            && ngx_http_x402_ln_before(till->waits_tokens)))
    {
        return 1;
    }

    ngx_http_x402_ln_peer(r, peer);
    wait = ngx_http_x402_ln_place(till, peer);

    if (ngx_memcmp(wait->peer, peer, 16) == 0
        && ngx_http_x402_ln_still(wait))
    {
        return 1;
    }

    return ngx_http_x402_ln_still(&till->waits_all);
}


void
ngx_http_x402_ln_wait(ngx_http_request_t *r, ngx_http_x402_till_t *till,
    const struct x402_till_issued *issued)
{
    u_char                    peer[16];
    ngx_http_x402_ln_wait_t  *wait;

    if (issued->err == X402_OK) {

        /* there is room for everybody again; not so before the question */

        if (till->waits_all.asked) {
            till->waits_all.asked = 0;
            till->waits_all.step = 0;
            till->waits_all.until = ngx_current_msec;
        }

        return;
    }

    switch (issued->scope) {

    case X402_TILL_SCOPE_ALL:
        till->waits_all.asked = 0;
        till->waits_all.step = issued->wait_ms;
        till->waits_all.until = ngx_current_msec + issued->wait_ms;
        break;

    case X402_TILL_SCOPE_TOKENS:
        till->waits_tokens = ngx_current_msec + issued->wait_ms;
        break;

    case X402_TILL_SCOPE_PEER:
        ngx_http_x402_ln_peer(r, peer);
        wait = ngx_http_x402_ln_place(till, peer);

        ngx_memcpy(wait->peer, peer, 16);
        wait->step = issued->wait_ms;
        wait->until = ngx_current_msec + issued->wait_ms;
        break;
    }
}
