/* SPDX-License-Identifier: Apache-2.0 */
/* The networks and assets we know: names on every wire, EIP-712 domains,
 * decimals. */
#ifndef X402_NETWORK_H
#define X402_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <x402/address.h>
#include <x402/error.h>
#include <x402/span.h>

struct x402_network {
    uint64_t chain_id;
    const char *caip2;   /* "eip155:8453" */
    const char *v1_name; /* "base"; NULL where version 1 has no name */
    bool legacy; /* the 1.2 packages accept v1_name (others make them throw) */
    const char *label; /* for people: "Base", "Base Sepolia" */
    bool testnet;
};

enum x402_transfer { X402_TRANSFER_EIP3009 = 1, X402_TRANSFER_PERMIT2 = 2 };

struct x402_asset {
    uint64_t chain_id;
    struct x402_address address;
    const char *address_text;   /* EIP-55 */
    const char *address_legacy; /* spelling of the 1.2 packages, NULL: they do
                                   not know it */
    const char *symbol;         /* "USDC" */
    const char *eip712_name;    /* "USD Coin" */
    const char *eip712_version; /* "2" */
    unsigned decimals;
    enum x402_transfer transfer;
};

/** All return NULL when unknown.  Results are static and live for ever.
 * Threads: any. */
const struct x402_network *x402_network_by_id(uint64_t chain_id);
/** By CAIP-2 ("eip155:8453", canonical decimal only), v1 name ("base");
 * compares v1 names and the "eip155" namespace exactly. */
const struct x402_network *x402_network_by_caip2(struct x402_span text);
const struct x402_network *x402_network_by_v1_name(struct x402_span text);
/** Either spelling, and a bare chain id ("8453"): for configuration and people.
 */
const struct x402_network *x402_network_by_any(struct x402_span text);
/** chain identifiers of seed 001 ("base", "base-sepolia"), compared without
 * case. */
const struct x402_network *x402_network_by_seed001(struct x402_span text);

const struct x402_asset *
x402_asset_by_address(uint64_t chain_id, const struct x402_address *address);
/** Symbol compared without case. */
const struct x402_asset *x402_asset_by_symbol(uint64_t chain_id,
                                              struct x402_span symbol);
/** Row i of the table, NULL past the end: for listings and tests. */
const struct x402_asset *x402_asset_at(size_t i);
const struct x402_network *x402_network_at(size_t i);

#endif
