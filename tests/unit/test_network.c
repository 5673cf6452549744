/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of networks and tokens: whole, consistent, and the traps that cost
 * other implementations money. */
#include "test.h"

#include <x402/network.h>

static void
check_network(const struct x402_network *n)
{
    char caip2[32], id[24];

    snprintf(caip2, sizeof caip2, "eip155:%llu",
             (unsigned long long)n->chain_id);
    snprintf(id, sizeof id, "%llu", (unsigned long long)n->chain_id);
    test_text(n->caip2, caip2, n->label);
    test_ok(x402_network_by_id(n->chain_id) == n, "%s by its id", n->label);
    test_ok(x402_network_by_caip2(test_edge_text(caip2)) == n, "by CAIP-2");
    test_ok(x402_network_by_any(test_edge_text(caip2)) == n, "by either");
    test_ok(x402_network_by_any(test_edge_text(id)) == n, "by a bare id");
    test_ok(x402_network_by_caip2(test_edge_text(id)) == NULL,
            "which is no CAIP-2");
    if (n->v1_name == NULL) {
        test_ok(!n->legacy, "no name in version 1, none in 1.2");
        return;
    }
    test_ok(x402_network_by_v1_name(test_edge_text(n->v1_name)) == n, "%s",
            n->v1_name);
    test_ok(x402_network_by_any(test_edge_text(n->v1_name)) == n, "by either");
    test_ok(x402_network_by_caip2(test_edge_text(n->v1_name)) == NULL,
            "a name is no CAIP-2");
    test_ok(x402_network_by_v1_name(test_edge_text(n->caip2)) == NULL,
            "nor the other way");
}

static void
test_networks(void)
{
    size_t i;

    for (i = 0; x402_network_at(i) != NULL; i++)
        check_network(x402_network_at(i));
    test_ok(i == 36, "36 networks (%zu)", i);
    test_ok(x402_network_at(SIZE_MAX) == NULL, "no row past the end");
}

/* Names of version 1 and whether the 1.2 packages know them, from the official
 * packages 2.27 and 1.2. */
static void
test_names(void)
{
    static const struct {
        const char *name;
        uint64_t chain_id;
        bool legacy;
    } rows[] = {
        {"base", 8453, true},
        {"base-sepolia", 84532, true},
        {"avalanche", 43114, true},
        {"avalanche-fuji", 43113, true},
        {"polygon", 137, true},
        {"polygon-amoy", 80002, true},
        {"sei", 1329, true},
        {"sei-testnet", 1328, true},
        {"iotex", 4689, true},
        {"abstract", 2741, true},
        {"abstract-testnet", 11124, true},
        {"peaq", 3338, true},
        {"story", 1514, true},
        {"educhain", 41923, true},
        {"skale-base-sepolia", 324705682, true},
        {"ethereum", 1, false},
        {"sepolia", 11155111, false},
        {"megaeth", 4326, false},
        {"monad", 143, false},
        {"stable", 988, false},
        {"stable-testnet", 2201, false},
        {"celo", 42220, false},
        {"flare", 14, false},
    };
    size_t named = 0;

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        const struct x402_network *n =
            x402_network_by_v1_name(x402_span_of(rows[i].name));

        test_ok(n != NULL && n->chain_id == rows[i].chain_id &&
                    n->legacy == rows[i].legacy,
                "%s", rows[i].name);
    }
    for (size_t i = 0; x402_network_at(i) != NULL; i++)
        named += x402_network_at(i)->v1_name != NULL;
    test_ok(named == TEST_LEN(rows), "and no other names");
}

static void
test_no_network(void)
{
    static const char *const texts[] = {
        "",
        "eip155",
        "eip155:",
        "eip155:0",
        "eip155:999",
        "eip155:08453",
        "eip155:8453 ",
        " eip155:8453",
        "EIP155:8453",
        "eip155:8453:x",
        "eip155: 8453",
        "eip155:+8453",
        "eip155:84530",
        "eip155:845",
        "solana:8453",
        "Base",
        "BASE",
        "base ",
        "basesepolia",
        "08453",
        "+8453",
        "0x2105",
        "lightning",
        "solana",
    };

    for (size_t i = 0; i < TEST_LEN(texts); i++) {
        struct x402_span text = test_edge_text(texts[i]);

        test_ok(x402_network_by_caip2(text) == NULL &&
                    x402_network_by_v1_name(text) == NULL &&
                    x402_network_by_any(text) == NULL,
                "'%s' is no network", texts[i]);
    }
    test_ok(x402_network_by_id(0) == NULL, "0 is no chain");
}

static void
test_seed001(void)
{
    static const struct {
        const char *text;
        uint64_t chain_id; /* 0: none */
    } rows[] = {
        {"base", 8453},
        {"BASE", 8453},
        {"Base", 8453},
        {"base-sepolia", 84532},
        {"Base-Sepolia", 84532},
        {"lightning", 0},
        {"eip155:8453", 0},
        {"bas", 0},
        {"basee", 0},
        {"", 0},
        {"ethereum", 0},
        {"8453", 0},
    };

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        const struct x402_network *n =
            x402_network_by_seed001(test_edge_text(rows[i].text));

        test_ok(rows[i].chain_id == 0
                    ? n == NULL
                    : n != NULL && n->chain_id == rows[i].chain_id,
                "seed 001: '%s'", rows[i].text);
    }
}

