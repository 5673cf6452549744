/* SPDX-License-Identifier: Apache-2.0 */
/* x402 wallet new */
#include <unistd.h>

#include "command.h"
#include "exit.h"
#include "wallet_options.h"

/* 32 random bytes are a key but for one in 2^127. */
static bool
draw_key(uint8_t key32[32])
{
    struct x402_address address;

    return keystore_random_bytes(key32, 32) == KEYSTORE_OK &&
           keystore_address_of(&address, key32) == KEYSTORE_OK;
}

int
command_wallet_new(int argc, char **argv)
{
    static struct wallet_options options;
    uint8_t *key32;
    int code;

    if (!wallet_options_read(&options, "wallet password-file scrypt-n", argc,
                             argv))
        return CLIENT_EXIT_USAGE;
    key32 = keystore_secret_new(32);
    if (key32 == NULL || !draw_key(key32)) {
        say_error("no locked memory, or no randomness");
        code = CLIENT_EXIT_WALLET;
    } else {
        code = wallet_store(&options, key32);
    }
    keystore_secret_free(key32, 32);
    return code;
}
