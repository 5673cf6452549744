/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration is good in itself when we get here.  This looks at what it
 * names: files, folders, keys, who can read them; and says which settings are
 * allowed but unsafe.  Nothing is sent anywhere. */
#include "inspect.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <keystore.h>
#include <x402/address.h>

struct inspection {
    unsigned errors, unsafe;
};

__attribute__((format(printf, 3, 4))) static void
say(unsigned *count, const char *kind, const char *format, ...)
{
    va_list args;

    if (count != NULL)
        (*count)++;
    printf("%s: ", kind);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

/* -- folders and the file itself -- */

static void
look_at_folder(struct inspection *in, const char *what, const char *file)
{
    char folder[4096];
    struct stat st;
    const char *slash = strrchr(file, '/');

    snprintf(folder, sizeof(folder), "%.*s",
             (int)(slash == file ? 1 : slash - file), file);
    if (stat(folder, &st) != 0)
        say(&in->errors, "error", "%s: %s: %s; create it for the daemon's user",
            what, folder, strerror(errno));
    else if (!S_ISDIR(st.st_mode))
        say(&in->errors, "error", "%s: %s is not a folder", what, folder);
    else if ((st.st_mode & S_IWOTH) != 0)
        say(&in->unsafe, "unsafe",
            "%s: every user can change files in %s; chmod o-w it", what,
            folder);
}

/** User and password, a path or a query in a node's URL: mostly an API key. */
static bool
has_secret(const char *url)
{
    const char *host = strstr(url, "://") + 3;
    size_t len = strcspn(host, "/?");

    return memchr(host, '@', len) != NULL || strlen(host + len) > 1;
}

static bool
any_secret(const struct config *config)
{
    for (size_t i = 0; i < config->network_len; i++) {
        for (size_t k = 0; k < config->network[i].rpc_len; k++) {
            if (has_secret(config->network[i].rpc[k]))
                return true;
        }
    }
    return false;
}

static void
look_at_file(struct inspection *in, const struct config *config,
             const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return;
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        say(&in->unsafe, "unsafe",
            "%s: others can change it, and with it who is paid; chmod go-w it",
            path);
    if ((st.st_mode & (S_IRGRP | S_IROTH)) != 0 && any_secret(config))
        say(&in->unsafe, "unsafe",
            "%s: an rpc URL seems to hold an API key, and others can read it; "
            "chmod 600 it",
            path);
}

/* -- listeners -- */

static void
look_at_till(struct inspection *in, const struct config *config)
{
    if (config->till_socket == NULL)
        return;
    look_at_folder(in, "till.socket", config->till_socket);
    if (config->till_group == NULL)
        say(NULL, "note",
            "till.group is not set: nginx's workers need the daemon's group to "
            "reach %s",
            config->till_socket);
}

static void
look_at_http(struct inspection *in, const struct config *config)
{
    if (config->http_port == 0)
        return;
    if (config->http_public)
        say(&in->unsafe, "unsafe",
            "http.public: whoever reaches %s port %u can make your signers pay "
            "gas for the listed payees; put TLS and a rate limit in front",
            config->http_host, config->http_port);
    if (config->facilitate_any_payee)
        say(&in->unsafe, "unsafe",
            "http.any_payee: every process of this machine can make your "
            "signers pay gas for anybody");
}

/* -- networks -- */

static bool
is_plain_remote(const char *url)
{
    const char *host = url + strlen("http://");

    return strncmp(url, "http://", 7) == 0 && strncmp(host, "127.", 4) != 0 &&
           strncmp(host, "localhost", 9) != 0 && strncmp(host, "[::1]", 5) != 0;
}

/** The key itself is wiped at once; only its address is of interest. */
static enum keystore_err
address_of(const struct config_key *key, struct x402_address *out)
{
    char password[KEYSTORE_PASSWORD_MAX];
    struct x402_span text = {NULL, 0};
    const char *file =
        key->key_file != NULL ? key->key_file : key->keystore_file;
    uint8_t secret[32];
    enum keystore_err err = KEYSTORE_OK;

    if (key->password_file != NULL) {
        err = keystore_password_read(password, &text.len, key->password_file);
        text.at = password;
    }
    if (err == KEYSTORE_OK)
        err = keystore_file_open(secret, file, text);
    if (err == KEYSTORE_OK)
        err = keystore_address_of(out, secret);
    explicit_bzero(secret, sizeof(secret));
    explicit_bzero(password, sizeof(password));
    return err;
}

static void
look_at_signer(struct inspection *in, const struct config_network *network,
               const struct config_key *key)
{
    const char *file =
        key->key_file != NULL ? key->key_file : key->keystore_file;
    struct x402_address address;
    char text[X402_ADDRESS_TEXT_LEN + 1];
    enum keystore_err err = address_of(key, &address);

    if (err != KEYSTORE_OK) {
        say(&in->errors, "error", "%s: signer %s: %s%s%s",
            network->network->caip2, file, keystore_err_text(err),
            err == KEYSTORE_ERR_IO ? ": " : "",
            err == KEYSTORE_ERR_IO ? strerror(errno) : "");
        return;
    }
    x402_address_format(text, &address);
    say(NULL, "signer", "%s: %s; it needs gas", network->network->caip2, text);
}

static bool
has_payee(const struct config *config, const struct config_network *network)
{
    for (size_t i = 0; i < config->payee_len; i++) {
        if (config->payee[i].network == network->network)
            return true;
    }
    return false;
}

static void
look_at_network(struct inspection *in, const struct config *config,
                const struct config_network *network)
{
    const char *name = network->network->caip2;

    for (size_t i = 0; i < network->rpc_len; i++) {
        if (is_plain_remote(network->rpc[i]))
            say(&in->unsafe, "unsafe",
                "%s: rpc[%zu] is plain http: whoever is on the way can lie "
                "about payments; use https",
                name, i);
    }
    for (size_t i = 0; i < network->signer_len; i++)
        look_at_signer(in, network, &network->signer[i]);
    if (network->signer_len == 0 && has_payee(config, network))
        say(&in->unsafe, "unsafe",
            "%s: payees but no signers: nothing that is collected would reach "
            "the chain",
            name);
}

int
inspect(struct config *config, const char *path)
{
    struct inspection in = {0, 0};

    look_at_file(&in, config, path);
    look_at_folder(&in, "ledger", config->ledger_file);
    look_at_till(&in, config);
    look_at_http(&in, config);
    for (size_t i = 0; i < config->network_len; i++)
        look_at_network(&in, config, &config->network[i]);
    printf("%s: %u errors, %u unsafe settings\n", path, in.errors, in.unsafe);
    return in.errors == 0 ? 0 : 1;
}
