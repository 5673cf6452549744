/* SPDX-License-Identifier: Apache-2.0 */
/* Seed 000's 402 body.  Members and order are the seed's; `amount` and the
 * top-level `resource` come after them and make it a valid object of version 2
 * as well.  Where the seed prints extra.name "USDC" for Base, the table has the
 * name that the contract signs with ("USD Coin"): with the seed's literal every
 * payment would fail on chain.  The seed's clients know EIP-3009 alone, so only
 * such entries are written. */
#include "offer_json.h"
#include "wire.h"

static void
add_entry(struct x402_buf *out, const struct x402_offer *offer,
          const struct x402_requirement *entry)
{
    const char *network =
        wire_network_text(X402_WIRE_SEED000, entry->asset->chain_id);

    x402_buf_text(out, "{\"scheme\":\"exact\",");
    offer_add_text(out, "network", x402_span_of(network));
    offer_add_amount(out, "maxAmountRequired", &entry->amount);
    offer_add_text(out, "asset", x402_span_of(entry->asset->address_text));
    offer_add_address(out, "payTo", &entry->pay_to);
    if (offer->facilitator_url.len > 0)
        offer_add_text(out, "facilitatorUrl", offer->facilitator_url);
    x402_buf_text(out, "\"maxTimeoutSeconds\":");
    x402_buf_u64(out, entry->timeout_s);
    x402_buf_text(out, ",\"resource\":{\"url\":");
    x402_buf_json(out, offer->resource_url);
    x402_buf_text(out, ",\"method\":");
    x402_buf_json(out, offer->method);
    x402_buf_text(out, "},");
    offer_add_extra(out, entry);
    x402_buf_text(out, ",\"amount\":\"");
    x402_buf_amount(out, &entry->amount);
    x402_buf_text(out, "\"}");
}

void
x402_offer_body_seed000(struct x402_buf *out, const struct x402_offer *offer)
{
    bool first = true;

    x402_buf_text(out, "{\"x402Version\":2,");
    offer_add_error(out, offer);
    x402_buf_text(out, "\"accepts\":[");
    for (size_t i = 0; i < offer->accepts_len; i++) {
        if (offer->accepts[i].method != X402_METHOD_EIP3009)
            continue;
        if (!first)
            x402_buf_char(out, ',');
        first = false;
        add_entry(out, offer, &offer->accepts[i]);
    }
    x402_buf_text(out, "],");
    offer_add_resource(out, offer);
    x402_buf_char(out, '}');
}
