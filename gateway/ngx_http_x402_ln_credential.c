/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A proof of payment: from a header's value to "it paid for this request",
 * with what a worker can check by itself.  Secrets are the daemon's.
 */

#include "ngx_http_x402.h"

#include <openssl/sha.h>


static enum x402_err ngx_http_x402_ln_lnbtc(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx, ngx_http_x402_ln_t *ln);
static enum x402_err ngx_http_x402_ln_l402(ngx_http_x402_ctx_t *ctx,
    ngx_http_x402_ln_t *ln);
static enum x402_err ngx_http_x402_ln_mpp(ngx_http_request_t *r,
    ngx_http_x402_ctx_t *ctx, ngx_http_x402_ln_t *ln);
static enum x402_err ngx_http_x402_ln_terms(ngx_http_x402_ctx_t *ctx,
    struct x402_lnbtc_terms *terms);
static void ngx_http_x402_ln_cleanup(void *data);


/* X402_ERR_NETWORK: it pays by something else */

enum x402_err
ngx_http_x402_ln_credential(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    ngx_http_x402_loc_conf_t *xlcf)
{
    enum x402_err        err;
    ngx_http_x402_ln_t  *ln;

    if (ctx->dialect == 0
        && (ctx->carrier != X402_CARRIER_PAYMENT_SIGNATURE
            || !(xlcf->ln.dialects & (X402_TILL_LNBTC|X402_TILL_HELD))))
    {
        return X402_ERR_NETWORK;
    }

    ln = ngx_http_x402_ln_get(r, ctx);
    if (ln == NULL) {
        return X402_ERR_INTERNAL;
    }

    ln->proof = ngx_pcalloc(r->pool, sizeof(struct x402_till_proof));
    if (ln->proof == NULL) {
        return X402_ERR_INTERNAL;
    }

    ngx_memcpy(ln->proof->realm, xlcf->ln.realm.data, xlcf->ln.realm.len);

    switch (ctx->dialect) {

    case X402_TILL_L402:
        err = ngx_http_x402_ln_l402(ctx, ln);
        break;

    case X402_TILL_MPP:
        err = ngx_http_x402_ln_mpp(r, ctx, ln);
        break;

    default:
        err = ngx_http_x402_ln_lnbtc(r, ctx, ln);
        break;
    }

    if (err == X402_ERR_NETWORK) {
        ctx->ln = NULL;
    }

    return err;
}


static enum x402_err
ngx_http_x402_ln_lnbtc(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    ngx_http_x402_ln_t *ln)
{
    json_t              *owner;
    enum x402_err        err;
    struct x402_bolt11   invoice;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return X402_ERR_INTERNAL;
    }

    err = x402_lnbtc_payment_decode(&owner, &ln->payment,
                                    ngx_http_x402_span(&ctx->credential));
    if (err != X402_OK) {
        return err;
    }

    /* what was decoded borrows from it */

    cln->handler = ngx_http_x402_ln_cleanup;
    cln->data = owner;

    ln->proof->dialect = ln->payment.accepted.held ? X402_TILL_HELD
                                                   : X402_TILL_LNBTC;
    ln->proof->amount = ln->payment.accepted.amount;
    ln->proof->has_preimage = ln->payment.has_preimage;

    if (ln->payment.has_preimage) {
        ngx_memcpy(ln->proof->preimage, ln->payment.preimage, 32);
        ngx_memcpy(ln->proof->payment_hash, ln->payment.payment_hash, 32);
        return X402_OK;
    }

    err = x402_bolt11_decode(&invoice, ln->payment.invoice);

    if (err != X402_OK) {
        return X402_ERR_LN_INVOICE;
    }

    ngx_memcpy(ln->proof->payment_hash, invoice.payment_hash, 32);

    return X402_OK;
}


static enum x402_err
ngx_http_x402_ln_l402(ngx_http_x402_ctx_t *ctx, ngx_http_x402_ln_t *ln)
{
    enum x402_err                err;
    struct x402_l402_credential  credential;

    err = x402_l402_decode(&credential, ngx_http_x402_span(&ctx->credential));

    if (err != X402_OK) {
        return err;
    }

    ln->proof->dialect = X402_TILL_L402;
    ln->proof->has_preimage = 1;
    ngx_memcpy(ln->proof->preimage, credential.preimage, 32);
    ngx_memcpy(ln->proof->token, credential.macaroon, credential.macaroon_len);
    ln->proof->token_len = credential.macaroon_len;

    return SHA256(credential.preimage, 32, ln->proof->payment_hash)
           ? X402_OK : X402_ERR_INTERNAL;
}


