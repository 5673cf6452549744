/* SPDX-License-Identifier: Apache-2.0 */
/* A 402 as a client reads it: our own in every wire, those of others, and
 * those that mean harm. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x402/encode.h>
#include <x402/offer.h>

#include "wire_test.h"

static struct x402_challenge *challenge;
static const struct x402_choice *choice;
static size_t choices;

static enum x402_err
read_all(const struct x402_challenge_input *in)
{
    enum x402_err err;

    x402_challenge_free(challenge);
    challenge = NULL;
    choice = NULL;
    choices = 0;
    err = x402_challenge_read(&challenge, in);
    if (err == X402_OK)
        choices = x402_challenge_choices(challenge, &choice);
    return err;
}

/* Single-quoted JSON as the header PAYMENT-REQUIRED, or as the body. */
static enum x402_err
read_header(const char *text)
{
    struct x402_challenge_input in = {
        .payment_required = test_base64(x402_span_of(test_quote(text)))};

    return read_all(&in);
}

static enum x402_err
read_body(const char *text)
{
    struct x402_challenge_input in = {.body = test_edge_text(test_quote(text))};

    return read_all(&in);
}

static bool
is_ours(const struct x402_choice *one, enum x402_wire wire)
{
    struct x402_requirement ours = test_requirement();

    return one->wire == wire && one->requirement.asset == ours.asset &&
           one->requirement.timeout_s == 60 &&
           x402_address_eq(&one->requirement.pay_to, &ours.pay_to) &&
           x402_amount_cmp(&one->requirement.amount, &ours.amount) == 0;
}

static bool
says(struct x402_span text, const char *expected)
{
    return x402_span_eq(text, x402_span_of(test_quote(expected)));
}

/* -- our own offers -- */

static void
test_own(void)
{
    static char header[4096], scratch[4096], body[4096];
    struct x402_requirement accepts[1] = {test_requirement()};
    struct x402_offer offer = {.resource_url = x402_span_of(RESOURCE),
                               .method = x402_span_of("GET"),
                               .accepts = accepts,
                               .accepts_len = 1};
    struct x402_buf out = x402_buf_on(header, sizeof(header));
    struct x402_buf work = x402_buf_on(scratch, sizeof(scratch));
    struct x402_buf text = x402_buf_on(body, sizeof(body));
    struct x402_offer_headers four;
    struct x402_challenge_input in = {0};

    x402_offer_v2_header(&out, &work, &offer);
    x402_offer_body_seed000(&text, &offer);
    test_ok(x402_offer_headers(&four, &offer), "seed 001's four headers");
    in.payment_required = x402_buf_span(&out);
    in.body = x402_buf_span(&text);
    in.seed001_required = x402_span_of(four.required);
    in.seed001_currency = x402_span_of(four.currency);
    in.seed001_chain = x402_span_of(four.chain);
    in.seed001_pay_to = x402_span_of(four.pay_to);
    test_ok(read_all(&in) == X402_OK && choices == 3 &&
                x402_challenge_skipped(challenge) == 0 &&
                is_ours(&choice[0], X402_WIRE_V2) &&
                is_ours(&choice[1], X402_WIRE_SEED000) &&
                is_ours(&choice[2], X402_WIRE_SEED001),
            "version 2, seed 000, seed 001, in this order");
    test_ok(says(x402_challenge_resource(challenge), RESOURCE) &&
                says(x402_challenge_error(challenge),
                     "Payment required to access this resource"),
            "resource and error");
    test_ok(says(choice[0].accepted_json, ACCEPTED) &&
                says(x402_challenge_echo(challenge, &choice[0]).accepted_json,
                     ACCEPTED) &&
                says(x402_challenge_echo(challenge, &choice[0]).resource_json,
                     "{'url':'" RESOURCE "'}") &&
                x402_challenge_echo(challenge, &choice[0]).extensions_json.at ==
                    NULL &&
                x402_challenge_echo(challenge, &choice[1]).accepted_json.at ==
                    NULL &&
                says(x402_challenge_echo(challenge, &choice[2]).resource_url,
                     RESOURCE),
            "what each wire echoes");
    text = x402_buf_on(body, sizeof(body));
    x402_offer_body_v1(&text, &offer);
    in.body = x402_buf_span(&text);
    test_ok(read_all(&in) == X402_OK && choices == 3 &&
                is_ours(&choice[1], X402_WIRE_V1),
            "version 1 in the body");
}

