/* SPDX-License-Identifier: Apache-2.0 */
/* Settlement-Overrides, as @x402/core 2.27 reads it, and what it must not be.
 */
#include "test.h"

#include <x402/override.h>

static const struct {
    const char *header;
    enum x402_err err;
    uint64_t amount; /* of at most 20000 */
} rows[] = {
    {"{\"amount\":\"1858\"}", X402_OK, 1858},
    {"{\"amount\":\"20000\"}", X402_OK, 20000},
    {"{\"amount\":\"0\"}", X402_OK, 0},
    {" { \"amount\" : \"7\" , \"more\" : 1 } ", X402_OK, 7},
    {"{\"amount\":\"20001\"}", X402_ERR_EXCEEDS, 0},
    {"{\"amount\":\"100%\"}", X402_OK, 20000},
    {"{\"amount\":\"25%\"}", X402_OK, 5000},
    {"{\"amount\":\"12.5%\"}", X402_OK, 2500},
    {"{\"amount\":\"33.33%\"}", X402_OK, 6666},
    {"{\"amount\":\"0.01%\"}", X402_OK, 2},
    {"{\"amount\":\"0.00%\"}", X402_OK, 0},
    {"{\"amount\":\"1.%\"}", X402_OK, 200},
    {"{\"amount\":\"100.01%\"}", X402_ERR_EXCEEDS, 0},
    {"{\"amount\":\"999999%\"}", X402_ERR_EXCEEDS, 0},
    {"{\"amount\":\"1.001%\"}", X402_ERR_SYNTAX, 0},
    {"{\"amount\":\"%\"}", X402_ERR_SYNTAX, 0},
    {"{\"amount\":\".5%\"}", X402_ERR_SYNTAX, 0},
    {"{\"amount\":\"-1%\"}", X402_ERR_SYNTAX, 0},
    {"{\"amount\":\"1%%\"}", X402_ERR_SYNTAX, 0},
    {"{\"amount\":\"$0.001\"}", X402_OK, 1000},
    {"{\"amount\":\"$0.02\"}", X402_OK, 20000},
    {"{\"amount\":\"$0.0000019\"}", X402_OK, 1},
    {"{\"amount\":\"$0\"}", X402_OK, 0},
    {"{\"amount\":\"$0.020001\"}", X402_ERR_EXCEEDS, 0},
    {"{\"amount\":\"$1\"}", X402_ERR_EXCEEDS, 0},
    {"{\"amount\":\"$1.\"}", X402_ERR_SYNTAX, 0},
    {"{\"amount\":\"$\"}", X402_ERR_SYNTAX, 0},
    {"{\"amount\":\"$-1\"}", X402_ERR_SYNTAX, 0},
    {"{\"amount\":\"$1e-3\"}", X402_ERR_SYNTAX, 0},
    {"{\"amount\":\"007\"}", X402_ERR_SYNTAX, 0},
    {"{\"amount\":\"-1\"}", X402_ERR_SYNTAX, 0},
    {"{\"amount\":\"1.5\"}", X402_ERR_SYNTAX, 0},
    {"{\"amount\":\"\"}", X402_ERR_SYNTAX, 0},
    {"{\"amount\":7}", X402_ERR_SYNTAX, 0},
    {"{\"amount\":null}", X402_ERR_SYNTAX, 0},
    {"{}", X402_ERR_SYNTAX, 0},
    {"1858", X402_ERR_SYNTAX, 0},
    {"", X402_ERR_SYNTAX, 0},
    {"{\"amount\":\"1\",\"amount\":\"2\"}", X402_ERR_SYNTAX, 0},
    {"{\"amount\":[[[\"1\"]]]}", X402_ERR_SYNTAX, 0},
};

/* Of a maximum that is no round number: the rest is cut off, whatever its
 * size. */
static const struct {
    const char *maximum, *header, *amount;
} shares[] = {
    {"333", "{\"amount\":\"33.33%\"}", "110"},
    {"1", "{\"amount\":\"99.99%\"}", "0"},
    {"9999", "{\"amount\":\"0.01%\"}", "0"},
    {"18446744073709551617", "{\"amount\":\"50%\"}", "9223372036854775808"},
    {"340282366920938463463374607431768211457", "{\"amount\":\"33.34%\"}",
     "113450141131440883718689094117751521699"},
};

static void
test_shares(struct x402_requirement requirement)
{
    struct x402_amount got, want;

    for (size_t i = 0; i < sizeof shares / sizeof shares[0]; i++) {
        bool read =
            x402_amount_parse(&requirement.amount,
                              x402_span_of(shares[i].maximum)) == X402_OK &&
            x402_amount_parse(&want, x402_span_of(shares[i].amount)) == X402_OK;

        test_ok(read &&
                    x402_override_read(&got, x402_span_of(shares[i].header),
                                       &requirement) == X402_OK &&
                    x402_amount_cmp(&got, &want) == 0,
                "%s of %s", shares[i].header, shares[i].maximum);
    }
}

int
main(void)
{
    struct x402_requirement requirement = {
        .asset = x402_asset_by_symbol(84532, x402_span_of("USDC"))};
    char long_header[X402_OVERRIDE_MAX + 2];
    struct x402_amount got;

    requirement.amount = x402_amount_of(20000);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct x402_amount want =
            x402_amount_of(rows[i].err == X402_OK ? rows[i].amount : 77);
        enum x402_err err;

        got = x402_amount_of(77);
        err = x402_override_read(&got, test_edge_text(rows[i].header),
                                 &requirement);
        test_ok(err == rows[i].err && x402_amount_cmp(&got, &want) == 0, "%s",
                rows[i].header);
    }
    test_shares(requirement);
    memset(long_header, ' ', sizeof long_header);
    test_ok(x402_override_read(
                &got, (struct x402_span){long_header, sizeof long_header},
                &requirement) == X402_ERR_TOO_LARGE,
            "more bytes than an amount takes");
    return test_done();
}
