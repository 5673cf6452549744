/* SPDX-License-Identifier: Apache-2.0 */
/* The Payment scheme.  Rows marked (mpp) are those of lightninglabs/aperture,
 * mpp/testdata/vectors.json. */
#include "test.h"

#include <openssl/sha.h>

#include <x402/jcs.h>
#include <x402/json.h>
#include <x402/mpp.h>

#define S(text)                                                                \
    {                                                                          \
        text, sizeof(text) - 1                                                 \
    }
#define ABSENT                                                                 \
    {                                                                          \
        NULL, 0                                                                \
    }

static const uint8_t secret[] = "mpp-test-vector-secret";
#define SECRET secret, sizeof secret - 1

static void
test_ids(void)
{
    static const struct {
        const char *why;
        struct x402_mpp_challenge challenge;
    } rows[] = {
        {"required slots (mpp)",
         {S("_9D0WlPoPRltxAd6AdpQd6auVOOeQGJ_J8BkGeBE_bU"),
          S("api.example.com"), S("lightning"), S("charge"),
          S("eyJhbW91bnQiOiIxMDAifQ"), ABSENT, ABSENT, ABSENT, ABSENT}},
        {"every slot (mpp)",
         {S("Wb8N5-PD4XjMfYGzuuY2bdpsrCQZzkQUX-A_ByIetHw"),
          S("api.example.com"), S("lightning"), S("session"),
          S("eyJhbW91bnQiOiIzIn0"), S("2026-03-15T12:05:00Z"),
          S("sha-256=:X48E9q:"), S("not covered by the HMAC"),
          S("eyJvcmRlcklkIjoiMTIzIn0")}},
    };
    struct x402_mpp_challenge piped = rows[0].challenge;
    char id[X402_MPP_ID_LEN + 1];

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        test_ok(x402_mpp_id(id, &rows[i].challenge, SECRET) == X402_OK, "%s",
                rows[i].why);
        test_text(id, rows[i].challenge.id.at, rows[i].why);
    }
    piped.realm = x402_span_of("a|b");
    test_ok(x402_mpp_id(id, &piped, SECRET) == X402_ERR_SYNTAX,
            "a pipe in a slot");
}

static void
test_lines(void)
{
    static const struct {
        const char *why;
        struct x402_mpp_challenge challenge;
        const char *line;
    } rows[] = {
        {"minimal (mpp)",
         {S("x7Tg2pLqR9mKvNwY3hBcZa"), S("api.example.com"), S("lightning"),
          S("charge"), S("eyJhbW91bnQiOiIxMDAifQ"), ABSENT, ABSENT, ABSENT,
          ABSENT},
         "Payment id=\"x7Tg2pLqR9mKvNwY3hBcZa\", realm=\"api.example.com\", "
         "method=\"lightning\", intent=\"charge\", "
         "request=\"eyJhbW91bnQiOiIxMDAifQ\""},
        {"everything (mpp)",
         {S("kM9xPqWvT2nJrHsY4aDfEb"), S("api.example.com"), S("lightning"),
          S("session"), S("eyJhbW91bnQiOiIzIn0"), S("2026-03-15T12:05:00Z"),
          S("sha-256=:X48E9q:"), S("Inference session"),
          S("eyJvcmRlcklkIjoiMTIzIn0")},
         "Payment id=\"kM9xPqWvT2nJrHsY4aDfEb\", realm=\"api.example.com\", "
         "method=\"lightning\", intent=\"session\", "
         "request=\"eyJhbW91bnQiOiIzIn0\", expires=\"2026-03-15T12:05:00Z\", "
         "digest=\"sha-256=:X48E9q:\", description=\"Inference session\", "
         "opaque=\"eyJvcmRlcklkIjoiMTIzIn0\""},
        {"quotes and backslashes (mpp)",
         {S("q"), S("a\\b \"c\""), S("lightning"), S("charge"), S("cQ"), ABSENT,
          ABSENT, ABSENT, ABSENT},
         "Payment id=\"q\", realm=\"a\\\\b \\\"c\\\"\", method=\"lightning\", "
         "intent=\"charge\", request=\"cQ\""},
        {"line breaks do not come out",
         {S("q"), S("a\r\nb\tc\x7f"), S("lightning"), S("charge"), S("cQ"),
          ABSENT, ABSENT, ABSENT, ABSENT},
         "Payment id=\"q\", realm=\"ab\tc\", method=\"lightning\", "
         "intent=\"charge\", request=\"cQ\""},
    };

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        char memory[1024] = "";
        struct x402_buf buf = x402_buf_on(memory, sizeof memory - 1);

        x402_mpp_write_challenge(&buf, &rows[i].challenge);
        test_text(memory, rows[i].line, rows[i].why);
    }
}

