/* SPDX-License-Identifier: Apache-2.0 */
/* The options that the wallet commands share. */
#ifndef CLIENT_WALLET_OPTIONS_H
#define CLIENT_WALLET_OPTIONS_H

#include "config.h"
#include "wallet.h"

struct wallet_options {
    struct config config;
    struct wallet_source source;        /* file: option or configuration */
    const char *from;                   /* --from */
    const char *rpc;                    /* --rpc */
    const struct x402_network *network; /* --network, NULL: not given */
    uint64_t scrypt_n;
    bool json;
};

/** Read configuration and arguments; false: said why.  Names in `allowed`,
 *  separated by spaces, are the options of this command. */
__attribute__((warn_unused_result)) bool
wallet_options_read(struct wallet_options *out, const char *allowed, int argc,
                    char **argv);

/** Encrypt a key into a new file and show its address; an exit code. */
int wallet_store(const struct wallet_options *options, const uint8_t key32[32]);

#endif
