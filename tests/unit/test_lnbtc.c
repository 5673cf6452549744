/* SPDX-License-Identifier: Apache-2.0 */
/* The scheme `exact` on Lightning: request hashes, entries, invoices against
 * terms, payments against both.  The example is the specification's. */
#include "test.h"

#include <openssl/sha.h>
#include <strings.h>

#include <x402/json.h>
#include <x402/lnbtc.h>

#define NOW 1700000000u
#define REQUEST_HASH                                                           \
    "0d6623f775e025501fa7f0a30b54da25aad62b6ccfe35c85da38016711e6c018"
#define PAY_TO                                                                 \
    "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
#define INVOICE                                                                \
    "lnbc250n1pj48ugqpp54y3u9s8ylemsv8l3ewyzzu0klhujvuvmkl6llchq23vy8rzjsf0qs" \
    "p5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygshp5p4nz8am4uqj4q8"  \
    "a87z3sk4x6yk4dv2mvel34epw68qqkwy0xcqvqxqzfvcqpjr4rx6ls6j5rpwknuea64evlk"  \
    "7yfx56wmqcer5eerekdsn9tlv6v4ex9mlz5dtm9qapl3svwlqcf7837dmjkru9z9w4h2rvm"  \
    "0md52w2sqxrwu5f"
#define EXTRA(hash, profile, params)                                           \
    "{\"assetTransferMethod\":\"bolt11\",\"paymentFlow\":\"upfront\","         \
    "\"requestHash\":\"" hash "\",\"requestBindingProfile\":\"" profile        \
    "\",\"requestBindingParams\":" params ",\"invoice\":\"" INVOICE "\"}"
#define ENTRY(scheme, network, amount, asset, pay_to, timeout, extra)          \
    "{\"scheme\":\"" scheme "\",\"network\":\"" network                        \
    "\",\"amount\":" amount ",\"asset\":\"" asset "\",\"payTo\":\"" pay_to     \
    "\",\"maxTimeoutSeconds\":" timeout ",\"extra\":" extra "}"
#define MAINNET "lnbtc:000000000019d6689c085ae165831e93"
#define GOOD_EXTRA EXTRA(REQUEST_HASH, "http:1", "{\"headers\":[]}")
#define WITH_EXTRA(extra)                                                      \
    ENTRY("exact", MAINNET, "\"25000\"", "BTC", PAY_TO, "300", extra)
#define PREIMAGE                                                               \
    "0001020304050607080900010203040506070809000102030405060708090102"

/* ---- the request hash ---- */

static size_t
lines_of(struct x402_span *out, const json_t *lines, const char *name)
{
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(lines); i++) {
        json_t *line = json_array_get(lines, i);

        if (strcasecmp(json_string_value(json_array_get(line, 0)), name) == 0)
            out[n++] = x402_span_of(json_string_value(json_array_get(line, 1)));
    }
    return n;
}

static void
test_vector(const json_t *row)
{
    const char *want = json_string_value(json_object_get(row, "request_hash"));
    json_t *bound = json_object_get(row, "bound_headers");
    struct x402_lnbtc_header headers[8];
    struct x402_span lines[8][4];
    struct x402_lnbtc_request request = {
        .method = x402_span_of(test_string(row, "method")),
        .url = x402_span_of(test_string(row, "url")),
        .headers = headers,
        .headers_len = json_array_size(bound)};
    char hex[80] = "0x", got_text[80] = "";
    uint8_t got[32], *body;
    size_t len;

    for (size_t i = 0; i < request.headers_len; i++) {
        const char *name = json_string_value(json_array_get(bound, i));

        headers[i].name = x402_span_of(name);
        headers[i].lines = lines[i];
        headers[i].lines_len =
            lines_of(lines[i], json_object_get(row, "header_lines"), name);
    }
    snprintf(hex, sizeof hex, "0x%s", test_string(row, "body_hex"));
    body = test_unhex(&len, hex);
    SHA256(body, len, request.body_hash);
    free(body);
    if (want == NULL) {
        test_ok(x402_lnbtc_request_hash(got, &request) == X402_ERR_LN_BINDING,
                "refused: %s", test_string(row, "id"));
        return;
    }
    test_need(x402_lnbtc_request_hash(got, &request) == X402_OK,
              test_string(row, "id"));
    x402_hex_encode(got_text, got, 32);
    test_text(got_text + 2, want, test_string(row, "id"));
}

