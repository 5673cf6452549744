/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256 and HMAC-SHA256 over libcrypto, in one call each.  It fails for lack
 * of memory alone; what would stand in the answer then could be anybody's, and
 * a proof must not be held against that: the process ends. */
#ifndef X402_LIGHTNING_HASH_H
#define X402_LIGHTNING_HASH_H

#include <stdint.h>
#include <stdlib.h>

#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <x402/span.h>

static inline void
hash_sha256(uint8_t out32[32], struct x402_span bytes)
{
    if (SHA256((const uint8_t *)(bytes.len == 0 ? "" : bytes.at), bytes.len,
               out32) == NULL)
        abort();
}

static inline void
hash_hmac(uint8_t out32[32], const uint8_t *key, size_t key_len,
          struct x402_span bytes)
{
    if (HMAC(EVP_sha256(), key, (int)key_len,
             (const uint8_t *)(bytes.len == 0 ? "" : bytes.at), bytes.len,
             out32, NULL) == NULL)
        abort();
}

static inline struct x402_span
hash_bytes(const uint8_t *bytes, size_t len)
{
    return (struct x402_span){(const char *)bytes, len};
}

#endif
