/* SPDX-License-Identifier: Apache-2.0 */
/* See attest.h. */
#include "attest.h"

#include <stdio.h>
#include <string.h>

#include <keystore.h>
#include <x402/attestation.h>

#include "../log.h"
#include "request.h"

/* -- the key -- */

static enum keystore_err
read_key(struct x402_signer *out, const char *file)
{
    uint8_t *key32 = keystore_secret_new(32);
    struct x402_span no_password = {NULL, 0};
    uint8_t seed[32];
    enum keystore_err err;

    if (key32 == NULL)
        return KEYSTORE_ERR_MEMORY;
    core_random(seed, sizeof seed);
    err = keystore_file_open(key32, file, no_password);
    if (err == KEYSTORE_OK && x402_signer_open(out, key32, seed) != X402_OK)
        err = KEYSTORE_ERR_KEY;
    explicit_bzero(seed, sizeof seed);
    keystore_secret_free(key32, 32);
    return err;
}

struct x402_signer *
attest_open(const char *key_file, char *error, size_t error_len)
{
    struct x402_signer *signer = keystore_secret_new(sizeof *signer);
    enum keystore_err err = KEYSTORE_ERR_MEMORY;

    if (signer != NULL)
        err = read_key(signer, key_file);
    if (err == KEYSTORE_OK)
        return signer;
    snprintf(error, error_len, "%s: %s", key_file, keystore_err_text(err));
    keystore_secret_free(signer, sizeof *signer);
    return NULL;
}

void
attest_close(struct x402_signer *signer)
{
    if (signer == NULL)
        return;
    x402_signer_close(signer);
    keystore_secret_free(signer, sizeof *signer);
}

/* -- an attestation -- */

static enum x402_err
sign(struct x402_buf *out, const struct http_request *request)
{
    const struct x402_facilitator_request *in = &request->payment;
    struct x402_attestation attestation = {
        .resource = x402_span_of(in->resource),
        .asset = in->requirement.asset,
        .pay_to = in->payment.auth.to,
        .amount = in->payment.auth.value,
        .payer = in->payment.auth.from,
        .issued_at_s = core_now_ms() / 1000,
        .valid_until_s = in->payment.auth.valid_before_s,
    };
    enum x402_err err = x402_receipt_hash_of_request(
        attestation.receipt_hash,
        (struct x402_span){request->body, request->body_len});

    memcpy(attestation.nonce, in->payment.auth.nonce, 32);
    if (err == X402_OK)
        err = x402_attestation_sign(out, &attestation, request->http->verifier);
    return err;
}

void
attest_add(struct http_request *request)
{
    struct x402_buf *out = &request->out;
    size_t before = out->len;
    enum x402_err err;

    /* the format names the scheme "exact" and an EIP-3009 nonce */
    if (request->http->verifier == NULL || before == 0 ||
        request->payment.payment.method != X402_METHOD_EIP3009)
        return;
    out->len--; /* the object's end */
    x402_buf_text(out, ",\"extensions\":{\"verification-attestation\":"
                       "{\"info\":{\"attestation\":");
    err = sign(out, request);
    x402_buf_text(out, "}}}}");
    if (err == X402_OK && !out->full)
        return;
    log_event(LOG_WARN, "not_attested", "reason", x402_err_info(err)->name,
              NULL);
    out->full = false;
    out->len = before;
    out->at[before - 1] = '}';
}
