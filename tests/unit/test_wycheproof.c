/* SPDX-License-Identifier: Apache-2.0 */
/* Wycheproof's verdicts on ECDSA over secp256k1: those of libsecp256k1 as it is
 * installed, and of x402_recover on every signature that has its form. */
#include "test.h"

#include <openssl/sha.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <x402/keccak.h>
#include <x402/signer.h>

#define CONTEXT secp256k1_context_static

/* The files write hex without 0x. */
static uint8_t *
bytes_of(size_t *len, const json_t *object, const char *key)
{
    char text[1 << 17] = "0x"; /* some are very long on purpose */

    test_need(strlen(test_string(object, key)) < sizeof text - 2, key);
    strcat(text, test_string(object, key));
    return test_unhex(len, text);
}

struct group {
    secp256k1_pubkey point;
    struct x402_address address;
};

static struct group
read_group(const json_t *row)
{
    const json_t *key = json_object_get(row, "publicKey");
    struct group group;
    uint8_t hash[32];
    size_t len;
    uint8_t *text = bytes_of(&len, key, "uncompressed");

    test_need(len == 65 &&
                  secp256k1_ec_pubkey_parse(CONTEXT, &group.point, text, len),
              "public key");
    x402_keccak256(hash, text + 1, 64);
    memcpy(group.address.byte, hash + 12, 20);
    free(text);
    return group;
}

static void
digest_of(uint8_t out32[32], const json_t *test)
{
    size_t len;
    uint8_t *message = bytes_of(&len, test, "msg");

    SHA256(message, len, out32);
    free(message);
}

/* In `compact64` as r || s when it is a signature at all. */
static bool
parse(secp256k1_ecdsa_signature *out, uint8_t compact64[64],
      const uint8_t *text, size_t len, bool der)
{
    if (der) {
        if (!secp256k1_ecdsa_signature_parse_der(CONTEXT, out, text, len))
            return false;
    } else if (len != 64 ||
               !secp256k1_ecdsa_signature_parse_compact(CONTEXT, out, text)) {
        return false;
    }
    secp256k1_ecdsa_signature_serialize_compact(CONTEXT, compact64, out);
    return true;
}

/* Neither value of v gives the key, or one does. */
static bool
recovers(const uint8_t compact64[64], const uint8_t digest[32],
         const struct x402_address *address)
{
    for (uint8_t v = 27; v <= 28; v++) {
        struct x402_address who;
        uint8_t signature[65];

        memcpy(signature, compact64, 64);
        signature[64] = v;
        if (x402_recover(&who, signature, digest) == X402_OK &&
            x402_address_eq(&who, address))
            return true;
    }
    return false;
}

struct counts {
    unsigned valid, invalid, recovered, high, wrapped;
};

/* Some signatures have an r to which the curve's order must be added to get
 * the coordinate (recovery ids 2 and 3).  No v says so; no chain accepts them.
 */
static bool
has_wrapped_r(const uint8_t compact64[64], const uint8_t digest[32],
              const secp256k1_pubkey *point)
{
    for (int id = 2; id <= 3; id++) {
        secp256k1_ecdsa_recoverable_signature signature;
        secp256k1_pubkey found;

        if (secp256k1_ecdsa_recoverable_signature_parse_compact(
                CONTEXT, &signature, compact64, id) &&
            secp256k1_ecdsa_recover(CONTEXT, &found, &signature, digest) &&
            secp256k1_ec_pubkey_cmp(CONTEXT, &found, point) == 0)
            return true;
    }
    return false;
}

static void
run_test(const struct group *group, const json_t *test, bool der,
         struct counts *counts)
{
    int id = (int)json_integer_value(json_object_get(test, "tcId"));
    bool want = strcmp(test_string(test, "result"), "valid") == 0;
    secp256k1_ecdsa_signature signature;
    uint8_t digest[32], compact[64];
    size_t len;
    uint8_t *text = bytes_of(&len, test, "sig");
    bool parsed = parse(&signature, compact, text, len, der);
    bool high = false, wrapped = false, got = false, recovered = false;

    free(text);
    digest_of(digest, test);
    if (parsed && !der)
        high = secp256k1_ecdsa_signature_normalize(CONTEXT, &signature,
                                                   &signature);
    if (parsed) {
        got =
            secp256k1_ecdsa_verify(CONTEXT, &signature, digest, &group->point);
        wrapped = has_wrapped_r(compact, digest, &group->point);
        recovered = recovers(compact, digest, &group->address);
    }
    test_ok(got == want, "%d: %s", id, test_string(test, "comment"));
    test_ok(recovered == (want && !high && !wrapped), "%d: %s to its key", id,
            recovered ? "recovers" : "does not recover");
    counts->valid += want;
    counts->invalid += !want;
    counts->recovered += recovered;
    counts->high += want && high;
    counts->wrapped += want && wrapped && !high;
}

static struct counts
run_file(const char *name, bool der)
{
    struct counts counts = {0};
    json_t *file = test_vectors(name), *row, *test;
    size_t i, j;

    json_array_foreach(json_object_get(file, "testGroups"), i, row)
    {
        struct group group = read_group(row);

        json_array_foreach(json_object_get(row, "tests"), j, test)
            run_test(&group, test, der, &counts);
    }
    json_decref(file);
    return counts;
}

int
main(void)
{
    struct counts bitcoin =
        run_file("wycheproof/ecdsa_secp256k1_sha256_bitcoin_test.json", true);
    struct counts p1363 =
        run_file("wycheproof/ecdsa_secp256k1_sha256_p1363_test.json", false);

    test_ok(bitcoin.valid == 162 && bitcoin.invalid == 301,
            "the whole bitcoin file");
    test_ok(p1363.valid == 167 && p1363.invalid == 85, "the whole p1363 file");
    test_ok(bitcoin.high == 0 && p1363.high > 0,
            "only the second file calls a high s valid");
    test_ok(bitcoin.recovered + bitcoin.wrapped == bitcoin.valid &&
                p1363.recovered + p1363.wrapped + p1363.high == p1363.valid,
            "every signature that a chain accepts was recovered");
    return test_done();
}
