/* SPDX-License-Identifier: Apache-2.0 */
/* The Lightning networks and their names on every wire. */
#include <x402/bolt11.h>

struct network {
    enum x402_ln_network network;
    const char *currency, *caip2, *name;
};

/* scheme_exact_lnbtc.md, "Scheme and Networks": "Its reference MUST be the
 * first 32 characters of the underlying Bitcoin network's genesis block hash
 * in lowercase hexadecimal".  It names mainnet and testnet; regtest's stands
 * here by the same rule, for tests. */
static const struct network networks[] = {
    {X402_LN_MAINNET, "bc", "lnbtc:000000000019d6689c085ae165831e93",
     "mainnet"},
    {X402_LN_TESTNET, "tb", "lnbtc:000000000933ea01ad0ee984209779ba",
     "testnet"},
    {X402_LN_REGTEST, "bcrt", "lnbtc:0f9188f13cb7b2c71f2a335e3a4fc328",
     "regtest"},
    {X402_LN_SIGNET, "tbs", NULL, "signet"},
    {X402_LN_SIMNET, "sb", NULL, "simnet"},
};

#define NETWORKS (sizeof networks / sizeof networks[0])

static const struct network *
row_of(enum x402_ln_network network)
{
    for (size_t i = 0; i < NETWORKS; i++) {
        if (networks[i].network == network)
            return &networks[i];
    }
    return NULL;
}

const char *
x402_ln_currency(enum x402_ln_network network)
{
    const struct network *row = row_of(network);

    return row == NULL ? NULL : row->currency;
}

const char *
x402_ln_caip2(enum x402_ln_network network)
{
    const struct network *row = row_of(network);

    return row == NULL ? NULL : row->caip2;
}

const char *
x402_ln_name(enum x402_ln_network network)
{
    const struct network *row = row_of(network);

    return row == NULL ? NULL : row->name;
}

enum x402_err
x402_ln_by_caip2(enum x402_ln_network *out, struct x402_span text)
{
    for (size_t i = 0; i < NETWORKS; i++) {
        if (networks[i].caip2 != NULL &&
            x402_span_eq(text, x402_span_of(networks[i].caip2))) {
            *out = networks[i].network;
            return X402_OK;
        }
    }
    return X402_ERR_NETWORK;
}

enum x402_err
x402_ln_by_name(enum x402_ln_network *out, struct x402_span text)
{
    for (size_t i = 0; i < NETWORKS; i++) {
        if (x402_span_eq(text, x402_span_of(networks[i].name))) {
            *out = networks[i].network;
            return X402_OK;
        }
    }
    return X402_ERR_NETWORK;
}
