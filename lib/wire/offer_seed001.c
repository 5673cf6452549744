/* SPDX-License-Identifier: Apache-2.0 */
/* Seed 001's four headers.  "Amounts are decimal strings, not floats."  Exactly
 * one offer fits in them: the first that EIP-3009 can pay, the seed's way. */
#include <assert.h>
#include <stdio.h>

#include "offer_json.h"
#include "wire.h"

/* "0.0030": the seed shows four digits after the point. */
enum { FRACTION_MIN = 4 };

static const struct x402_requirement *
first_eip3009(const struct x402_offer *offer)
{
    for (size_t i = 0; i < offer->accepts_len; i++) {
        if (offer->accepts[i].method == X402_METHOD_EIP3009)
            return &offer->accepts[i];
    }
    return NULL;
}

bool
x402_offer_headers(struct x402_offer_headers *out,
                   const struct x402_offer *offer)
{
    const struct x402_requirement *first = first_eip3009(offer);
    const struct x402_asset *asset;
    const char *chain;

    if (first == NULL)
        return false;
    asset = first->asset;
    chain = wire_network_text(X402_WIRE_SEED001, asset->chain_id);
    assert(X402_AMOUNT_TEXT_MAX + 3 + asset->decimals <= sizeof(out->required));
    x402_amount_format_decimal(out->required, &first->amount, asset->decimals,
                               FRACTION_MIN);
    snprintf(out->currency, sizeof(out->currency), "%s", asset->symbol);
    snprintf(out->chain, sizeof(out->chain), "%s", chain);
    x402_address_format(out->pay_to, &first->pay_to);
    return true;
}
