/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, signatures and recovery: known pairs, the edges of the curve's order,
 * malleated signatures, and a fault while signing. */
#include "test.h"

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <x402/keccak.h>
#include <x402/signer.h>

/* The curve's order n, and n / 2. */
static const char order_hex[] =
    "0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
static const char half_hex[] =
    "0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0";

static const uint8_t seed[32] = {4, 0, 2};

static void
number(uint8_t out32[32], const char *hex)
{
    size_t len;
    uint8_t *bytes = test_unhex(&len, hex);

    test_need(len == 32, hex);
    memcpy(out32, bytes, 32);
    free(bytes);
}

/* out = a + step, for a step of -1 or 1 without a long carry. */
static void
step(uint8_t out32[32], const char *hex, int by)
{
    number(out32, hex);
    out32[31] = (uint8_t)(out32[31] + by);
}

/* n - s */
static void
negate(uint8_t out32[32], const uint8_t s32[32])
{
    uint8_t order[32];
    int borrow = 0;

    number(order, order_hex);
    for (int i = 31; i >= 0; i--) {
        int diff = order[i] - s32[i] - borrow;

        borrow = diff < 0;
        out32[i] = (uint8_t)(diff + (borrow ? 256 : 0));
    }
}

static void
test_accounts(void)
{
    json_t *accounts = test_vectors("ethers/accounts.json"), *row;
    size_t i, seen = 0;

    json_array_foreach(accounts, i, row)
    {
        char text[X402_ADDRESS_TEXT_LEN + 1];
        struct x402_signer signer;
        uint8_t key[32];

        if (json_object_get(row, "privateKey") == NULL)
            continue;
        test_member(key, 32, row, "privateKey");
        test_need(x402_signer_open(&signer, key, seed) == X402_OK, "open");
        x402_address_format(text, &signer.address);
        test_text(text, test_string(row, "checksumAddress"), "key to address");
        x402_signer_close(&signer);
        seen++;
    }
    test_ok(seen > 250, "%zu keys", seen);
    json_decref(accounts);
}

static void
test_keys(void)
{
    struct x402_signer signer;
    uint8_t key[32] = {0};
    static const uint8_t none[sizeof signer];

    memset(&signer, 0x55, sizeof signer);
    test_ok(x402_signer_open(&signer, key, seed) == X402_ERR_RANGE,
            "zero is no key");
    number(key, order_hex);
    test_ok(x402_signer_open(&signer, key, seed) == X402_ERR_RANGE,
            "n is no key");
    step(key, order_hex, 1);
    test_ok(x402_signer_open(&signer, key, seed) == X402_ERR_RANGE,
            "n + 1 is no key");
    memset(key, 0xff, sizeof key);
    test_ok(x402_signer_open(&signer, key, seed) == X402_ERR_RANGE,
            "all ones are no key");
    test_ok(signer.key[0] == 0x55 && signer.address.byte[19] == 0x55,
            "nothing was written");
    step(key, order_hex, -1);
    test_ok(x402_signer_open(&signer, key, seed) == X402_OK, "n - 1 is one");
    x402_signer_close(&signer);
    test_ok(memcmp(&signer, none, sizeof signer) == 0,
            "nothing of a closed key is left");
}

static void
open_key(struct x402_signer *out, uint8_t byte)
{
    uint8_t key[32];

    memset(key, byte, sizeof key);
    test_need(x402_signer_open(out, key, seed) == X402_OK, "open");
}

/* What libsecp256k1 itself says to a signature, high s or not. */
static bool
library_recovers(struct x402_address *out, const uint8_t signature65[65],
                 const uint8_t digest32[32])
{
    secp256k1_ecdsa_recoverable_signature signature;
    secp256k1_pubkey point;
    uint8_t text[65], hash[32];
    size_t len = sizeof text;

    if (!secp256k1_ecdsa_recoverable_signature_parse_compact(
            secp256k1_context_static, &signature, signature65,
            signature65[64] - 27) ||
        !secp256k1_ecdsa_recover(secp256k1_context_static, &point, &signature,
                                 digest32))
        return false;
    secp256k1_ec_pubkey_serialize(secp256k1_context_static, text, &len, &point,
                                  SECP256K1_EC_UNCOMPRESSED);
    x402_keccak256(hash, text + 1, 64);
    memcpy(out->byte, hash + 12, 20);
    return true;
}

static void
check_malleated(const struct x402_signer *signer, const uint8_t good[65],
                const uint8_t digest[32])
{
    struct x402_address who = {{0}}, library = {{0}};
    uint8_t high[65];

    memcpy(high, good, 65);
    negate(high + 32, good + 32);
    high[64] = (uint8_t)(55 - good[64]);
    test_ok(library_recovers(&library, high, digest) &&
                x402_address_eq(&library, &signer->address) &&
                x402_recover(&who, high, digest) == X402_ERR_SIGNATURE &&
                x402_address_is_zero(&who),
            "the same signature with high s, valid to others, is refused");
}