static void
test_binding(void)
{
    json_t *rows = test_vectors("lnbtc/binding.json");

    for (size_t i = 0; i < json_array_size(rows); i++)
        test_vector(json_array_get(rows, i));
    test_ok(json_array_size(rows) == 32, "all rows were there");
    json_decref(rows);
}

static const struct {
    const char *url;
    bool good;
} urls[] = {
    {"http://a", true},
    {"https://a/", true},
    {"https://a?b", true},
    {"https://a:443/", true},
    {"https://a:/", true},
    {"https://a:65535/", true},
    {"https://1.2.3.4/a;b=c,d@e:f?g/h?i", true},
    {"https://[2001:db8::1]/", true},
    {"https://", false},
    {"https:///a", false},
    {"https://:80/", false},
    {"https://?a", false},
    {"HTTPS://a/", false},
    {"https:/a/", false},
    {"//a/", false},
    {"https://a@b/", false},
    {"https://a/#", false},
    {"https://a/ b", false},
    {"https://a/\"", false},
    {"https://a/\\", false},
    {"https://a/<", false},
    {"https://a/^", false},
    {"https://a/[", false},
    {"https://a/%", false},
    {"https://a/%4", false},
    {"https://a/%4g", false},
    {"https://a%zz/", false},
    {"https://a:8o/", false},
    {"https://a:0/", false},
    {"https://a:99999999999/", false},
    {"https://[::1/", false},
    {"https://[]/", false},
    {"https://[::1]a/", false},
    {"https://a[::1]/", false},
    {"https://a/\x7f", false},
    {"", false},
};

static void
test_urls(void)
{
    for (size_t i = 0; i < TEST_LEN(urls); i++)
        test_ok((x402_lnbtc_check_url(test_edge_text(urls[i].url)) ==
                 X402_OK) == urls[i].good,
                "%s: %s", urls[i].good ? "good" : "bad", urls[i].url);
    test_ok(x402_lnbtc_check_url(test_edge("https://a/\0", 11)) != X402_OK,
            "a NUL in a URL");
}

/* ---- entries ---- */