/* From a 402 to a header that our own gateway takes. */
static void
test_answer(void)
{
    static char memory[X402_PAYMENT_HEADER_MAX];
    struct x402_payment payment, back;
    struct x402_payment_echo echo;
    struct x402_requirement offer = test_requirement();
    struct x402_clock clock = test_clock();
    struct x402_buf out = x402_buf_on(memory, sizeof(memory));
    size_t which;

    if (x402_payment_decode(&payment, X402_CARRIER_X_PAYMENT,
                            test_base64(x402_span_of(test_quote(V1)))) !=
            X402_OK ||
        read_header("{'x402Version':2,'resource':{'url':'" RESOURCE
                    "'},'accepts':[" ACCEPTED
                    "],'extensions':{'a':{'info':{'b':1}}}}") != X402_OK ||
        choices != 1)
        abort();
    payment.wire = choice->wire;
    echo = x402_challenge_echo(challenge, choice);
    x402_payment_encode(&out, &payment, choice->requirement.asset, &echo);
    test_ok(!out.full &&
                x402_payment_decode(&back, X402_CARRIER_PAYMENT_SIGNATURE,
                                    x402_buf_span(&out)) == X402_OK &&
                x402_payment_match(&which, &back, &offer, 1, &clock) == X402_OK,
            "the answer to our 402 buys our offer");
    test_ok(says(echo.extensions_json, "{'a':{'info':{'b':1}}}"),
            "extensions are echoed");
}

/* -- entries -- */

#define ENTRY2(network, amount, asset, payto, timeout, more)                   \
    "{'scheme':'exact','network':'" network "','amount':" amount               \
    ",'asset':'" asset "','payTo':'" payto "','maxTimeoutSeconds':" timeout    \
    ",'extra':{'name':'USD Coin','version':'2'" more "}}"