static enum x402_err
ngx_http_x402_ln_mpp(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    ngx_http_x402_ln_t *ln)
{
    json_t                      *owner;
    ngx_str_t                    id;
    enum x402_err                err;
    struct x402_mpp_credential   credential;

    if (ctx->credential.len > X402_TILL_TOKEN_MAX) {
        return X402_ERR_TOO_LARGE;
    }

    err = x402_mpp_decode(&owner, &credential,
                          ngx_http_x402_span(&ctx->credential));
    if (err != X402_OK) {
        return err;
    }

    ln->proof->dialect = X402_TILL_MPP;
    ln->proof->has_preimage = 1;
    ngx_memcpy(ln->proof->preimage, credential.preimage, 32);
    ngx_memcpy(ln->proof->payment_hash, credential.payment_hash, 32);
    ngx_memcpy(ln->proof->token, ctx->credential.data, ctx->credential.len);
    ln->proof->token_len = ctx->credential.len;

    id.data = (u_char *) credential.challenge.id.at;
    id.len = credential.challenge.id.len;

    ln->challenge.len = id.len;
    ln->challenge.data = ngx_pstrdup(r->pool, &id);

    json_decref(owner);

    return ln->challenge.data ? X402_OK : X402_ERR_INTERNAL;
}


static void
ngx_http_x402_ln_cleanup(void *data)
{
    json_decref(data);
}


/* the body's digest is known: is it a proof for this request? */

enum x402_err
ngx_http_x402_ln_prove(ngx_http_request_t *r, ngx_http_x402_ctx_t *ctx,
    u_char *body32)
{
    ngx_http_x402_ln_t       *ln;
    struct x402_bolt11        invoice;
    struct x402_lnbtc_clock   clock;
    struct x402_lnbtc_terms   terms;
    enum x402_err             err;

    ln = ctx->ln;

    if (ngx_http_x402_ln_request(r, ctx->conf, ln, body32) != NGX_OK) {

        /* no invoice either: it would be bound to nothing */

        ngx_str_null(&ln->url);

        return X402_ERR_LN_BINDING;
    }

    ngx_memcpy(ln->proof->request_hash, ln->request, 32);

    if (!(ln->proof->dialect & (X402_TILL_LNBTC|X402_TILL_HELD))) {
        return X402_OK;
    }

    err = ngx_http_x402_ln_terms(ctx, &terms);

    if (err != X402_OK) {
        return err;
    }

    clock.now_s = (uint64_t) ngx_time();
    clock.skew_s = X402_LNBTC_SKEW_S;
    clock.grace_s = NGX_HTTP_X402_LN_GRACE;

    return x402_lnbtc_check_payment(&invoice, &ln->payment, &terms, &clock);
}


/*
 * "Price, amount and rate are those stored with the payment hash": what was
 * accepted must agree with the invoice that it names, and the daemon compares
 * with what it issued.  The request and its binding are this location's.
 */

static enum x402_err
ngx_http_x402_ln_terms(ngx_http_x402_ctx_t *ctx, struct x402_lnbtc_terms *terms)
{
    ngx_str_t                 *name;
    ngx_uint_t                 i;
    ngx_http_x402_ln_t        *ln;
    ngx_http_x402_ln_conf_t   *conf;

    ln = ctx->ln;
    conf = &ctx->conf->ln;

    *terms = ln->payment.accepted;
    ngx_memcpy(terms->request_hash, ln->request, 32);
    terms->has_tag = 1;
    terms->held = (conf->dialects & X402_TILL_HELD) ? 1 : 0;
    terms->headers_len = conf->bind ? conf->bind->nelts : 0;
    name = conf->bind ? conf->bind->elts : NULL;

    for (i = 0; i < terms->headers_len; i++) {
        terms->header[i] = ngx_http_x402_span(&name[i]);
    }

    return X402_OK;
}
