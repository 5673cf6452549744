/* SPDX-License-Identifier: Apache-2.0 */
/* scrypt (RFC 7914) for the one case that OpenSSL refuses: N of 2^(16 r) and
 * more.  The RFC forbids it, and yet the very example of the Web3 Secret
 * Storage Definition has N = 262144, r = 1, and so have the files of those who
 * followed it. */
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "scrypt.h"

enum { SALSA_WORDS = 16, SALSA_BYTES = 64 };

static uint32_t
rotate(uint32_t value, unsigned by)
{
    return value << by | value >> (32 - by);
}

static void
quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *b ^= rotate(*a + *d, 7);
    *c ^= rotate(*b + *a, 9);
    *d ^= rotate(*c + *b, 13);
    *a ^= rotate(*d + *c, 18);
}

/* "3. The Salsa20/8 Core Function" */
static void
salsa20_8(uint32_t block[SALSA_WORDS])
{
    uint32_t x[SALSA_WORDS];

    memcpy(x, block, sizeof(x));
    for (int i = 0; i < 4; i++) {
        quarter(&x[0], &x[4], &x[8], &x[12]);
        quarter(&x[5], &x[9], &x[13], &x[1]);
        quarter(&x[10], &x[14], &x[2], &x[6]);
        quarter(&x[15], &x[3], &x[7], &x[11]);
        quarter(&x[0], &x[1], &x[2], &x[3]);
        quarter(&x[5], &x[6], &x[7], &x[4]);
        quarter(&x[10], &x[11], &x[8], &x[9]);
        quarter(&x[15], &x[12], &x[13], &x[14]);
    }
    for (int i = 0; i < SALSA_WORDS; i++)
        block[i] += x[i];
}

static void
xor_into(uint32_t *out, const uint32_t *in, size_t words)
{
    for (size_t i = 0; i < words; i++)
        out[i] ^= in[i];
}

/* "4. The scryptBlockMix Algorithm": even results first, then the odd ones. */
static void
block_mix(uint32_t *block, uint32_t *scratch, size_t r)
{
    uint32_t x[SALSA_WORDS];

    memcpy(x, block + (2 * r - 1) * SALSA_WORDS, sizeof(x));
    for (size_t i = 0; i < 2 * r; i++) {
        size_t to = i % 2 == 0 ? i / 2 : r + i / 2;

        xor_into(x, block + i * SALSA_WORDS, SALSA_WORDS);
        salsa20_8(x);
        memcpy(scratch + to * SALSA_WORDS, x, sizeof(x));
    }
    memcpy(block, scratch, 2 * r * SALSA_BYTES);
}

/* "5. The scryptROMix Algorithm" */
static void
ro_mix(uint32_t *block, uint32_t *table, uint32_t *scratch, size_t r,
       uint64_t n)
{
    size_t words = 2 * r * SALSA_WORDS;

    for (uint64_t i = 0; i < n; i++) {
        memcpy(table + i * words, block, words * 4);
        block_mix(block, scratch, r);
    }
    for (uint64_t i = 0; i < n; i++) {
        /* n is a power of two below 2^32: the first word is enough */
        uint64_t j = block[words - SALSA_WORDS] & (n - 1);

        xor_into(block, table + j * words, words);
        block_mix(block, scratch, r);
    }
}

static void
words_from_bytes(uint32_t *out, const uint8_t *in, size_t words)
{
    for (size_t i = 0; i < words; i++)
        out[i] = (uint32_t)in[4 * i] | (uint32_t)in[4 * i + 1] << 8 |
                 (uint32_t)in[4 * i + 2] << 16 | (uint32_t)in[4 * i + 3] << 24;
}

static void
bytes_from_words(uint8_t *out, const uint32_t *in, size_t words)
{
    for (size_t i = 0; i < words; i++) {
        out[4 * i] = (uint8_t)in[i];
        out[4 * i + 1] = (uint8_t)(in[i] >> 8);
        out[4 * i + 2] = (uint8_t)(in[i] >> 16);
        out[4 * i + 3] = (uint8_t)(in[i] >> 24);
    }
}

static bool
stretch(uint8_t *out, size_t out_len, struct x402_span password,
        const uint8_t *salt, size_t salt_len)
{
    return PKCS5_PBKDF2_HMAC(password.at, (int)password.len, salt,
                             (int)salt_len, 1, EVP_sha256(), (int)out_len,
                             out) == 1;
}

/* "6. The scrypt Algorithm"; table and block hold what the bounds of the caller
 * allow. */
static bool
mix_all(uint8_t out32[32], const struct keystore_kdf_params *params,
        struct x402_span password, uint8_t *bytes, uint32_t *table)
{
    size_t r = (size_t)params->r, words = 2 * r * SALSA_WORDS;
    uint32_t *block = table + params->n * words;
    size_t len = (size_t)params->p * words * 4;

    if (!stretch(bytes, len, password, params->salt, params->salt_len))
        return false;
    for (uint64_t i = 0; i < params->p; i++) {
        words_from_bytes(block, bytes + i * words * 4, words);
        ro_mix(block, table, block + words, r, params->n);
        bytes_from_words(bytes + i * words * 4, block, words);
    }
    return stretch(out32, 32, password, bytes, len);
}

bool
keystore_scrypt(uint8_t out32[32], const struct keystore_kdf_params *params,
                struct x402_span password)
{
    size_t block = 128 * (size_t)params->r;
    size_t table_len = (size_t)(params->n + 2) * block;
    size_t bytes_len = (size_t)params->p * block;
    uint32_t *table = malloc(table_len);
    uint8_t *bytes = malloc(bytes_len);
    bool ok = table != NULL && bytes != NULL &&
              mix_all(out32, params, password, bytes, table);

    if (table != NULL)
        OPENSSL_cleanse(table, table_len);
    if (bytes != NULL)
        OPENSSL_cleanse(bytes, bytes_len);
    free(table);
    free(bytes);
    return ok;
}
