/* SPDX-License-Identifier: Apache-2.0 */
/* x402 wallet balance: every token of our table on one network. */
#include <stdio.h>

#include "command.h"
#include "exit.h"
#include "money.h"
#include "rpc.h"
#include "wallet_address.h"

static void
print_balance(const struct x402_amount *amount, const struct x402_asset *asset,
              const struct x402_network *network, bool json)
{
    char text[MONEY_TEXT_MAX];

    if (!json) {
        money_format_asset(text, amount, asset);
        printf("%s on %s\n", text, network->label);
        return;
    }
    (void)x402_amount_format(text, amount);
    printf("{\"network\":\"%s\",\"symbol\":\"%s\",\"asset\":\"%s\","
           "\"decimals\":%u,\"amount\":\"%s\"}\n",
           network->caip2, asset->symbol, asset->address_text, asset->decimals,
           text);
}

static bool
print_all(struct rpc *rpc, const struct x402_network *network,
          const struct x402_address *address, bool json)
{
    const struct x402_asset *asset;
    struct x402_amount amount;
    bool any = false;

    for (size_t i = 0; (asset = x402_asset_at(i)) != NULL; i++) {
        if (asset->chain_id != network->chain_id)
            continue;
        if (!rpc_balance(&amount, rpc, asset, address))
            return false;
        print_balance(&amount, asset, network, json);
        any = true;
    }
    if (!any)
        say_error("no token is known on %s", network->label);
    return any;
}

/* The one that was named, or the first allowed one with a node. */
static const struct x402_network *
pick_network(const struct wallet_options *options)
{
    const struct config *config = &options->config;

    if (options->network != NULL)
        return options->network;
    for (size_t i = 0; i < config->networks_len; i++) {
        if (config_rpc_url(config, config->networks[i]) != NULL)
            return config->networks[i];
    }
    return config->networks[0];
}

int
command_wallet_balance(int argc, char **argv)
{
    static struct wallet_options options;
    const struct say say = {false, false, false};
    const struct x402_network *network;
    struct x402_address address;
    const char *url;
    struct rpc *rpc;
    bool ok;

    if (!wallet_options_read(&options,
                             "wallet key-file password-file rpc network json",
                             argc, argv))
        return CLIENT_EXIT_USAGE;
    network = pick_network(&options);
    url = options.rpc != NULL ? options.rpc
                              : config_rpc_url(&options.config, network);
    if (url == NULL) {
        say_error("which node of %s shall be asked? --rpc URL, or "
                  "'rpc.%s = URL' in the configuration",
                  network->label,
                  network->v1_name != NULL ? network->v1_name : network->caip2);
        return CLIENT_EXIT_USAGE;
    }
    if (!wallet_address(&address, &options))
        return CLIENT_EXIT_WALLET;
    rpc = rpc_open(url, network, &say);
    ok = rpc != NULL && print_all(rpc, network, &address, options.json);
    rpc_close(rpc);
    return ok ? CLIENT_EXIT_OK : CLIENT_EXIT_RECEIVE;
}
