/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses: EIP-55 both ways, and what is none. */
#include "test.h"

#include <x402/address.h>

static const struct {
    const char *why, *text;
    enum x402_err plain, checked;
} rows[] = {
    {"checksum", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", X402_OK,
     X402_OK},
    {"all lower", "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed", X402_OK,
     X402_OK},
    {"all upper", "0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED", X402_OK,
     X402_OK},
    {"one letter's case is wrong", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed",
     X402_OK, X402_ERR_SYNTAX},
    {"every letter's case is wrong",
     "0x5AaEB6053f3e94c9B9a09F33669435e7eF1bEaED", X402_OK, X402_ERR_SYNTAX},
    {"39 digits", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe", X402_ERR_SYNTAX,
     X402_ERR_SYNTAX},
    {"41 digits", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed0",
     X402_ERR_SYNTAX, X402_ERR_SYNTAX},
    {"38 digits", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeA", X402_ERR_SYNTAX,
     X402_ERR_SYNTAX},
    {"42 digits", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed00",
     X402_ERR_SYNTAX, X402_ERR_SYNTAX},
    {"no prefix", "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", X402_ERR_SYNTAX,
     X402_ERR_SYNTAX},
    {"0X", "0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", X402_ERR_SYNTAX,
     X402_ERR_SYNTAX},
    {"not hex", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg", X402_ERR_SYNTAX,
     X402_ERR_SYNTAX},
    {"space after", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed ",
     X402_ERR_SYNTAX, X402_ERR_SYNTAX},
    {"fullwidth digit",
     "0x\xef\xbc\x95"
     "Aeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
     X402_ERR_SYNTAX, X402_ERR_SYNTAX},
    {"empty", "", X402_ERR_SYNTAX, X402_ERR_SYNTAX},
    {"prefix only", "0x", X402_ERR_SYNTAX, X402_ERR_SYNTAX},
    {"zero", "0x0000000000000000000000000000000000000000", X402_OK, X402_OK},
};

static void
test_parse(void)
{
    static const struct x402_address before = {{1, 2, 3}};

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct x402_address plain = before, checked = before;
        struct x402_span text = test_edge_text(rows[i].text);

        test_ok(x402_address_parse(&plain, text) == rows[i].plain, "%s",
                rows[i].why);
        test_ok(x402_address_parse_checked(&checked, text) == rows[i].checked,
                "%s, checked", rows[i].why);
        test_ok(x402_address_eq(&plain, &before) == (rows[i].plain != X402_OK),
                "%s: written only when it is one", rows[i].why);
        test_ok(x402_address_eq(&checked, &before) ==
                    (rows[i].checked != X402_OK),
                "%s: the same, checked", rows[i].why);
    }
    {
        struct x402_address address;
        char text[42] = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe";

        test_ok(x402_address_parse(&address, test_edge(text, sizeof text)) ==
                    X402_ERR_SYNTAX,
                "NUL as the last digit");
    }
}

/* "the following are examples" of EIP-55. */
static void
test_eip55(void)
{
    static const char *const texts[] = {
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77",
        "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    };

    for (size_t i = 0; i < TEST_LEN(texts); i++) {
        char again[X402_ADDRESS_TEXT_LEN + 1];
        struct x402_address address;

        test_ok(x402_address_parse_checked(&address, x402_span_of(texts[i])) ==
                    X402_OK,
                "EIP-55 example %zu", i);
        x402_address_format(again, &address);
        test_text(again, texts[i], "and formatted");
    }
}

static void
test_ethers(void)
{
    json_t *accounts = test_vectors("ethers/accounts.json"), *row;
    size_t i;

    json_array_foreach(accounts, i, row)
    {
        char text[X402_ADDRESS_TEXT_LEN + 1];
        struct x402_address address, checked;
        const char *want = test_string(row, "checksumAddress");

        test_need(x402_address_parse(&address, x402_span_of(test_string(
                                                   row, "address"))) == X402_OK,
                  "address");
        x402_address_format(text, &address);
        test_ok(strcmp(text, want) == 0 &&
                    x402_address_parse_checked(&checked, x402_span_of(want)) ==
                        X402_OK &&
                    x402_address_eq(&checked, &address),
                "ethers: %s", want);
    }
    json_decref(accounts);
}

static void
test_compare(void)
{
    struct x402_address a = {{0}}, b = {{0}};

    test_ok(x402_address_is_zero(&a), "zero");
    for (unsigned i = 0; i < 20; i++) {
        b.byte[i] = 1;
        test_ok(!x402_address_eq(&a, &b) && !x402_address_is_zero(&b),
                "byte %u counts", i);
        b.byte[i] = 0;
    }
    test_ok(x402_address_eq(&a, &b), "equal");
}

int
main(void)
{
    test_parse();
    test_eip55();
    test_ethers();
    test_compare();
    return test_done();
}