static const struct {
    const char *why, *entry;
    enum x402_err err;
} entries[] = {
    {"the example", WITH_EXTRA(GOOD_EXTRA), X402_OK},
    {"another chain",
     ENTRY("exact", "eip155:1", "\"25000\"", "BTC", PAY_TO, "300", GOOD_EXTRA),
     X402_ERR_NETWORK},
    {"an lnbtc that we do not know",
     ENTRY("exact", "lnbtc:00000008819873e925422c1ff0f99f7c", "\"25000\"",
           "BTC", PAY_TO, "300", GOOD_EXTRA),
     X402_ERR_LN_NETWORK},
    {"upto",
     ENTRY("upto", MAINNET, "\"25000\"", "BTC", PAY_TO, "300", GOOD_EXTRA),
     X402_ERR_LN_SCHEME},
    {"another asset",
     ENTRY("exact", MAINNET, "\"25000\"", "btc", PAY_TO, "300", GOOD_EXTRA),
     X402_ERR_LN_ASSET},
    {"amount zero",
     ENTRY("exact", MAINNET, "\"0\"", "BTC", PAY_TO, "300", GOOD_EXTRA),
     X402_ERR_LN_AMOUNT},
    {"amount a number",
     ENTRY("exact", MAINNET, "25000", "BTC", PAY_TO, "300", GOOD_EXTRA),
     X402_ERR_LN_AMOUNT},
    {"amount with a unit",
     ENTRY("exact", MAINNET, "\"25 sat\"", "BTC", PAY_TO, "300", GOOD_EXTRA),
     X402_ERR_LN_AMOUNT},
    {"no time",
     ENTRY("exact", MAINNET, "\"25000\"", "BTC", PAY_TO, "0", GOOD_EXTRA),
     X402_ERR_LN_TIMEOUT},
    {"time as a text",
     ENTRY("exact", MAINNET, "\"25000\"", "BTC", PAY_TO, "\"300\"", GOOD_EXTRA),
     X402_ERR_LN_TIMEOUT},
    {"payee in upper case",
     ENTRY("exact", MAINNET, "\"25000\"", "BTC",
           "0279BE667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
           "300", GOOD_EXTRA),
     X402_ERR_LN_PAY_TO},
    {"payee not on the curve",
     ENTRY("exact", MAINNET, "\"25000\"", "BTC",
           "0500000000000000000000000000000000000000000000000000000000000000ff",
           "300", GOOD_EXTRA),
     X402_ERR_LN_PAY_TO},
    {"payee with 0x",
     ENTRY("exact", MAINNET, "\"25000\"", "BTC", "0x" PAY_TO, "300",
           GOOD_EXTRA),
     X402_ERR_LN_PAY_TO},
    {"no extra",
     ENTRY("exact", MAINNET, "\"25000\"", "BTC", PAY_TO, "300", "{}"),
     X402_ERR_LN_FLOW},
    {"another method", WITH_EXTRA("{\"assetTransferMethod\":\"keysend\"}"),
     X402_ERR_LN_METHOD},
    {"another flow", WITH_EXTRA("{\"paymentFlow\":\"later\"}"),
     X402_ERR_LN_FLOW},
    {"held, without a request hash",
     WITH_EXTRA("{\"paymentFlow\":\"authorization\"}"), X402_ERR_LN_BINDING},
    {"no request hash", WITH_EXTRA("{\"paymentFlow\":\"upfront\"}"),
     X402_ERR_LN_BINDING},
    {"a short request hash",
     WITH_EXTRA(EXTRA("0d66", "http:1", "{\"headers\":[]}")),
     X402_ERR_LN_BINDING},
    {"an unknown profile",
     WITH_EXTRA(EXTRA(REQUEST_HASH, "http:2", "{\"headers\":[]}")),
     X402_ERR_LN_BINDING},
    {"no parameters", WITH_EXTRA(EXTRA(REQUEST_HASH, "http:1", "{}")),
     X402_ERR_LN_BINDING},
    {"one parameter more",
     WITH_EXTRA(EXTRA(REQUEST_HASH, "http:1", "{\"headers\":[],\"a\":1}")),
     X402_ERR_LN_BINDING},
    {"headers out of order",
     WITH_EXTRA(EXTRA(REQUEST_HASH, "http:1", "{\"headers\":[\"b\",\"a\"]}")),
     X402_ERR_LN_BINDING},
    {"a header that is a number",
     WITH_EXTRA(EXTRA(REQUEST_HASH, "http:1", "{\"headers\":[1]}")),
     X402_ERR_LN_BINDING},
    {"no invoice",
     WITH_EXTRA("{\"paymentFlow\":\"upfront\",\"requestHash\":\"" REQUEST_HASH
                "\",\"requestBindingProfile\":\"http:1\","
                "\"requestBindingParams\":{\"headers\":[]}}"),
     X402_ERR_LN_INVOICE_MISSING},
    {"another tag",
     WITH_EXTRA("{\"paymentFlow\":\"upfront\",\"paymentMethod\":\"card\","
                "\"requestHash\":\"" REQUEST_HASH
                "\",\"requestBindingProfile\":\"http:1\","
                "\"requestBindingParams\":{\"headers\":[]},\"invoice\":\"a\"}"),
     X402_ERR_LN_EXTRA},
};

