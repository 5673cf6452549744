/* SPDX-License-Identifier: Apache-2.0 */
/* What the configuration says about tokens: credit in a person's units, and a
 * cross-check of names against the built-in table.  A wrong EIP-712 name makes
 * every payment fail, and only on the chain. */
#include <stdio.h>
#include <string.h>

#include <x402/address.h>
#include <x402/amount.h>
#include <x402/network.h>

#include "config_check.h"

/* -- assets: a cross-check against the built-in table -- */

static const struct x402_asset *
find_asset(const struct config_checking_network *n, const char *place,
           const char *symbol, size_t len)
{
    struct x402_span text = {symbol, len};
    uint64_t chain_id = n->out->network->chain_id;
    const struct x402_asset *asset = x402_asset_by_symbol(chain_id, text);

    if (asset == NULL)
        config_complain(n->c->reading, place,
                        "no token \"%.*s\" on %s in the built-in table",
                        (int)(len < 40 ? len : 40), symbol,
                        n->out->network->caip2);
    return asset;
}

static bool
same_text(const struct config_checking_network *n, unsigned i, const char *key,
          const char *stated, const char *known)
{
    char place[CONFIG_PLACE_MAX];

    if (stated == NULL || strcmp(stated, known) == 0)
        return true;
    return config_complain(
        n->c->reading, config_place(place, n, ".assets[%u].%s", i, key),
        "\"%.80s\" is not what the token signs with on %s: every payment would "
        "fail; write \"%s\", or leave the key out",
        stated, n->out->network->caip2, known);
}

static bool
check_asset(const struct config_checking_network *n, unsigned i)
{
    const struct file_asset *in = &n->in->assets[i];
    const struct x402_asset *known;
    struct x402_address address;
    char place[CONFIG_PLACE_MAX];

    config_place(place, n, ".assets[%u].symbol", i);
    known = find_asset(n, place, in->symbol, strlen(in->symbol));
    if (known == NULL ||
        !same_text(n, i, "name", in->name, known->eip712_name) ||
        !same_text(n, i, "version", in->version, known->eip712_version))
        return false;
    if (in->address == NULL)
        return true;
    config_place(place, n, ".assets[%u].address", i);
    if (!config_take_address(n->c, place, in->address, &address))
        return false;
    if (x402_address_eq(&address, &known->address))
        return true;
    return config_complain(n->c->reading, place, "%s on %s is %s", in->symbol,
                           n->out->network->caip2, known->address_text);
}

bool
config_check_assets(const struct config_checking_network *n)
{
    for (unsigned i = 0; i < n->in->assets_count; i++) {
        if (!check_asset(n, i))
            return false;
    }
    return true;
}

/* -- credit -- */

static const struct x402_asset *
first_asset(uint64_t chain_id)
{
    const struct x402_asset *asset;

    for (size_t i = 0; (asset = x402_asset_at(i)) != NULL; i++) {
        if (asset->chain_id == chain_id)
            return asset;
    }
    return NULL;
}

/** "1.50 USDC", or "1.50" of the network's first token. */
static bool
take_credit(const struct config_checking_network *n, const char *key,
            const char *text, struct x402_amount *out)
{
    size_t number = strcspn(text, " ");
    const char *symbol = text + number + strspn(text + number, " ");
    const struct x402_asset *asset;
    char place[CONFIG_PLACE_MAX];

    config_place(place, n, ".credit.%s", key);
    asset = *symbol != '\0' ? find_asset(n, place, symbol, strlen(symbol))
                            : first_asset(n->out->network->chain_id);
    if (asset == NULL)
        return config_complain(n->c->reading, place,
                               "no token on %s in the built-in table",
                               n->out->network->caip2);
    if (x402_amount_parse_decimal(out, (struct x402_span){text, number},
                                  asset->decimals) == X402_OK)
        return true;
    return config_complain(n->c->reading, place,
                           "\"%.80s\": write a decimal amount with at most %u "
                           "digits after the point, such as \"1.50 %s\"",
                           text, asset->decimals, asset->symbol);
}

bool
config_check_credit(const struct config_checking_network *n)
{
    const struct file_credit *in = n->in->credit;
    const char *payer = in != NULL && in->payer != NULL ? in->payer : "1";
    const char *total = in != NULL && in->total != NULL ? in->total : "50";
    char place[CONFIG_PLACE_MAX];

    if (!take_credit(n, "payer", payer, &n->out->credit_payer) ||
        !take_credit(n, "total", total, &n->out->credit_total))
        return false;
    if (x402_amount_cmp(&n->out->credit_payer, &n->out->credit_total) <= 0)
        return true;
    return config_complain(n->c->reading, config_place(place, n, ".credit"),
                           "payer (%s) is more than total (%s)", payer, total);
}
