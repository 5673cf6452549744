/* SPDX-License-Identifier: Apache-2.0 */
/* EIP-3009: digests and signatures against viem, and an authorization changed
 * in any bit. */
#include "test.h"

#include <x402/eip3009.h>
#include <x402/eip712.h>
#include <x402/keccak.h>

struct vector {
    struct x402_authorization auth;
    const struct x402_asset *asset;
    uint8_t key[32], separator[32], digest[32], signature[65];
};

static uint64_t
seconds(const json_t *row, const char *key)
{
    struct x402_amount amount;
    uint64_t value = 0;

    test_need(x402_amount_parse(&amount, x402_span_of(test_string(row, key))) ==
                      X402_OK &&
                  x402_amount_u64(&value, &amount),
              key);
    return value;
}

static struct x402_address
address(const json_t *row, const char *key)
{
    struct x402_address out;

    test_need(x402_address_parse_checked(
                  &out, x402_span_of(test_string(row, key))) == X402_OK,
              key);
    return out;
}

static struct vector
read_vector(const json_t *row)
{
    struct x402_address token = address(row, "verifyingContract");
    uint64_t chain =
        (uint64_t)json_integer_value(json_object_get(row, "chainId"));
    struct vector v = {.asset = x402_asset_by_address(chain, &token)};

    test_need(v.asset != NULL, "asset");
    v.auth.from = address(row, "from");
    v.auth.to = address(row, "to");
    test_need(x402_amount_parse(&v.auth.value, x402_span_of(test_string(
                                                   row, "value"))) == X402_OK,
              "value");
    v.auth.valid_after_s = seconds(row, "validAfter");
    v.auth.valid_before_s = seconds(row, "validBefore");
    test_member(v.auth.nonce, 32, row, "nonce");
    test_member(v.key, 32, row, "key");
    test_member(v.separator, 32, row, "separator");
    test_member(v.digest, 32, row, "digest");
    test_member(v.signature, 65, row, "signature");
    return v;
}

static void
check_vector(const struct vector *v, const json_t *row)
{
    static const uint8_t seed[32] = {1};
    struct x402_signer signer;
    uint8_t bytes[65];

    test_text(v->asset->eip712_name, test_string(row, "name"), "its name");
    test_text(v->asset->eip712_version, test_string(row, "version"),
              "its version");
    x402_eip712_domain(bytes, x402_span_of(v->asset->eip712_name),
                       x402_span_of(v->asset->eip712_version),
                       v->asset->chain_id, &v->asset->address);
    test_bytes(bytes, 32, v->separator, 32, "its domain");
    x402_eip3009_digest(bytes, &v->auth, v->asset);
    test_bytes(bytes, 32, v->digest, 32, "digest");
    x402_eip3009_digest_in(bytes, &v->auth, v->separator);
    test_bytes(bytes, 32, v->digest, 32, "digest in its domain");
    test_need(x402_signer_open(&signer, v->key, seed) == X402_OK, "key");
    test_ok(x402_eip3009_sign(bytes, &v->auth, v->asset, &signer) == X402_OK,
            "sign");
    test_bytes(bytes, 65, v->signature, 65, "the same signature as viem's");
    x402_signer_close(&signer);
    test_ok(x402_eip3009_verify(&v->auth, v->separator, v->signature) ==
                X402_OK,
            "verify");
}

static void
test_viem(void)
{
    json_t *rows = test_vectors("viem/eip3009.json"), *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        struct vector v = read_vector(row);

        check_vector(&v, row);
    }
    test_ok(i == 100, "100 vectors");
    json_decref(rows);
}

static struct vector
first_vector(void)
{
    json_t *rows = test_vectors("viem/eip3009.json");
    struct vector v = read_vector(json_array_get(rows, 0));

    json_decref(rows);
    return v;
}

/* What the contract checks must be under the signature: flip each bit of it. */
static void
test_every_bit(void)
{
    const struct vector good = first_vector();
    const struct {
        const char *why;
        size_t at, len;
    } parts[] = {
#define PART(member)                                                           \
    {#member, offsetof(struct vector, member), sizeof good.member}
        PART(auth.from),           PART(auth.to),
        PART(auth.value),          PART(auth.valid_after_s),
        PART(auth.valid_before_s), PART(auth.nonce),
        PART(separator),           PART(signature),
#undef PART
    };

    for (size_t i = 0; i < TEST_LEN(parts); i++) {
        unsigned passed = 0;

        for (size_t bit = 0; bit < 8 * parts[i].len; bit++) {
            struct vector bad = good;
            uint8_t *byte = (uint8_t *)&bad + parts[i].at + bit / 8;

            *byte ^= (uint8_t)(1u << bit % 8);
            passed += x402_eip3009_verify(&bad.auth, bad.separator,
                                          bad.signature) == X402_OK;
        }
        test_ok(passed == 0, "no flipped bit of %s passes", parts[i].why);
    }
}

static void
test_refused(void)
{
    struct vector v = first_vector();
    struct x402_asset other = *v.asset;
    uint8_t digest[32];

    v.signature[64] = (uint8_t)(v.signature[64] - 27);
    test_ok(x402_eip3009_verify(&v.auth, v.separator, v.signature) == X402_OK,
            "v of 0 and 1 mean 27 and 28");
    other.chain_id = 84532;
    x402_eip3009_digest(digest, &v.auth, &other);
    test_ok(memcmp(digest, v.digest, 32) != 0, "another chain");
    other = *v.asset;
    other.eip712_name = "USDC";
    x402_eip3009_digest(digest, &v.auth, &other);
    test_ok(memcmp(digest, v.digest, 32) != 0, "another name");
    other = *v.asset;
    other.eip712_version = "1";
    x402_eip3009_digest(digest, &v.auth, &other);
    test_ok(memcmp(digest, v.digest, 32) != 0, "another version");

    memset(&v.auth.from, 0, sizeof v.auth.from);
    test_ok(x402_eip3009_verify(&v.auth, v.separator, v.signature) ==
                X402_ERR_SIGNATURE,
            "the zero address signs nothing");
    memset(v.signature, 0, sizeof v.signature);
    test_ok(x402_eip3009_verify(&v.auth, v.separator, v.signature) ==
                X402_ERR_SIGNATURE,
            "not with zeros either");
}

static void
test_typehash(void)
{
    struct x402_authorization auth = {.nonce = {0}};
    static const char type[] =
        "TransferWithAuthorization(address from,address to,uint256 value,"
        "uint256 validAfter,uint256 validBefore,bytes32 nonce)";
    uint8_t words[7 * 32] = {0}, hash[32], want[32], got[32];
    static const uint8_t domain[32] = {3};

    x402_keccak256(words, type, strlen(type));
    x402_keccak256(hash, words, sizeof words);
    x402_eip712_digest(want, domain, hash);
    x402_eip3009_digest_in(got, &auth, domain);
    test_bytes(got, 32, want, 32, "the constant is the hash of the type");
}

int
main(void)
{
    test_viem();
    test_every_bit();
    test_refused();
    test_typehash();
    return test_done();
}