static json_t *
load(const char *text)
{
    json_t *value = NULL;

    test_need(x402_json_load(&value, x402_span_of(text), 65536, 8) == X402_OK,
              text);
    return value;
}

static void
test_entries(void)
{
    for (size_t i = 0; i < TEST_LEN(entries); i++) {
        json_t *entry = load(entries[i].entry);
        struct x402_lnbtc_terms terms;

        test_ok(x402_lnbtc_read_entry(&terms, entry) == entries[i].err, "%s",
                entries[i].why);
        json_decref(entry);
    }
}

static struct x402_lnbtc_terms
example_terms(json_t **owner)
{
    struct x402_lnbtc_terms terms = {0};

    *owner = load(WITH_EXTRA(GOOD_EXTRA));
    test_need(x402_lnbtc_read_entry(&terms, *owner) == X402_OK, "the example");
    return terms;
}

/* What we write we read, with the tag for clients that look for it. */
static void
test_writing(void)
{
    json_t *owner, *entry;
    struct x402_lnbtc_terms terms = example_terms(&owner), got;
    char memory[2048] = "";
    struct x402_buf buf = x402_buf_on(memory, sizeof memory - 1);

    terms.header[0] = x402_span_of("accept");
    terms.headers_len = 1;
    x402_lnbtc_write_entry(&buf, &terms);
    entry = load(memory);
    test_ok(x402_lnbtc_read_entry(&got, entry) == X402_OK && got.has_tag &&
                got.amount.value == 25000 && got.timeout_s == 300 &&
                got.headers_len == 1 &&
                x402_span_eq(got.header[0], x402_span_of("accept")) &&
                x402_span_eq(got.invoice, x402_span_of(INVOICE)) &&
                memcmp(got.pay_to, terms.pay_to, X402_NODE_LEN) == 0,
            "an entry comes back");
    json_decref(entry);
    json_decref(owner);
}

/* ---- invoices against terms ---- */

static struct x402_bolt11
good_invoice(const struct x402_lnbtc_terms *terms)
{
    struct x402_bolt11 invoice = {.network = X402_LN_MAINNET,
                                  .has_amount = true,
                                  .amount = {25000},
                                  .created_s = NOW,
                                  .expiry_s = 300,
                                  .min_final_cltv = 18,
                                  .has_description_hash = true};

    memcpy(invoice.description_hash, terms->request_hash, 32);
    return invoice;
}

static enum x402_err
check_changed(const struct x402_lnbtc_terms *terms,
              const struct x402_bolt11 *invoice, uint8_t key, uint64_t now)
{
    char memory[2048];
    struct x402_buf buf = x402_buf_on(memory, sizeof memory);
    uint8_t key32[32] = {[31] = key};

    test_need(x402_bolt11_encode(&buf, invoice, key32) == X402_OK, "encode");
    return x402_lnbtc_check_invoice(NULL, x402_buf_span(&buf), terms, now,
                                    X402_LNBTC_SKEW_S);
}