static const uint8_t preimage[32] = {1, 2, 3};

static struct x402_mpp_charge
sample(void)
{
    struct x402_mpp_charge charge = {.amount = {21000},
                                     .network = X402_LN_REGTEST,
                                     .invoice = S("lnbcrt210n1example")};

    SHA256(preimage, 32, charge.payment_hash);
    return charge;
}

static void
test_charges(void)
{
    struct x402_mpp_charge charge = sample();
    char memory[1024], canonical[1024];
    uint8_t text[1024];
    struct x402_buf buf = x402_buf_on(memory, sizeof memory);
    struct x402_buf again = x402_buf_on(canonical, sizeof canonical);
    json_t *value;
    size_t len;

    test_need(x402_mpp_write_charge(&buf, &charge) == X402_OK, "a charge");
    test_need(x402_base64url_decode(text, &len, sizeof text,
                                    x402_buf_span(&buf)) == X402_OK,
              "base64url");
    test_need(x402_json_load(&value, (struct x402_span){(char *)text, len},
                             1024, 4) == X402_OK,
              "JSON");
    test_ok(x402_jcs_write(&again, value) == X402_OK, "canonical");
    test_bytes(text, len, canonical, again.len, "what was written already is");
    json_decref(value);
    charge.amount.value = 21001;
    test_ok(x402_mpp_write_charge(&buf, &charge) == X402_ERR_RANGE,
            "part of a satoshi");
    charge = sample();
    charge.network = X402_LN_TESTNET;
    test_ok(x402_mpp_write_charge(&buf, &charge) == X402_ERR_RANGE,
            "a network that the draft does not name");
}

/* A challenge of ours, answered. */
struct answer {
    char request[1024], id[X402_MPP_ID_LEN + 1], header[4096];
};

static struct x402_span
answered(struct answer *out, const char *realm, const uint8_t paid[32])
{
    struct x402_mpp_charge charge = sample();
    struct x402_buf buf = x402_buf_on(out->request, sizeof out->request);
    struct x402_mpp_challenge challenge = {.realm = x402_span_of(realm),
                                           .method = S("lightning"),
                                           .intent = S("charge"),
                                           .expires =
                                               S("2026-01-01T00:00:00Z")};
    char json[2048] = "";

    test_need(x402_mpp_write_charge(&buf, &charge) == X402_OK, "a charge");
    challenge.request = x402_buf_span(&buf);
    test_need(x402_mpp_id(out->id, &challenge, SECRET) == X402_OK, "an id");
    out->request[buf.len] = '\0';
    buf = x402_buf_on(json, sizeof json);
    x402_buf_text(&buf, "{\"challenge\":{\"id\":\"");
    x402_buf_text(&buf, out->id);
    x402_buf_text(&buf, "\",\"realm\":\"");
    x402_buf_text(&buf, realm);
    x402_buf_text(&buf, "\",\"method\":\"lightning\",\"intent\":\"charge\","
                        "\"expires\":\"2026-01-01T00:00:00Z\",\"request\":\"");
    x402_buf_text(&buf, out->request);
    x402_buf_text(&buf, "\"},\"payload\":{\"preimage\":\"");
    x402_buf_hex_bare(&buf, paid, 32);
    x402_buf_text(&buf, "\"}}");
    {
        struct x402_buf header = x402_buf_on(out->header, sizeof out->header);

        x402_buf_text(&header, "Payment ");
        x402_buf_base64url(&header, (const uint8_t *)json, buf.len);
        return x402_buf_span(&header);
    }
}

