/* SPDX-License-Identifier: Apache-2.0 */
/* A preimage as the wires carry it. */
#ifndef X402_LIGHTNING_PREIMAGE_H
#define X402_LIGHTNING_PREIMAGE_H

#include <jansson.h>

#include <x402/encode.h>
#include <x402/json.h>

#include "hash.h"

/** "exactly 64 lowercase hexadecimal characters encoding 32 bytes"; *hash32 is
 *  their SHA-256.
 *  Returns: X402_ERR_LN_PREIMAGE_ MISSING MALFORMED LENGTH */
static inline enum x402_err
preimage_read(uint8_t preimage32[32], uint8_t hash32[32], const json_t *object)
{
    struct x402_span text;

    if (json_object_get(object, "preimage") == NULL)
        return X402_ERR_LN_PREIMAGE_MISSING;
    if (x402_json_string(&text, object, "preimage") != X402_OK)
        return X402_ERR_LN_PREIMAGE_MALFORMED;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return X402_ERR_LN_PREIMAGE_MALFORMED;
    }
    if (x402_hex_decode_bare(preimage32, 32, text) != X402_OK)
        return X402_ERR_LN_PREIMAGE_LENGTH;
    hash_sha256(hash32, hash_bytes(preimage32, 32));
    return X402_OK;
}

#endif
