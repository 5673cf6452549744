/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request headers that end here.
 *
 * In a priced location (observed ones too) payment headers, inbound copies of
 * any header that we set, and method overrides are taken out of the request
 * before anything can forward them: upstreams, auth servers, mirrors.
 */

#include "ngx_http_x402.h"


static ngx_int_t ngx_http_x402_headers_look(ngx_http_request_t *r);
static ngx_int_t ngx_http_x402_headers_strip(ngx_http_request_t *r,
    ngx_http_x402_loc_conf_t *xlcf);
static ngx_int_t ngx_http_x402_headers_take(ngx_http_request_t *r,
    ngx_table_elt_t *h, enum x402_carrier carrier, ngx_uint_t dialect);
static ngx_uint_t ngx_http_x402_headers_dialect(
    ngx_http_x402_loc_conf_t *xlcf, ngx_table_elt_t *h);
static ngx_uint_t ngx_http_x402_headers_upgrade(ngx_http_request_t *r,
    ngx_http_x402_loc_conf_t *xlcf, ngx_table_elt_t *h);
static ngx_uint_t ngx_http_x402_headers_ours(ngx_table_elt_t *h,
    enum x402_carrier *carrier);


/* in REWRITE: the location is known, nothing was forwarded yet */

ngx_int_t
ngx_http_x402_headers_handler(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    rc = ngx_http_x402_path_guard(r);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_x402_headers_look(r);
}


/* in PREACCESS: an "if" that says "x402 on" is chosen after we looked */

ngx_int_t
ngx_http_x402_headers_again(ngx_http_request_t *r)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    return clcf->noname ? ngx_http_x402_headers_look(r) : NGX_DECLINED;
}


static ngx_int_t
ngx_http_x402_headers_look(ngx_http_request_t *r)
{
    enum x402_carrier          carrier;
    ngx_table_elt_t           *h;
    ngx_http_x402_walk_t       walk;
    ngx_http_x402_loc_conf_t  *xlcf;

    xlcf = ngx_http_get_module_loc_conf(r, ngx_http_x402_module);

    if (xlcf->enable == NGX_HTTP_X402_OFF || r != r->main) {
        return NGX_DECLINED;
    }

    ngx_http_x402_headers_walk(&walk, &r->headers_in.headers);

    while ((h = ngx_http_x402_headers_next(&walk)) != NULL) {

        if (ngx_http_x402_headers_ours(h, &carrier)
            || ngx_http_x402_headers_dialect(xlcf, h)
            || ngx_http_x402_headers_upgrade(r, xlcf, h))
        {
            if (ngx_http_x402_headers_strip(r, xlcf) != NGX_OK) {
                return NGX_HTTP_INTERNAL_SERVER_ERROR;
            }

            break;
        }
    }

    return NGX_DECLINED;
}


/*
 * Elements of the old list stay where they are: r->headers_in.host and its
 * like point to them.
 */