static void
test_invoices(void)
{
    json_t *owner;
    struct x402_lnbtc_terms terms = example_terms(&owner);
    const struct x402_bolt11 good = good_invoice(&terms);
    struct x402_bolt11 changed = good;

    test_ok(check_changed(&terms, &good, 1, NOW) == X402_OK, "as offered");
    test_ok(x402_lnbtc_check_invoice(NULL, x402_span_of("lnbc1"), &terms, NOW,
                                     60) == X402_ERR_LN_INVOICE,
            "no invoice");
    test_ok(check_changed(&terms, &good, 2, NOW) == X402_ERR_LN_INVOICE_PAYEE,
            "another payee");
    changed.has_node = true;
    test_ok(check_changed(&terms, &changed, 1, NOW) == X402_OK,
            "its payee stated");
    changed = good;
    changed.has_description_hash = false;
    test_ok(check_changed(&terms, &changed, 1, NOW) == X402_ERR_LN_DESCRIPTION,
            "a description inline");
    changed = good;
    changed.description_hash[0] ^= 1;
    test_ok(check_changed(&terms, &changed, 1, NOW) ==
                X402_ERR_LN_INVOICE_REQUEST,
            "another request");
    changed = good;
    changed.network = X402_LN_TESTNET;
    test_ok(check_changed(&terms, &changed, 1, NOW) ==
                X402_ERR_LN_INVOICE_CURRENCY,
            "another network");
    changed = good;
    changed.amount.value = 25001;
    test_ok(check_changed(&terms, &changed, 1, NOW) ==
                X402_ERR_LN_INVOICE_AMOUNT,
            "a millisatoshi more");
    changed.amount.value = 25000000;
    test_ok(check_changed(&terms, &changed, 1, NOW) ==
                X402_ERR_LN_INVOICE_AMOUNT,
            "satoshis for millisatoshis");
    changed.amount.value = 0;
    changed.has_amount = false;
    test_ok(check_changed(&terms, &changed, 1, NOW) ==
                X402_ERR_LN_INVOICE_AMOUNT,
            "no amount");
    changed = good;
    changed.expiry_s = 301;
    test_ok(check_changed(&terms, &changed, 1, NOW) ==
                X402_ERR_LN_INVOICE_EXPIRY,
            "a longer time");
    test_ok(check_changed(&terms, &good, 1, NOW - 60) == X402_OK,
            "made 60 s ahead");
    test_ok(check_changed(&terms, &good, 1, NOW - 61) ==
                X402_ERR_LN_INVOICE_FUTURE,
            "made 61 s ahead");
    json_decref(owner);
}

/* ---- payments ---- */

/* What a version 2 client echoes of a 402's bazaar extension, and deeper. */
#define DEEP                                                                   \
    "\"extensions\":{\"bazaar\":{\"schema\":{\"properties\":{\"input\":{"      \
    "\"properties\":{\"queryParams\":{\"properties\":{\"city\":{\"anyOf\":[{"  \
    "\"properties\":{\"name\":{\"items\":{\"enum\":[[[[[[1]]]]]]}}}}]}}}}}}}}" \
    "}"
#define PAYMENT(version, payload)                                              \
    "{\"x402Version\":" version                                                \
    ",\"accepted\":" WITH_EXTRA(GOOD_EXTRA) ",\"payload\":" payload "}"

