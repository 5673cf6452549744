/* SPDX-License-Identifier: Apache-2.0 */
/* x402 wallet import: from a 0600 file, or from standard input. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <x402/encode.h>

#include "command.h"
#include "exit.h"
#include "wallet_options.h"

enum { INPUT_MAX = 128 };

/* 64 hex digits, "0x" in front or not. */
static bool
parse_key(uint8_t key32[32], char *text, size_t len)
{
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
        len--;
    if (len == 64) {
        memmove(text + 2, text, len);
        memcpy(text, "0x", 2);
        len += 2;
    }
    return x402_hex_decode(key32, 32, (struct x402_span){text, len}) == X402_OK;
}

static bool
from_stdin(uint8_t key32[32])
{
    char *text = keystore_secret_new(INPUT_MAX);
    size_t len = 0;
    ssize_t n = 0;
    bool ok;

    if (text == NULL)
        return false;
    if (isatty(STDIN_FILENO))
        say_error("type or paste the key: 64 hex digits (it will be seen), "
                  "then Enter and Ctrl-D");
    while (len < INPUT_MAX - 2 &&
           (n = read(STDIN_FILENO, text + len, INPUT_MAX - 2 - len)) > 0)
        len += (size_t)n;
    ok = n == 0 && parse_key(key32, text, len);
    keystore_secret_free(text, INPUT_MAX);
    if (!ok)
        say_error("standard input: %s", keystore_err_text(KEYSTORE_ERR_FORMAT));
    return ok;
}

static bool
from_file(uint8_t key32[32], const char *path)
{
    enum keystore_err err =
        keystore_file_open(key32, path, (struct x402_span){NULL, 0});

    if (err == KEYSTORE_OK)
        return true;
    say_error("%s: %s", path,
              err == KEYSTORE_ERR_IO ? strerror(errno)
                                     : keystore_err_text(err));
    return false;
}

int
command_wallet_import(int argc, char **argv)
{
    static struct wallet_options options;
    uint8_t *key32;
    int code = CLIENT_EXIT_WALLET;
    bool ok;

    if (!wallet_options_read(&options, "from wallet password-file scrypt-n",
                             argc, argv))
        return CLIENT_EXIT_USAGE;
    key32 = keystore_secret_new(32);
    if (key32 == NULL) {
        say_error("no locked memory for the key (see ulimit -l)");
        return code;
    }
    if (options.from == NULL || strcmp(options.from, "-") == 0)
        ok = from_stdin(key32);
    else
        ok = from_file(key32, options.from);
    if (ok)
        code = wallet_store(&options, key32);
    keystore_secret_free(key32, 32);
    return code;
}
