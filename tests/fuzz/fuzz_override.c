/* SPDX-License-Identifier: Apache-2.0 */
/* Any value of Settlement-Overrides: refused, or an amount that is not above
 * the maximum. */
#include <x402/override.h>

#include "fuzz_wire.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct x402_requirement requirement = {.asset = x402_asset_at(0)};
    struct x402_amount amount = x402_amount_of(77);
    struct x402_span header;
    enum x402_err err;

    if (size < 8)
        return 0;
    for (unsigned i = 0; i < 8; i++)
        requirement.amount.limb[0] = requirement.amount.limb[0] << 8 | data[i];
    header = header_of(data + 8, size - 8, 1);
    err = x402_override_read(&amount, header, &requirement);
    if (err == X402_OK)
        HOLDS(x402_amount_cmp(&amount, &requirement.amount) <= 0);
    else
        HOLDS(amount.limb[0] == 77);
    free((char *)header.at);
    return 0;
}
