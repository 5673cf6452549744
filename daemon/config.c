/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the configuration: the file into memory, the shape (config_file.c),
 * the meaning (config_check.c). */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config_check.h"
#include "config_file.h"

#define FILE_BYTES_MAX (256 * 1024)

char *
config_text(const char *path, size_t *len, char *error, size_t error_len)
{
    FILE *in = fopen(path, "re");
    struct stat st;
    char *text;

    if (in == NULL || fstat(fileno(in), &st) != 0 || !S_ISREG(st.st_mode)) {
        snprintf(error, error_len, "%s: %s", path,
                 in == NULL ? strerror(errno) : "not a regular file");
        if (in != NULL)
            fclose(in);
        return NULL;
    }
    text = malloc(FILE_BYTES_MAX + 1);
    *len = text != NULL ? fread(text, 1, FILE_BYTES_MAX + 1, in) : 0;
    fclose(in);
    if (text == NULL || *len > FILE_BYTES_MAX) {
        snprintf(error, error_len, "%s: %s", path,
                 text == NULL ? "out of memory" : "larger than 256 KiB");
        free(text);
        return NULL;
    }
    text[*len] = '\0';
    return text;
}

struct config *
config_load(const char *path, char *error, size_t error_len)
{
    struct config_reading reading = {
        .path = path, .error = error, .error_len = error_len};
    struct config *config = NULL;
    struct file *file;
    char *text = config_text(path, &reading.text_len, error, error_len);

    if (text == NULL)
        return NULL;
    reading.text = text;
    file = file_parse(&reading);
    if (file != NULL)
        config = config_check(&reading, file);
    file_free(file);
    free(text);
    return config;
}

const struct config_network *
config_network(const struct config *config, uint64_t chain_id)
{
    for (size_t i = 0; i < config->network_len; i++) {
        if (config->network[i].network->chain_id == chain_id)
            return &config->network[i];
    }
    return NULL;
}

bool
config_key_has_payee(const struct config *config,
                     const struct config_api_key *key, uint64_t chain_id,
                     const struct x402_address *payee)
{
    for (size_t i = 0; i < key->payee_len; i++) {
        if (x402_address_eq(&key->payee[i], payee))
            return true;
    }
    return key->payee_len == 0 && (config->facilitate_any_payee ||
                                   config_is_payee(config, chain_id, payee));
}

bool
config_key_has_asset(const struct config_api_key *key,
                     const struct x402_asset *asset)
{
    for (size_t i = 0; i < key->asset_len; i++) {
        if (strcmp(key->asset[i], asset->symbol) == 0)
            return true;
    }
    return key->asset_len == 0;
}

bool
config_is_payee(const struct config *config, uint64_t chain_id,
                const struct x402_address *payee)
{
    for (size_t i = 0; i < config->payee_len; i++) {
        if (config->payee[i].network->chain_id == chain_id &&
            x402_address_eq(&config->payee[i].address, payee))
            return true;
    }
    return false;
}
