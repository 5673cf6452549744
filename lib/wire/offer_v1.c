/* SPDX-License-Identifier: Apache-2.0 */
/* Version 1's 402 body.  The 1.2 client parses every entry with a strict
 * schema and gives up on the whole 402 when one entry has a network name it
 * does not know or a null; it compares assets as text, with case.  So only
 * entries that it can read and pay are written, in its own spelling. */
#include "offer_json.h"
#include "wire.h"

static const char *
legacy_name(const struct x402_asset *asset)
{
    const struct x402_network *network = x402_network_by_id(asset->chain_id);

    if (network == NULL || !network->legacy || asset->address_legacy == NULL)
        return NULL;
    return network->v1_name;
}

static void
add_entry(struct x402_buf *out, const struct x402_offer *offer,
          const struct x402_requirement *entry, const char *name)
{
    struct x402_span mime_type = offer->mime_type;

    if (mime_type.len == 0)
        mime_type = x402_span_of("application/json");
    x402_buf_text(out, "{\"scheme\":\"exact\",");
    offer_add_text(out, "network", x402_span_of(name));
    offer_add_amount(out, "maxAmountRequired", &entry->amount);
    offer_add_text(out, "resource", offer->resource_url);
    offer_add_text(out, "description", offer->description);
    offer_add_text(out, "mimeType", mime_type);
    offer_add_address(out, "payTo", &entry->pay_to);
    x402_buf_text(out, "\"maxTimeoutSeconds\":");
    x402_buf_u64(out, entry->timeout_s);
    x402_buf_char(out, ',');
    offer_add_text(out, "asset", x402_span_of(entry->asset->address_legacy));
    offer_add_extra(out, entry);
    x402_buf_char(out, '}');
}

void
x402_offer_body_v1(struct x402_buf *out, const struct x402_offer *offer)
{
    bool first = true;

    x402_buf_text(out, "{\"x402Version\":1,");
    offer_add_error(out, offer);
    x402_buf_text(out, "\"accepts\":[");
    for (size_t i = 0; i < offer->accepts_len; i++) {
        const struct x402_requirement *entry = &offer->accepts[i];
        const char *name = legacy_name(entry->asset);

        if (name == NULL || entry->method != X402_METHOD_EIP3009)
            continue;
        if (!first)
            x402_buf_char(out, ',');
        first = false;
        add_entry(out, offer, entry, name);
    }
    x402_buf_text(out, "]}");
}
