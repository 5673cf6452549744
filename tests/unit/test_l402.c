/* SPDX-License-Identifier: Apache-2.0 */
/* L402: macaroons and the headers that carry them. */
#include "test.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <x402/l402.h>
#include <x402/lnbtc.h>

#define NOW 1700000000u

static const uint8_t root[32] = "this is the key of the tests...";
static const uint8_t request[32] = {0xaa};

static struct x402_l402_claims
sample(const uint8_t preimage[32])
{
    struct x402_l402_claims claims = {.valid_until_s = NOW + 300};

    SHA256(preimage, 32, claims.payment_hash);
    memset(claims.token_id, 0x77, 32);
    memcpy(claims.request_hash, request, 32);
    return claims;
}

static struct x402_l402_credential
minted(const struct x402_l402_claims *claims)
{
    struct x402_l402_credential credential = {.preimage = {1}};
    struct x402_buf buf =
        x402_buf_on((char *)credential.macaroon, sizeof credential.macaroon);

    x402_l402_mint(&buf, claims, root);
    test_need(!buf.full, "room for a macaroon");
    credential.macaroon_len = buf.len;
    return credential;
}

static enum x402_err
check(const struct x402_l402_credential *credential, uint64_t now)
{
    struct x402_l402_claims got;

    return x402_l402_check(&got, credential, root, request, now);
}

static void
test_good(void)
{
    const uint8_t preimage[32] = {1};
    struct x402_l402_claims claims = sample(preimage), got;
    struct x402_l402_credential credential = minted(&claims);

    test_ok(x402_l402_check(&got, &credential, root, request, NOW) == X402_OK &&
                memcmp(&got, &claims, sizeof got) == 0,
            "what was minted is what is read");
    test_ok(check(&credential, NOW + 299) == X402_OK, "to its last second");
    test_ok(check(&credential, NOW + 300) == X402_ERR_LN_INVOICE_EXPIRED,
            "not at its end");
    credential.preimage[0] = 2;
    test_ok(check(&credential, NOW) == X402_ERR_LN_PREIMAGE,
            "another preimage");
    credential.preimage[0] = 1;
    test_ok(x402_l402_check(&got, &credential, (const uint8_t[32]){0}, request,
                            NOW) == X402_ERR_LN_CHALLENGE,
            "another key");
    test_ok(x402_l402_check(&got, &credential, root, (const uint8_t[32]){0},
                            NOW) == X402_ERR_LN_REQUEST,
            "another request");
}

