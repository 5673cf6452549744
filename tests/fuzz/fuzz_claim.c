/* SPDX-License-Identifier: Apache-2.0 */
/* POST /register: whatever is taken is signed by the payee. */
#include <stdlib.h>

#include "../../daemon/bazaar/bazaar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bazaar_claim claim;
    char why[160] = "";

    if (!bazaar_claim_read(&claim, why, sizeof(why),
                           (struct x402_span){(const char *)data, size},
                           1790000000)) {
        if (why[0] == '\0')
            abort();
    } else if (claim.url[0] == '\0' || x402_address_is_zero(&claim.payee)) {
        abort();
    }
    return 0;
}
