/* SPDX-License-Identifier: Apache-2.0 */
/* eip6492_factories: contracts that our transactions may call to deploy a
 * payer's wallet, with data that the payer chooses.  Nobody may stand there
 * whose call could do anything else. */
#include <string.h>

#include <x402/abi.h>
#include <x402/address.h>

#include "config_check.h"

bool
config_is_factory(const struct config_network *network,
                  const struct x402_address *factory)
{
    for (size_t i = 0; i < network->factory_len; i++) {
        if (x402_address_eq(&network->factory[i], factory))
            return true;
    }
    return false;
}

static bool
is_text(const struct x402_address *address, const char *text)
{
    struct x402_address other;

    return x402_address_parse(&other, x402_span_of(text)) == X402_OK &&
           x402_address_eq(address, &other);
}

/* NULL: nothing speaks against it. */
static const char *
objection(const struct config_network *network,
          const struct x402_address *factory)
{
    static const uint8_t zeros[sizeof factory->byte - 2];

    if (memcmp(factory->byte, zeros, sizeof zeros) == 0)
        return "a precompiled contract deploys nothing";
    if (x402_asset_by_address(network->network->chain_id, factory) != NULL)
        return "this is a token: a payer would choose what we call it with";
    if (is_text(factory, X402_MULTICALL3) ||
        is_text(factory, "0x000000000022D473030F116dDEE9F6B43aC78BA3"))
        return "this contract calls whatever it is told to";
    if (config_is_factory(network, factory))
        return "this factory stands here twice";
    return NULL;
}

bool
config_check_factories(const struct config_checking_network *n)
{
    for (unsigned i = 0; i < n->in->eip6492_factories_count; i++) {
        struct x402_address factory;
        const char *why;
        char place[CONFIG_PLACE_MAX];

        config_place(place, n, ".eip6492_factories[%u]", i);
        if (!config_take_address(n->c, place, n->in->eip6492_factories[i],
                                 &factory))
            return false;
        why = objection(n->out, &factory);
        if (why != NULL)
            return config_complain(n->c->reading, place, "%s", why);
        n->out->factory[n->out->factory_len++] = factory;
    }
    return true;
}
