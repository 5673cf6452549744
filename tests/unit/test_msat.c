/* SPDX-License-Identifier: Apache-2.0 */
/* Millisatoshis: wire amounts and prices, exact. */
#include "test.h"

#include <x402/msat.h>

static const struct {
    const char *why, *text;
    enum x402_err err;
    uint64_t value;
} wire[] =
    {
        {"one", "1", X402_OK, 1},
        {"21 satoshis", "21000", X402_OK, 21000},
        {"one bitcoin", "100000000000", X402_OK, 100000000000},
        {"all bitcoins", "2100000000000000000", X402_OK, X402_MSAT_MAX},
        {"one more", "2100000000000000001", X402_ERR_RANGE, 0},
        {"2^64", "18446744073709551616", X402_ERR_RANGE, 0},
        {"zero", "0", X402_ERR_SYNTAX, 0},
        {"empty", "", X402_ERR_SYNTAX, 0},
        {"leading zero", "01", X402_ERR_SYNTAX, 0},
        {"sign", "+1", X402_ERR_SYNTAX, 0},
        {"negative", "-1", X402_ERR_SYNTAX, 0},
        {"point", "1.0", X402_ERR_SYNTAX, 0},
        {"exponent", "1e3", X402_ERR_SYNTAX, 0},
        {"separator", "1,000", X402_ERR_SYNTAX, 0},
        {"unit", "1 msat", X402_ERR_SYNTAX, 0},
},
  prices[] = {
      {"satoshis", "21 sat", X402_OK, 21000},
      {"many satoshis", "21 sats", X402_OK, 21000},
      {"millisatoshis", "1500 msat", X402_OK, 1500},
      {"part of a satoshi", "0.5 sat", X402_OK, 500},
      {"all three places", "1.001 sat", X402_OK, 1001},
      {"zeros beyond", "1.0010 sat", X402_OK, 1001},
      {"less than a millisatoshi", "0.0001 sat", X402_ERR_RANGE, 0},
      {"half a millisatoshi", "0.5 msat", X402_ERR_RANGE, 0},
      {"all bitcoins", "2100000000000000 sat", X402_OK, X402_MSAT_MAX},
      {"more", "2100000000000001 sat", X402_ERR_RANGE, 0},
      {"bare", "21", X402_ERR_SYNTAX, 0},
      {"nothing", "0 sat", X402_ERR_SYNTAX, 0},
      {"unit alone", " sat", X402_ERR_SYNTAX, 0},
      {"negative", "-1 sat", X402_ERR_SYNTAX, 0},
      {"no space", "21sat", X402_ERR_SYNTAX, 0},
      {"two spaces", "21  sat", X402_ERR_SYNTAX, 0},
      {"upper case", "21 SAT", X402_ERR_SYNTAX, 0},
      {"bitcoins", "0.0001 BTC", X402_ERR_SYNTAX, 0},
      {"dollars", "$1", X402_ERR_SYNTAX, 0},
      {"point first", ".5 sat", X402_ERR_SYNTAX, 0},
      {"point last", "5. sat", X402_ERR_SYNTAX, 0},
      {"empty", "", X402_ERR_SYNTAX, 0},
};

static void
test_parsing(void)
{
    for (size_t i = 0; i < TEST_LEN(wire); i++) {
        struct x402_msat got = {7};

        test_ok(x402_msat_parse(&got, test_edge_text(wire[i].text)) ==
                        wire[i].err &&
                    got.value == (wire[i].err == X402_OK ? wire[i].value : 7),
                "amount: %s", wire[i].why);
    }
    for (size_t i = 0; i < TEST_LEN(prices); i++) {
        struct x402_msat got = {7};

        test_ok(x402_msat_parse_price(&got, test_edge_text(prices[i].text)) ==
                        prices[i].err &&
                    got.value ==
                        (prices[i].err == X402_OK ? prices[i].value : 7),
                "price: %s", prices[i].why);
    }
}

static void
test_arithmetic(void)
{
    struct x402_msat a = {1500}, b, most = {X402_MSAT_MAX};
    char text[X402_MSAT_TEXT_MAX + 1];
    uint64_t sats = 9;

    test_ok(!x402_msat_sats(&sats, a) && sats == 9, "1.5 sat is not whole");
    b = x402_msat_ceil(a);
    test_ok(x402_msat_sats(&sats, b) && sats == 2, "rounded up it is 2");
    test_ok(x402_msat_cmp(x402_msat_ceil(b), b) == 0, "2 stay 2");
    test_ok(x402_msat_cmp(x402_msat_ceil(most), most) == 0, "the most stays");
    test_ok(x402_msat_cmp(a, b) == -1 && x402_msat_cmp(b, a) == 1, "order");
    test_ok(x402_msat_add(&a, a, b) && a.value == 3500, "a sum");
    test_ok(!x402_msat_add(&a, most, (struct x402_msat){1}) && a.value == 3500,
            "one too much");
    test_ok(x402_msat_of(&a, X402_MSAT_MAX + 1) == X402_ERR_RANGE,
            "more than all");
    test_ok(x402_msat_of_sat(&a, 21) == X402_OK && a.value == 21000,
            "21 satoshis");
    test_ok(x402_msat_of_sat(&a, UINT64_MAX) == X402_ERR_RANGE,
            "too many satoshis");
    test_ok(x402_msat_format(text, most) == X402_MSAT_TEXT_MAX, "19 digits");
    test_text(text, "2100000000000000000", "the largest amount");
}

int
main(void)
{
    test_parsing();
    test_arithmetic();
    return test_done();
}
