/* SPDX-License-Identifier: Apache-2.0 */
/* Seed 001's headers of a 402: price, currency, chain, payee. */
#include "challenge.h"

/* The seed states no lifetime.  Seed 000's 60 seconds: long enough for a
 * settlement after the answer, short enough to forget. */
enum { LIFETIME_S = 60 };

static const struct x402_network *
network_of(struct x402_span chain)
{
    const struct x402_network *network = x402_network_by_seed001(chain);

    return network != NULL ? network : x402_network_by_caip2(chain);
}

static enum x402_err
offer_read(struct x402_choice *out, const struct x402_challenge_input *in)
{
    struct x402_requirement *requirement = &out->requirement;
    const struct x402_network *network = network_of(in->seed001_chain);
    enum x402_err err;

    *out = (struct x402_choice){.wire = X402_WIRE_SEED001};
    if (network == NULL)
        return X402_ERR_NETWORK;
    requirement->asset =
        x402_asset_by_symbol(network->chain_id, in->seed001_currency);
    if (requirement->asset == NULL ||
        requirement->asset->transfer != X402_TRANSFER_EIP3009)
        return X402_ERR_ASSET;
    err = x402_amount_parse_decimal(&requirement->amount, in->seed001_required,
                                    requirement->asset->decimals);
    if (err == X402_OK && x402_amount_is_zero(&requirement->amount))
        err = X402_ERR_AMOUNT;
    if (err == X402_OK)
        err = x402_address_parse(&requirement->pay_to, in->seed001_pay_to);
    if (err == X402_OK && x402_address_is_zero(&requirement->pay_to))
        err = X402_ERR_PAYEE;
    requirement->timeout_s = LIFETIME_S;
    return err;
}

void
challenge_read_seed001(struct x402_challenge *challenge,
                       const struct x402_challenge_input *in)
{
    struct x402_choice choice;

    if (in->seed001_required.at == NULL)
        return;
    if (offer_read(&choice, in) == X402_OK)
        challenge_add(challenge, &choice, NULL);
    else
        challenge->skipped++;
}