static void
test_answers(void)
{
    struct answer answer;
    struct x402_mpp_credential got;
    struct x402_span realm = x402_span_of("api.example.com");
    json_t *owner = NULL;
    uint8_t other[32] = {9};

    test_need(x402_mpp_decode(&owner, &got,
                              answered(&answer, "api.example.com", preimage)) ==
                  X402_OK,
              "an answer");
    test_ok(x402_mpp_check(&got, realm, SECRET) == X402_OK, "ours and paid");
    test_ok(x402_mpp_check(&got, x402_span_of("other"), SECRET) ==
                X402_ERR_LN_CHALLENGE,
            "of another realm");
    test_ok(x402_mpp_check(&got, realm, secret, 3) == X402_ERR_LN_CHALLENGE,
            "of another secret");
    got.challenge.expires = x402_span_of("2027-01-01T00:00:00Z");
    test_ok(x402_mpp_check(&got, realm, SECRET) == X402_ERR_LN_CHALLENGE,
            "its time changed");
    got.challenge.expires = x402_span_of("2026-01-01T00:00:00Z");
    got.challenge.opaque = x402_span_of("cQ");
    test_ok(x402_mpp_check(&got, realm, SECRET) == X402_ERR_LN_CHALLENGE,
            "something added");
    json_decref(owner);
    test_need(x402_mpp_decode(&owner, &got,
                              answered(&answer, "api.example.com", other)) ==
                  X402_OK,
              "an answer");
    test_ok(x402_mpp_check(&got, realm, SECRET) == X402_ERR_LN_PREIMAGE,
            "another preimage");
    json_decref(owner);
}

#define CHALLENGE                                                              \
    "\"challenge\":{\"id\":\"i\",\"realm\":\"r\",\"method\":\"lightning\","    \
    "\"intent\":\"charge\",\"request\":\"cQ\"}"
#define ZEROS64                                                                \
    "0000000000000000000000000000000000000000000000000000000000000000"

static const struct {
    const char *why, *json;
    enum x402_err err;
} rows[] = {
    {"good", "{" CHALLENGE ",\"payload\":{\"preimage\":\"" ZEROS64 "\"}}",
     X402_OK},
    {"with a source",
     "{" CHALLENGE
     ",\"source\":\"did:key:z\",\"payload\":{\"preimage\":\"" ZEROS64 "\"}}",
     X402_OK},
    {"no challenge", "{\"payload\":{\"preimage\":\"" ZEROS64 "\"}}",
     X402_ERR_LN_CREDENTIAL},
    {"no id",
     "{\"challenge\":{\"realm\":\"r\",\"method\":\"lightning\",\"intent\":"
     "\"charge\",\"request\":\"cQ\"},\"payload\":{}}",
     X402_ERR_LN_CREDENTIAL},
    {"no payload", "{" CHALLENGE "}", X402_ERR_LN_CREDENTIAL},
    {"no preimage", "{" CHALLENGE ",\"payload\":{}}",
     X402_ERR_LN_PREIMAGE_MISSING},
    {"a short preimage (mpp)",
     "{" CHALLENGE ",\"payload\":{\"preimage\":\"a3f1e2d4b5c6a7e8\"}}",
     X402_ERR_LN_PREIMAGE_LENGTH},
    {"a session",
     "{\"challenge\":{\"id\":\"i\",\"realm\":\"r\",\"method\":\"lightning\","
     "\"intent\":\"session\",\"request\":\"cQ\"},\"payload\":{}}",
     X402_ERR_SCHEME},
    {"another method",
     "{\"challenge\":{\"id\":\"i\",\"realm\":\"r\",\"method\":\"evm\","
     "\"intent\":\"charge\",\"request\":\"cQ\"},\"payload\":{}}",
     X402_ERR_SCHEME},
    {"a digest that is a number",
     "{\"challenge\":{\"id\":\"i\",\"realm\":\"r\",\"method\":\"lightning\","
     "\"intent\":\"charge\",\"request\":\"cQ\",\"digest\":1},\"payload\":{}}",
     X402_ERR_LN_CREDENTIAL},
    {"no JSON (mpp)", "{oops}", X402_ERR_LN_CREDENTIAL},
    {"a name twice", "{" CHALLENGE "," CHALLENGE ",\"payload\":{}}",
     X402_ERR_LN_CREDENTIAL},
};

static const struct {
    const char *why, *header;
} headers[] = {
    {"another scheme (mpp)", "Bearer abc123"},
    {"nothing after it (mpp)", "Payment "},
    {"no base64url (mpp)", "Payment !!!invalid!!!"},
    {"trailing bits (mpp)", "Payment AB"},
    {"no JSON (mpp)", "Payment e29vcHN9"},
    {"two tokens", "Payment e30 e30"},
};

