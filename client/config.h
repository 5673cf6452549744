/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file: "key = value" lines.
 *
 *     wallet      = /home/me/wallet.json
 *     max-amount  = 0.10          per payment
 *     budget      = 10.00/day     over all servers, mainnets and testnets apart
 *     host-budget = 1.00/day      per origin
 *     networks    = base, base-sepolia
 *     rpc.base    = https://...   for balances and for checking payments
 *     bazaar      = https://...   where x402 discover asks
 *
 *     lnd.url      = https://127.0.0.1:8080   our own Lightning node
 *     lnd.cert     = /home/me/.lnd/tls.cert   its certificate, nothing else
 *     lnd.macaroon = /home/me/x402.macaroon   0600; few rights suffice
 *     lnd.network  = mainnet                  testnet, regtest
 *     max-sats     = 1000 sat                 per payment
 *     max-fee      = 10 sat                   on top of it
 *     sat-budget   = 10000 sat/day            prices and fees together
 */
#ifndef CLIENT_CONFIG_H
#define CLIENT_CONFIG_H

#include <stddef.h>

#include "budget.h"
#include "ln_pay.h"
#include "paths.h"
#include "policy.h"

#define CONFIG_FILE_MAX 65536
#define CONFIG_RPC_MAX 16
#define CONFIG_URL_MAX 1024

struct config_rpc {
    const struct x402_network *network;
    char url[CONFIG_URL_MAX];
};

struct config {
    char wallet[PATHS_MAX]; /* "": none known */
    struct x402_amount max_amount;
    struct budget budget;
    struct budget host_budget;
    const struct x402_network *networks[POLICY_NETWORKS_MAX];
    size_t networks_len;
    struct config_rpc rpc[CONFIG_RPC_MAX];
    size_t rpc_len;
    char bazaar[CONFIG_URL_MAX]; /* "": none */
    struct lnd_config lnd;
    struct ln_limits ln;
};

#define CONFIG_ERROR_MAX 512

/** Fill with the defaults, then read the file if there is one.
 *  Out: error  "FILE:LINE: what is wrong", when false comes back. */
__attribute__((warn_unused_result)) bool
config_load(struct config *out, char error[CONFIG_ERROR_MAX]);
/** Set one key in the file (created when there is none), leaving the rest. */
__attribute__((warn_unused_result)) bool
config_set(const char *key, const char *value, char error[CONFIG_ERROR_MAX]);
/** The RPC URL for a network; NULL: none is configured. */
const char *config_rpc_url(const struct config *config,
                           const struct x402_network *network);
/** Read "base, eip155:84532" into an allow-list; false: an unknown name. */
__attribute__((warn_unused_result)) bool
config_parse_networks(const struct x402_network **out, size_t *len,
                      struct x402_span text);

#endif
