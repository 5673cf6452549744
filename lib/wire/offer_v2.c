/* SPDX-License-Identifier: Apache-2.0 */
/* Version 2's PaymentRequired: {x402Version, error, resource, accepts}, carried
 * as base64 in the header PAYMENT-REQUIRED. */
#include "offer_json.h"
#include "wire.h"

static void
add_entry(struct x402_buf *out, const struct x402_requirement *entry)
{
    const char *network =
        wire_network_text(X402_WIRE_V2, entry->asset->chain_id);

    x402_buf_char(out, '{');
    offer_add_text(out, "scheme",
                   x402_span_of(x402_method_scheme(entry->method)));
    offer_add_text(out, "network", x402_span_of(network));
    offer_add_amount(out, "amount", &entry->amount);
    offer_add_text(out, "asset", x402_span_of(entry->asset->address_text));
    offer_add_address(out, "payTo", &entry->pay_to);
    x402_buf_text(out, "\"maxTimeoutSeconds\":");
    x402_buf_u64(out, entry->timeout_s);
    x402_buf_char(out, ',');
    offer_add_extra(out, entry);
    x402_buf_char(out, '}');
}

void
x402_offer_v2(struct x402_buf *out, const struct x402_offer *offer)
{
    x402_buf_text(out, "{\"x402Version\":2,");
    offer_add_error(out, offer);
    offer_add_resource(out, offer);
    x402_buf_text(out, ",\"accepts\":[");
    for (size_t i = 0; i < offer->accepts_len; i++) {
        if (i > 0)
            x402_buf_char(out, ',');
        add_entry(out, &offer->accepts[i]);
    }
    if (offer->lightning_json.len > 0) {
        x402_buf_char(out, ',');
        x402_buf_add(out, offer->lightning_json);
    }
    x402_buf_char(out, ']');
    if (offer->extensions_json.len > 0) {
        x402_buf_text(out, ",\"extensions\":");
        x402_buf_add(out, offer->extensions_json);
    }
    x402_buf_char(out, '}');
}

void
x402_offer_v2_header(struct x402_buf *out, struct x402_buf *scratch,
                     const struct x402_offer *offer)
{
    struct x402_span json;

    scratch->len = 0;
    scratch->full = false;
    x402_offer_v2(scratch, offer);
    json = x402_buf_span(scratch);
    if (scratch->full)
        out->full = true;
    else
        x402_buf_base64(out, (const uint8_t *)json.at, json.len);
}
