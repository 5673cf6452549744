/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and names of networks: what is read is what is written. */
#include "fuzz.h"

#include <x402/address.h>
#include <x402/network.h>

static void
check_address(struct x402_span text)
{
    struct x402_address address, checked;
    char again[X402_ADDRESS_TEXT_LEN + 1];
    struct x402_span span = {again, X402_ADDRESS_TEXT_LEN};
    enum x402_err err = x402_address_parse_checked(&checked, text);

    if (x402_address_parse(&address, text) != X402_OK) {
        HOLDS(err != X402_OK);
        return;
    }
    x402_address_format(again, &address);
    HOLDS(err != X402_OK || x402_address_eq(&checked, &address));
    HOLDS(x402_address_parse_checked(&checked, span) == X402_OK);
    HOLDS(x402_address_eq(&checked, &address));
}

static void
check_network(struct x402_span text)
{
    const struct x402_network *n = x402_network_by_caip2(text);

    HOLDS(n == NULL || x402_span_eq(text, x402_span_of(n->caip2)));
    HOLDS(n == NULL || x402_network_by_any(text) == n);
    n = x402_network_by_v1_name(text);
    HOLDS(n == NULL || x402_span_eq(text, x402_span_of(n->v1_name)));
    n = x402_network_by_seed001(text);
    HOLDS(n == NULL || x402_network_by_id(n->chain_id) == n);
    if (x402_asset_by_symbol(8453, text) != NULL)
        HOLDS(text.len == 4);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_address(fuzz_span(data, size));
    check_network(fuzz_span(data, size));
    return 0;
}
