/* SPDX-License-Identifier: Apache-2.0 */
/* Money: what is an amount and what is not, and arithmetic held against
 * another implementation. */
#include "test.h"

#include <x402/amount.h>

#define MAX256                                                                 \
    "11579208923731619542357098500868790785326998466564056403945758400791312"  \
    "9639935"
#define OVER256                                                                \
    "11579208923731619542357098500868790785326998466564056403945758400791312"  \
    "9639936"
#define NINES78                                                                \
    "999999999999999999999999999999999999999999999999999999999999999999999999" \
    "999999"

static const struct x402_amount untouched = {{1, 2, 3, 4}};

static const struct {
    const char *why;
    const char *text;
    enum x402_err err;
    const char *again; /* as formatted, when it is an amount */
} parse_rows[] = {
    {"zero", "0", X402_OK, "0"},
    {"one cent of USDC", "10000", X402_OK, "10000"},
    {"2^64-1", "18446744073709551615", X402_OK, "18446744073709551615"},
    {"2^64", "18446744073709551616", X402_OK, "18446744073709551616"},
    {"2^128", "340282366920938463463374607431768211456", X402_OK,
     "340282366920938463463374607431768211456"},
    {"largest", MAX256, X402_OK, MAX256},
    {"2^256", OVER256, X402_ERR_RANGE, NULL},
    {"78 nines", NINES78, X402_ERR_RANGE, NULL},
    {"79 digits", "1" NINES78, X402_ERR_RANGE, NULL},
    {"largest and one more digit", MAX256 "0", X402_ERR_RANGE, NULL},
    {"empty", "", X402_ERR_SYNTAX, NULL},
    {"leading zero", "007", X402_ERR_SYNTAX, NULL},
    {"two zeros", "00", X402_ERR_SYNTAX, NULL},
    {"plus", "+1", X402_ERR_SYNTAX, NULL},
    {"minus", "-1", X402_ERR_SYNTAX, NULL},
    {"point", "1.0", X402_ERR_SYNTAX, NULL},
    {"exponent", "1e3", X402_ERR_SYNTAX, NULL},
    {"hex", "0x10", X402_ERR_SYNTAX, NULL},
    {"space before", " 1", X402_ERR_SYNTAX, NULL},
    {"space after", "1 ", X402_ERR_SYNTAX, NULL},
    {"new line after", "1\n", X402_ERR_SYNTAX, NULL},
    {"letters after", "1abc", X402_ERR_SYNTAX, NULL},
    {"separator", "1,000", X402_ERR_SYNTAX, NULL},
    {"below '0'", "1/", X402_ERR_SYNTAX, NULL},
    {"above '9'", "1:", X402_ERR_SYNTAX, NULL},
    {"fullwidth digit", "\xef\xbc\x91", X402_ERR_SYNTAX, NULL},
};

static void
test_parse(void)
{
    for (size_t i = 0; i < TEST_LEN(parse_rows); i++) {
        struct x402_amount got = untouched;
        char text[X402_AMOUNT_TEXT_MAX + 1];
        enum x402_err err =
            x402_amount_parse(&got, test_edge_text(parse_rows[i].text));

        test_ok(err == parse_rows[i].err, "parse: %s", parse_rows[i].why);
        if (err != X402_OK) {
            test_ok(memcmp(&got, &untouched, sizeof got) == 0,
                    "parse: %s leaves the result alone", parse_rows[i].why);
            continue;
        }
        test_ok(x402_amount_format(text, &got) == strlen(parse_rows[i].again),
                "format: %s, its length", parse_rows[i].why);
        test_text(text, parse_rows[i].again, parse_rows[i].why);
    }
    {
        struct x402_amount got = untouched;

        test_ok(x402_amount_parse(&got, test_edge("1\0", 2)) == X402_ERR_SYNTAX,
                "parse: NUL after");
    }
}

