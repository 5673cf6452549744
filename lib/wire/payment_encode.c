/* SPDX-License-Identifier: Apache-2.0 */
/* A payment for a header, as a client writes it, in each of the wires. */
#include <x402/encode.h>

#include "wire.h"

static void
add_address(struct x402_buf *out, const struct x402_address *address)
{
    char text[X402_ADDRESS_TEXT_LEN + 1];

    x402_address_format(text, address);
    x402_buf_char(out, '"');
    x402_buf_text(out, text);
    x402_buf_char(out, '"');
}

/* Version 2 alone; the packages' order of members. */
static void
add_permit2_payload(struct x402_buf *out, const struct x402_payment *payment)
{
    const struct x402_authorization *auth = &payment->auth;
    struct x402_amount nonce;

    x402_amount_from_be32(&nonce, auth->nonce);
    x402_buf_text(out, "\"payload\":{\"permit2Authorization\":{\"from\":");
    add_address(out, &auth->from);
    x402_buf_text(out, ",\"permitted\":{\"token\":");
    add_address(out, &payment->token);
    x402_buf_text(out, ",\"amount\":\"");
    x402_buf_amount(out, &auth->value);
    x402_buf_text(out, "\"},\"spender\":");
    add_address(out, x402_method_target(payment->method, &payment->token));
    x402_buf_text(out, ",\"nonce\":\"");
    x402_buf_amount(out, &nonce);
    x402_buf_text(out, "\",\"deadline\":\"");
    x402_buf_u64(out, auth->valid_before_s);
    x402_buf_text(out, "\",\"witness\":{\"to\":");
    add_address(out, &auth->to);
    if (payment->method == X402_METHOD_PERMIT2_UPTO) {
        x402_buf_text(out, ",\"facilitator\":");
        add_address(out, &payment->facilitator);
    }
    x402_buf_text(out, ",\"validAfter\":\"");
    x402_buf_u64(out, auth->valid_after_s);
    x402_buf_text(out, "\"}},\"signature\":\"");
    x402_buf_hex(out, payment->signature, payment->signature_len);
    x402_buf_text(out, "\"}");
}

/* Members in JCS order (RFC 8785), which seed 001's receipt asks for; the other
 * wires do not care. */
static void
add_payload(struct x402_buf *out, const struct x402_payment *payment)
{
    const struct x402_authorization *auth = &payment->auth;

    x402_buf_text(out, "\"payload\":{\"authorization\":{\"from\":");
    add_address(out, &auth->from);
    x402_buf_text(out, ",\"nonce\":\"");
    x402_buf_hex(out, auth->nonce, sizeof(auth->nonce));
    x402_buf_text(out, "\",\"to\":");
    add_address(out, &auth->to);
    x402_buf_text(out, ",\"validAfter\":\"");
    x402_buf_u64(out, auth->valid_after_s);
    x402_buf_text(out, "\",\"validBefore\":\"");
    x402_buf_u64(out, auth->valid_before_s);
    x402_buf_text(out, "\",\"value\":\"");
    x402_buf_amount(out, &auth->value);
    x402_buf_text(out, "\"},\"signature\":\"");
    x402_buf_hex(out, payment->signature, payment->signature_len);
    x402_buf_text(out, "\"}");
}

static void
add_network(struct x402_buf *out, const struct x402_payment *payment)
{
    const char *text = wire_network_text(payment->wire, payment->chain_id);

    /* A chain without a name on this wire cannot be paid on it. */
    if (text == NULL)
        out->full = true;
    else
        x402_buf_json(out, x402_span_of(text));
}

