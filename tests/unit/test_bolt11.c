/* SPDX-License-Identifier: Apache-2.0 */
/* Lightning invoices: the examples of BOLT 11, what we refuse beyond them, and
 * the way back. */
#include "test.h"

#include <x402/bolt11.h>

#define SPEC_INVOICE                                                           \
    "lnbc250n1pj48ugqpp54y3u9s8ylemsv8l3ewyzzu0klhujvuvmkl6llchq23vy8rzjsf0qs" \
    "p5zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zyg3zygshp5p4nz8am4uqj4q8"  \
    "a87z3sk4x6yk4dv2mvel34epw68qqkwy0xcqvqxqzfvcqpjr4rx6ls6j5rpwknuea64evlk"  \
    "7yfx56wmqcer5eerekdsn9tlv6v4ex9mlz5dtm9qapl3svwlqcf7837dmjkru9z9w4h2rvm"  \
    "0md52w2sqxrwu5f"

/* The node of BOLT 11's examples, and their payment hash. */
static const char *const example_node =
    "0x03e7156ae33b0a208d0744199163177e909e80176e55d97a2f221ede0f934dd9ad";

static void
test_examples(void)
{
    json_t *file = test_vectors("bolt11/bolt11.json");
    json_t *valid = json_object_get(file, "valid");
    json_t *invalid = json_object_get(file, "invalid");
    struct x402_bolt11 invoice;
    size_t len;
    uint8_t *node = test_unhex(&len, example_node);

    for (size_t i = 0; i < json_array_size(valid); i++) {
        json_t *row = json_array_get(valid, i);
        enum x402_err err = x402_bolt11_decode(
            &invoice, test_edge_text(test_string(row, "invoice")));

        test_ok(err == X402_OK, "valid: %s (%d)", test_string(row, "case"),
                (int)err);
        if (i < 14)
            test_bytes(invoice.payee, X402_NODE_LEN, node, len, "its node");
    }
    for (size_t i = 0; i < json_array_size(invalid); i++) {
        json_t *row = json_array_get(invalid, i);

        invoice.created_s = 7;
        test_ok(x402_bolt11_decode(&invoice, test_edge_text(test_string(
                                                 row, "invoice"))) != X402_OK &&
                    invoice.created_s == 7,
                "invalid: %s", test_string(row, "case"));
    }
    test_ok(json_array_size(valid) == 15 && json_array_size(invalid) == 10,
            "all examples were there");
    free(node);
    json_decref(file);
}

/* Fields that BOLT 11 states in words beside its examples. */
static void
test_fields(void)
{
    json_t *file = test_vectors("bolt11/bolt11.json");
    json_t *valid = json_object_get(file, "valid");
    static const struct {
        size_t row;
        enum x402_ln_network network;
        uint64_t msat, expiry_s;
        const char *description; /* NULL: hashed */
    } rows[] = {
        {0, X402_LN_MAINNET, 0, 3600,
         "Please consider supporting this project"},
        {1, X402_LN_MAINNET, 250000000, 60, "1 cup coffee"},
        {3, X402_LN_MAINNET, 2000000000, 3600, NULL},
        {4, X402_LN_TESTNET, 2000000000, 3600, NULL},
        {9, X402_LN_MAINNET, 967878534, 604800,
         "Blockstream Store: 88.85 USD for Blockstream Ledger Nano S x 1, "
         "\"Back In My Day\" Sticker x 2, \"I Got Lightning Working\" Sticker "
         "x 2 and 1 more items"},
        {10, X402_LN_MAINNET, 2500000000, 3600, "coffee beans"},
    };

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        json_t *row = json_array_get(valid, rows[i].row);
        struct x402_bolt11 got;

        test_need(x402_bolt11_decode(&got, x402_span_of(test_string(
                                               row, "invoice"))) == X402_OK,
                  "an example");
        test_ok(got.network == rows[i].network &&
                    got.amount.value == rows[i].msat &&
                    got.has_amount == (rows[i].msat != 0) &&
                    got.expiry_s == rows[i].expiry_s,
                "network, amount, expiry of %s", test_string(row, "case"));
        test_ok(got.has_description_hash == (rows[i].description == NULL),
                "description or its hash");
        if (rows[i].description != NULL)
            test_text(got.description, rows[i].description, "description");
        test_ok(got.payment_hash[31] == 2 || rows[i].row == 9, "payment hash");
        test_ok(got.payment_secret[0] == 0x11, "payment secret");
    }
    json_decref(file);
}

static void
test_scheme_example(void)
{
    struct x402_bolt11 got;
    size_t len;
    uint8_t *node = test_unhex(&len, "0x0279be667ef9dcbbac55a06295ce870b07029bf"
                                     "cdb2dce28d959f2815b16f81798");
    uint8_t *hash = test_unhex(&len, "0xa923c2c0e4fe77061ff1cb882171f6fdf926719"
                                     "bb7f5ffe2e05458438c52825e");
    uint8_t *request = test_unhex(&len, "0x0d6623f775e025501fa7f0a30b54da25aad6"
                                        "2b6ccfe35c85da38016711e6c018");

    test_need(x402_bolt11_decode(&got, x402_span_of(SPEC_INVOICE)) == X402_OK,
              "the scheme's example");
    test_ok(got.amount.value == 25000 && got.created_s == 1700000000 &&
                got.expiry_s == 300 && got.min_final_cltv == 18 &&
                !got.has_node,
            "amount, times");
    test_bytes(got.payee, X402_NODE_LEN, node, X402_NODE_LEN, "payee");
    test_bytes(got.payment_hash, 32, hash, 32, "payment hash");
    test_bytes(got.description_hash, 32, request, 32, "request hash");
    test_ok(!x402_bolt11_is_expired(&got, 1700000299) &&
                x402_bolt11_is_expired(&got, 1700000300),
            "expired at its end");
    free(node);
    free(hash);
    free(request);
}

