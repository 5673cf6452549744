/* SPDX-License-Identifier: Apache-2.0 */
/* Amounts on one scale. */
#include <stdio.h>
#include <string.h>

#include "money.h"

bool
money_scale(struct x402_amount *out, const struct x402_amount *atomic,
            const struct x402_asset *asset)
{
    uint64_t factor = 1;

    if (asset->decimals > MONEY_DECIMALS)
        return false;
    for (unsigned i = asset->decimals; i < MONEY_DECIMALS; i++)
        factor *= 10;
    return x402_amount_mul_u64(out, atomic, factor);
}

enum x402_err
money_parse(struct x402_amount *out, struct x402_span text)
{
    return x402_amount_parse_decimal(out, text, MONEY_DECIMALS);
}

void
money_format(char out[MONEY_TEXT_MAX], const struct x402_amount *scaled)
{
    (void)x402_amount_format_decimal(out, scaled, MONEY_DECIMALS, 2);
}

void
money_format_asset(char out[MONEY_TEXT_MAX], const struct x402_amount *atomic,
                   const struct x402_asset *asset)
{
    size_t len = x402_amount_format_decimal(out, atomic, asset->decimals, 0);

    (void)snprintf(out + len, MONEY_TEXT_MAX - len, " %s", asset->symbol);
}
