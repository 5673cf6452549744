/* SPDX-License-Identifier: Apache-2.0 */
/* The API key of a remote facilitator. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <keystore.h>

#include "facilitator.h"

/* Anything else would end the header, or begin another one. */
static bool
is_printable(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    }
    return len > 0;
}

bool
facilitator_key_read(char *out, const char *file, char *error, size_t error_len)
{
    char key[KEYSTORE_PASSWORD_MAX];
    size_t len = 0;
    enum keystore_err err = keystore_password_read(key, &len, file);
    bool good = err == KEYSTORE_OK && is_printable(key, len);

    if (err != KEYSTORE_OK)
        snprintf(error, error_len, "%s: %s%s%s", file, keystore_err_text(err),
                 err == KEYSTORE_ERR_IO ? ": " : "",
                 err == KEYSTORE_ERR_IO ? strerror(errno) : "");
    else if (!good)
        snprintf(error, error_len,
                 "%s: write one line of printable characters without spaces",
                 file);
    else
        snprintf(out, FACILITATOR_HEADER_MAX, "Authorization: Bearer %.*s",
                 (int)len, key);
    explicit_bzero(key, sizeof(key));
    return good;
}
