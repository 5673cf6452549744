/* SPDX-License-Identifier: Apache-2.0 */
/* Putting a key into a new wallet file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "exit.h"
#include "paths.h"
#include "wallet_options.h"

static int
complain(const char *path, enum keystore_err err)
{
    say_error("wallet %s: %s", path,
              err == KEYSTORE_ERR_IO ? strerror(errno)
                                     : keystore_err_text(err));
    return CLIENT_EXIT_WALLET;
}

static enum keystore_err
encrypt(char text[KEYSTORE_TEXT_MAX], const uint8_t key32[32],
        struct x402_span password, uint64_t n)
{
    struct keystore_random random;
    enum keystore_err err = keystore_random_bytes(&random, sizeof(random));

    if (err != KEYSTORE_OK)
        return err;
    return keystore_make(text, key32, password, n, &random);
}

static enum keystore_err
store(const char *path, const uint8_t key32[32], struct x402_span password,
      uint64_t n)
{
    char text[KEYSTORE_TEXT_MAX];
    enum keystore_err err = encrypt(text, key32, password, n);

    if (err != KEYSTORE_OK)
        return err;
    if (!paths_make_parent(path))
        return KEYSTORE_ERR_IO;
    return keystore_file_create(path, x402_span_of(text));
}

int
wallet_store(const struct wallet_options *options, const uint8_t key32[32])
{
    const char *path = options->source.file;
    char text[X402_ADDRESS_TEXT_LEN + 1];
    struct x402_address address;
    char *password;
    size_t len;
    enum keystore_err err = keystore_address_of(&address, key32);

    if (path == NULL) {
        say_error("there is no place for the wallet: use --wallet");
        return CLIENT_EXIT_WALLET;
    }
    if (err != KEYSTORE_OK)
        return complain(path, err);
    password = wallet_password(&len, options->source.password_file, true);
    if (password == NULL)
        return CLIENT_EXIT_WALLET;
    err = store(path, key32, (struct x402_span){password, len},
                options->scrypt_n);
    keystore_secret_free(password, KEYSTORE_PASSWORD_MAX);
    if (err != KEYSTORE_OK)
        return complain(path, err);
    x402_address_format(text, &address);
    printf("%s\n", text);
    fprintf(stderr,
            "x402: the wallet is %s; keep a copy of it, and the "
            "password\n",
            path);
    return CLIENT_EXIT_OK;
}
