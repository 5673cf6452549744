/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing the JSON of Web3 Secret Storage, version 3. */
#include <string.h>

#include <openssl/crypto.h>

#include <x402/buf.h>
#include <x402/json.h>
#include <x402/signer.h>

#include "derive.h"
#include "keystore.h"

/* What `crypto` says, decoded. */
struct sealed {
    struct keystore_kdf_params params;
    uint8_t iv[16];
    uint8_t ciphertext[32];
    size_t ciphertext_len;
    uint8_t mac[32];
};

const char *
keystore_err_text(enum keystore_err err)
{
    switch (err) {
    case KEYSTORE_OK:
        return "fine";
    case KEYSTORE_ERR_FORMAT:
        return "this is neither a version 3 keystore nor 64 hex digits";
    case KEYSTORE_ERR_UNSUPPORTED:
        return "the keystore's cipher, key derivation or its cost is not "
               "supported";
    case KEYSTORE_ERR_PASSWORD:
        return "wrong password";
    case KEYSTORE_ERR_ADDRESS:
        return "the keystore's address is not the one of its key";
    case KEYSTORE_ERR_KEY:
        return "this is not a valid secp256k1 private key";
    case KEYSTORE_ERR_ACCESS:
        return "group or others can read it, or it is not yours "
               "(chmod 600 and chown it)";
    case KEYSTORE_ERR_EXISTS:
        return "the file exists already";
    case KEYSTORE_ERR_IO:
        return "the file cannot be read or written";
    case KEYSTORE_ERR_MEMORY:
        return "not enough memory";
    case KEYSTORE_ERR_RANDOM:
        return "the system gives no random bytes";
    case KEYSTORE_ERR_NEED_PASSWORD:
        return "the keystore needs a password";
    }
    return "unknown error";
}

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The format writes hex without "0x". */
static enum keystore_err
read_hex(uint8_t *out, size_t *len, size_t min, size_t max,
         const json_t *object, const char *key)
{
    struct x402_span text;

    if (x402_json_string(&text, object, key) != X402_OK)
        return KEYSTORE_ERR_FORMAT;
    if (text.len % 2 != 0 || text.len / 2 < min || text.len / 2 > max)
        return KEYSTORE_ERR_FORMAT;

    for (size_t i = 0; i < text.len / 2; i++) {
        int high = hex_digit(text.at[2 * i]);
        int low = hex_digit(text.at[2 * i + 1]);

        if (high < 0 || low < 0)
            return KEYSTORE_ERR_FORMAT;
        out[i] = (uint8_t)(high * 16 + low);
    }
    *len = text.len / 2;
    return KEYSTORE_OK;
}

static enum keystore_err
read_cost(uint64_t *out, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_integer(value) || json_integer_value(value) <= 0)
        return KEYSTORE_ERR_FORMAT;
    *out = (uint64_t)json_integer_value(value);
    return KEYSTORE_OK;
}

static bool
says(const json_t *object, const char *key, const char *expected)
{
    struct x402_span text;

    return x402_json_string(&text, object, key) == X402_OK &&
           x402_span_eq(text, x402_span_of(expected));
}

static enum keystore_err
read_scrypt(struct keystore_kdf_params *out, const json_t *params)
{
    out->kdf = KEYSTORE_KDF_SCRYPT;
    if (read_cost(&out->n, params, "n") != KEYSTORE_OK ||
        read_cost(&out->r, params, "r") != KEYSTORE_OK ||
        read_cost(&out->p, params, "p") != KEYSTORE_OK)
        return KEYSTORE_ERR_FORMAT;
    return KEYSTORE_OK;
}

static enum keystore_err
read_pbkdf2(struct keystore_kdf_params *out, const json_t *params)
{
    out->kdf = KEYSTORE_KDF_PBKDF2;
    if (!says(params, "prf", "hmac-sha256"))
        return KEYSTORE_ERR_UNSUPPORTED;
    return read_cost(&out->rounds, params, "c");
}

static enum keystore_err
read_kdf(struct keystore_kdf_params *out, const json_t *crypto)
{
    const json_t *params;
    uint64_t dklen;
    enum keystore_err err = KEYSTORE_ERR_UNSUPPORTED;

    if (x402_json_object(&params, crypto, "kdfparams") != X402_OK)
        return KEYSTORE_ERR_FORMAT;
    if (says(crypto, "kdf", "scrypt"))
        err = read_scrypt(out, params);
    else if (says(crypto, "kdf", "pbkdf2"))
        err = read_pbkdf2(out, params);
    if (err != KEYSTORE_OK)
        return err;

    if (read_cost(&dklen, params, "dklen") != KEYSTORE_OK)
        return KEYSTORE_ERR_FORMAT;
    if (dklen != 32)
        return KEYSTORE_ERR_UNSUPPORTED;
    return read_hex(out->salt, &out->salt_len, 1, sizeof(out->salt), params,
                    "salt");
}