static const struct {
    const char *why;
    const char *text;
    unsigned decimals;
    enum x402_err err;
    const char *atomic;
} decimal_rows[] = {
    {"the price of seed 001", "0.0030", 6, X402_OK, "3000"},
    {"whole", "1", 6, X402_OK, "1000000"},
    {"zero", "0", 6, X402_OK, "0"},
    {"zero with many zeros", "0.0000000000", 6, X402_OK, "0"},
    {"smallest", "0.000001", 6, X402_OK, "1"},
    {"zeros beyond the decimals", "0.00000100000", 6, X402_OK, "1"},
    {"half of the smallest", "0.0000005", 6, X402_ERR_RANGE, NULL},
    {"no decimals, no point", "12", 0, X402_OK, "12"},
    {"no decimals, zeros", "12.00", 0, X402_OK, "12"},
    {"no decimals, fraction", "12.5", 0, X402_ERR_RANGE, NULL},
    {"18 decimals", "1.000000000000000001", 18, X402_OK, "1000000000000000001"},
    {"77 decimals", "1", 77, X402_OK,
     "1000000000000000000000000000000000000000000000000000000000000000000000"
     "00000000"},
    {"78 decimals", "1", 78, X402_ERR_RANGE, NULL},
    {"255 decimals", "1", 255, X402_ERR_RANGE, NULL},
    {"zero at 255 decimals", "0", 255, X402_OK, "0"},
    {"zero at a great many decimals", "0", UINT32_MAX, X402_OK, "0"},
    {"largest", MAX256, 0, X402_OK, MAX256},
    {"too large", OVER256, 0, X402_ERR_RANGE, NULL},
    {"too large by its decimals", MAX256, 1, X402_ERR_RANGE, NULL},
    {"80 digits", "1" NINES78 "0", 0, X402_ERR_RANGE, NULL},
    {"empty", "", 6, X402_ERR_SYNTAX, NULL},
    {"point only", ".", 6, X402_ERR_SYNTAX, NULL},
    {"nothing before the point", ".5", 6, X402_ERR_SYNTAX, NULL},
    {"nothing after the point", "5.", 6, X402_ERR_SYNTAX, NULL},
    {"two points", "1.2.3", 6, X402_ERR_SYNTAX, NULL},
    {"leading zero", "01.5", 6, X402_ERR_SYNTAX, NULL},
    {"exponent", "1e-3", 6, X402_ERR_SYNTAX, NULL},
    {"dollar", "$1", 6, X402_ERR_SYNTAX, NULL},
    {"minus", "-1.0", 6, X402_ERR_SYNTAX, NULL},
    {"comma", "1,5", 6, X402_ERR_SYNTAX, NULL},
    {"space", "1.5 ", 6, X402_ERR_SYNTAX, NULL},
    {"letter in the fraction", "1.5x", 6, X402_ERR_SYNTAX, NULL},
};

static void
test_decimal(void)
{
    for (size_t i = 0; i < TEST_LEN(decimal_rows); i++) {
        struct x402_amount got = untouched;
        char text[X402_AMOUNT_TEXT_MAX + 1];
        enum x402_err err = x402_amount_parse_decimal(
            &got, test_edge_text(decimal_rows[i].text),
            decimal_rows[i].decimals);

        test_ok(err == decimal_rows[i].err, "decimal: %s", decimal_rows[i].why);
        if (err == X402_OK) {
            x402_amount_format(text, &got);
            test_text(text, decimal_rows[i].atomic, decimal_rows[i].why);
        } else {
            test_ok(memcmp(&got, &untouched, sizeof got) == 0,
                    "decimal: %s leaves the result alone", decimal_rows[i].why);
        }
    }
}

static void
test_format_decimal(void)
{
    static const struct {
        const char *why;
        const char *atomic;
        unsigned decimals, min_fraction;
        const char *text;
    } rows[] = {
        {"a fraction of a cent", "3000", 6, 0, "0.003"},
        {"two digits at least", "3000000", 6, 2, "3.00"},
        {"more than the two", "3001000", 6, 2, "3.001"},
        {"whole, no point", "3000000", 6, 0, "3"},
        {"zero", "0", 6, 0, "0"},
        {"zero with cents", "0", 6, 2, "0.00"},
        {"no decimals", "30", 0, 0, "30"},
        {"no decimals, none can be asked for", "30", 0, 2, "30"},
        {"all decimals asked for", "1", 6, 99, "0.000001"},
        {"largest at 18", MAX256, 18, 0,
         "115792089237316195423570985008687907853269984665640564039457."
         "584007913129639935"},
        {"largest below one", "999999", 6, 0, "0.999999"},
        {"more decimals than digits of any amount", "1", 80, 0,
         "0.000000000000000000000000000000000000000000000000000000000000000000"
         "00000000000001"},
    };

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct x402_amount amount;
        char text[X402_AMOUNT_TEXT_MAX + 3 + 80];
        size_t len;

        test_need(x402_amount_parse(&amount, x402_span_of(rows[i].atomic)) ==
                      X402_OK,
                  rows[i].why);
        len = x402_amount_format_decimal(text, &amount, rows[i].decimals,
                                         rows[i].min_fraction);
        test_text(text, rows[i].text, rows[i].why);
        test_ok(len == strlen(text), "%s: its length", rows[i].why);
    }
}

