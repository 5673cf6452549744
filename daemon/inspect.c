/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration is good in itself when we get here.  This looks at what it
 * names: files, folders, keys, who can read them.  What is unsafe is refused;
 * what is allowed but risky is a warning.  Nothing is sent anywhere but by
 * inspect_online.c. */
#include "inspect_inside.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <keystore.h>
#include <x402/address.h>

#include "facilitator/facilitator.h"
#include "lightning/macaroon.h"

void
inspect_say(struct inspection *in, const char *kind, const char *place,
            const char *format, ...)
{
    va_list args;

    printf("%s: %s:%u: %s%s", kind, in->file.path,
           config_line_of(&in->file, place), place, *place != '\0' ? ": " : "");
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

/* -- folders and the file itself -- */

static void
look_at_folder(struct inspection *in, const char *place, const char *file)
{
    char folder[4096];
    struct stat st;
    const char *slash = strrchr(file, '/');

    snprintf(folder, sizeof(folder), "%.*s",
             (int)(slash == file ? 1 : slash - file), file);
    if (stat(folder, &st) != 0)
        INSPECT_ERROR(in, place, "%s: %s; create it for the daemon's user",
                      folder, strerror(errno));
    else if (!S_ISDIR(st.st_mode))
        INSPECT_ERROR(in, place, "%s is not a folder", folder);
    else if ((st.st_mode & S_IWOTH) != 0)
        INSPECT_ERROR(
            in, place,
            "every user can change files in %s, and put another one in "
            "place of ours; chmod o-w it",
            folder);
}

/** It holds signatures that can still be sent. */
static void
look_at_ledger(struct inspection *in)
{
    const char *file = in->config->ledger_file;
    struct stat st;

    look_at_folder(in, "ledger", file);
    if (stat(file, &st) == 0 && (st.st_mode & 077) != 0)
        INSPECT_ERROR(in, "ledger", "%s can be read by others; chmod 600 it",
                      file);
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
look_at_file(struct inspection *in)
{
    struct stat st;

    if (stat(in->file.path, &st) != 0)
        return;
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        INSPECT_ERROR(
            in, "",
            "others can change this file, and with it who is paid; chmod "
            "go-w it");
    if ((st.st_mode & (S_IRGRP | S_IROTH)) != 0 && any_secret(in->config))
        INSPECT_ERROR(
            in, "networks",
            "an rpc URL seems to hold an API key, and others can read this "
            "file; chmod 600 it");
}

/* -- listeners -- */

static void
look_at_till(struct inspection *in)
{
    if (in->config->till_socket == NULL)
        return;
    look_at_folder(in, "till.socket", in->config->till_socket);
    if (in->config->till_group == NULL)
        inspect_say(
            in, "note", "till",
            "group is not set: nginx's workers need the daemon's group to "
            "reach %s",
            in->config->till_socket);
}

static void
look_at_keys(struct inspection *in)
{
    for (size_t i = 0; i < in->config->api_key_len; i++) {
        const struct config_api_key *key = &in->config->api_key[i];

        if (key->gas_gwei != 0)
            printf("key: %s: may cost %llu gwei of gas a day\n", key->name,
                   (unsigned long long)key->gas_gwei);
        else
            printf("key: %s: no end to its gas (http.keys.gas)\n", key->name);
    }
}

static void
look_at_http(struct inspection *in)
{
    if (in->config->http_port == 0)
        return;
    if (in->config->http_public)
        INSPECT_WARN(
            in, "http.public",
            "API keys reach %s port %u in clear text; put TLS in front",
            in->config->http_host, in->config->http_port);
    if (in->config->facilitate_any_payee)
        INSPECT_WARN(
            in, "http.any_payee",
            "every process of this machine can make your signers pay gas for "
            "anybody");
}

/* -- networks -- */

/** The key itself is wiped at once; only its address is of interest. */
enum keystore_err
inspect_address(const struct config_key *key, struct x402_address *out)
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

/** Is this the address of somebody whom we collect for? */
static bool
is_paid(const struct config *config, const struct config_network *network,
        const struct x402_address *address)
{
    for (size_t i = 0; i < config->api_key_len; i++) {
        for (size_t k = 0; k < config->api_key[i].payee_len; k++) {
            if (x402_address_eq(&config->api_key[i].payee[k], address))
                return true;
        }
    }
    return config_is_payee(config, network->network->chain_id, address);
}

static void
look_at_signer(struct inspection *in, const struct config_network *network,
               const struct config_key *key, const char *place)
{
    const char *file =
        key->key_file != NULL ? key->key_file : key->keystore_file;
    struct x402_address address;
    char text[X402_ADDRESS_TEXT_LEN + 1];
    enum keystore_err err = inspect_address(key, &address);

    if (err != KEYSTORE_OK) {
        INSPECT_ERROR(in, place, "signer %s: %s%s%s", file,
                      keystore_err_text(err),
                      err == KEYSTORE_ERR_IO ? ": " : "",
                      err == KEYSTORE_ERR_IO ? strerror(errno) : "");
        return;
    }
    x402_address_format(text, &address);
    if (is_paid(in->config, network, &address))
        INSPECT_ERROR(
            in, place,
            "signer %s is also a payee: its key lies on this machine, and "
            "with it your income; collect to an address whose key is not "
            "here",
            text);
    else
        printf("signer: %s: %s; it needs gas\n", network->network->caip2, text);
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
look_at_facilitator(struct inspection *in, const struct config_network *network,
                    size_t i)
{
    const struct config_facilitator *facilitator = &network->facilitator;
    char header[FACILITATOR_HEADER_MAX], error[512], place[64];

    snprintf(place, sizeof(place), "networks[%zu].facilitator", i);
    if (facilitator->url == NULL)
        return;
    if (facilitator->key_file != NULL &&
        !facilitator_key_read(header, facilitator->key_file, error,
                              sizeof(error)))
        INSPECT_ERROR(in, place, "key_file: %s", error);
    explicit_bzero(header, sizeof(header));
    if (facilitator->ca_file != NULL && access(facilitator->ca_file, R_OK) != 0)
        INSPECT_ERROR(in, place, "ca_file: %s: %s", facilitator->ca_file,
                      strerror(errno));
    printf(
        "note: %s: settled by another facilitator: x402_scheme upto names an "
        "account of its own, as its /supported lists it%s\n",
        network->network->caip2,
        network->rpc_len == 0 ? ", and sells nothing without rpc" : "");
    if (network->rpc_len == 0)
        printf("note: %s: no rpc: every payment is settled first, and the "
               "facilitator's word is all there is\n",
               network->network->caip2);
}

/** Its key must sign attestations only: whoever gets hold of a settlement key
 * must not be able to vouch for payments too. */
static void
look_at_verifier(struct inspection *in)
{
    const char *place = "http.attestation_key";
    struct config_key key = {.key_file = in->config->attestation_key_file};
    struct x402_address address, signer;
    char text[X402_ADDRESS_TEXT_LEN + 1];
    enum keystore_err err;

    if (key.key_file == NULL)
        return;
    err = inspect_address(&key, &address);
    if (err != KEYSTORE_OK) {
        INSPECT_ERROR(in, place, "%s: %s", key.key_file,
                      keystore_err_text(err));
        return;
    }
    for (size_t i = 0; i < in->config->network_len; i++) {
        const struct config_network *network = &in->config->network[i];

        for (size_t k = 0; k < network->signer_len; k++) {
            if (inspect_address(&network->signer[k], &signer) == KEYSTORE_OK &&
                x402_address_eq(&signer, &address))
                INSPECT_ERROR(
                    in, place,
                    "this key also settles on %s; make another one for "
                    "attestations",
                    network->network->caip2);
        }
    }
    x402_address_format(text, &address);
    printf("verifier: %s signs attestations\n", text);
}

static void
look_at_network(struct inspection *in, size_t i)
{
    const struct config_network *network = &in->config->network[i];
    char place[64];

    for (size_t k = 0; k < network->rpc_len; k++) {
        snprintf(place, sizeof(place), "networks[%zu].rpc[%zu]", i, k);
        if (config_is_plain_remote(network->rpc[k]))
            INSPECT_WARN(
                in, place,
                "plain http: whoever is on the way can lie about payments; "
                "use https");
    }
    for (size_t k = 0; k < network->signer_len; k++) {
        snprintf(place, sizeof(place), "networks[%zu].signers[%zu]", i, k);
        look_at_signer(in, network, &network->signer[k], place);
    }
    snprintf(place, sizeof(place), "networks[%zu]", i);
    look_at_facilitator(in, network, i);
    if (network->signer_len == 0 && network->facilitator.url == NULL &&
        has_payee(in->config, network))
        INSPECT_WARN(
            in, place,
            "payees but no signers: nothing that is collected would reach "
            "the chain");
}

/* -- Lightning -- */

static void
look_at_macaroon(struct inspection *in, const struct config_lightning *ln)
{
    struct macaroon_file file = {.path = ln->macaroon_file};
    const char *place = "lightning.macaroon";
    char what[1024];

    if (!macaroon_read(&file, what, sizeof(what)))
        INSPECT_ERROR(in, place, "%s", what);
    else if (macaroon_is_modest(file.bytes, file.len, what, sizeof(what)))
        ;
    else if (ln->admin_macaroon)
        INSPECT_WARN(in, place,
                     "%s: %s; whoever breaks into the daemon has the node",
                     file.path, what);
    else
        INSPECT_ERROR(in, place, "%s: %s; bake one for invoices only",
                      file.path, what);
    explicit_bzero(&file, sizeof(file));
}

static void
look_at_lightning(struct inspection *in)
{
    const struct config_lightning *ln = &in->config->lightning;

    if (ln->lnd == NULL)
        return;
    look_at_macaroon(in, ln);
    look_at_folder(in, "lightning", ln->secret_file);
    if (access(ln->cert_file, R_OK) != 0)
        INSPECT_ERROR(in, "lightning.cert", "%s: %s", ln->cert_file,
                      strerror(errno));
    if (ln->rate.url != NULL && config_is_plain_remote(ln->rate.url))
        INSPECT_WARN(in, "lightning.rate.url",
                     "plain http: whoever is on the way sets your price");
    if (ln->invoice_only)
        INSPECT_WARN(in, "lightning.invoice_only",
                     "whoever sees an invoice can use what was paid for it");
}

int
inspect(struct config *config, const char *path, bool online)
{
    char error[256];
    struct inspection in = {.config = config, .file = {.path = path}};
    char *text = config_text(path, &in.file.text_len, error, sizeof(error));

    if (text == NULL) {
        fprintf(stderr, "x402d: %s\n", error);
        return 1;
    }
    in.file.text = text;
    look_at_file(&in);
    look_at_ledger(&in);
    look_at_till(&in);
    look_at_http(&in);
    look_at_keys(&in);
    for (size_t i = 0; i < config->network_len; i++)
        look_at_network(&in, i);
    look_at_verifier(&in);
    look_at_lightning(&in);
    if (online)
        inspect_online(&in);
    printf("%s: %u errors, %u warnings\n", path, in.errors, in.warnings);
    free(text);
    return in.errors == 0 ? 0 : 1;
}