static const struct {
    const char *why, *json;
    enum x402_err err;
} payments[] = {
    {"the example", PAYMENT("2", "{\"preimage\":\"" PREIMAGE "\"}"), X402_OK},
    {"an invoice alone", PAYMENT("2", "{\"invoice\":\"" INVOICE "\"}"),
     X402_OK},
    {"another invoice alone", PAYMENT("2", "{\"invoice\":\"lnbc1\"}"),
     X402_ERR_LN_INVOICE},
    {"no preimage", PAYMENT("2", "{}"), X402_ERR_LN_PREIMAGE_MISSING},
    {"a preimage that is a number", PAYMENT("2", "{\"preimage\":1}"),
     X402_ERR_LN_PREIMAGE_MALFORMED},
    {"upper case",
     PAYMENT("2", "{\"preimage\":\"000102030405060708090001020304050607080900"
                  "0102030405060708090ABC\"}"),
     X402_ERR_LN_PREIMAGE_MALFORMED},
    {"31 bytes",
     PAYMENT("2", "{\"preimage\":\"00010203040506070809000102030405"
                  "06070809000102030405060708090 1\"}"),
     X402_ERR_LN_PREIMAGE_MALFORMED},
    {"62 digits",
     PAYMENT("2", "{\"preimage\":\"000102030405060708090001020304050607080900"
                  "01020304050607080901\"}"),
     X402_ERR_LN_PREIMAGE_LENGTH},
    {"66 digits", PAYMENT("2", "{\"preimage\":\"" PREIMAGE "00\"}"),
     X402_ERR_LN_PREIMAGE_LENGTH},
    {"version 1", PAYMENT("1", "{\"preimage\":\"" PREIMAGE "\"}"),
     X402_ERR_VERSION},
    {"no payload",
     "{\"x402Version\":2,\"accepted\":" WITH_EXTRA(GOOD_EXTRA) "}",
     X402_ERR_SYNTAX},
    {"nothing accepted", "{\"x402Version\":2}", X402_ERR_SYNTAX},
    {"another chain",
     "{\"x402Version\":2,\"accepted\":{\"network\":\"eip155:1\"}}",
     X402_ERR_NETWORK},
    {"with extensions echoed",
     "{\"x402Version\":2,\"accepted\":" WITH_EXTRA(
         GOOD_EXTRA) ",\"payload\":{\"preimage\":\"" PREIMAGE "\"}," DEEP "}",
     X402_OK},
    {"another chain, with extensions echoed",
     "{\"x402Version\":2,\"accepted\":{\"network\":\"eip155:1\"}," DEEP "}",
     X402_ERR_NETWORK},
};

static void
test_payments(void)
{
    for (size_t i = 0; i < TEST_LEN(payments); i++) {
        static char header[16384];
        struct x402_lnbtc_payment payment;
        json_t *owner = NULL;
        size_t len =
            x402_base64_encode(header, (const uint8_t *)payments[i].json,
                               strlen(payments[i].json));

        test_ok(x402_lnbtc_payment_decode(&owner, &payment,
                                          test_edge(header, len)) ==
                        payments[i].err &&
                    (owner != NULL) == (payments[i].err == X402_OK),
                "payment: %s", payments[i].why);
        json_decref(owner);
    }
}

static void
test_checks(void)
{
    static const struct x402_lnbtc_clock clock = {NOW, 60, 60};
    json_t *owner,
        *object = load(PAYMENT("2", "{\"preimage\":\"" PREIMAGE "\"}"));
    const struct x402_lnbtc_terms good = example_terms(&owner);
    struct x402_lnbtc_terms terms = good;
    struct x402_lnbtc_payment payment, changed;
    struct x402_bolt11 invoice;
    char id[X402_LNBTC_ID_MAX];

    test_need(x402_lnbtc_payment_from_json(&payment, object) == X402_OK,
              "the example");
#define CHECK(what) x402_lnbtc_check_payment(&invoice, what, &terms, &clock)
    test_ok(CHECK(&payment) == X402_OK, "the example's proof");
    x402_lnbtc_id(id, terms.network, invoice.payment_hash);
    test_text(id,
              MAINNET ":a923c2c0e4fe77061ff1cb882171f6fdf926719bb7f5ffe2e054584"
                      "38c52825e",
              "its consumption key");
    terms.network = X402_LN_REGTEST;
    test_ok(CHECK(&payment) == X402_ERR_LN_NETWORK_MISMATCH, "network");
    terms = good;
    terms.amount.value = 25001;
    test_ok(CHECK(&payment) == X402_ERR_LN_AMOUNT_MISMATCH, "amount");
    terms = good;
    terms.pay_to[0] = 3;
    test_ok(CHECK(&payment) == X402_ERR_LN_PAY_TO_MISMATCH, "payee");
    terms = good;
    terms.timeout_s = 60;
    test_ok(CHECK(&payment) == X402_ERR_LN_TIMEOUT_MISMATCH, "time");
    terms = good;
    terms.request_hash[0] ^= 1;
    test_ok(CHECK(&payment) == X402_ERR_LN_REQUEST, "another request");
    changed = payment;
    memcpy(changed.accepted.request_hash, terms.request_hash, 32);
    test_ok(CHECK(&changed) == X402_ERR_LN_INVOICE_REQUEST,
            "another request, its hash echoed");
    terms = good;
    terms.headers_len = 1;
    terms.header[0] = x402_span_of("accept");
    test_ok(CHECK(&payment) == X402_ERR_LN_REQUEST, "other headers");
    terms = good;
    terms.has_tag = true;
    test_ok(CHECK(&payment) == X402_ERR_LN_EXTRA, "the tag not echoed");
    terms = good;
    changed = payment;
    changed.payment_hash[0] ^= 1;
    test_ok(CHECK(&changed) == X402_ERR_LN_PREIMAGE, "another preimage");
#undef CHECK
    for (uint64_t late = 0; late < 2; late++) {
        struct x402_lnbtc_clock then = {NOW + 300 + 60 + late, 60, 60};

        test_ok(x402_lnbtc_check_payment(&invoice, &payment, &good, &then) ==
                    (late ? X402_ERR_LN_INVOICE_EXPIRED : X402_OK),
                "%s the grace after its end", late ? "past" : "at");
    }
    json_decref(object);
    json_decref(owner);
}