static void
test_sign(void)
{
    struct x402_signer signer;
    uint64_t state = 6979;
    unsigned odd = 0;

    open_key(&signer, 0x11);
    for (unsigned i = 0; i < 300; i++) {
        struct x402_address who;
        uint8_t digest[32], a[65], b[65];

        for (size_t j = 0; j < 32; j++)
            digest[j] = (uint8_t)test_random(&state);
        test_need(x402_sign(a, &signer, digest) == X402_OK &&
                      x402_sign(b, &signer, digest) == X402_OK,
                  "sign");
        test_ok(memcmp(a, b, 65) == 0, "signing is deterministic");
        test_ok(x402_recover(&who, a, digest) == X402_OK &&
                    x402_address_eq(&who, &signer.address),
                "and recovers to the signer");
        test_ok(a[64] == 27 || a[64] == 28, "v is 27 or 28");
        odd += a[64] == 28;
        check_malleated(&signer, a, digest);
        digest[i % 32] ^= 1;
        test_ok(x402_recover(&who, a, digest) != X402_OK ||
                    !x402_address_eq(&who, &signer.address),
                "another digest, another signer");
    }
    test_ok(odd > 0 && odd < 300, "both values of v were seen");
    x402_signer_close(&signer);
}

/* Blinding changes the way to a signature, never the signature. */
static void
test_blinding(void)
{
    static const uint8_t digest[32] = {1}, other_seed[32] = {0xff, 7};
    struct x402_signer one, two;
    uint8_t key[32] = {0}, a[65], b[65];

    key[31] = 42;
    test_need(x402_signer_open(&one, key, seed) == X402_OK &&
                  x402_signer_open(&two, key, other_seed) == X402_OK,
              "open");
    test_need(x402_sign(a, &one, digest) == X402_OK &&
                  x402_sign(b, &two, digest) == X402_OK,
              "sign");
    test_bytes(a, 65, b, 65, "two seeds, one signature");
    x402_signer_close(&one);
    x402_signer_close(&two);
}

static void
test_v(void)
{
    static const uint8_t digest[32] = {9};
    struct x402_signer signer;
    struct x402_address who;
    uint8_t signature[65];
    unsigned passed = 0;

    open_key(&signer, 0x22);
    test_need(x402_sign(signature, &signer, digest) == X402_OK, "sign");
    uint8_t right = signature[64];

    for (unsigned v = 0; v < 256; v++) {
        bool id = v == 0 || v == 1 || v == 27 || v == 28;
        enum x402_err err;

        signature[64] = (uint8_t)v;
        err = x402_recover(&who, signature, digest);
        if (v == right || v + 27 == right) {
            test_ok(err == X402_OK && x402_address_eq(&who, &signer.address),
                    "v %u is the signer's", v);
            passed++;
        } else if (id) {
            test_ok(err != X402_OK || !x402_address_eq(&who, &signer.address),
                    "v %u is not", v);
        } else {
            test_ok(err == X402_ERR_SIGNATURE, "v %u is none", v);
        }
    }
    test_ok(passed == 2, "two spellings of the right v");
    x402_signer_close(&signer);
}

/* Signatures put together by hand: r and s at the edges. */
static void
test_edges(void)
{
    static const uint8_t digest[32] = {7};
    struct x402_signer signer;
    struct x402_address who = {{0}};
    uint8_t good[65], bad[65];

    open_key(&signer, 0x33);
    test_need(x402_sign(good, &signer, digest) == X402_OK, "sign");
    memcpy(bad, good, 65);
    memset(bad, 0, 32);
    test_ok(x402_recover(&who, bad, digest) == X402_ERR_SIGNATURE, "r = 0");
    memcpy(bad, good, 65);
    memset(bad + 32, 0, 32);
    test_ok(x402_recover(&who, bad, digest) == X402_ERR_SIGNATURE, "s = 0");
    memset(bad, 0, 64);
    test_ok(x402_recover(&who, bad, digest) == X402_ERR_SIGNATURE, "r = s = 0");
    memcpy(bad, good, 65);
    number(bad, order_hex);
    test_ok(x402_recover(&who, bad, digest) == X402_ERR_SIGNATURE, "r = n");
    memset(bad, 0xff, 32);
    test_ok(x402_recover(&who, bad, digest) == X402_ERR_SIGNATURE,
            "r = 2^256 - 1");
    memcpy(bad, good, 65);
    number(bad + 32, order_hex);
    test_ok(x402_recover(&who, bad, digest) == X402_ERR_SIGNATURE, "s = n");
    step(bad + 32, half_hex, 1);
    test_ok(x402_recover(&who, bad, digest) == X402_ERR_SIGNATURE,
            "s = n / 2 + 1");
    test_ok(x402_address_is_zero(&who), "no address was written");
    number(bad + 32, half_hex);
    test_ok(x402_recover(&who, bad, digest) == X402_OK,
            "s = n / 2 is the largest");
    x402_signer_close(&signer);
}

/* A bit that flips in the key while the program runs must not reach the wire:
 * one faulty signature can give the key away. */
static void
test_fault(void)
{
    static const uint8_t digest[32] = {5};
    struct x402_signer signer;
    uint8_t out[65];

    open_key(&signer, 0x44);
    memset(out, 0x77, sizeof out);
    for (unsigned bit = 0; bit < 256; bit += 17) {
        signer.key[bit / 8] ^= (uint8_t)(1u << bit % 8);
        test_ok(x402_sign(out, &signer, digest) == X402_ERR_INTERNAL,
                "bit %u of the key flipped", bit);
        signer.key[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    test_ok(out[0] == 0x77 && out[64] == 0x77, "no signature came out");
    test_ok(x402_sign(out, &signer, digest) == X402_OK, "whole again");
    x402_signer_close(&signer);
}

int
main(void)
{
    test_accounts();
    test_keys();
    test_sign();
    test_blinding();
    test_v();
    test_edges();
    test_fault();
    return test_done();
}
