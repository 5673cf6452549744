/* SPDX-License-Identifier: Apache-2.0 */
/* Attestations: vectors made by viem, and what is not one. */
#include <string.h>

#include <x402/attestation.h>
#include <x402/encode.h>

#include "test.h"

#define test_it(is) test_ok(is, #is)

#define RECEIPT                                                                \
    "{\"chain\":\"base\",\"currency\":\"USDC\",\"payload\":{\"authorization\"" \
    ":{\"from\":\"0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A\",\"nonce\":"     \
    "\"0xabababababababababababababababababababababababababababababababab\","  \
    "\"to\":\"0x5CbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB\",\"validAfter\":"    \
    "\"1699999940\",\"validBefore\":\"1700000060\",\"value\":\"3000\"},"       \
    "\"signature\":"                                                           \
    "\"0xe40a7bee5a224994059a161d3480eaa66c99f8b4ea10779d49e9a1c2bfbeaec84d3a" \
    "3d1ffde8d22044a7fb1b39f0b90825e1de4a4b28dbba0059fe3c59eb37b21b\"},"       \
    "\"resource\":\"https://api.example.com/premium-data\",\"scheme\":"        \
    "\"exact\",\"version\":1}"
#define HASH                                                                   \
    "0x62e661229ca1446a1d14a41e063f098de2c5f134f77613f1ea17d55c4c1a9366"
#define PAYLOAD                                                                \
    "{\"amount\":\"3000\",\"asset\":"                                          \
    "\"0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913\",\"issuedAt\":1700000000,"  \
    "\"network\":\"eip155:8453\",\"payTo\":"                                   \
    "\"0x5CbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB\",\"payer\":"                \
    "\"0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A\",\"paymentId\":"            \
    "\"eip155:8453:0x833589fcd6edb6e08f4c7c32d4f71b54bda02913:"                \
    "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a:"                              \
    "0xabababababababababababababababababababababababababababababababab\","    \
    "\"receiptHash\":\"" HASH "\",\"resourceUrl\":"                            \
    "\"https://api.example.com/premium-data\",\"scheme\":\"exact\","           \
    "\"validUntil\":1700000060,\"version\":1}"
#define DIGEST                                                                 \
    "0xdbe8fda9b69880640750f0ec8f60a4bd735da6470986a9321b3f1a5a0579bf72"
#define SIGNATURE                                                              \
    "0x3c9394c48fbaf2baebd93be340ac1d15dd6916587f988b4ccc6148f9f45ef7e06f573d" \
    "c6387b0198e6d969cea25291714840bdf56dcbca17d37fcc57d03b9e321b"
#define ATTESTATION                                                            \
    "{\"format\":\"eip712\",\"payload\":" PAYLOAD                              \
    ",\"signature\":\"" SIGNATURE "\"}"
#define ANSWER(attestation)                                                    \
    "{\"isValid\":true,\"extensions\":{\"verification-attestation\":{"         \
    "\"info\":{\"attestation\":" attestation "}}}}"
#define NOW 1700000030

static struct x402_attestation
good(void)
{
    struct x402_attestation a = {
        .resource = x402_span_of("https://api.example.com/premium-data"),
        .asset = x402_asset_by_symbol(8453, x402_span_of("USDC")),
        .amount = x402_amount_of(3000),
        .issued_at_s = 1700000000,
        .valid_until_s = 1700000060,
    };

    memset(a.nonce, 0xab, sizeof(a.nonce));
    test_need(
        x402_hex_decode(a.receipt_hash, 32, x402_span_of(HASH)) == X402_OK &&
            x402_address_parse(
                &a.pay_to,
                x402_span_of("0x5CbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB")) ==
                X402_OK &&
            x402_address_parse(
                &a.payer,
                x402_span_of("0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A")) ==
                X402_OK,
        "the vector's constants");
    return a;
}

static struct x402_signer
verifier(void)
{
    struct x402_signer signer;
    uint8_t key[32], seed[32] = {1};

    memset(key, 0x22, sizeof(key));
    test_need(x402_signer_open(&signer, key, seed) == X402_OK, "a key");
    return signer;
}

