/* SPDX-License-Identifier: Apache-2.0 */
/* What a seller asks a facilitator, and what counts as its answer. */
#include <string.h>

#include <x402/facilitator.h>

#include "test.h"

#define test_it(is) test_ok(is, #is)
#define test_row(is, why) test_ok(is, "%s", why)

#define TX "0xabababababababababababababababababababababababababababababababab"
#define PAYER "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
#define OTHER "0x1563915e194D8CfBA1943570603F7606A3115508"

static struct x402_authorization auth;
static uint8_t signature[65];

static struct x402_facilitator_ask
ask_in(int version)
{
    struct x402_facilitator_ask ask = {
        .version = version,
        .asset = x402_asset_by_symbol(84532, x402_span_of("USDC")),
        .auth = &auth,
        .signature = signature,
        .signature_len = sizeof(signature),
        .resource = x402_span_of("https://api.example.com/a"),
    };

    test_it(x402_address_parse(&auth.from, x402_span_of(PAYER)) == X402_OK);
    test_it(x402_address_parse(&auth.to, x402_span_of(OTHER)) == X402_OK);
    auth.value = x402_amount_of(1000);
    auth.valid_after_s = 1;
    auth.valid_before_s = 1700000060;
    memset(auth.nonce, 0xab, sizeof(auth.nonce));
    memset(signature, 0x11, sizeof(signature));
    signature[64] = 27;
    return ask;
}

/* Our own facilitator reads what we write, in both versions. */
static void
asked_and_read(void)
{
    static struct x402_facilitator_request request;
    static char memory[16384];

    for (int version = 1; version <= 2; version++) {
        const struct x402_facilitator_ask ask = ask_in(version);
        struct x402_buf out = x402_buf_on(memory, sizeof(memory));

        x402_facilitator_request_json(&out, &ask);
        test_it(!out.full);
        test_it(x402_facilitator_request_decode(
                    &request, x402_buf_span(&out)) == X402_OK);
        test_it(request.version == version);
        test_it(x402_address_eq(&request.payment.auth.from, &auth.from));
        test_it(x402_address_eq(&request.requirement.pay_to, &auth.to));
        test_it(x402_amount_cmp(&request.requirement.amount, &auth.value) == 0);
        test_it(strcmp(request.resource, "https://api.example.com/a") == 0);
        test_it(request.payment.signature_len == 65);
    }
}

static void
verify_answers(void)
{
    static const struct {
        const char *why, *body;
        enum x402_err err;
        bool valid;
        enum x402_err reason;
    } rows[] = {
        {"yes", "{\"isValid\":true}", X402_OK, true, X402_OK},
        {"yes, of our payer", "{\"isValid\":true,\"payer\":\"" PAYER "\"}",
         X402_OK, true, X402_OK},
        {"no", "{\"isValid\":false}", X402_OK, false, X402_ERR_INTERNAL},
        {"no, with a reason",
         "{\"isValid\":false,\"invalidReason\":\"insufficient_funds\"}",
         X402_OK, false, X402_ERR_FUNDS},
        {"no, in words of its own",
         "{\"isValid\":false,\"invalidReason\":\"bad karma\"}", X402_OK, false,
         X402_ERR_INTERNAL},
        {"another payer", "{\"isValid\":true,\"payer\":\"" OTHER "\"}",
         X402_ERR_SYNTAX, false, X402_OK},
        {"a reason against it",
         "{\"isValid\":true,\"invalidReason\":\"insufficient_funds\"}",
         X402_ERR_SYNTAX, false, X402_OK},
        {"a string", "{\"isValid\":\"true\"}", X402_ERR_SYNTAX, false, X402_OK},
        {"a number", "{\"isValid\":1}", X402_ERR_SYNTAX, false, X402_OK},
        {"null", "{\"isValid\":null}", X402_ERR_SYNTAX, false, X402_OK},
        {"twice", "{\"isValid\":false,\"isValid\":true}", X402_ERR_SYNTAX,
         false, X402_OK},
        {"nothing", "{}", X402_ERR_SYNTAX, false, X402_OK},
        {"a list", "[{\"isValid\":true}]", X402_ERR_SYNTAX, false, X402_OK},
        {"cut off", "{\"isValid\":true", X402_ERR_SYNTAX, false, X402_OK},
        {"empty", "", X402_ERR_SYNTAX, false, X402_OK},
    };
    const struct x402_facilitator_ask ask = ask_in(2);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct x402_verify_answer out = {false, X402_OK};

        test_row(x402_verify_answer_decode(&out, x402_span_of(rows[i].body),
                                           &ask) == rows[i].err,
                 rows[i].why);
        test_row(out.valid == rows[i].valid && out.reason == rows[i].reason,
                 rows[i].why);
    }
}