static void
test_decoding(void)
{
    struct x402_mpp_credential got;
    json_t *owner = NULL;
    static char huge[X402_MPP_CREDENTIAL_MAX + 16];

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        char header[2048];
        struct x402_buf buf = x402_buf_on(header, sizeof header);

        x402_buf_text(&buf, i % 2 ? "payment " : "Payment ");
        x402_buf_base64url(&buf, (const uint8_t *)rows[i].json,
                           strlen(rows[i].json));
        owner = NULL;
        test_ok(x402_mpp_decode(&owner, &got, test_edge(header, buf.len)) ==
                        rows[i].err &&
                    (owner != NULL) == (rows[i].err == X402_OK),
                "credential: %s", rows[i].why);
        json_decref(owner);
    }
    for (size_t i = 0; i < TEST_LEN(headers); i++)
        test_ok(
            x402_mpp_decode(&owner, &got, test_edge_text(headers[i].header)) ==
                X402_ERR_LN_CREDENTIAL,
            "header: %s", headers[i].why);
    memset(huge, 'A', sizeof huge);
    memcpy(huge, "Payment ", 8);
    test_ok(x402_mpp_decode(&owner, &got,
                            test_edge(huge, X402_MPP_CREDENTIAL_MAX + 9)) ==
                X402_ERR_TOO_LARGE,
            "more than 64 KiB");
    test_ok(x402_mpp_decode(&owner, &got,
                            test_edge(huge, X402_MPP_CREDENTIAL_MAX + 8)) ==
                X402_ERR_LN_CREDENTIAL,
            "64 KiB of nothing");
}

static void
test_times(void)
{
    static const struct {
        uint64_t at;
        const char *text;
    } times[] = {
        {0, "1970-01-01T00:00:00Z"},
        {951782399, "2000-02-28T23:59:59Z"},
        {951782400, "2000-02-29T00:00:00Z"},
        {951868800, "2000-03-01T00:00:00Z"},
        {1773576300, "2026-03-15T12:05:00Z"},
        {4107542399, "2100-02-28T23:59:59Z"},
        {4107542400, "2100-03-01T00:00:00Z"},
        {253402300799, "9999-12-31T23:59:59Z"},
        {UINT64_MAX, "9999-12-31T23:59:59Z"},
    };

    for (size_t i = 0; i < TEST_LEN(times); i++) {
        char got[X402_RFC3339_LEN + 1];

        x402_mpp_time(got, times[i].at);
        test_text(got, times[i].text, "a time");
    }
}

static void
test_receipt(void)
{
    char memory[512] = "";
    struct x402_buf buf = x402_buf_on(memory, sizeof memory - 1);
    uint8_t json[512];
    size_t len;

    x402_mpp_receipt(&buf, 1773576300, preimage,
                     x402_span_of("kM9xPqWvT2nJrHsY4aDfEb"));
    test_need(x402_base64url_decode(json, &len, sizeof json - 1,
                                    x402_buf_span(&buf)) == X402_OK,
              "base64url");
    json[len] = '\0';
    test_text((char *)json,
              "{\"status\":\"success\",\"method\":\"lightning\",\"timestamp\":"
              "\"2026-03-15T12:05:00Z\",\"reference\":\"0102030000000000000000"
              "000000000000000000000000000000000000000000\",\"challengeId\":"
              "\"kM9xPqWvT2nJrHsY4aDfEb\"}",
              "a receipt");
}

static void
test_problems(void)
{
    test_text(x402_mpp_problem_of(X402_ERR_LN_PREIMAGE).type,
              "https://paymentauth.org/problems/lightning/invalid-preimage",
              "a wrong preimage");
    test_text(x402_mpp_problem_of(X402_ERR_LN_NOT_PAID).type,
              "https://paymentauth.org/problems/verification-failed",
              "anything else");
    test_text(x402_mpp_problem_of(X402_OK).type,
              "https://paymentauth.org/problems/payment-required",
              "no credential at all");
}

int
main(void)
{
    test_ids();
    test_lines();
    test_charges();
    test_answers();
    test_decoding();
    test_times();
    test_receipt();
    test_problems();
    return test_done();
}
