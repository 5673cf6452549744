/* SPDX-License-Identifier: Apache-2.0 */
/* What a 402 says, byte for byte, on each wire. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x402/encode.h>
#include <x402/offer.h>

#include "wire_test.h"

static char memory[32768];

static struct x402_offer
offer_of(const struct x402_requirement *accepts, size_t len)
{
    return (struct x402_offer){
        .resource_url =
            x402_span_of("https://true402.dev/api/v1/chat/completions"),
        .method = x402_span_of("POST"),
        .facilitator_url = x402_span_of("https://open.x402.host"),
        .accepts = accepts,
        .accepts_len = len,
    };
}

static struct x402_requirement
price(uint64_t chain_id, const char *symbol, uint64_t amount)
{
    struct x402_requirement requirement = test_requirement();

    requirement.asset = x402_asset_by_symbol(chain_id, x402_span_of(symbol));
    if (requirement.asset == NULL)
        abort();
    requirement.amount = x402_amount_of(amount);
    return requirement;
}

typedef void render(struct x402_buf *, const struct x402_offer *);

static void
written(const char *why, render *body, const struct x402_offer *offer,
        const char *expected)
{
    struct x402_buf out = x402_buf_on(memory, sizeof(memory));
    struct x402_span text = x402_span_of(test_quote(expected));
    bool ok;

    body(&out, offer);
    ok = !out.full && x402_span_eq(x402_buf_span(&out), text);
    if (!ok)
        printf("# got      %.*s\n# expected %.*s\n", (int)out.len, out.at,
               (int)text.len, text.at);
    test_ok(ok, "%s", why);

    /* Of any smaller buffer nothing may be taken for the whole. */
    for (size_t cap = 0; ok && cap < text.len; cap += 1 + cap / 8) {
        struct x402_buf small = x402_buf_on(memory, cap);

        body(&small, offer);
        ok = small.full && small.len <= cap;
    }
    test_ok(ok, "%s: a smaller buffer is full", why);
}

static void
test_bodies(void)
{
    struct x402_requirement accepts[2] = {price(8453, "USDC", 495),
                                          price(84532, "USDC", 495)};
    struct x402_offer offer = offer_of(accepts, 1);

    written("version 2", x402_offer_v2, &offer,
            "{'x402Version':2,'error':'Payment required to access this "
            "resource','resource':{'url':"
            "'https://true402.dev/api/v1/chat/completions'},'accepts':[{"
            "'scheme':'exact','network':'eip155:8453','amount':'495',"
            "'asset':'" USDC "','payTo':'" PAYEE "','maxTimeoutSeconds':60,"
            "'extra':{'name':'USD Coin','version':'2'}}]}");
    written("seed 000", x402_offer_body_seed000, &offer,
            "{'x402Version':2,'error':'Payment required to access this "
            "resource','accepts':[{'scheme':'exact','network':'eip155:8453',"
            "'maxAmountRequired':'495','asset':'" USDC "','payTo':'" PAYEE
            "','facilitatorUrl':'https://open.x402.host',"
            "'maxTimeoutSeconds':60,'resource':{'url':"
            "'https://true402.dev/api/v1/chat/completions','method':'POST'},"
            "'extra':{'name':'USD Coin','version':'2'},'amount':'495'}],"
            "'resource':{'url':'https://true402.dev/api/v1/chat/completions'"
            "}}");
    written("version 1", x402_offer_body_v1, &offer,
            "{'x402Version':1,'error':'Payment required to access this "
            "resource','accepts':[{'scheme':'exact','network':'base',"
            "'maxAmountRequired':'495','resource':"
            "'https://true402.dev/api/v1/chat/completions','description':'',"
            "'mimeType':'application/json','payTo':'" PAYEE
            "','maxTimeoutSeconds':60,'asset':'" USDC
            "','extra':{'name':'USD Coin','version':'2'}}]}");

    offer = offer_of(accepts, 2);
    offer.description = x402_span_of("Chat \"fast\" <b>");
    offer.mime_type = x402_span_of("text/plain");
    offer.error = x402_span_of("invalid_exact_evm_signature");
    offer.facilitator_url = (struct x402_span){NULL, 0};
    written("version 2 with everything, two entries", x402_offer_v2, &offer,
            "{'x402Version':2,'error':'invalid_exact_evm_signature',"
            "'resource':{'url':'https://true402.dev/api/v1/chat/completions',"
            "'description':'Chat \\'fast\\' \\u003cb\\u003e','mimeType':"
            "'text/plain'},'accepts':[{"
            "'scheme':'exact','network':'eip155:8453','amount':'495',"
            "'asset':'" USDC "','payTo':'" PAYEE "','maxTimeoutSeconds':60,"
            "'extra':{'name':'USD Coin','version':'2'}},{"
            "'scheme':'exact','network':'eip155:84532','amount':'495',"
            "'asset':'0x036CbD53842c5426634e7929541eC2318f3dCF7e','payTo':"
            "'" PAYEE "','maxTimeoutSeconds':60,"
            "'extra':{'name':'USDC','version':'2'}}]}");
}

