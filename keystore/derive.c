/* SPDX-License-Identifier: Apache-2.0 */
/* Key derivation, cipher and MAC of version 3 keystores. */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <x402/keccak.h>

#include "derive.h"
#include "scrypt.h"

static enum keystore_err
check_scrypt(const struct keystore_kdf_params *params)
{
    uint64_t n = params->n, r = params->r, p = params->p;

    if (n < 2 || (n & (n - 1)) != 0 || r == 0 || p == 0)
        return KEYSTORE_ERR_UNSUPPORTED;
    if (n > ((uint64_t)1 << 20) || r > 64 || p > 64)
        return KEYSTORE_ERR_UNSUPPORTED;
    if (128 * n * r > KEYSTORE_SCRYPT_MEMORY_MAX)
        return KEYSTORE_ERR_UNSUPPORTED;
    /* time is n * r * p: at most 16 times geth's standard */
    if (n * r * p > (uint64_t)16 * KEYSTORE_SCRYPT_N * KEYSTORE_SCRYPT_R)
        return KEYSTORE_ERR_UNSUPPORTED;
    return KEYSTORE_OK;
}

static enum keystore_err
derive_scrypt(uint8_t out32[32], const struct keystore_kdf_params *params,
              struct x402_span password)
{
    enum keystore_err err = check_scrypt(params);

    if (err != KEYSTORE_OK)
        return err;
    if (params->r < 2 && params->n >= (uint64_t)1 << (16 * params->r))
        return keystore_scrypt(out32, params, password) ? KEYSTORE_OK
                                                        : KEYSTORE_ERR_MEMORY;
    /* the limit that OpenSSL applies is a little above 128 * n * r */
    if (EVP_PBE_scrypt(password.at, password.len, params->salt,
                       params->salt_len, params->n, params->r, params->p,
                       KEYSTORE_SCRYPT_MEMORY_MAX + ((uint64_t)1 << 20), out32,
                       32) != 1) {
        ERR_clear_error();
        return KEYSTORE_ERR_MEMORY;
    }
    return KEYSTORE_OK;
}

static enum keystore_err
derive_pbkdf2(uint8_t out32[32], const struct keystore_kdf_params *params,
              struct x402_span password)
{
    if (params->rounds == 0 || params->rounds > KEYSTORE_PBKDF2_ROUNDS_MAX)
        return KEYSTORE_ERR_UNSUPPORTED;
    if (PKCS5_PBKDF2_HMAC(password.at, (int)password.len, params->salt,
                          (int)params->salt_len, (int)params->rounds,
                          EVP_sha256(), 32, out32) != 1) {
        ERR_clear_error();
        return KEYSTORE_ERR_MEMORY;
    }
    return KEYSTORE_OK;
}

enum keystore_err
keystore_derive(uint8_t out32[32], const struct keystore_kdf_params *params,
                struct x402_span password)
{
    if (password.len > KEYSTORE_PASSWORD_MAX)
        return KEYSTORE_ERR_UNSUPPORTED;
    if (password.at == NULL)
        password.at = ""; /* OpenSSL reads NULL as "use no password" */

    switch (params->kdf) {
    case KEYSTORE_KDF_SCRYPT:
        return derive_scrypt(out32, params, password);
    case KEYSTORE_KDF_PBKDF2:
        return derive_pbkdf2(out32, params, password);
    }
    return KEYSTORE_ERR_UNSUPPORTED;
}

enum keystore_err
keystore_cipher(uint8_t *out, const uint8_t *in, size_t len,
                const uint8_t derived32[32], const uint8_t iv16[16])
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int written = 0;
    int ok;

    if (context == NULL)
        return KEYSTORE_ERR_MEMORY;
    ok = EVP_EncryptInit_ex(context, EVP_aes_128_ctr(), NULL, derived32,
                            iv16) == 1 &&
         EVP_EncryptUpdate(context, out, &written, in, (int)len) == 1 &&
         (size_t)written == len;
    EVP_CIPHER_CTX_free(context);
    return ok ? KEYSTORE_OK : KEYSTORE_ERR_MEMORY;
}

void
keystore_mac(uint8_t out32[32], const uint8_t derived32[32],
             const uint8_t *ciphertext, size_t len)
{
    struct x402_keccak keccak;

    x402_keccak_begin(&keccak);
    x402_keccak_add(&keccak, derived32 + 16, 16);
    x402_keccak_add(&keccak, ciphertext, len);
    x402_keccak_end(&keccak, out32);
    OPENSSL_cleanse(&keccak, sizeof(keccak));
}
