/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of a facilitator that cost only time: shape, the requirement
 * against our tables and our payees, the payment against the requirement, the
 * signature. */
#include "payment.h"

#include <uv.h>

#include <x402/erc6492.h>

#include "../metrics.h"

/* The seller chose maxTimeoutSeconds, not we; this keeps times in bounds. */
#define DAY_S 86400
#define LONGEST_S (10ULL * 365 * 24 * 3600)

static const uint8_t *
domain_of(const struct http *http, const struct x402_requirement *requirement)
{
    for (size_t i = 0; i < http->domain_len; i++) {
        const struct http_domain *domain = &http->domain[i];

        if (domain->asset == requirement->asset)
            return requirement->method == X402_METHOD_EIP3009 ? domain->token
                                                              : domain->permit2;
    }
    return NULL;
}

/** Do we settle this at all? */
static enum x402_err
check_requirement(const struct http_request *request,
                  const struct x402_requirement *requirement)
{
    const struct config *config = request->config;
    uint64_t chain_id = requirement->asset->chain_id;

    if (config_network(config, chain_id) == NULL)
        return X402_ERR_NETWORK;
    if (requirement->method == X402_METHOD_EIP3009 &&
        requirement->asset->transfer != X402_TRANSFER_EIP3009)
        return X402_ERR_ASSET;
    if (request->key != NULL) /* its own list: http_access_check */
        return X402_OK;
    if (!config->facilitate_any_payee &&
        !config_is_payee(config, chain_id, &requirement->pay_to))
        return X402_ERR_PAYEE;
    return X402_OK;
}

/* A contract's signature: the simulation executes it, where that is allowed. */
static enum x402_err
check_wallet(const struct config *config,
             const struct x402_facilitator_request *in)
{
    const struct x402_payment *payment = &in->payment;
    const struct config_network *network =
        config_network(config, in->requirement.asset->chain_id);
    struct x402_erc6492 wrapper;

    if (config->facilitate_smart_wallets)
        return X402_OK;
    if (x402_erc6492_decode(&wrapper, payment->signature,
                            payment->signature_len) != X402_OK ||
        config_is_factory(network, &wrapper.factory))
        return X402_ERR_SIGNATURE;
    return X402_ERR_FACTORY;
}

/* upto, at /settle: "Verify the signature against permitted.amount ... NOT
 * paymentRequirements.amount", which is what shall be taken of it. */
static enum x402_err
match(const struct x402_facilitator_request *in, bool settle,
      const struct x402_clock *clock)
{
    struct x402_requirement wanted = in->requirement;
    size_t which;

    if (settle && wanted.method == X402_METHOD_PERMIT2_UPTO) {
        if (x402_amount_cmp(&wanted.amount, &in->payment.auth.value) > 0)
            return X402_ERR_EXCEEDS;
        wanted.amount = in->payment.auth.value;
    }
    return x402_payment_match(&which, &in->payment, &wanted, 1, clock);
}

/** The dear check, and what came along with the payment, where that is still to
 * be used. */
static enum x402_err
check_signed(struct http_request *request, const struct x402_clock *clock,
             bool over)
{
    const struct x402_facilitator_request *in = &request->payment;
    const uint8_t *domain = domain_of(request->http, &in->requirement);
    enum x402_err err;

    if (domain == NULL)
        return X402_ERR_ASSET;
    metrics_add(METRIC_RECOVERIES, 1);
    err = x402_payment_verify(&in->payment, domain);
    request->recovered = err == X402_OK;
    if (err == X402_ERR_SIGNATURE)
        err = check_wallet(request->config, in);
    if (err == X402_OK && !over)
        err = x402_payment_sponsor_check(&in->payment, clock);
    return err;
}

static enum x402_err
check(struct http_request *request, bool settle)
{
    struct x402_facilitator_request *in = &request->payment;
    const struct x402_clock clock = {core_now_ms() / 1000, CASHIER_MARGIN_S,
                                     LONGEST_S};
    enum x402_err err;
    bool over;

    err = x402_facilitator_request_decode(
        in, (struct x402_span){request->body, request->body_len});
    if (err != X402_OK)
        return err;
    err = check_requirement(request, &in->requirement);
    if (err == X402_OK) {
        err = http_access_check(request, &in->requirement);
        request->forbidden = err != X402_OK;
    }
    if (err == X402_OK)
        err = match(in, settle, &clock);
    /* who asks /settle again when its time is over gets the answer of before:
     * the cashier knows whether there was one */
    over = settle && err == X402_ERR_EXPIRED;
    if (err == X402_OK || over)
        err = check_signed(request, &clock, over);
    return err;
}

enum x402_err
http_payment_check(struct http_request *request, bool settle)
{
    uint64_t begin_ns = uv_hrtime();
    enum x402_err err = check(request, settle);

    metrics_add(METRIC_CHECK_MICROS, (uv_hrtime() - begin_ns) / 1000);
    return err;
}

unsigned
http_payment_status(enum x402_err err)
{
    switch (x402_err_info(err)->http_status) {
    case MHD_HTTP_BAD_REQUEST:
        return MHD_HTTP_BAD_REQUEST;
    case MHD_HTTP_TOO_MANY_REQUESTS: /* the key's, not the payer's */
        return err == X402_ERR_KEY_GAS ? MHD_HTTP_TOO_MANY_REQUESTS
                                       : MHD_HTTP_OK;
    case MHD_HTTP_SERVICE_UNAVAILABLE:
        /* An outcome that is still open is an answer of the protocol.  But a
         * payment of which nothing is known is not an invalid one: a server
         * that takes it for one lets its client sign again. */
        return err == X402_ERR_PENDING ? MHD_HTTP_OK
                                       : MHD_HTTP_SERVICE_UNAVAILABLE;
    }
    return MHD_HTTP_OK;
}

void
http_payment_answer_status(struct http_request *request, enum x402_err err)
{
    request->status =
        request->forbidden ? MHD_HTTP_FORBIDDEN : http_payment_status(err);
    if (request->status == MHD_HTTP_SERVICE_UNAVAILABLE)
        request->retry_after_s = 1;
    if (request->status == MHD_HTTP_TOO_MANY_REQUESTS) /* tomorrow, UTC */
        request->retry_after_s =
            (unsigned)(DAY_S - core_now_ms() / 1000 % DAY_S);
}

const struct x402_address *
http_payment_payer(const struct http_request *request, enum x402_err err)
{
    const struct x402_address *payer = &request->payment.payment.auth.from;

    if (http_payment_status(err) != MHD_HTTP_OK || x402_address_is_zero(payer))
        return NULL;
    return payer;
}
