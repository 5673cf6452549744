/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of a 402 that its wires have in common. */
#include "offer_json.h"

void
offer_add_text(struct x402_buf *out, const char *key, struct x402_span text)
{
    x402_buf_char(out, '"');
    x402_buf_text(out, key);
    x402_buf_text(out, "\":");
    x402_buf_json(out, text);
    x402_buf_char(out, ',');
}

void
offer_add_address(struct x402_buf *out, const char *key,
                  const struct x402_address *address)
{
    char text[X402_ADDRESS_TEXT_LEN + 1];

    x402_address_format(text, address);
    offer_add_text(out, key, x402_span_of(text));
}

void
offer_add_amount(struct x402_buf *out, const char *key,
                 const struct x402_amount *amount)
{
    x402_buf_char(out, '"');
    x402_buf_text(out, key);
    x402_buf_text(out, "\":\"");
    x402_buf_amount(out, amount);
    x402_buf_text(out, "\",");
}

void
offer_add_error(struct x402_buf *out, const struct x402_offer *offer)
{
    struct x402_span text = offer->error;

    if (text.len == 0)
        text = x402_span_of("Payment required to access this resource");
    offer_add_text(out, "error", text);
}

void
offer_add_resource(struct x402_buf *out, const struct x402_offer *offer)
{
    x402_buf_text(out, "\"resource\":{\"url\":");
    x402_buf_json(out, offer->resource_url);
    if (offer->description.len > 0) {
        x402_buf_text(out, ",\"description\":");
        x402_buf_json(out, offer->description);
    }
    if (offer->mime_type.len > 0) {
        x402_buf_text(out, ",\"mimeType\":");
        x402_buf_json(out, offer->mime_type);
    }
    x402_buf_char(out, '}');
}

void
offer_add_extra(struct x402_buf *out, const struct x402_requirement *entry)
{
    char facilitator[X402_ADDRESS_TEXT_LEN + 1];

    x402_buf_text(out, "\"extra\":{\"name\":");
    x402_buf_json(out, x402_span_of(entry->asset->eip712_name));
    x402_buf_text(out, ",\"version\":");
    x402_buf_json(out, x402_span_of(entry->asset->eip712_version));
    if (entry->method != X402_METHOD_EIP3009)
        x402_buf_text(out, ",\"assetTransferMethod\":\"permit2\"");
    if (entry->method == X402_METHOD_PERMIT2_UPTO) {
        x402_address_format(facilitator, &entry->facilitator);
        x402_buf_text(out, ",\"facilitatorAddress\":");
        x402_buf_json(out, x402_span_of(facilitator));
    }
    x402_buf_char(out, '}');
}
