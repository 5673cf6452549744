/* SPDX-License-Identifier: Apache-2.0 */
/* x402 wallet ... */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "exit.h"

static const char help[] =
    "x402 wallet COMMAND - the key that pays\n"
    "\n"
    "  x402 wallet new [--wallet FILE] [--password-file FILE] [--scrypt-n N]\n"
    "      make a key and keep it encrypted (Web3 Secret Storage version 3)\n"
    "  x402 wallet import [--from FILE] [--wallet FILE] ...\n"
    "      the same with a key of yours: 64 hex digits in a 0600 file, or on\n"
    "      standard input; a key is never taken from the command line\n"
    "  x402 wallet address [--wallet FILE | --key-file FILE]\n"
    "  x402 wallet balance [--network NAME] [--rpc URL] [--json]\n"
    "                      [--wallet FILE | --key-file FILE]\n"
    "      ask a node; configure one with 'rpc.base = https://...'\n"
    "  x402 wallet lightning\n"
    "      ask the configured LND who it is: lnd.url, lnd.cert, lnd.macaroon\n"
    "\n"
    "The wallet is ${XDG_DATA_HOME:-~/.local/share}/x402/wallet.json unless\n"
    "--wallet or the configuration says another place.\n"
    "\n"
    "examples:\n"
    "  x402 wallet new\n"
    "  x402 wallet import --from key.hex --password-file password\n"
    "  x402 wallet balance --network base-sepolia --rpc "
    "http://127.0.0.1:14545\n";

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {{"new", command_wallet_new},
                {"import", command_wallet_import},
                {"address", command_wallet_address},
                {"balance", command_wallet_balance},
                {"lightning", command_wallet_lightning}};

static bool
asks_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    }
    return false;
}

int
command_wallet(int argc, char **argv)
{
    if (asks_for_help(argc, argv)) {
        fputs(help, stdout);
        return CLIENT_EXIT_OK;
    }
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (argc > 1 && strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    return command_misused("wallet");
}