static void
test_client_payment(void)
{
    char out[4096], scratch[4096];
    struct x402_buf buf = x402_buf_on(out, sizeof out);
    struct x402_buf more = x402_buf_on(scratch, sizeof scratch);
    struct x402_lnbtc_payment payment;
    json_t *owner = NULL;
    uint8_t preimage[32];

    memset(preimage, 0x5a, sizeof preimage);
    x402_lnbtc_payment_encode(&buf, &more, x402_span_of(WITH_EXTRA(GOOD_EXTRA)),
                              x402_span_of("{\"url\":\"https://a/\"}"),
                              preimage);
    test_ok(!buf.full &&
                x402_lnbtc_payment_decode(&owner, &payment,
                                          x402_buf_span(&buf)) == X402_OK &&
                memcmp(payment.preimage, preimage, 32) == 0,
            "a client's payment comes back");
    json_decref(owner);
    buf = x402_buf_on(out, sizeof out);
    more = x402_buf_on(scratch, sizeof scratch);
    x402_lnbtc_payment_encode_held(
        &buf, &more, x402_span_of(WITH_EXTRA(GOOD_EXTRA)),
        x402_span_of("{\"url\":\"https://a/\"}"), x402_span_of(INVOICE));
    test_ok(!buf.full &&
                x402_lnbtc_payment_decode(&owner, &payment,
                                          x402_buf_span(&buf)) == X402_OK &&
                !payment.has_preimage,
            "and one that shows its invoice");
    json_decref(owner);
}

static void
test_receipts(void)
{
    char memory[512] = "";
    struct x402_buf buf = x402_buf_on(memory, sizeof memory - 1);
    const uint8_t hash[32] = {0xab};

    x402_lnbtc_receipt(&buf, X402_OK, X402_LN_MAINNET, hash);
    test_text(
        memory,
        "{\"success\":true,\"transaction\":\"ab000000000000000000000000000"
        "00000000000000000000000000000000000\",\"network\":\"" MAINNET "\"}",
        "success");
    memset(memory, 0, sizeof memory);
    buf = x402_buf_on(memory, sizeof memory - 1);
    x402_lnbtc_receipt(&buf, X402_ERR_LN_USED, X402_LN_MAINNET, hash);
    test_text(memory,
              "{\"success\":false,\"errorReason\":\"duplicate_settlement\","
              "\"transaction\":\"\",\"network\":\"" MAINNET "\"}",
              "failure");
}

int
main(void)
{
    test_binding();
    test_urls();
    test_entries();
    test_writing();
    test_invoices();
    test_payments();
    test_checks();
    test_client_payment();
    test_receipts();
    return test_done();
}
