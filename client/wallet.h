/* SPDX-License-Identifier: Apache-2.0 */
/* The wallet: one private key, opened when something is to be signed. */
#ifndef CLIENT_WALLET_H
#define CLIENT_WALLET_H

#include <stdbool.h>

#include <x402/signer.h>

#include "keystore.h"
#include "paths.h"
#include "terminal.h"

/** Where the key is and how it is opened; NULL: not given. */
struct wallet_source {
    const char *file;          /* keystore or raw key file */
    const char *password_file; /* NULL: ask on the terminal */
};

/** Ready to sign.  Lives in locked memory, see wallet_close. */
struct wallet {
    struct x402_signer signer;
};

/** Open the file; asks for a password when it needs one and there is a
 *  terminal.  Says on stderr what is wrong.
 *  Returns: NULL on error. */
struct wallet *wallet_open(const struct wallet_source *source,
                           const struct say *say);
void wallet_close(struct wallet *wallet);

/** The address without opening the key, when the file states it: for showing
 *  only.  false: it does not. */
__attribute__((warn_unused_result)) bool
wallet_peek(struct x402_address *out, const struct wallet_source *source);

/** Passwords, in locked memory of KEYSTORE_PASSWORD_MAX bytes; free with
 *  keystore_secret_free.  NULL: said why on stderr.
 *  From the file, or typed (twice when `fresh`) on the terminal.  A fresh one
 *  may not be empty. */
char *wallet_password(size_t *len, const char *password_file, bool fresh);

#endif