static void
check_asset(const struct x402_asset *a)
{
    struct x402_address address;
    char text[X402_ADDRESS_TEXT_LEN + 1];

    x402_address_format(text, &a->address);
    test_text(a->address_text, text, a->symbol);
    test_ok(x402_network_by_id(a->chain_id) != NULL, "its chain is known");
    test_ok(x402_asset_by_address(a->chain_id, &a->address) == a,
            "found by address");
    test_ok(x402_asset_by_symbol(a->chain_id, test_edge_text(a->symbol)) == a,
            "found by symbol");
    test_ok(a->decimals == 6 || a->decimals == 18, "decimals");
    test_ok(a->eip712_name[0] != '\0' && a->eip712_version[0] != '\0',
            "has a domain");
    test_ok(a->transfer == X402_TRANSFER_EIP3009 ||
                a->transfer == X402_TRANSFER_PERMIT2,
            "a transfer method");
    if (a->address_legacy == NULL)
        return;
    test_ok(x402_address_parse(&address, x402_span_of(a->address_legacy)) ==
                    X402_OK &&
                x402_address_eq(&address, &a->address),
            "the 1.2 spelling is the same address");
    test_ok(x402_network_by_id(a->chain_id)->legacy,
            "on a chain that 1.2 knows");
}

static void
test_assets(void)
{
    size_t i, legacy = 0;

    for (i = 0; x402_asset_at(i) != NULL; i++) {
        check_asset(x402_asset_at(i));
        legacy += x402_asset_at(i)->address_legacy != NULL;
    }
    test_ok(i == 37, "37 tokens (%zu)", i);
    test_ok(legacy == 15, "15 of them in the 1.2 packages (%zu)", legacy);
    test_ok(x402_asset_at(SIZE_MAX) == NULL, "no row past the end");
}

static void
test_traps(void)
{
    static const struct {
        const char *why;
        uint64_t chain_id;
        const char *symbol, *name, *version, *legacy;
    } rows[] = {
        {"Base is USD Coin, whatever seed 000 prints", 8453, "USDC", "USD Coin",
         "2", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"},
        {"its testnet is USDC", 84532, "usdc", "USDC", "2",
         "0x036CbD53842c5426634e7929541eC2318f3dCF7e"},
        {"1.2 writes Polygon's in lower case", 137, "USDC", "USD Coin", "2",
         "0x3c499c542cef5e3811e1192ce70d8cc03d5c3359"},
        {"and Sei's", 1329, "USDC", "USDC", "2",
         "0xe15fc38f6d8c56af07bbcbe3baf5708a2bf42392"},
        {"and Sei testnet's", 1328, "USDC", "USDC", "2",
         "0x4fcf1784b31630811181f670aea7a7bef803eaed"},
        {"Flare's name is not ASCII", 14, "USDT0",
         "USD\xe2\x82\xae"
         "0",
         "1", NULL},
        {"Celo has three", 42220, "usat", "Tether America USD", "1", NULL},
        {"only 1.2 knows Fuji's", 43113, "USDC", "USD Coin", "2",
         "0x5425890298aed601595a70AB815c96711a31Bc65"},
    };

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        const struct x402_asset *a = x402_asset_by_symbol(
            rows[i].chain_id, test_edge_text(rows[i].symbol));

        test_need(a != NULL, rows[i].why);
        test_text(a->eip712_name, rows[i].name, rows[i].why);
        test_text(a->eip712_version, rows[i].version, rows[i].why);
        test_ok(rows[i].legacy == NULL
                    ? a->address_legacy == NULL
                    : strcmp(a->address_legacy, rows[i].legacy) == 0,
                "%s: spelling", rows[i].why);
    }
}

static void
test_no_asset(void)
{
    const struct x402_asset *base =
        x402_asset_by_symbol(8453, x402_span_of("USDC"));
    struct x402_address other = base->address;

    other.byte[19] ^= 1;
    test_ok(x402_asset_by_address(8453, &other) == NULL, "another address");
    test_ok(x402_asset_by_address(84532, &base->address) == NULL,
            "the address of another chain");
    test_ok(x402_asset_by_symbol(8453, test_edge_text("USD")) == NULL,
            "a symbol cut short");
    test_ok(x402_asset_by_symbol(8453, test_edge_text("USDCC")) == NULL,
            "a symbol too long");
    test_ok(x402_asset_by_symbol(8453, test_edge_text("")) == NULL,
            "no symbol");
    test_ok(x402_asset_by_symbol(999, test_edge_text("USDC")) == NULL,
            "an unknown chain");
}

int
main(void)
{
    test_networks();
    test_names();
    test_no_network();
    test_seed001();
    test_assets();
    test_traps();
    test_no_asset();
    return test_done();
}