static void
test_entries(void)
{
    static const struct {
        const char *why;
        const char *entry;
        size_t choices;
    } rows[] = {
        {"good", ENTRY2("eip155:8453", "'3000'", USDC, PAYEE, "60", ""), 1},
        {"one more member",
         ENTRY2("eip155:8453", "'3000'", USDC, PAYEE, "60", ",'x':null"), 1},
        {"network by name", ENTRY2("base", "'3000'", USDC, PAYEE, "60", ""), 0},
        {"unknown network",
         ENTRY2("eip155:424242", "'3000'", USDC, PAYEE, "60", ""), 0},
        {"the token of another network",
         ENTRY2("eip155:84532", "'3000'", USDC, PAYEE, "60", ""), 0},
        {"an unknown token called USDC",
         ENTRY2("eip155:8453", "'3000'", PAYER, PAYEE, "60", ""), 0},
        {"amount as number",
         ENTRY2("eip155:8453", "3000", USDC, PAYEE, "60", ""), 0},
        {"amount 0", ENTRY2("eip155:8453", "'0'", USDC, PAYEE, "60", ""), 0},
        {"amount with a point",
         ENTRY2("eip155:8453", "'0.003'", USDC, PAYEE, "60", ""), 0},
        {"amount of 2^256",
         ENTRY2("eip155:8453",
                "'1157920892373161954235709850086879078532699846656405640394"
                "57584007913129639936'",
                USDC, PAYEE, "60", ""),
         0},
        {"the payee is nobody",
         ENTRY2("eip155:8453", "'3000'", USDC,
                "0x0000000000000000000000000000000000000000", "60", ""),
         0},
        {"the payee is a name",
         ENTRY2("eip155:8453", "'3000'", USDC, "seller.eth", "60", ""), 0},
        {"timeout 0", ENTRY2("eip155:8453", "'3000'", USDC, PAYEE, "0", ""), 0},
        {"timeout of 1.5",
         ENTRY2("eip155:8453", "'3000'", USDC, PAYEE, "1.5", ""), 0},
        {"timeout of 10^10",
         ENTRY2("eip155:8453", "'3000'", USDC, PAYEE, "10000000000", ""), 0},
        {"permit2",
         ENTRY2("eip155:8453", "'3000'", USDC, PAYEE, "60",
                ",'assetTransferMethod':'permit2'"),
         1},
        {"eip3009 by name",
         ENTRY2("eip155:8453", "'3000'", USDC, PAYEE, "60",
                ",'assetTransferMethod':'eip3009'"),
         1},
        {"upfront",
         ENTRY2("eip155:8453", "'3000'", USDC, PAYEE, "60",
                ",'paymentFlow':'upfront'"),
         1},
        {"escrow",
         ENTRY2("eip155:8453", "'3000'", USDC, PAYEE, "60",
                ",'paymentFlow':'escrow'"),
         0},
        {"a flow of tomorrow",
         ENTRY2("eip155:8453", "'3000'", USDC, PAYEE, "60", ",'paymentFlow':1"),
         0},
        {"upto without a facilitator",
         "{'scheme':'upto','network':'eip155:8453','amount':'3000','asset':"
         "'" USDC "','payTo':'" PAYEE "','maxTimeoutSeconds':60}",
         0},
        {"upto",
         "{'scheme':'upto','network':'eip155:8453','amount':'3000','asset':"
         "'" USDC "','payTo':'" PAYEE "','maxTimeoutSeconds':60,'extra':"
         "{'facilitatorAddress':'" PAYEE "'}}",
         1},
        {"no extra",
         "{'scheme':'exact','network':'eip155:8453','amount':'3000','asset':"
         "'" USDC "','payTo':'" PAYEE "','maxTimeoutSeconds':60}",
         1},
        {"two prices that differ",
         "{'scheme':'exact','network':'eip155:8453','amount':'3000',"
         "'maxAmountRequired':'9000','asset':'" USDC "','payTo':'" PAYEE
         "','maxTimeoutSeconds':60}",
         0},
        {"two prices that agree",
         "{'scheme':'exact','network':'eip155:8453','amount':'3000',"
         "'maxAmountRequired':'3000','asset':'" USDC "','payTo':'" PAYEE
         "','maxTimeoutSeconds':60}",
         1},
        {"no object", "[1,2]", 0},
        {"null", "null", 0},
    };
    char text[2048];

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        snprintf(text, sizeof(text), "{'x402Version':2,'accepts':[%s]}",
                 rows[i].entry);
        test_ok(read_header(text) == X402_OK && choices == rows[i].choices &&
                    x402_challenge_skipped(challenge) == 1 - rows[i].choices &&
                    (choices == 0 || is_ours(&choice[0], X402_WIRE_V2)),
                "entry: %s", rows[i].why);
        snprintf(text, sizeof(text), "{'x402Version':2,'accepts':[%s,%s]}",
                 rows[i].entry, ACCEPTED);
        test_ok(read_header(text) == X402_OK && choices == 1 + rows[i].choices,
                "entry: the good one behind it is still read");
    }
}

/* -- bodies of others -- */

#define ENTRY1                                                                 \
    "{'scheme':'exact','network':'base','maxAmountRequired':'3000',"           \
    "'resource':'" RESOURCE "','description':'','mimeType':'','payTo':"        \
    "'" PAYEE "','maxTimeoutSeconds':60,'asset':'" USDC                        \
    "','extra':{'name':'USDC','version':'2'}}"
#define ENTRY000                                                               \
    "{'scheme':'exact','network':'eip155:8453','maxAmountRequired':'3000',"    \
    "'asset':'" USDC "','payTo':'" PAYEE "','facilitatorUrl':"                 \
    "'https://open.x402.host','maxTimeoutSeconds':60,'resource':{'url':"       \
    "'" RESOURCE "','method':'POST'},'extra':{'name':'USDC','version':'2'}}"

