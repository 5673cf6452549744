/* SPDX-License-Identifier: Apache-2.0 */
/* x402 wallet address */
#include <stdio.h>

#include "command.h"
#include "exit.h"
#include "wallet_address.h"

bool
wallet_address(struct x402_address *out, const struct wallet_options *options)
{
    const struct say say = {false, false, false};
    struct wallet *wallet;

    if (options->source.file == NULL) {
        say_error("there is no wallet: x402 wallet new, or --key-file");
        return false;
    }
    if (wallet_peek(out, &options->source))
        return true;
    wallet = wallet_open(&options->source, &say);
    if (wallet == NULL)
        return false;
    *out = wallet->signer.address;
    wallet_close(wallet);
    return true;
}

int
command_wallet_address(int argc, char **argv)
{
    static struct wallet_options options;
    char text[X402_ADDRESS_TEXT_LEN + 1];
    struct x402_address address;

    if (!wallet_options_read(&options, "wallet key-file password-file", argc,
                             argv))
        return CLIENT_EXIT_USAGE;
    if (!wallet_address(&address, &options))
        return CLIENT_EXIT_WALLET;
    x402_address_format(text, &address);
    printf("%s\n", text);
    return CLIENT_EXIT_OK;
}
