/* SPDX-License-Identifier: Apache-2.0 */
/* The three cryptographic steps of a version 3 keystore, over OpenSSL. */
#ifndef KEYSTORE_DERIVE_H
#define KEYSTORE_DERIVE_H

#include <stddef.h>
#include <stdint.h>

#include "keystore.h"

enum keystore_kdf { KEYSTORE_KDF_SCRYPT, KEYSTORE_KDF_PBKDF2 };

struct keystore_kdf_params {
    enum keystore_kdf kdf;
    uint64_t n, r, p; /* scrypt */
    uint64_t rounds;  /* pbkdf2, hmac-sha256 */
    uint8_t salt[64];
    size_t salt_len;
};

/** Check costs against our bounds, then derive 32 bytes.
 *  Returns: UNSUPPORTED MEMORY */
KEYSTORE_MUST_CHECK enum keystore_err
keystore_derive(uint8_t out32[32], const struct keystore_kdf_params *params,
                struct x402_span password);

/** AES-128-CTR both ways, with the first half of the derived key. */
KEYSTORE_MUST_CHECK enum keystore_err
keystore_cipher(uint8_t *out, const uint8_t *in, size_t len,
                const uint8_t derived32[32], const uint8_t iv16[16]);

/** keccak256(second half of the derived key || ciphertext). */
void keystore_mac(uint8_t out32[32], const uint8_t derived32[32],
                  const uint8_t *ciphertext, size_t len);

#endif