static void
test_bodies(void)
{
    test_ok(read_body("{'x402Version':2,'error':'Payment required to access "
                      "this resource','accepts':[" ENTRY000 "]}") == X402_OK &&
                choices == 1 && is_ours(&choice[0], X402_WIRE_SEED000) &&
                says(x402_challenge_resource(challenge), RESOURCE),
            "seed 000 as printed, name USDC and all");
    test_ok(read_body("{'x402Version':2,'error':{'accepts':[" ENTRY000 "]}}") ==
                    X402_OK &&
                choices == 1 && x402_challenge_error(challenge).at == NULL,
            "seed 000 inside error");
    test_ok(read_body("{'x402Version':1,'error':'pay','accepts':[" ENTRY1
                      "]}") == X402_OK &&
                choices == 1 && is_ours(&choice[0], X402_WIRE_V1) &&
                says(x402_challenge_resource(challenge), RESOURCE) &&
                says(x402_challenge_error(challenge), "pay"),
            "version 1");
    test_ok(read_body("{'x402Version':1,'accepts':[" ENTRY000 "]}") ==
                    X402_OK &&
                choices == 0 && x402_challenge_skipped(challenge) == 1,
            "CAIP-2 in version 1 is skipped");
    test_ok(read_body("{'x402Version':2,'accepts':[" ACCEPTED
                      "],'extensions':{'x':1}}") == X402_OK &&
                choices == 1 && is_ours(&choice[0], X402_WIRE_V2) &&
                says(choice[0].accepted_json, ACCEPTED) &&
                says(x402_challenge_echo(challenge, choice).extensions_json,
                     "{'x':1}"),
            "version 2 without its header");
    test_ok(read_body("{'x402Version':2,'accepts':[]}") == X402_ERR_SYNTAX,
            "no entries");
    test_ok(read_body("{'x402Version':3,'accepts':[" ACCEPTED "]}") ==
                X402_ERR_SYNTAX,
            "version 3");
    test_ok(read_body("{'accepts':[" ACCEPTED "]}") == X402_ERR_SYNTAX,
            "no version");
    test_ok(read_body("<html>402</html>") == X402_ERR_SYNTAX, "a web page");
    test_ok(read_body("{'x402Version':2,'accepts':{'0':" ACCEPTED "}}") ==
                X402_ERR_SYNTAX,
            "accepts is no list");
    test_ok(read_header("{'x402Version':1,'accepts':[" ENTRY1 "]}") ==
                X402_ERR_SYNTAX,
            "version 1 in PAYMENT-REQUIRED");
}

/* -- seed 001 -- */

static void
test_seed001(void)
{
    static const struct {
        const char *why, *required, *currency, *chain, *pay_to;
        size_t choices;
    } rows[] = {
        {"as printed", "0.0030", "USDC", "base", PAYEE, 1},
        {"without case", "0.003", "usdc", "BASE",
         "0x5cbdd86a2fa8dc4bddd8a8f69dba48572eec07fb", 1},
        {"CAIP-2", "0.0030", "USDC", "eip155:8453", PAYEE, 1},
        {"finer than the token", "0.0030001", "USDC", "base", PAYEE, 0},
        {"zeros finer than the token", "0.00300000", "USDC", "base", PAYEE, 1},
        {"nothing", "0.0000", "USDC", "base", PAYEE, 0},
        {"sign", "-0.0030", "USDC", "base", PAYEE, 0},
        {"exponent", "3e-3", "USDC", "base", PAYEE, 0},
        {"unit", "0.0030 USDC", "USDC", "base", PAYEE, 0},
        {"empty", "", "USDC", "base", PAYEE, 0},
        {"another currency", "0.0030", "EUR", "base", PAYEE, 0},
        {"Lightning", "0.0030", "BTC", "lightning", PAYEE, 0},
        {"no chain", "0.0030", "USDC", "", PAYEE, 0},
        {"nobody", "0.0030", "USDC", "base",
         "0x0000000000000000000000000000000000000000", 0},
        {"shortened as in the seed", "0.0030", "USDC", "base", "0x4f3a…b2c1",
         0},
    };

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct x402_challenge_input in = {
            .seed001_required = x402_span_of(rows[i].required),
            .seed001_currency = x402_span_of(rows[i].currency),
            .seed001_chain = x402_span_of(rows[i].chain),
            .seed001_pay_to = x402_span_of(rows[i].pay_to),
        };

        test_ok(read_all(&in) == X402_OK && choices == rows[i].choices &&
                    x402_challenge_skipped(challenge) == 1 - rows[i].choices &&
                    (choices == 0 || is_ours(&choice[0], X402_WIRE_SEED001)),
                "seed 001: %s", rows[i].why);
    }
}

/* -- those that mean harm -- */