static struct x402_amount
member(const json_t *row, const char *key)
{
    struct x402_amount amount;

    test_need(x402_amount_parse(&amount, x402_span_of(test_string(row, key))) ==
                  X402_OK,
              key);
    return amount;
}

/* A result that either fits and is the expected one, or does not and left the
 * output alone. */
static bool
agrees(bool fits, const struct x402_amount *got, const json_t *row,
       const char *key)
{
    char text[X402_AMOUNT_TEXT_MAX + 1];

    if (json_is_null(json_object_get(row, key)))
        return !fits && memcmp(got, &untouched, sizeof *got) == 0;
    x402_amount_format(text, got);
    return fits && strcmp(text, test_string(row, key)) == 0;
}

static bool
arithmetic_agrees(const json_t *row)
{
    struct x402_amount a = member(row, "a"), b = member(row, "b");
    struct x402_amount factor = member(row, "factor");
    struct x402_amount sum = untouched, rest = untouched, product = untouched;
    bool fits_sum = x402_amount_add(&sum, &a, &b);
    bool fits_rest = x402_amount_sub(&rest, &a, &b);
    bool fits_product = x402_amount_mul_u64(&product, &a, factor.limb[0]);
    int order = (int)json_integer_value(json_object_get(row, "compare"));

    return agrees(fits_sum, &sum, row, "sum") &&
           agrees(fits_rest, &rest, row, "difference") &&
           agrees(fits_product, &product, row, "product") &&
           x402_amount_cmp(&a, &b) == order;
}

static bool
encodings_agree(const json_t *row)
{
    struct x402_amount a = member(row, "a"), back = untouched;
    char usdc[X402_AMOUNT_TEXT_MAX + 9], wei[X402_AMOUNT_TEXT_MAX + 21];
    uint8_t want[32], got[32];

    test_member(want, 32, row, "hex");
    x402_amount_to_be32(got, &a);
    x402_amount_from_be32(&back, want);
    x402_amount_format_decimal(usdc, &a, 6, 0);
    x402_amount_format_decimal(wei, &a, 18, 0);
    return memcmp(got, want, 32) == 0 && x402_amount_cmp(&a, &back) == 0 &&
           strcmp(usdc, test_string(row, "usdc")) == 0 &&
           strcmp(wei, test_string(row, "wei")) == 0;
}

static bool
decimal_reads_back(const json_t *row)
{
    struct x402_amount a = member(row, "a"), usdc, wei;
    struct x402_span six = x402_span_of(test_string(row, "usdc"));
    struct x402_span eighteen = x402_span_of(test_string(row, "wei"));

    return x402_amount_parse_decimal(&usdc, six, 6) == X402_OK &&
           x402_amount_parse_decimal(&wei, eighteen, 18) == X402_OK &&
           x402_amount_cmp(&usdc, &a) == 0 && x402_amount_cmp(&wei, &a) == 0;
}

static void
test_against_javascript(void)
{
    json_t *rows = test_vectors("amount.json"), *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        test_ok(arithmetic_agrees(row), "arithmetic, vector %zu", i);
        test_ok(encodings_agree(row), "encodings, vector %zu", i);
        test_ok(decimal_reads_back(row), "decimals read back, vector %zu", i);
    }
    json_decref(rows);
}

static void
test_u64(void)
{
    struct x402_amount amount = x402_amount_of(UINT64_MAX);
    uint64_t value = 7;

    test_ok(x402_amount_u64(&value, &amount) && value == UINT64_MAX,
            "2^64-1 is a 64-bit number");
    for (unsigned limb = 1; limb < 4; limb++) {
        amount = x402_amount_of(5);
        amount.limb[limb] = 1;
        value = 7;
        test_ok(!x402_amount_u64(&value, &amount) && value == 7,
                "one in limb %u is not", limb);
        test_ok(!x402_amount_is_zero(&amount), "and is not zero");
    }
    amount = x402_amount_of(0);
    test_ok(x402_amount_is_zero(&amount), "zero is zero");
}

static void
test_alias(void)
{
    struct x402_amount a = x402_amount_of(40), b = x402_amount_of(2);

    test_ok(x402_amount_add(&a, &a, &b) && a.limb[0] == 42, "a += b");
    test_ok(x402_amount_sub(&b, &a, &b) && b.limb[0] == 40, "b = a - b");
    test_ok(x402_amount_add(&a, &a, &a) && a.limb[0] == 84, "a += a");
    test_ok(x402_amount_mul_u64(&a, &a, 3) && a.limb[0] == 252, "a *= 3");
}

int
main(void)
{
    test_parse();
    test_decimal();
    test_format_decimal();
    test_against_javascript();
    test_u64();
    test_alias();
    return test_done();
}
