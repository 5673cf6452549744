/* SPDX-License-Identifier: Apache-2.0 */
/* The chains we know.  Version 1 names are those of the official packages 2.27;
 * `legacy` marks the ones that the 1.2 packages accept too: any other name in a
 * 402 makes those clients throw, even when another entry is good. */
#include <x402/network.h>

#include <strings.h>

static const struct x402_network networks[] = {
    /* chain id, CAIP-2, version 1, legacy, label, testnet */
    {8453, "eip155:8453", "base", true, "Base", false},
    {84532, "eip155:84532", "base-sepolia", true, "Base Sepolia", true},
    {1, "eip155:1", "ethereum", false, "Ethereum", false},
    {11155111, "eip155:11155111", "sepolia", false, "Ethereum Sepolia", true},
    {43114, "eip155:43114", "avalanche", true, "Avalanche", false},
    {43113, "eip155:43113", "avalanche-fuji", true, "Avalanche Fuji", true},
    {137, "eip155:137", "polygon", true, "Polygon", false},
    {80002, "eip155:80002", "polygon-amoy", true, "Polygon Amoy", true},
    {42161, "eip155:42161", NULL, false, "Arbitrum One", false},
    {421614, "eip155:421614", NULL, false, "Arbitrum Sepolia", true},
    {143, "eip155:143", "monad", false, "Monad", false},
    {42220, "eip155:42220", "celo", false, "Celo", false},
    {11142220, "eip155:11142220", NULL, false, "Celo Sepolia", true},
    {1329, "eip155:1329", "sei", true, "Sei", false},
    {1328, "eip155:1328", "sei-testnet", true, "Sei Testnet", true},
    {50, "eip155:50", NULL, false, "XDC", false},
    {51, "eip155:51", NULL, false, "XDC Apothem", true},
    {36900, "eip155:36900", NULL, false, "ADI", false},
    {190415, "eip155:190415", NULL, false, "HPP", false},
    {181228, "eip155:181228", NULL, false, "HPP Sepolia", true},
    {988, "eip155:988", "stable", false, "Stable", false},
    {2201, "eip155:2201", "stable-testnet", false, "Stable Testnet", true},
    {14, "eip155:14", "flare", false, "Flare", false},
    {4326, "eip155:4326", "megaeth", false, "MegaETH", false},
    {31612, "eip155:31612", NULL, false, "Mezo", false},
    {31611, "eip155:31611", NULL, false, "Mezo Testnet", true},
    {723487, "eip155:723487", NULL, false, "Radius", false},
    {72344, "eip155:72344", NULL, false, "Radius Testnet", true},
    {38833, "eip155:38833", NULL, false, "Igra", false},
    {4689, "eip155:4689", "iotex", true, "IoTeX", false},
    {3338, "eip155:3338", "peaq", true, "peaq", false},
    {2741, "eip155:2741", "abstract", true, "Abstract", false},
    {11124, "eip155:11124", "abstract-testnet", true, "Abstract Testnet", true},
    {1514, "eip155:1514", "story", true, "Story", false},
    {41923, "eip155:41923", "educhain", true, "EDU Chain", false},
    {324705682, "eip155:324705682", "skale-base-sepolia", true,
     "SKALE Base Sepolia", true},
};

#define NETWORKS_LEN (sizeof networks / sizeof networks[0])

const struct x402_network *
x402_network_at(size_t i)
{
    return i < NETWORKS_LEN ? &networks[i] : NULL;
}

const struct x402_network *
x402_network_by_id(uint64_t chain_id)
{
    for (size_t i = 0; i < NETWORKS_LEN; i++) {
        if (networks[i].chain_id == chain_id)
            return &networks[i];
    }
    return NULL;
}

/* Text against text, so that "eip155:08453" is nothing. */
const struct x402_network *
x402_network_by_caip2(struct x402_span text)
{
    for (size_t i = 0; i < NETWORKS_LEN; i++) {
        if (x402_span_eq(text, x402_span_of(networks[i].caip2)))
            return &networks[i];
    }
    return NULL;
}

const struct x402_network *
x402_network_by_v1_name(struct x402_span text)
{
    for (size_t i = 0; i < NETWORKS_LEN; i++) {
        const char *name = networks[i].v1_name;

        if (name != NULL && x402_span_eq(text, x402_span_of(name)))
            return &networks[i];
    }
    return NULL;
}

static const struct x402_network *
by_bare_id(struct x402_span text)
{
    const size_t prefix = strlen("eip155:");

    for (size_t i = 0; i < NETWORKS_LEN; i++) {
        if (x402_span_eq(text, x402_span_of(networks[i].caip2 + prefix)))
            return &networks[i];
    }
    return NULL;
}

const struct x402_network *
x402_network_by_any(struct x402_span text)
{
    const struct x402_network *network = x402_network_by_caip2(text);

    if (network == NULL)
        network = x402_network_by_v1_name(text);
    if (network == NULL)
        network = by_bare_id(text);
    return network;
}

const struct x402_network *
x402_network_by_seed001(struct x402_span text)
{
    static const struct {
        const char *name;
        uint64_t chain_id;
    } chains[] = {{"base", 8453}, {"base-sepolia", 84532}};

    for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
        if (text.len == strlen(chains[i].name) &&
            strncasecmp(text.at, chains[i].name, text.len) == 0)
            return x402_network_by_id(chains[i].chain_id);
    }
    return NULL;
}