static struct x402_bolt11
sample(void)
{
    struct x402_bolt11 invoice = {.network = X402_LN_REGTEST,
                                  .has_amount = true,
                                  .amount = {21000},
                                  .created_s = 1700000000,
                                  .expiry_s = 300,
                                  .min_final_cltv = 80,
                                  .has_description_hash = true};

    memset(invoice.payment_hash, 0xab, 32);
    memset(invoice.payment_secret, 0xcd, 32);
    memset(invoice.description_hash, 0xef, 32);
    return invoice;
}

static const uint8_t key[32] = {[31] = 1};

static struct x402_span
encode(char memory[X402_BOLT11_MAX], const struct x402_bolt11 *invoice)
{
    struct x402_buf buf = x402_buf_on(memory, X402_BOLT11_MAX);

    test_need(x402_bolt11_encode(&buf, invoice, key) == X402_OK, "encode");
    return x402_buf_span(&buf);
}

static void
test_round_trip(void)
{
    static const uint64_t amounts[] = {1,
                                       9,
                                       10,
                                       100,
                                       25000,
                                       100000,
                                       100000000,
                                       12345678,
                                       100000000000,
                                       2500000001,
                                       0,
                                       X402_MSAT_MAX,
                                       X402_MSAT_MAX - 1,
                                       UINT64_MAX / 10 + 1,
                                       X402_MSAT_MAX / 10 + 1};
    char memory[X402_BOLT11_MAX];

    for (int network = X402_LN_MAINNET; network <= X402_LN_SIMNET; network++) {
        for (size_t i = 0; i < TEST_LEN(amounts); i++) {
            struct x402_bolt11 in = sample(), got;

            in.network = (enum x402_ln_network)network;
            in.amount.value = amounts[i];
            in.has_amount = amounts[i] != 0;
            in.has_node = i % 2;
            test_ok(x402_bolt11_decode(&got, encode(memory, &in)) == X402_OK &&
                        got.network == in.network &&
                        got.has_amount == in.has_amount &&
                        got.amount.value == in.amount.value &&
                        got.expiry_s == in.expiry_s &&
                        got.min_final_cltv == in.min_final_cltv &&
                        got.has_node == in.has_node &&
                        memcmp(got.payment_secret, in.payment_secret, 32) == 0,
                    "%s, %llu msat", x402_ln_name(in.network),
                    (unsigned long long)amounts[i]);
        }
    }
}

/* One character changed anywhere is noticed: by the checksum. */
static void
test_checksum(void)
{
    char memory[X402_BOLT11_MAX];
    struct x402_bolt11 in = sample(), got;
    struct x402_span text = encode(memory, &in);
    unsigned accepted = 0;

    for (size_t i = 0; i < text.len; i++) {
        char kept = memory[i];

        memory[i] = kept == 'q' ? 'p' : 'q';
        accepted += x402_bolt11_decode(&got, text) == X402_OK;
        memory[i] = kept;
    }
    test_ok(accepted == 0, "no changed character is accepted");
    for (size_t len = 0; len < text.len; len++)
        accepted += x402_bolt11_decode(&got, test_edge(memory, len)) == X402_OK;
    test_ok(accepted == 0, "nor any shorter text");
}

static void
test_bounds(void)
{
    static char text[X402_BOLT11_MAX + 2];
    struct x402_bolt11 got, in = sample();
    char memory[16];
    struct x402_buf small = x402_buf_on(memory, sizeof memory);

    memset(text, 'q', sizeof text);
    memcpy(text, "lnbc1", 5);
    test_ok(x402_bolt11_decode(&got, test_edge(text, X402_BOLT11_MAX)) ==
                X402_ERR_SYNTAX,
            "as long as may be");
    test_ok(x402_bolt11_decode(&got, test_edge(text, X402_BOLT11_MAX + 1)) ==
                X402_ERR_TOO_LARGE,
            "longer");
    test_ok(x402_bolt11_encode(&small, &in, key) == X402_ERR_TOO_LARGE,
            "no room to write");
    in.created_s = (uint64_t)1 << 35;
    test_ok(x402_bolt11_encode(&small, &in, key) == X402_ERR_RANGE,
            "a time with no encoding");
    test_ok(x402_bolt11_encode(&small, &in, (const uint8_t[32]){0}) ==
                X402_ERR_RANGE,
            "a key that is none");
}

static void
test_names(void)
{
    enum x402_ln_network got;

    test_ok(x402_ln_by_caip2(
                &got, x402_span_of("lnbtc:0f9188f13cb7b2c71f2a335e3a4fc328")) ==
                    X402_OK &&
                got == X402_LN_REGTEST,
            "regtest by CAIP-2");
    test_ok(x402_ln_by_caip2(&got, x402_span_of("lnbtc:")) == X402_ERR_NETWORK,
            "no reference");
    test_ok(x402_ln_by_name(&got, x402_span_of("mainnet")) == X402_OK &&
                got == X402_LN_MAINNET,
            "mainnet by name");
    test_ok(x402_ln_caip2(X402_LN_SIGNET) == NULL, "signet has no CAIP-2 name");
}

int
main(void)
{
    test_examples();
    test_fields();
    test_scheme_example();
    test_round_trip();
    test_checksum();
    test_bounds();
    test_names();
    return test_done();
}