static ngx_int_t
ngx_http_x402_headers_strip(ngx_http_request_t *r,
    ngx_http_x402_loc_conf_t *xlcf)
{
    ngx_list_t             list;
    ngx_uint_t             upgrade, dialect;
    ngx_table_elt_t       *h, *kept;
    enum x402_carrier      carrier;
    ngx_http_x402_walk_t   walk;

    if (ngx_list_init(&list, r->pool, 20, sizeof(ngx_table_elt_t)) != NGX_OK) {
        return NGX_ERROR;
    }

    upgrade = 0;
    ngx_http_x402_headers_walk(&walk, &r->headers_in.headers);

    while ((h = ngx_http_x402_headers_next(&walk)) != NULL) {

        if (ngx_http_x402_headers_upgrade(r, xlcf, h)) {
            upgrade = 1;
            continue;
        }

        carrier = 0;
        dialect = ngx_http_x402_headers_dialect(xlcf, h);

        if (dialect) {

            if (ngx_http_x402_headers_take(r, h, 0, dialect) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (ngx_http_x402_headers_ours(h, &carrier)
            && !ngx_http_x402_mutant("strip_off"))
        {
            if (carrier
                && ngx_http_x402_headers_take(r, h, carrier, 0) != NGX_OK)
            {
                return NGX_ERROR;
            }

            continue;
        }

        kept = ngx_list_push(&list);
        if (kept == NULL) {
            return NGX_ERROR;
        }

        *kept = *h;
    }

    r->headers_in.headers = list;

    /* list.last pointed into the copy on our stack */

    if (list.last == &list.part) {
        r->headers_in.headers.last = &r->headers_in.headers.part;
    }

    if (upgrade) {
        r->headers_in.upgrade = NULL;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_x402_headers_take(ngx_http_request_t *r, ngx_table_elt_t *h,
    enum x402_carrier carrier, ngx_uint_t dialect)
{
    ngx_http_x402_ctx_t  *ctx;

    ctx = ngx_http_x402_get_ctx(r);

    if (ctx == NULL) {
        ctx = ngx_http_x402_add_ctx(r);
        if (ctx == NULL) {
            return NGX_ERROR;
        }
    }

    if (ctx->credentials++ == 0) {
        ctx->credential = h->value;
        ctx->carrier = carrier;
        ctx->dialect = dialect;
    }

    return NGX_OK;
}


/* "Authorization: L402 ..", "LSAT ..", "Payment ..", where it pays here */

static ngx_uint_t
ngx_http_x402_headers_dialect(ngx_http_x402_loc_conf_t *xlcf,
    ngx_table_elt_t *h)
{
    struct x402_span  value;

    if (xlcf->enable != NGX_HTTP_X402_ON
        || !xlcf->ln.enable
        || h->key.len != sizeof("authorization") - 1
        || ngx_strncmp(h->lowcase_key, "authorization",
                       sizeof("authorization") - 1)
           != 0)
    {
        return 0;
    }

    value = ngx_http_x402_span(&h->value);

    if ((xlcf->ln.dialects & X402_TILL_L402) && x402_l402_is(value)) {
        return X402_TILL_L402;
    }

    if ((xlcf->ln.dialects & X402_TILL_MPP) && x402_mpp_is(value)) {
        return X402_TILL_MPP;
    }

    return 0;
}


static ngx_uint_t
ngx_http_x402_headers_upgrade(ngx_http_request_t *r,
    ngx_http_x402_loc_conf_t *xlcf, ngx_table_elt_t *h)
{
    return xlcf->enable == NGX_HTTP_X402_ON
           && !xlcf->upgrade
           && !ngx_http_x402_mutant("upgrade_kept")
           && h->key.len == sizeof("upgrade") - 1
           && ngx_strncmp(h->lowcase_key, "upgrade", sizeof("upgrade") - 1)
              == 0;
}


/*
 * Names are compared with '_' as '-': many upstreams cannot tell them apart.
 * A credential must be spelled right.
 */

static ngx_uint_t
ngx_http_x402_headers_ours(ngx_table_elt_t *h, enum x402_carrier *carrier)
{
    u_char       name[32];
    size_t       len, n;
    ngx_uint_t   i;

    static const struct {
        const char         *name;
        size_t              len;
        ngx_uint_t          prefix;
        enum x402_carrier   carrier;
    } ours[] = {
#define ngx_http_x402_exact(s)   s, sizeof(s) - 1, 0
#define ngx_http_x402_prefix(s)  s, sizeof(s) - 1, 1
        { ngx_http_x402_exact("x-payment"), X402_CARRIER_X_PAYMENT },
        { ngx_http_x402_exact("payment-signature"),
          X402_CARRIER_PAYMENT_SIGNATURE },
        { ngx_http_x402_prefix("x-payment-"), 0 },
        { ngx_http_x402_exact("payment-required"), 0 },
        { ngx_http_x402_exact("payment-response"), 0 },
        { ngx_http_x402_exact("payment-receipt"), 0 },
        { ngx_http_x402_exact("x-pay-to"), 0 },
        { ngx_http_x402_exact("x-payer"), 0 },
        { ngx_http_x402_prefix("x402-"), 0 },
        { ngx_http_x402_prefix("x-x402-"), 0 },
        { ngx_http_x402_exact("x-http-method"), 0 },
        { ngx_http_x402_exact("x-http-method-override"), 0 },
        { ngx_http_x402_exact("x-method-override"), 0 },
        { NULL, 0, 0, 0 }
    };

    *carrier = 0;
    len = h->key.len;

    if (len < 5 || (h->lowcase_key[0] != 'x' && h->lowcase_key[0] != 'p')) {
        return 0;
    }

    n = ngx_min(len, sizeof(name));

    for (i = 0; i < n; i++) {
        name[i] = (h->lowcase_key[i] == '_') ? '-' : h->lowcase_key[i];
    }

    for (i = 0; ours[i].name; i++) {

        if (ours[i].prefix ? len < ours[i].len : len != ours[i].len) {
            continue;
        }

        if (ngx_memcmp(name, ours[i].name, ours[i].len) == 0) {

            if (ngx_memcmp(name, h->lowcase_key, n) == 0) {
                *carrier = ours[i].carrier;
            }

            return 1;
        }
    }

    return 0;
}
