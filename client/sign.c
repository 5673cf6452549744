/* SPDX-License-Identifier: Apache-2.0 */
/* Signing one payment. */
#include <string.h>

#include <x402/eip3009.h>

#include "keystore.h"
#include "mutant.h"
#include "policy.h"
#include "sign.h"

/* "validAfter": ten minutes back, as the other clients do, for servers and
 * chains whose clocks are behind ours. */
enum { BACK_S = 600 };

static enum x402_err
fill_authorization(struct x402_authorization *auth, uint64_t now_s,
                   const struct x402_requirement *requirement,
                   const struct x402_signer *signer)
{
    auth->from = signer->address;
    auth->to = requirement->pay_to;
    auth->value = requirement->amount;
    auth->valid_after_s = now_s > BACK_S ? now_s - BACK_S : 0;
    auth->valid_before_s = now_s + policy_lifetime_s(requirement);
    /* 32 bytes of the kernel's each time: no state that a fork or a restored
     * virtual machine could repeat */
    if (client_mutant("nonce_repeated"))
        memset(auth->nonce, 7, sizeof(auth->nonce));
    else if (keystore_random_bytes(auth->nonce, sizeof(auth->nonce)) !=
             KEYSTORE_OK)
        return X402_ERR_INTERNAL;
    return X402_OK;
}

static void
fill_payment(struct x402_payment *payment, const struct x402_choice *choice,
             const struct x402_authorization *auth)
{
    const struct x402_asset *asset = choice->requirement.asset;
    size_t len = strlen(asset->symbol);

    memset(payment, 0, sizeof(*payment));
    payment->wire = choice->wire;
    payment->chain_id = asset->chain_id;
    payment->method = choice->requirement.method;
    payment->auth = *auth;
    payment->token = asset->address;
    payment->facilitator = choice->requirement.facilitator;
    payment->accepted_timeout_s = choice->requirement.timeout_s;
    if (choice->wire == X402_WIRE_SEED001 && len < sizeof(payment->currency))
        memcpy(payment->currency, asset->symbol, len + 1);
}

static enum x402_err
sign(struct x402_payment *payment, const struct x402_asset *asset,
     const struct x402_signer *signer)
{
    uint8_t domain[32], digest[32];

    payment->signature_len = 65;
    if (payment->method == X402_METHOD_EIP3009)
        return x402_eip3009_sign(payment->signature, &payment->auth, asset,
                                 signer);
    x402_method_domain(domain, payment->method, asset);
    x402_permit2_digest_in(digest, payment->method, &payment->auth,
                           &payment->token, &payment->facilitator, domain);
    return x402_sign(payment->signature, signer, digest);
}

static enum x402_err
encode(char out[X402_PAYMENT_HEADER_MAX + 1],
       const struct x402_payment *payment, const struct x402_choice *choice,
       const struct x402_payment_echo *echo)
{
    struct x402_buf buf = x402_buf_on(out, X402_PAYMENT_HEADER_MAX);

    x402_payment_encode(&buf, payment, choice->requirement.asset, echo);
    if (buf.full)
        return X402_ERR_TOO_LARGE;
    out[buf.len] = '\0';
    return X402_OK;
}

enum x402_err
sign_payment(struct record *record, const struct x402_choice *choice,
             const struct x402_payment_echo *echo, const char *resource_url,
             const struct x402_signer *signer)
{
    const struct x402_asset *asset = choice->requirement.asset;
    struct x402_payment_echo named = *echo;
    struct x402_payment payment;
    enum x402_err err;

    if (choice->wire == X402_WIRE_SEED001 && named.resource_url.at == NULL)
        named.resource_url = x402_span_of(resource_url);
    record->created = record_now();
    err = fill_authorization(&record->auth, record->created.wall_s,
                             &choice->requirement, signer);
    if (err != X402_OK)
        return err;
    fill_payment(&payment, choice, &record->auth);
    err = sign(&payment, asset, signer);
    if (err != X402_OK)
        return err;
    record->wire = choice->wire;
    record->chain_id = asset->chain_id;
    record->asset = asset->address;
    record->state = RECORD_SIGNED;
    record->status = 0;
    return encode(record->header, &payment, choice, &named);
}
