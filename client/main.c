/* SPDX-License-Identifier: Apache-2.0 */
/* x402: a command like curl, and it pays. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

#include "command.h"
#include "exit.h"
#include "keystore.h"

static const char help[] =
    "x402 - fetch what costs money: HTTP 402, paid in USDC\n"
    "\n"
    "usage: x402 get [options] URL     fetch a URL, and pay what it asks\n"
    "       x402 show [options] URL    show what a URL asks for, and check it\n"
    "       x402 discover QUERY        find what can be bought\n"
    "       x402 wallet new            make a wallet\n"
    "       x402 wallet import         make one from a private key\n"
    "       x402 wallet address        show its address\n"
    "       x402 wallet balance        show what is in it\n"
    "       x402 payments              list the payments made\n"
    "       x402 budget [1.00/day]     show or set the spending limit\n"
    "       x402 ledger COMMAND        for sellers: what was paid to you "
    "(x402d ledger)\n"
    "       x402 COMMAND --help        more about each of them\n"
    "       x402 --version\n"
    "\n"
    "examples:\n"
    "  x402 wallet new\n"
    "  x402 get --dry-run https://api.example.com/report\n"
    "  x402 get --max-amount 0.01 -o report.json "
    "https://api.example.com/report\n";

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {{"get", command_get},           {"show", command_show},
                {"discover", command_discover}, {"wallet", command_wallet},
                {"payments", command_payments}, {"budget", command_budget},
                {"ledger", command_ledger}};

static int
dispatch(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(argv[1], commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    }
    say_error("no command '%.100s'; try 'x402 --help'", argv[1]);
    return CLIENT_EXIT_USAGE;
}

int
main(int argc, char **argv)
{
    int code;

    if (keystore_harden_process() != KEYSTORE_OK) {
        say_error("core dumps cannot be turned off");
        return CLIENT_EXIT_USAGE;
    }
    /* a reader that goes away is an error of write(), not a death: the journal
     * is to hear of it */
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        fputs(help, stderr);
        return CLIENT_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        strcmp(argv[1], "help") == 0) {
        fputs(help, stdout);
        return CLIENT_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        printf("x402 %s\n", X402_VERSION);
        return CLIENT_EXIT_OK;
    }
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        say_error("libcurl does not start");
        return CLIENT_EXIT_USAGE;
    }
    code = dispatch(argc, argv);
    curl_global_cleanup();
    return code;
}