static void
vectors(void)
{
    static char memory[X402_ATTESTATION_MAX];
    struct x402_buf out = x402_buf_on(memory, sizeof(memory) - 1);
    const struct x402_attestation a = good();
    struct x402_signer signer = verifier();
    uint8_t hash[32], want[32];

    test_it(x402_receipt_hash(hash, x402_span_of(RECEIPT)) == X402_OK);
    test_bytes(hash, 32, a.receipt_hash, 32, "receiptHash");
    test_it(
        x402_receipt_hash_of_request(
            hash, x402_span_of("{\"x402Version\":2,\"paymentPayload\":" RECEIPT
                               "}")) == X402_OK);
    test_bytes(hash, 32, a.receipt_hash, 32, "receiptHash inside a request");
    test_it(x402_attestation_payload(&out, &a) == X402_OK);
    memory[out.len] = '\0';
    test_text(memory, PAYLOAD, "the payload");
    x402_attestation_digest(hash, &a);
    test_it(x402_hex_decode(want, 32, x402_span_of(DIGEST)) == X402_OK);
    test_bytes(hash, 32, want, 32, "the digest");
    out = x402_buf_on(memory, sizeof(memory) - 1);
    test_it(x402_attestation_sign(&out, &a, &signer) == X402_OK);
    memory[out.len] = '\0';
    test_text(memory, ATTESTATION, "signed");
    x402_signer_close(&signer);
}

static void
check(const char *why, const char *body, uint64_t now_s, enum x402_err want)
{
    struct x402_attestation a = good();
    struct x402_signer signer = verifier();

    a.issued_at_s = a.valid_until_s = 0;
    test_ok(x402_attestation_check(&a, x402_span_of(body), &signer.address,
                                   now_s) == want,
            "%s", why);
    if (want == X402_OK)
        test_it(a.issued_at_s == 1700000000 && a.valid_until_s == 1700000060);
    x402_signer_close(&signer);
}

/* Signed, and of no time: valid until before it was issued, or right then. */
static void
no_time(uint64_t valid_until_s)
{
    static char memory[X402_ATTESTATION_MAX], body[X402_ATTESTATION_MAX + 256];
    struct x402_buf out = x402_buf_on(memory, sizeof(memory) - 1);
    struct x402_attestation a = good();
    struct x402_signer signer = verifier();

    a.valid_until_s = valid_until_s;
    test_it(x402_attestation_sign(&out, &a, &signer) == X402_OK);
    memory[out.len] = '\0';
    snprintf(body, sizeof(body), ANSWER("%s"), memory);
    test_ok(x402_attestation_check(&a, x402_span_of(body), &signer.address,
                                   a.issued_at_s - 20) == X402_ERR_EXPIRED,
            "valid for no time: until %lld s after it was issued",
            (long long)(valid_until_s - 1700000000));
    x402_signer_close(&signer);
}

/* The good answer with one text replaced by another of the same length. */
static void
changed(const char *why, const char *from, const char *to, enum x402_err want)
{
    static char body[sizeof(ANSWER(ATTESTATION))];
    char *at;

    memcpy(body, ANSWER(ATTESTATION), sizeof(body));
    at = strstr(body, from);
    test_need(at != NULL && strlen(from) == strlen(to), why);
    memcpy(at, to, strlen(to));
    check(why, body, NOW, want);
}

static void
checks(void)
{
    check("good", ANSWER(ATTESTATION), NOW, X402_OK);
    check("a clock that is a little behind", ANSWER(ATTESTATION), 1699999980,
          X402_OK);
    check("of the future", ANSWER(ATTESTATION), 1699999960, X402_ERR_EXPIRED);
    check("over", ANSWER(ATTESTATION), 1700000060, X402_ERR_EXPIRED);
    no_time(1699999990);
    no_time(1700000000);
    check("none", "{\"isValid\":true}", NOW, X402_ERR_SYNTAX);
    check("null", ANSWER("null"), NOW, X402_ERR_SYNTAX);
    check("without a payload",
          ANSWER("{\"format\":\"eip712\",\"signature\":\"" SIGNATURE "\"}"),
          NOW, X402_ERR_SYNTAX);
    check("without a signature",
          ANSWER("{\"format\":\"eip712\",\"payload\":" PAYLOAD "}"), NOW,
          X402_ERR_SYNTAX);
    check("not JSON", "{", NOW, X402_ERR_SYNTAX);
    changed("another format", "eip712", "eip191", X402_ERR_SYNTAX);
    changed("another amount", "\"3000\"", "\"3001\"", X402_ERR_SYNTAX);
    changed("another receipt", "62e661229ca1", "62e661229ca2", X402_ERR_SYNTAX);
    changed("another resource", "premium-data", "premium-dat2",
            X402_ERR_SYNTAX);
    changed("another network", "eip155:8453\"", "eip155:8454\"",
            X402_ERR_SYNTAX);
    changed("a longer life", "1700000060", "1700000061", X402_ERR_SIGNATURE);
    changed("another time of issue", "1700000000", "1700000001",
            X402_ERR_SIGNATURE);
    changed("another signature", "3c9394c48f", "3c9394c48e",
            X402_ERR_SIGNATURE);
    changed("a member in another letter case", "0x5CbDd86a", "0x5cbdd86a",
            X402_ERR_SYNTAX);
}

int
main(void)
{
    vectors();
    checks();
    return test_done();
}