static void
test_hostile(void)
{
    static char big[(1 << 20) + 16];
    struct x402_challenge_input in = {0};
    json_t *root = test_json("{'x402Version':2,'accepts':[]}");
    json_t *accepts = json_object_get(root, "accepts");
    struct x402_span text;

    memset(big, 'A', sizeof(big));
    in.payment_required = test_edge(big, 1 << 20);
    test_ok(read_all(&in) == X402_ERR_SYNTAX, "a header of 1 MiB");
    in.payment_required = test_edge(big, 65536);
    test_ok(read_all(&in) == X402_ERR_SYNTAX, "a header of 64 KiB of nothing");
    memset(big, '[', sizeof(big));
    in = (struct x402_challenge_input){.body = test_edge(big, 65536)};
    test_ok(read_all(&in) == X402_ERR_SYNTAX, "64 Ki open brackets");
    in.body = test_edge(big, 65537);
    test_ok(read_all(&in) == X402_ERR_SYNTAX, "a body of 64 KiB and one");

    for (unsigned i = 0; i < 100; i++)
        json_array_append_new(accepts, test_json(ACCEPTED));
    text = test_dump(root);
    in = (struct x402_challenge_input){.payment_required = test_base64(text),
                                       .body = text};
    test_ok(read_all(&in) == X402_OK && choices == 2 * X402_ACCEPTS_MAX &&
                x402_challenge_skipped(challenge) == 200 - 2 * X402_ACCEPTS_MAX,
            "a hundred entries, twice: %zu are read", choices);
    json_decref(root);

    test_ok(read_header("{'x402Version':2,'error':'\\u001b[2J pay 9 USD to x',"
                        "'resource':{'url':'https://evil.example/\\u202e'},"
                        "'accepts':[" ACCEPTED "]}") == X402_OK &&
                choices == 1 && is_ours(&choice[0], X402_WIRE_V2) &&
                x402_challenge_error(challenge).at[0] == '\x1b',
            "control characters are only data");
    test_ok(read_header("{'x402Version':2,'x402Version':2,'accepts':[" ACCEPTED
                        "]}") == X402_ERR_SYNTAX,
            "a name twice");
    test_ok(
        read_header("{'x402Version':2,'error':7,'resource':[],"
                    "'extensions':'x','accepts':[" ACCEPTED "]}") == X402_OK &&
            choices == 1 &&
            x402_challenge_echo(challenge, choice).resource_json.at == NULL &&
            x402_challenge_echo(challenge, choice).extensions_json.at == NULL,
        "members of the wrong kind are left out");
}

/* Good JSON with white space up to the bound, and one group beyond it. */
static void
test_longest(void)
{
    enum { TEXT = 65536 / 4 * 3 };
    static char text[TEXT + 3];
    const char *good = test_quote("{'x402Version':2,'accepts':[" ACCEPTED "]}");
    struct x402_challenge_input in = {0};

    memset(text, ' ', sizeof(text));
    memcpy(text, good, strlen(good));
    in.payment_required = test_base64((struct x402_span){text, TEXT});
    test_ok(read_all(&in) == X402_OK && choices == 1, "a header of 64 KiB");
    in.payment_required = test_base64((struct x402_span){text, TEXT + 3});
    test_ok(read_all(&in) == X402_ERR_SYNTAX, "a good header of more");
}

/* A broken header does not hide a good body, nor its extensions a good
 * header's. */
static void
test_mixed(void)
{
    struct x402_challenge_input in = {
        .payment_required = x402_span_of("!"),
    };

    in.body =
        x402_span_of(test_quote("{'x402Version':1,'accepts':[" ENTRY1 "]}"));
    test_ok(read_all(&in) == X402_OK && choices == 1,
            "a broken header, a good body");
    in.payment_required = test_base64(
        x402_span_of(test_quote("{'x402Version':2,'accepts':[" ACCEPTED "]}")));
    in.body = x402_span_of(
        test_quote("{'x402Version':2,'resource':{'url':'https://b.example/'},"
                   "'extensions':{'b':1},'accepts':[" ENTRY000 "]}"));
    test_ok(read_all(&in) == X402_OK && choices == 2 &&
                x402_challenge_echo(challenge, &choice[0]).extensions_json.at ==
                    NULL,
            "the body's extensions are not the header's");
    in = (struct x402_challenge_input){0};
    test_ok(read_all(&in) == X402_ERR_SYNTAX, "nothing at all");
}

int
main(void)
{
    test_own();
    test_answer();
    test_entries();
    test_bodies();
    test_seed001();
    test_hostile();
    test_longest();
    test_mixed();
    x402_challenge_free(challenge);
    return test_done();
}
