/* SPDX-License-Identifier: Apache-2.0 */
/* The API keys of the configuration.  Either the SHA-256 of a key stands there,
 * or the name of a file, for its owner alone, that holds the key; what is kept
 * is the hash.  A fast hash is enough: keys are long and random, not words. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <keystore.h>
#include <x402/encode.h>

#include "config_check.h"

#define KEY_CHARS_MIN 32
#define RATE_MAX 100000

bool
config_take_rates(struct config_checking *c, const char *place,
                  const struct file_rates *in, struct config_rates *out)
{
    char inner[80];

    if (in == NULL)
        return true;
    snprintf(inner, sizeof(inner), "%s.verify", place);
    if (!config_take_unsigned(c, inner, in->verify, 1, RATE_MAX, &out->verify))
        return false;
    snprintf(inner, sizeof(inner), "%s.settle", place);
    return config_take_unsigned(c, inner, in->settle, 1, RATE_MAX,
                                &out->settle);
}

/** One key while it is checked. */
struct checking_key {
    struct config_checking *c;
    const struct file_api_key *in;
    struct config_api_key *out;
    unsigned index;
    char place[64];
};

static const char *
place_of(struct checking_key *k, const char *tail)
{
    snprintf(k->place, sizeof(k->place), "http.keys[%u]%s", k->index, tail);
    return k->place;
}

static bool
take_name(struct checking_key *k)
{
    const char *name = k->in->name;
    bool good = strlen(name) <= CONFIG_API_KEY_NAME_MAX;

    for (size_t i = 0; good && name[i] != '\0'; i++)
        good =
            isalnum((unsigned char)name[i]) || strchr("-_.", name[i]) != NULL;
    if (!good)
        return config_complain(k->c->reading, place_of(k, ".name"),
                               "a name has at most 32 letters, digits, -, _ "
                               "and .; it stands in logs and in the ledger");
    k->out->name = config_keep(k->c, name);
    return k->out->name != NULL ||
           config_complain(k->c->reading, place_of(k, ""), "out of memory");
}

/** The key from its file.  The buffer is wiped by the caller. */
static bool
read_key(struct checking_key *k, char text[KEYSTORE_PASSWORD_MAX], size_t *len)
{
    const char *path;
    enum keystore_err err;

    if (!config_take_path(k->c, place_of(k, ".file"), k->in->file, &path))
        return false;
    err = keystore_password_read(text, len, path);
    if (err != KEYSTORE_OK)
        return config_complain(k->c->reading, place_of(k, ".file"), "%s: %s",
                               path, keystore_err_text(err));
    if (*len < KEY_CHARS_MIN)
        return config_complain(k->c->reading, place_of(k, ".file"),
                               "the key in %s can be guessed: it has fewer "
                               "than 32 characters; make one with openssl "
                               "rand -hex 32",
                               path);
    return true;
}

static bool
take_hash(struct checking_key *k)
{
    char key[KEYSTORE_PASSWORD_MAX];
    size_t len = 0;
    bool good;

    if ((k->in->sha256 == NULL) == (k->in->file == NULL))
        return config_complain(k->c->reading, place_of(k, ""),
                               "write either sha256 (of the key) or file");
    if (k->in->sha256 != NULL) {
        char text[2 + 64 + 1];

        snprintf(text, sizeof(text), "0x%.64s", k->in->sha256);
        if (strlen(k->in->sha256) == 64 &&
            x402_hex_decode(k->out->sha256, sizeof(k->out->sha256),
                            x402_span_of(text)) == X402_OK)
            return true;
        return config_complain(k->c->reading, place_of(k, ".sha256"),
                               "write the 64 hex digits of: printf %%s KEY | "
                               "sha256sum");
    }
    good = read_key(k, key, &len);
    if (good)
        SHA256((const unsigned char *)key, len, k->out->sha256);
    OPENSSL_cleanse(key, sizeof(key));
    return good;
}

static bool
take_payees(struct checking_key *k)
{
    char tail[24];

    for (unsigned i = 0; i < k->in->payees_count; i++) {
        snprintf(tail, sizeof(tail), ".payees[%u]", i);
        if (!config_take_address(k->c, place_of(k, tail), k->in->payees[i],
                                 &k->out->payee[i]))
            return false;
        k->out->payee_len = i + 1;
    }
    return true;
}

/** As the table spells it; NULL: on none of the networks. */
static const char *
known_symbol(const struct config *config, const char *text)
{
    for (size_t i = 0; i < config->network_len; i++) {
        const struct x402_asset *asset = x402_asset_by_symbol(
            config->network[i].network->chain_id, x402_span_of(text));

        if (asset != NULL)
            return asset->symbol;
    }
    return NULL;
}

static bool
take_assets(struct checking_key *k)
{
    char tail[24];

    for (unsigned i = 0; i < k->in->assets_count; i++) {
        k->out->asset[i] = known_symbol(k->c->config, k->in->assets[i]);
        snprintf(tail, sizeof(tail), ".assets[%u]", i);
        if (k->out->asset[i] == NULL)
            return config_complain(k->c->reading, place_of(k, tail),
                                   "no token \"%.20s\" on the networks of "
                                   "this file",
                                   k->in->assets[i]);
        k->out->asset_len = i + 1;
    }
    return true;
}

static bool
is_new(struct checking_key *k)
{
    for (unsigned i = 0; i < k->index; i++) {
        const struct config_api_key *other = &k->c->config->api_key[i];

        if (strcmp(other->name, k->out->name) == 0)
            return config_complain(k->c->reading, place_of(k, ".name"),
                                   "\"%s\" stands here twice", other->name);
        if (memcmp(other->sha256, k->out->sha256, 32) == 0)
            return config_complain(k->c->reading, place_of(k, ""),
                                   "the same key as \"%s\"", other->name);
    }
    return true;
}

bool
config_check_api_keys(struct config_checking *c)
{
    const struct file_http *http = c->file->http;

    for (unsigned i = 0; http != NULL && i < http->keys_count; i++) {
        struct checking_key k = {.c = c,
                                 .in = &http->keys[i],
                                 .out = &c->config->api_key[i],
                                 .index = i};

        k.out->rates = (struct config_rates){1000, 100};
        if (!take_name(&k) || !take_hash(&k) || !is_new(&k) ||
            !take_payees(&k) || !take_assets(&k) ||
            !config_take_rates(c, place_of(&k, ".rates"), k.in->rates,
                               &k.out->rates) ||
            !config_take_number(c, place_of(&k, ".gas"), k.in->gas, 1,
                                1000000000000000, &k.out->gas_gwei))
            return false;
        c->config->api_key_len = i + 1;
    }
    return true;
}
