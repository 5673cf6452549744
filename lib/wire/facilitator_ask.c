/* SPDX-License-Identifier: Apache-2.0 */
/* VerifyRequest and SettleRequest, as a seller writes them: from what was
 * parsed and from our own table, never from bytes of the client. */
#include <string.h>

#include <x402/facilitator.h>

#include "wire.h"

static struct x402_payment
payment_of(const struct x402_facilitator_ask *ask)
{
    struct x402_payment payment = {
        .wire = ask->version == 1 ? X402_WIRE_V1 : X402_WIRE_V2,
        .method = ask->method,
        .chain_id = ask->asset->chain_id,
        .auth = *ask->auth,
        .token = ask->asset->address,
        .facilitator = ask->facilitator,
        .signature_len = ask->signature_len,
        .accepted_timeout_s = X402_FACILITATOR_TIMEOUT_S,
    };

    memcpy(payment.signature, ask->signature, ask->signature_len);
    return payment;
}

static void
add_payload(struct x402_buf *out, const struct x402_facilitator_ask *ask,
            const struct x402_payment *payment)
{
    char memory[6 * X402_URL_MAX + 16]; /* every character escaped */
    struct x402_buf resource = x402_buf_on(memory, sizeof(memory));
    struct x402_payment_echo echo = {
        {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};

    if (ask->resource.len > 0) {
        x402_buf_text(&resource, "{\"url\":");
        x402_buf_json(&resource, ask->resource);
        x402_buf_char(&resource, '}');
        echo.resource_json = x402_buf_span(&resource);
    }
    if (resource.full)
        out->full = true;
    wire_payment_json(out, payment, ask->asset, &echo);
}

static void
add_text(struct x402_buf *out, const char *key, const char *value)
{
    x402_buf_text(out, key);
    x402_buf_json(out, x402_span_of(value));
}

/* The closed schema of the 1.2 packages: every member must be there. */
static void
add_v1_requirement(struct x402_buf *out, const struct x402_facilitator_ask *ask)
{
    const struct x402_asset *asset = ask->asset;
    const char *network = wire_network_text(X402_WIRE_V1, asset->chain_id);
    char text[X402_ADDRESS_TEXT_LEN + 1];

    if (network == NULL) {
        out->full = true;
        return;
    }
    add_text(out, "{\"scheme\":\"exact\",\"network\":", network);
    x402_buf_text(out, ",\"maxAmountRequired\":\"");
    x402_buf_amount(out, &ask->auth->value);
    x402_buf_text(out, "\",\"resource\":");
    x402_buf_json(out, ask->resource);
    x402_buf_text(out, ",\"description\":\"\",\"mimeType\":\"\"");
    x402_address_format(text, &ask->auth->to);
    add_text(out, ",\"payTo\":", text);
    x402_buf_text(out, ",\"maxTimeoutSeconds\":");
    x402_buf_u64(out, X402_FACILITATOR_TIMEOUT_S);
    add_text(out, ",\"asset\":",
             asset->address_legacy != NULL ? asset->address_legacy
                                           : asset->address_text);
    add_text(out, ",\"extra\":{\"name\":", asset->eip712_name);
    add_text(out, ",\"version\":", asset->eip712_version);
    x402_buf_text(out, "}}");
}

void
x402_facilitator_payload_json(struct x402_buf *out,
                              const struct x402_facilitator_ask *ask)
{
    const struct x402_payment payment = payment_of(ask);

    add_payload(out, ask, &payment);
}

/* "At settlement time, amount represents the actual amount to settle". */
static struct x402_payment
required(const struct x402_facilitator_ask *ask)
{
    struct x402_payment payment = payment_of(ask);

    if (ask->method == X402_METHOD_PERMIT2_UPTO && ask->charge != NULL)
        payment.auth.value = *ask->charge;
    return payment;
}

void
x402_facilitator_request_json(struct x402_buf *out,
                              const struct x402_facilitator_ask *ask)
{
    const struct x402_payment payment = payment_of(ask);
    const struct x402_payment requirement = required(ask);

    if (ask->version == 1 && ask->method != X402_METHOD_EIP3009)
        out->full = true; /* version 1 knows EIP-3009 alone */
    x402_buf_text(out, "{\"x402Version\":");
    x402_buf_u64(out, (uint64_t)ask->version);
    x402_buf_text(out, ",\"paymentPayload\":");
    add_payload(out, ask, &payment);
    x402_buf_text(out, ",\"paymentRequirements\":");
    if (ask->version == 1)
        add_v1_requirement(out, ask);
    else
        wire_requirement_json(out, &requirement, ask->asset);
    x402_buf_char(out, '}');
}