static void
settle_answers(void)
{
    static const struct {
        const char *why, *body;
        enum x402_err err;
        bool success;
        enum x402_err reason;
        bool has_transaction;
    } rows[] = {
        {"yes",
         "{\"success\":true,\"transaction\":\"" TX
         "\",\"network\":\"eip155:84532\"}",
         X402_OK, true, X402_OK, true},
        {"yes, in version 1's words",
         "{\"success\":true,\"transaction\":\"" TX
         "\",\"network\":\"base-sepolia\",\"errorReason\":null,\"payer\":"
         "\"" PAYER "\",\"amount\":\"1000\"}",
         X402_OK, true, X402_OK, true},
        {"no", "{\"success\":false}", X402_OK, false, X402_ERR_INTERNAL, false},
        {"pending, with its transaction",
         "{\"success\":false,\"errorReason\":\"settlement_pending\","
         "\"transaction\":\"" TX "\",\"network\":\"eip155:84532\"}",
         X402_OK, false, X402_ERR_PENDING, true},
        {"no transaction", "{\"success\":true,\"network\":\"eip155:84532\"}",
         X402_ERR_SYNTAX, false, X402_OK, false},
        {"an empty one",
         "{\"success\":true,\"transaction\":\"\",\"network\":\"eip155:84532\"}",
         X402_ERR_SYNTAX, false, X402_OK, false},
        {"another network",
         "{\"success\":true,\"transaction\":\"" TX
         "\",\"network\":\"eip155:8453\"}",
         X402_ERR_SYNTAX, false, X402_OK, false},
        {"no network", "{\"success\":true,\"transaction\":\"" TX "\"}",
         X402_ERR_SYNTAX, false, X402_OK, false},
        {"another payer",
         "{\"success\":true,\"transaction\":\"" TX
         "\",\"network\":\"eip155:84532\",\"payer\":\"" OTHER "\"}",
         X402_ERR_SYNTAX, false, X402_OK, false},
        {"another amount",
         "{\"success\":true,\"transaction\":\"" TX
         "\",\"network\":\"eip155:84532\",\"amount\":\"999\"}",
         X402_ERR_SYNTAX, false, X402_OK, false},
        {"a string",
         "{\"success\":\"true\",\"transaction\":\"" TX
         "\",\"network\":\"eip155:84532\"}",
         X402_ERR_SYNTAX, false, X402_OK, false},
    };
    const struct x402_facilitator_ask ask = ask_in(2);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct x402_settle_answer out;

        memset(&out, 0, sizeof(out));
        test_row(x402_settle_answer_decode(&out, x402_span_of(rows[i].body),
                                           &ask) == rows[i].err,
                 rows[i].why);
        test_row(out.success == rows[i].success &&
                     out.reason == rows[i].reason &&
                     out.has_transaction == rows[i].has_transaction,
                 rows[i].why);
    }
}

static void
supported_answers(void)
{
    static const struct {
        const char *why, *kinds;
        int version;
    } rows[] = {
        {"both",
         "{\"x402Version\":1,\"scheme\":\"exact\",\"network\":\"base-"
         "sepolia\"},{\"x402Version\":2,\"scheme\":\"exact\","
         "\"network\":\"eip155:84532\"}",
         2},
        {"version 1",
         "{\"x402Version\":1,\"scheme\":\"exact\",\"network\":"
         "\"base-sepolia\"}",
         1},
        {"another network",
         "{\"x402Version\":2,\"scheme\":\"exact\","
         "\"network\":\"eip155:8453\"}",
         0},
        {"another scheme",
         "{\"x402Version\":2,\"scheme\":\"upto\",\"network\":"
         "\"eip155:84532\"}",
         0},
        {"a version in quotes",
         "{\"x402Version\":\"2\",\"scheme\":\"exact\","
         "\"network\":\"eip155:84532\"}",
         0},
        {"none", "", 0},
        {"something else among them", "1,null,[]", 0},
    };
    const struct x402_network *network = x402_network_by_id(84532);
    char body[512];
    int version = -1;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(body, sizeof(body), "{\"kinds\":[%s]}", rows[i].kinds);
        test_row(x402_supported_decode(&version, x402_span_of(body), network) ==
                         X402_OK &&
                     version == rows[i].version,
                 rows[i].why);
    }
    test_it(x402_supported_decode(&version, x402_span_of("{}"), network) ==
            X402_ERR_SYNTAX);
    test_it(x402_supported_decode(&version, x402_span_of("{\"kinds\":{}}"),
                                  network) == X402_ERR_SYNTAX);
}

#define UPTO(network, extra)                                                   \
    "{\"x402Version\":2,\"scheme\":\"upto\",\"network\":\"" network            \
    "\",\"extra\":" extra "}"
#define ONE "0x1111111111111111111111111111111111111111"
#define TWO "0x2222222222222222222222222222222222222222"

static void
upto_accounts(void)
{
    static const struct {
        const char *why, *body;
        size_t len;
    } rows[] = {
        {"the kind's own",
         "{\"kinds\":[" UPTO("eip155:84532",
                             "{\"facilitatorAddress\":\"" ONE "\"}") "]}",
         1},
        {"and its signers, once each",
         "{\"kinds\":[" UPTO("eip155:84532",
                             "{\"facilitatorAddress\":\"" ONE
                             "\"}") "],"
                                    "\"signers\":{\"eip155:*\":[\"" ONE
                                    "\",\"" TWO "\",7],"
                                    "\"solana:*\":[\"x\"]}}",
         2},
        {"another network's",
         "{\"kinds\":[" UPTO("eip155:8453",
                             "{\"facilitatorAddress\":\"" ONE
                             "\"}") "],"
                                    "\"signers\":{\"eip155:*\":[\"" TWO "\"]}}",
         0},
        {"no address",
         "{\"kinds\":[" UPTO("eip155:84532",
                             "{\"facilitatorAddress\":\"0x12\"}") "]}",
         0},
        {"no upto", "{\"kinds\":[],\"signers\":{\"eip155:*\":[\"" ONE "\"]}}",
         0},
        {"kinds that are no list", "{\"kinds\":{}}", 0},
    };
    const struct x402_network *network = x402_network_by_id(84532);
    struct x402_address out[2];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = 9;

        test_row(x402_supported_upto(out, &len, 2, x402_span_of(rows[i].body),
                                     network) == X402_OK &&
                     len == rows[i].len,
                 rows[i].why);
    }
}

int
main(void)
{
    upto_accounts();
    asked_and_read();
    verify_answers();
    settle_answers();
    supported_answers();
    return test_done();
}
