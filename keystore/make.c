/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a new version 3 keystore: scrypt, aes-128-ctr, keccak256 MAC. */
#include <string.h>

#include <openssl/crypto.h>

#include <x402/buf.h>

#include "derive.h"
#include "keystore.h"

static void
put_hex(struct x402_buf *out, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        x402_buf_char(out, digits[bytes[i] >> 4]);
        x402_buf_char(out, digits[bytes[i] & 15]);
    }
}

/* RFC 4122 version 4 form of 16 random bytes. */
static void
put_uuid(struct x402_buf *out, const uint8_t random16[16])
{
    static const unsigned groups[] = {4, 2, 2, 2, 6};
    uint8_t id[16];
    size_t at = 0;

    memcpy(id, random16, sizeof(id));
    id[6] = (uint8_t)((id[6] & 0x0f) | 0x40);
    id[8] = (uint8_t)((id[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        if (i > 0)
            x402_buf_char(out, '-');
        put_hex(out, id + at, groups[i]);
        at += groups[i];
    }
}

struct parts {
    struct x402_address address;
    uint8_t ciphertext[32];
    uint8_t mac[32];
};

static enum keystore_err
seal(struct parts *out, const uint8_t key32[32],
     const struct keystore_kdf_params *params, struct x402_span password,
     const uint8_t iv16[16])
{
    uint8_t derived[32];
    enum keystore_err err = keystore_derive(derived, params, password);

    if (err != KEYSTORE_OK)
        return err;
    err = keystore_cipher(out->ciphertext, key32, 32, derived, iv16);
    if (err == KEYSTORE_OK)
        keystore_mac(out->mac, derived, out->ciphertext, 32);
    OPENSSL_cleanse(derived, sizeof(derived));
    return err;
}

static void
put_json(struct x402_buf *out, const struct parts *parts, uint64_t n,
         const struct keystore_random *random)
{
    x402_buf_text(out, "{\"version\":3,\"id\":\"");
    put_uuid(out, random->id);
    x402_buf_text(out, "\",\"address\":\"");
    put_hex(out, parts->address.byte, sizeof(parts->address.byte));
    x402_buf_text(out, "\",\"crypto\":{\"cipher\":\"aes-128-ctr\","
                       "\"cipherparams\":{\"iv\":\"");
    put_hex(out, random->iv, sizeof(random->iv));
    x402_buf_text(out, "\"},\"ciphertext\":\"");
    put_hex(out, parts->ciphertext, sizeof(parts->ciphertext));
    x402_buf_text(out, "\",\"kdf\":\"scrypt\",\"kdfparams\":{\"dklen\":32,"
                       "\"n\":");
    x402_buf_u64(out, n);
    x402_buf_text(out, ",\"r\":8,\"p\":1,\"salt\":\"");
    put_hex(out, random->salt, sizeof(random->salt));
    x402_buf_text(out, "\"},\"mac\":\"");
    put_hex(out, parts->mac, sizeof(parts->mac));
    x402_buf_text(out, "\"}}\n");
    x402_buf_char(out, '\0');
}

enum keystore_err
keystore_make(char text[KEYSTORE_TEXT_MAX], const uint8_t key32[32],
              struct x402_span password, uint64_t n,
              const struct keystore_random *random)
{
    struct keystore_kdf_params params = {.kdf = KEYSTORE_KDF_SCRYPT,
                                         .n = n,
                                         .r = KEYSTORE_SCRYPT_R,
                                         .p = KEYSTORE_SCRYPT_P};
    char memory[KEYSTORE_TEXT_MAX];
    struct x402_buf out = x402_buf_on(memory, sizeof(memory));
    struct parts parts;
    enum keystore_err err;

    memcpy(params.salt, random->salt, sizeof(random->salt));
    params.salt_len = sizeof(random->salt);
    err = keystore_address_of(&parts.address, key32);
    if (err == KEYSTORE_OK)
        err = seal(&parts, key32, &params, password, random->iv);
    if (err != KEYSTORE_OK)
        return err;
    put_json(&out, &parts, n, random);
    if (out.full)
        return KEYSTORE_ERR_MEMORY;
    memcpy(text, memory, out.len);
    return KEYSTORE_OK;
}