/* Every bit of a macaroon is covered. */
static void
test_changes(void)
{
    const uint8_t preimage[32] = {1};
    struct x402_l402_claims claims = sample(preimage);
    struct x402_l402_credential credential = minted(&claims);
    /* The location, bytes 1 to 6, is a hint and not covered. */
    unsigned accepted = 0, location = 0;

    for (size_t i = 0; i < 8 * credential.macaroon_len; i++) {
        bool good;

        credential.macaroon[i / 8] ^= (uint8_t)(1 << i % 8);
        good = check(&credential, NOW) == X402_OK;
        if (i / 8 >= 3 && i / 8 < 7)
            location += good;
        else
            accepted += good;
        credential.macaroon[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    test_ok(accepted == 0, "no changed bit is accepted");
    test_ok(location == 32, "but for the four bytes of the location");
    for (size_t len = 0; len < credential.macaroon_len; len++) {
        struct x402_macaroon macaroon;

        accepted += x402_macaroon_decode(
                        &macaroon,
                        (const uint8_t *)test_edge(credential.macaroon, len).at,
                        len) == X402_OK;
    }
    test_ok(accepted == 0, "nor a shorter one");
}

#define HEX64 "aa00000000000000000000000000000000000000000000000000000000000000"
#define REQUEST "x402_request=" HEX64
#define LIMIT "x402_valid_until=1700000300"

static const struct {
    const char *why;
    const char *caveat[4];
    enum x402_err err;
} rows[] = {
    {"both", {REQUEST, LIMIT}, X402_OK},
    {"the other way around", {LIMIT, REQUEST}, X402_OK},
    {"none", {NULL}, X402_ERR_LN_CHALLENGE},
    {"no request", {LIMIT}, X402_ERR_LN_CHALLENGE},
    {"no limit", {REQUEST}, X402_ERR_LN_CHALLENGE},
    {"an unknown one", {REQUEST, LIMIT, "services=a:0"}, X402_ERR_LN_CHALLENGE},
    {"a limit widened",
     {REQUEST, LIMIT, "x402_valid_until=1900000000"},
     X402_ERR_LN_CHALLENGE},
    {"a limit narrowed",
     {REQUEST, LIMIT, "x402_valid_until=1600000000"},
     X402_ERR_LN_CHALLENGE},
    {"a request twice", {REQUEST, LIMIT, REQUEST}, X402_ERR_LN_CHALLENGE},
    {"an empty one", {REQUEST, LIMIT, ""}, X402_ERR_LN_CHALLENGE},
    {"a limit that is no number",
     {REQUEST, "x402_valid_until=soon"},
     X402_ERR_LN_CHALLENGE},
    {"a limit with a sign",
     {REQUEST, "x402_valid_until=+1700000300"},
     X402_ERR_LN_CHALLENGE},
    {"a limit past 64 bits",
     {REQUEST, "x402_valid_until=18446744073709551616"},
     X402_ERR_LN_CHALLENGE},
    {"a request of upper case",
     {"x402_request=AA000000000000000000000000000000000000000000000000000000000"
      "00000",
      LIMIT},
     X402_ERR_LN_CHALLENGE},
    {"a space before the name", {" " REQUEST, LIMIT}, X402_ERR_LN_CHALLENGE},
};

static struct x402_l402_credential
signed_with(const char *const *caveats, struct x402_span id)
{
    struct x402_l402_credential credential = {.preimage = {1}};
    struct x402_buf buf =
        x402_buf_on((char *)credential.macaroon, sizeof credential.macaroon);
    struct x402_macaroon macaroon = {.id = id};

    for (; macaroon.caveats_len < 4 && caveats[macaroon.caveats_len] != NULL;
         macaroon.caveats_len++)
        macaroon.caveat[macaroon.caveats_len] =
            x402_span_of(caveats[macaroon.caveats_len]);
    x402_macaroon_sign(macaroon.signature, &macaroon, root);
    x402_macaroon_encode(&buf, &macaroon);
    credential.macaroon_len = buf.len;
    return credential;
}

static void
test_caveats(void)
{
    const uint8_t preimage[32] = {1};
    uint8_t id[67] = {0};

    SHA256(preimage, 32, id + 2);
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct x402_l402_credential credential = signed_with(
            rows[i].caveat, (struct x402_span){(const char *)id, 66});

        test_ok(check(&credential, NOW) == rows[i].err, "caveats: %s",
                rows[i].why);
    }
    for (size_t len = 65; len <= 67; len++) {
        struct x402_l402_credential credential = signed_with(
            rows[0].caveat, (struct x402_span){(const char *)id, len});

        test_ok((check(&credential, NOW) == X402_OK) == (len == 66),
                "an identifier of %zu bytes", len);
    }
    id[1] = 1;
    {
        struct x402_l402_credential credential = signed_with(
            rows[0].caveat, (struct x402_span){(const char *)id, 66});

        test_ok(check(&credential, NOW) == X402_ERR_LN_CHALLENGE,
                "an identifier of version 1");
    }
}

/* Computed with Python's hmac; tests/lightning has other implementations of
 * macaroons read ours and write for us. */
static void
test_known_signature(void)
{
    struct x402_macaroon macaroon = {
        .id = x402_span_of("we used our secret key"),
        .caveat = {x402_span_of("account = 3735928559")},
        .caveats_len = 1};
    uint8_t got[32];
    char hex[67];

    x402_macaroon_sign(got, &macaroon, root);
    x402_hex_encode(hex, got, 32);
    test_text(hex + 2,
              "053264bcebca44c61fcec7b100fab92d"
              "cccd69317b77ac82718e7573ef89a4dc",
              "a known signature");
}

static const struct {
    const char *why, *bytes;
    size_t len;
} broken[] = {
    {"empty", "", 0},
    {"version 1", "0015location a\n", 15},
    {"JSON", "{}", 2},
    {"no identifier", "\x02\x00", 2},
    {"a field in another order",
     "\x02\x02\x01"
     "a"
     "\x01\x01"
     "b\x00",
     8},
    {"a length past the end",
     "\x02\x02\x7f"
     "abc",
     6},
    {"a length of three bytes", "\x02\x02\x81\x80\x01", 5},
    {"a length with a spare byte",
     "\x02\x02\x81\x00"
     "a",
     5},
    {"a third-party caveat",
     "\x02\x02\x01"
     "a"
     "\x00\x02\x01"
     "b"
     "\x04\x01"
     "c"
     "\x00\x00",
     13},
    {"a caveat with a location",
     "\x02\x02\x01"
     "a"
     "\x00\x01\x01"
     "l"
     "\x02\x01"
     "b"
     "\x00\x00",
     13},
    {"no signature",
     "\x02\x02\x01"
     "a"
     "\x00\x00",
     6},
    {"a short signature",
     "\x02\x02\x01"
     "a"
     "\x00\x00\x06\x01"
     "s",
     9},
};

static void
test_broken(void)
{
    static uint8_t large[X402_MACAROON_MAX + 1];
    struct x402_macaroon got;

    for (size_t i = 0; i < TEST_LEN(broken); i++)
        test_ok(
            x402_macaroon_decode(
                &got,
                (const uint8_t *)test_edge(broken[i].bytes, broken[i].len).at,
                broken[i].len) == X402_ERR_SYNTAX,
            "macaroon: %s", broken[i].why);
    test_ok(x402_macaroon_decode(&got, large, sizeof large) ==
                X402_ERR_TOO_LARGE,
            "a huge one");
}

#define ZEROS64                                                                \
    "0000000000000000000000000000000000000000000000000000000000000000"

static const struct {
    const char *why, *value;
    enum x402_err err;
} headers[] = {
    {"L402", "L402 AgIC:" ZEROS64, X402_OK},
    {"LSAT", "LSAT AgIC:" ZEROS64, X402_OK},
    {"lower case", "l402 AgIC:" ZEROS64, X402_OK},
    {"Bearer", "Bearer AgIC:" ZEROS64, X402_ERR_SYNTAX},
    {"no space", "L402AgIC:" ZEROS64, X402_ERR_SYNTAX},
    {"two spaces", "L402  AgIC:" ZEROS64, X402_ERR_SYNTAX},
    {"no macaroon", "L402 :" ZEROS64, X402_ERR_SYNTAX},
    {"63 digits",
     "L402 AgIC:"
     "000000000000000000000000000000000000000000000000"
     "000000000000000",
     X402_ERR_SYNTAX},
    {"65 digits", "L402 AgIC:0" ZEROS64, X402_ERR_SYNTAX},
    {"upper case digits",
     "L402 "
     "AgIC:A000000000000000000000000000000000000000000000000000000000000000",
     X402_ERR_SYNTAX},
    {"two macaroons", "L402 AgIC,AgIC:" ZEROS64, X402_ERR_SYNTAX},
    {"two preimages", "L402 AgIC:" ZEROS64 ":" ZEROS64, X402_ERR_SYNTAX},
    {"something after it", "L402 AgIC:" ZEROS64 " ", X402_ERR_SYNTAX},
    {"something before it", " L402 AgIC:" ZEROS64, X402_ERR_SYNTAX},
    {"two credentials", "L402 AgIC:" ZEROS64 ", L402 AgIC:" ZEROS64,
     X402_ERR_SYNTAX},
    {"URL-safe base64", "L402 A-IC:" ZEROS64, X402_ERR_SYNTAX},
    {"the name alone", "L402 ", X402_ERR_SYNTAX},
};

static void
test_headers(void)
{
    static char large[4096];
    struct x402_l402_credential got;

    for (size_t i = 0; i < TEST_LEN(headers); i++)
        test_ok(x402_l402_decode(&got, test_edge_text(headers[i].value)) ==
                    headers[i].err,
                "header: %s", headers[i].why);
    snprintf(large, sizeof large, "L402 %01400d:%s", 0, ZEROS64);
    test_ok(x402_l402_decode(&got, test_edge_text(large)) == X402_ERR_TOO_LARGE,
            "header: a huge macaroon");
}

static void
test_challenge(void)
{
    char memory[128] = "";
    struct x402_buf buf = x402_buf_on(memory, sizeof memory - 1);

    x402_l402_challenge(&buf, (const uint8_t *)"\x02\x02\x02", 3,
                        x402_span_of("lnbc1"));
    test_text(memory,
              "L402 macaroon=\"AgIC\", invoice=\"lnbc1\", version=\"0\", "
              "token=\"AgIC\"",
              "a challenge for both generations");
}

/* ---- no memory ---- */

static bool memory_is_out;

static void *
give(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return memory_is_out ? NULL : malloc(len);
}

static void *
give_again(void *at, size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return memory_is_out ? NULL : realloc(at, len);
}

static void
take_back(void *at, const char *file, int line)
{
    (void)file;
    (void)line;
    free(at);
}

/* A hash that could not be made is no hash. */
static void
test_no_memory(void)
{
    pid_t child = fork();
    int status = 0;

    if (child == 0) {
        uint8_t hash[32] = {0};
        struct x402_span line = x402_span_of("a");

        memory_is_out = true;
        _exit(x402_lnbtc_value_hash(hash, &line, 1) == X402_OK);
    }
    test_need(child > 0 && waitpid(child, &status, 0) == child, "a process");
    test_ok(!WIFEXITED(status) || WEXITSTATUS(status) == 0,
            "without memory nothing is called a hash");
}

int
main(void)
{
    test_need(CRYPTO_set_mem_functions(give, give_again, take_back) == 1,
              "memory of our own for libcrypto");
    test_good();
    test_no_memory();
    test_changes();
    test_caveats();
    test_known_signature();
    test_broken();
    test_headers();
    test_challenge();
    return test_done();
}