/* The 1.2 client gives up on a 402 with one entry it does not know. */
static void
test_v1_leaves_out(void)
{
    struct x402_requirement accepts[3] = {price(42161, "USDC", 1),
                                          price(1329, "USDC", 2),
                                          price(42220, "USDT", 3)};
    struct x402_offer offer = offer_of(accepts, 3);

    written("version 1: Sei alone, in the legacy spelling", x402_offer_body_v1,
            &offer,
            "{'x402Version':1,'error':'Payment required to access this "
            "resource','accepts':[{'scheme':'exact','network':'sei',"
            "'maxAmountRequired':'2','resource':"
            "'https://true402.dev/api/v1/chat/completions','description':'',"
            "'mimeType':'application/json','payTo':'" PAYEE
            "','maxTimeoutSeconds':60,'asset':"
            "'0xe15fc38f6d8c56af07bbcbe3baf5708a2bf42392',"
            "'extra':{'name':'USDC','version':'2'}}]}");
    offer.accepts_len = 1;
    written("version 1: nothing that it knows", x402_offer_body_v1, &offer,
            "{'x402Version':1,'error':'Payment required to access this "
            "resource','accepts':[]}");
}

static void
test_header(void)
{
    struct x402_requirement accepts[1] = {price(8453, "USDC", 495)};
    struct x402_offer offer = offer_of(accepts, 1);
    static char text[4096], scratch[4096], plain[4096];
    struct x402_buf out = x402_buf_on(text, sizeof(text));
    struct x402_buf work = x402_buf_on(scratch, sizeof(scratch));
    struct x402_buf json = x402_buf_on(plain, sizeof(plain));
    struct x402_buf tight;

    x402_offer_v2(&json, &offer);
    x402_offer_v2_header(&out, &work, &offer);
    test_ok(!out.full && x402_span_eq(x402_buf_span(&out),
                                      test_base64(x402_buf_span(&json))),
            "PAYMENT-REQUIRED is base64 of version 2's object");
    tight = x402_buf_on(memory, out.len - 1);
    x402_offer_v2_header(&tight, &work, &offer);
    test_ok(tight.full, "one byte too few");
    tight = x402_buf_on(memory, json.len - 1);
    out = x402_buf_on(text, sizeof(text));
    x402_offer_v2_header(&out, &tight, &offer);
    test_ok(out.full && out.len == 0, "a scratch of one byte too few");
}

static void
test_twenty(void)
{
    struct x402_requirement accepts[X402_ACCEPTS_MAX];
    struct x402_offer offer = offer_of(accepts, X402_ACCEPTS_MAX);
    static render *bodies[] = {x402_offer_v2, x402_offer_body_seed000,
                               x402_offer_body_v1};

    for (size_t i = 0; i < X402_ACCEPTS_MAX; i++)
        accepts[i] = price(8453, "USDC", 100 + i);
    memset(&accepts[19].amount, 0xff, sizeof(accepts[19].amount));
    for (size_t i = 0; i < 3; i++) {
        struct x402_buf out = x402_buf_on(memory, sizeof(memory));
        json_t *root;

        bodies[i](&out, &offer);
        root = json_loadb(out.at, out.len, JSON_REJECT_DUPLICATES, NULL);
        test_ok(!out.full && json_array_size(json_object_get(
                                 root, "accepts")) == X402_ACCEPTS_MAX,
                "twenty entries are strict JSON");
        json_decref(root);
    }
}

static void
test_seed001(void)
{
    static const struct {
        const char *symbol;
        const char *required;
        const char *currency;
        const char *chain;
        uint64_t chain_id;
        uint64_t amount;
    } rows[] = {
        {"USDC", "0.0030", "USDC", "base", 8453, 3000},
        {"USDC", "0.003001", "USDC", "base", 8453, 3001},
        {"USDC", "0.000001", "USDC", "base", 8453, 1},
        {"USDC", "12.0000", "USDC", "base-sepolia", 84532, 12000000},
        {"USDC", "1.5000", "USDC", "eip155:42161", 42161, 1500000},
        {"USDT", "0.1000", "USDT", "eip155:42220", 42220, 100000},
    };

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct x402_requirement accepts[1] = {
            price(rows[i].chain_id, rows[i].symbol, rows[i].amount)};
        struct x402_offer offer = offer_of(accepts, 1);
        struct x402_offer_headers out;

        test_ok(x402_offer_headers(&out, &offer), "four headers");
        test_ok(strcmp(out.required, rows[i].required) == 0 &&
                    strcmp(out.currency, rows[i].currency) == 0 &&
                    strcmp(out.chain, rows[i].chain) == 0 &&
                    strcmp(out.pay_to, PAYEE) == 0,
                "seed 001: %s %s on %s", out.required, out.currency, out.chain);
    }
}

/* Every asset of the table, the largest amount: no field overflows. */
static void
test_all_assets(void)
{
    const struct x402_asset *asset;

    for (size_t i = 0; (asset = x402_asset_at(i)) != NULL; i++) {
        struct x402_requirement accepts[1] = {test_requirement()};
        struct x402_offer offer = offer_of(accepts, 1);
        struct x402_offer_headers headers;
        struct x402_buf out = x402_buf_on(memory, sizeof(memory));
        json_t *root, *entry;

        accepts[0].asset = asset;
        memset(&accepts[0].amount, 0xff, sizeof(accepts[0].amount));
        test_ok(x402_offer_headers(&headers, &offer), "four headers");
        x402_offer_v2(&out, &offer);
        root = json_loadb(out.at, out.len, 0, NULL);
        entry = json_array_get(json_object_get(root, "accepts"), 0);
        test_ok(strcmp(headers.currency, asset->symbol) == 0 &&
                    strcmp(json_string_value(json_object_get(entry, "asset")),
                           asset->address_text) == 0,
                "asset %zu: %s on %s", i, headers.currency, headers.chain);
        json_decref(root);
    }
}

int
main(void)
{
    test_bodies();
    test_v1_leaves_out();
    test_header();
    test_twenty();
    test_seed001();
    test_all_assets();
    return test_done();
}