static enum keystore_err
read_sealed(struct sealed *out, const json_t *crypto)
{
    const json_t *params;
    size_t len;
    enum keystore_err err;

    if (!says(crypto, "cipher", "aes-128-ctr"))
        return KEYSTORE_ERR_UNSUPPORTED;
    if (x402_json_object(&params, crypto, "cipherparams") != X402_OK)
        return KEYSTORE_ERR_FORMAT;
    err = read_hex(out->iv, &len, 16, 16, params, "iv");
    if (err == KEYSTORE_OK)
        err = read_hex(out->ciphertext, &out->ciphertext_len, 32, 32, crypto,
                       "ciphertext");
    if (err == KEYSTORE_OK)
        err = read_hex(out->mac, &len, 32, 32, crypto, "mac");
    if (err != KEYSTORE_OK)
        return err;
    return read_kdf(&out->params, crypto);
}

static enum keystore_err
unseal(uint8_t key32[32], const struct sealed *sealed,
       struct x402_span password)
{
    uint8_t derived[32], mac[32];
    enum keystore_err err = keystore_derive(derived, &sealed->params, password);

    if (err != KEYSTORE_OK)
        return err;
    keystore_mac(mac, derived, sealed->ciphertext, sealed->ciphertext_len);
    if (CRYPTO_memcmp(mac, sealed->mac, sizeof(mac)) != 0)
        err = KEYSTORE_ERR_PASSWORD;
    else
        err = keystore_cipher(key32, sealed->ciphertext, sealed->ciphertext_len,
                              derived, sealed->iv);
    OPENSSL_cleanse(derived, sizeof(derived));
    return err;
}

enum keystore_err
keystore_address_of(struct x402_address *out, const uint8_t key32[32])
{
    struct x402_signer signer;
    uint8_t seed[32];
    enum keystore_err err = keystore_random_bytes(seed, sizeof(seed));

    if (err != KEYSTORE_OK)
        return err;
    if (x402_signer_open(&signer, key32, seed) != X402_OK)
        return KEYSTORE_ERR_KEY;
    *out = signer.address;
    x402_signer_close(&signer);
    return KEYSTORE_OK;
}

/* `address` is written without "0x" by some and with it by others. */
static enum keystore_err
read_address(struct x402_address *out, const json_t *root)
{
    struct x402_span text;
    char prefixed[X402_ADDRESS_TEXT_LEN];

    if (x402_json_string(&text, root, "address") != X402_OK)
        return KEYSTORE_ERR_FORMAT;
    if (text.len == X402_ADDRESS_TEXT_LEN - 2) {
        memcpy(prefixed, "0x", 2);
        memcpy(prefixed + 2, text.at, text.len);
        text = (struct x402_span){prefixed, sizeof(prefixed)};
    }
    if (x402_address_parse(out, text) != X402_OK)
        return KEYSTORE_ERR_FORMAT;
    return KEYSTORE_OK;
}

/* The MAC does not cover `address`: compare it with the key's own. */
static enum keystore_err
check_address(const json_t *root, const uint8_t key32[32])
{
    struct x402_address stated, real;
    enum keystore_err err = keystore_address_of(&real, key32);

    if (err != KEYSTORE_OK)
        return err;
    if (json_object_get(root, "address") == NULL)
        return KEYSTORE_OK; /* the member is optional */
    err = read_address(&stated, root);
    if (err != KEYSTORE_OK)
        return err;
    return x402_address_eq(&stated, &real) ? KEYSTORE_OK : KEYSTORE_ERR_ADDRESS;
}

static enum keystore_err
open_root(uint8_t key32[32], const json_t *root, struct x402_span password)
{
    const json_t *version = json_object_get(root, "version");
    const json_t *crypto;
    struct sealed sealed;
    uint8_t key[32];
    enum keystore_err err;

    if (!json_is_integer(version) || json_integer_value(version) != 3)
        return KEYSTORE_ERR_FORMAT;
    /* early writers (MyEtherWallet, old geth) spell it "Crypto" */
    if (x402_json_object(&crypto, root, "crypto") != X402_OK &&
        x402_json_object(&crypto, root, "Crypto") != X402_OK)
        return KEYSTORE_ERR_FORMAT;

    err = read_sealed(&sealed, crypto);
    if (err != KEYSTORE_OK)
        return err;
    err = unseal(key, &sealed, password);
    if (err == KEYSTORE_OK)
        err = check_address(root, key);
    if (err == KEYSTORE_OK)
        memcpy(key32, key, sizeof(key));
    OPENSSL_cleanse(key, sizeof(key));
    return err;
}

enum keystore_err
keystore_open(uint8_t key32[32], struct x402_span json,
              struct x402_span password)
{
    json_t *root;
    enum keystore_err err;

    if (x402_json_load(&root, json, KEYSTORE_FILE_MAX, 8) != X402_OK)
        return KEYSTORE_ERR_FORMAT;
    err = open_root(key32, root, password);
    json_decref(root);
    return err;
}

enum keystore_err
keystore_peek_address(struct x402_address *out, struct x402_span json)
{
    json_t *root;
    enum keystore_err err;

    if (x402_json_load(&root, json, KEYSTORE_FILE_MAX, 8) != X402_OK)
        return KEYSTORE_ERR_FORMAT;
    err = read_address(out, root);
    json_decref(root);
    return err;
}