/* The requirement as we would have written it, for callers without a 402. */
void
wire_requirement_json(struct x402_buf *out, const struct x402_payment *payment,
                      const struct x402_asset *asset)
{
    x402_buf_text(out, "{\"scheme\":");
    x402_buf_json(out, x402_span_of(x402_method_scheme(payment->method)));
    x402_buf_text(out, ",\"network\":");
    add_network(out, payment);
    x402_buf_text(out, ",\"amount\":\"");
    x402_buf_amount(out, &payment->auth.value);
    x402_buf_text(out, "\",\"asset\":");
    add_address(out, &asset->address);
    x402_buf_text(out, ",\"payTo\":");
    add_address(out, &payment->auth.to);
    x402_buf_text(out, ",\"maxTimeoutSeconds\":");
    x402_buf_u64(out, payment->accepted_timeout_s);
    x402_buf_text(out, ",\"extra\":{\"name\":");
    x402_buf_json(out, x402_span_of(asset->eip712_name));
    x402_buf_text(out, ",\"version\":");
    x402_buf_json(out, x402_span_of(asset->eip712_version));
    if (payment->method != X402_METHOD_EIP3009)
        x402_buf_text(out, ",\"assetTransferMethod\":\"permit2\"");
    if (payment->method == X402_METHOD_PERMIT2_UPTO) {
        x402_buf_text(out, ",\"facilitatorAddress\":");
        add_address(out, &payment->facilitator);
    }
    x402_buf_text(out, "}}");
}

static void
add_v2(struct x402_buf *out, const struct x402_payment *payment,
       const struct x402_asset *asset, const struct x402_payment_echo *echo)
{
    x402_buf_text(out, "{\"x402Version\":2,");
    if (echo->resource_json.at != NULL) {
        x402_buf_text(out, "\"resource\":");
        x402_buf_add(out, echo->resource_json);
        x402_buf_char(out, ',');
    }
    x402_buf_text(out, "\"accepted\":");
    if (echo->accepted_json.at != NULL)
        x402_buf_add(out, echo->accepted_json);
    else
        wire_requirement_json(out, payment, asset);
    x402_buf_char(out, ',');
    if (payment->method == X402_METHOD_EIP3009)
        add_payload(out, payment);
    else
        add_permit2_payload(out, payment);
    if (echo->extensions_json.at != NULL) {
        x402_buf_text(out, ",\"extensions\":");
        x402_buf_add(out, echo->extensions_json);
    }
    x402_buf_char(out, '}');
}

static void
add_v1_shape(struct x402_buf *out, const struct x402_payment *payment,
             unsigned version)
{
    x402_buf_text(out, "{\"x402Version\":");
    x402_buf_u64(out, version);
    x402_buf_text(out, ",\"scheme\":\"exact\",\"network\":");
    add_network(out, payment);
    x402_buf_char(out, ',');
    add_payload(out, payment);
    x402_buf_char(out, '}');
}

static void
add_seed001(struct x402_buf *out, const struct x402_payment *payment,
            const struct x402_asset *asset,
            const struct x402_payment_echo *echo)
{
    x402_buf_text(out, "{\"chain\":");
    add_network(out, payment);
    x402_buf_text(out, ",\"currency\":");
    x402_buf_json(out, x402_span_of(asset->symbol));
    x402_buf_char(out, ',');
    add_payload(out, payment);
    x402_buf_text(out, ",\"resource\":");
    x402_buf_json(out, echo->resource_url);
    x402_buf_text(out, ",\"scheme\":\"exact\",\"version\":1}");
}

void
wire_payment_json(struct x402_buf *out, const struct x402_payment *payment,
                  const struct x402_asset *asset,
                  const struct x402_payment_echo *echo)
{
    switch (payment->wire) {
    case X402_WIRE_V2:
        add_v2(out, payment, asset, echo);
        break;
    case X402_WIRE_V1:
        add_v1_shape(out, payment, 1);
        break;
    case X402_WIRE_SEED000:
        add_v1_shape(out, payment, 2);
        break;
    case X402_WIRE_SEED001:
        add_seed001(out, payment, asset, echo);
        break;
    }
}

void
x402_payment_encode(struct x402_buf *out, const struct x402_payment *payment,
                    const struct x402_asset *asset,
                    const struct x402_payment_echo *echo)
{
    static const struct x402_payment_echo nothing;
    char memory[X402_BASE64_DECODED_MAX(X402_PAYMENT_HEADER_MAX)];
    struct x402_buf text = x402_buf_on(memory, sizeof(memory));

    wire_payment_json(&text, payment, asset, echo == NULL ? &nothing : echo);
    if (text.full)
        out->full = true;
    else
        x402_buf_base64(out, (const uint8_t *)text.at, text.len);
}
