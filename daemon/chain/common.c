/* SPDX-License-Identifier: Apache-2.0 */
/* What needs no network: the operator's tools read income with it. */
#include <stdlib.h>

#include <x402/abi.h>

#include "../must.h"
#include "inside.h"

void *
chain_alloc(size_t size)
{
    return must(calloc(1, size));
}

const struct x402_address *
chain_multicall3(void)
{
    static struct x402_address address;

    if (x402_address_parse(&address, x402_span_of(X402_MULTICALL3)) != X402_OK)
        abort();
    return &address;
}
