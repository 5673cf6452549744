/* SPDX-License-Identifier: Apache-2.0 */
/* Opening the wallet. */
#include <errno.h>
#include <string.h>

#include "wallet.h"

static bool
complain(const char *path, enum keystore_err err)
{
    if (err == KEYSTORE_ERR_IO)
        say_error("wallet %s: %s", path, strerror(errno));
    else
        say_error("wallet %s: %s", path, keystore_err_text(err));
    return false;
}

static bool
read_key(uint8_t key32[32], const struct wallet_source *source,
         const struct say *say)
{
    struct x402_span password = {NULL, 0};
    char *typed;
    size_t len;
    enum keystore_err err = keystore_file_open(key32, source->file, password);

    if (err == KEYSTORE_ERR_NEED_PASSWORD) {
        typed = wallet_password(&len, source->password_file, false);
        if (typed == NULL)
            return false;
        /* scrypt takes about a second: somebody who watches is told */
        if (say->tty)
            say_note(say, "opening the wallet");
        password = (struct x402_span){typed, len};
        err = keystore_file_open(key32, source->file, password);
        keystore_secret_free(typed, KEYSTORE_PASSWORD_MAX);
    }
    return err == KEYSTORE_OK || complain(source->file, err);
}

static bool
open_signer(struct wallet *wallet, const uint8_t key32[32], const char *path)
{
    uint8_t seed[32];

    if (keystore_random_bytes(seed, sizeof(seed)) != KEYSTORE_OK)
        return complain(path, KEYSTORE_ERR_RANDOM);
    if (x402_signer_open(&wallet->signer, key32, seed) != X402_OK)
        return complain(path, KEYSTORE_ERR_KEY);
    return true;
}

struct wallet *
wallet_open(const struct wallet_source *source, const struct say *say)
{
    struct wallet *wallet = keystore_secret_new(sizeof(*wallet));
    uint8_t *key32 = keystore_secret_new(32);
    bool ok = false;

    if (wallet == NULL || key32 == NULL)
        say_error("no locked memory for the key (see ulimit -l)");
    else
        ok = read_key(key32, source, say) &&
             open_signer(wallet, key32, source->file);
    keystore_secret_free(key32, 32);
    if (ok)
        return wallet;
    keystore_secret_free(wallet, sizeof(*wallet));
    return NULL;
}

void
wallet_close(struct wallet *wallet)
{
    if (wallet == NULL)
        return;
    x402_signer_close(&wallet->signer);
    keystore_secret_free(wallet, sizeof(*wallet));
}

bool
wallet_peek(struct x402_address *out, const struct wallet_source *source)
{
    char text[KEYSTORE_FILE_MAX];
    size_t len;
    bool ok;

    if (keystore_file_read(text, &len, sizeof(text), source->file) !=
        KEYSTORE_OK)
        return false;
    ok = keystore_peek_address(out, (struct x402_span){text, len}) ==
         KEYSTORE_OK;
    explicit_bzero(text, sizeof(text));
    return ok;
}
