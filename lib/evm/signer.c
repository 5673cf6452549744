/* SPDX-License-Identifier: Apache-2.0 */
/* secp256k1 signatures in Ethereum's form, over libsecp256k1.  Recovery uses
 * the library's static context, which needs no allocation and no lock; only a
 * private key has a context of its own, blinded with random bytes. */
#include <x402/signer.h>

#include <string.h>

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <x402/keccak.h>

#include "../mutant.h"
#include "../secret.h"

/* n / 2 of the curve.  EIP-2: "All transaction signatures whose s-value is
 * greater than secp256k1n/2 are now considered invalid." USDC holds
 * authorizations to the same rule. */
static const uint8_t half_order[32] = {
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4,
    0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0};

/* The address is the end of the hash of the uncompressed point. */
static void
address_of(struct x402_address *out, const secp256k1_context *context,
           const secp256k1_pubkey *point)
{
    uint8_t text[65], hash[32];
    size_t len = sizeof text;

    secp256k1_ec_pubkey_serialize(context, text, &len, point,
                                  SECP256K1_EC_UNCOMPRESSED);
    x402_keccak256(hash, text + 1, 64);
    memcpy(out->byte, hash + 12, 20);
}

/* Recovery id of a v byte, or -1.  Ids 2 and 3 (r >= n) have no v: the EVM
 * knows only 27 and 28. */
static int
recovery_id(uint8_t v)
{
    if (v >= 27)
        v = (uint8_t)(v - 27);
    return v <= 1 ? v : -1;
}

enum x402_err
x402_recover(struct x402_address *out, const uint8_t signature65[65],
             const uint8_t digest32[32])
{
    const secp256k1_context *context = secp256k1_context_static;
    secp256k1_ecdsa_recoverable_signature signature;
    secp256k1_pubkey point;
    int id = recovery_id(signature65[64]);

    if (id < 0 ||
        (memcmp(signature65 + 32, half_order, 32) > 0 && !mutant("high_s")))
        return X402_ERR_SIGNATURE;
    if (!secp256k1_ecdsa_recoverable_signature_parse_compact(
            context, &signature, signature65, id))
        return X402_ERR_SIGNATURE;
    if (!secp256k1_ecdsa_recover(context, &point, &signature, digest32))
        return X402_ERR_SIGNATURE;
    address_of(out, context, &point);
    return X402_OK;
}

/* false for a key that is none. */
static bool
derive_address(struct x402_address *out, const secp256k1_context *context,
               const uint8_t key32[32])
{
    secp256k1_pubkey point;
    int good = secp256k1_ec_pubkey_create(context, &point, key32);

    public_now(&good, sizeof good);
    public_now(&point, sizeof point);
    if (!good)
        return false;
    address_of(out, context, &point);
    return true;
}

enum x402_err
x402_signer_open(struct x402_signer *out, const uint8_t key32[32],
                 const uint8_t seed32[32])
{
    secp256k1_context *context =
        secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    struct x402_address address;

    if (context == NULL || !secp256k1_context_randomize(context, seed32)) {
        secp256k1_context_destroy(context);
        return X402_ERR_INTERNAL;
    }
    if (!derive_address(&address, context, key32)) {
        secp256k1_context_destroy(context);
        return X402_ERR_RANGE;
    }
    out->context = context;
    memcpy(out->key, key32, sizeof out->key);
    out->address = address;
    return X402_OK;
}

void
x402_signer_public(uint8_t out64[64], const struct x402_signer *signer)
{
    const secp256k1_context *context = signer->context;
    secp256k1_pubkey point;
    uint8_t text[65] = {0};
    size_t len = sizeof text;
    int good = secp256k1_ec_pubkey_create(context, &point, signer->key);

    public_now(&good, sizeof good);
    public_now(&point, sizeof point);
    /* the key was good when it was opened */
    if (good)
        secp256k1_ec_pubkey_serialize(context, text, &len, &point,
                                      SECP256K1_EC_UNCOMPRESSED);
    memcpy(out64, text + 1, 64);
}

void
x402_signer_close(struct x402_signer *signer)
{
    secp256k1_context_destroy(signer->context);
    /* A plain memset of memory that is not read again may be left out. */
    explicit_bzero(signer, sizeof *signer);
}

enum x402_err
x402_sign(uint8_t out65[65], const struct x402_signer *signer,
          const uint8_t digest32[32])
{
    const secp256k1_context *context = signer->context;
    secp256k1_ecdsa_recoverable_signature signature;
    struct x402_address who;
    uint8_t text[65];
    int id, good;

    if (mutant("key_in_branch") && (signer->key[31] & 1) != 0)
        return X402_ERR_INTERNAL;
    good = secp256k1_ecdsa_sign_recoverable(context, &signature, digest32,
                                            signer->key, NULL, NULL);
    public_now(&good, sizeof good);
    public_now(&signature, sizeof signature);
    if (!good)
        return X402_ERR_INTERNAL;
    secp256k1_ecdsa_recoverable_signature_serialize_compact(context, text, &id,
                                                            &signature);
    text[64] = (uint8_t)(27 + id);
    if (mutant("sign_unchecked"))
        text[7] ^= 1;
    /* A signature made with one flipped bit can give the key away: look before
     * it leaves. */
    if (!mutant("sign_unchecked") &&
        (x402_recover(&who, text, digest32) != X402_OK ||
         !x402_address_eq(&who, &signer->address)))
        return X402_ERR_INTERNAL;
    memcpy(out65, text, sizeof text);
    return X402_OK;
}
