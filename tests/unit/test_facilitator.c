/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of POST /verify and /settle: golden requests of each version, one
 * member changed at a time, and the answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x402/facilitator.h>

#include "wire_test.h"

#define REQUEST2                                                               \
    "{'x402Version':2,'paymentPayload':{'x402Version':2,'accepted':" ACCEPTED  \
    ",'payload':" PAYLOAD ",'resource':{'url':'" RESOURCE                      \
    "','description':'d'},'extensions':{}},'paymentRequirements':" ACCEPTED    \
    "}"
#define REQUEST1                                                               \
    "{'x402Version':1,'paymentPayload':" V1 ",'paymentRequirements':{"         \
    "'scheme':'exact','network':'base','maxAmountRequired':'3000',"            \
    "'resource':'" RESOURCE "','description':'','mimeType':'',"                \
    "'payTo':'" PAYEE "','maxTimeoutSeconds':60,'asset':'" USDC                \
    "','extra':{'name':'USD Coin','version':'2'}}}"
#define REQUEST000                                                             \
    "{'x402Version':2,'paymentPayload':" SEED000                               \
    ",'paymentRequirements':{'scheme':'exact','network':'eip155:8453',"        \
    "'maxAmountRequired':'3000','asset':'" USDC "','payTo':'" PAYEE            \
    "','maxTimeoutSeconds':60,'resource':{'url':'" RESOURCE                    \
    "','method':'GET'},'extra':{'name':'USD Coin','version':'2'}}}"

static struct x402_facilitator_request request;

static enum x402_err
decode(struct x402_span body)
{
    memset(&request, 0x55, sizeof(request));
    return x402_facilitator_request_decode(&request, test_edge_span(body));
}

static enum x402_err
decode_text(const char *text)
{
    return decode(x402_span_of(test_quote(text)));
}

static bool
is_ours(void)
{
    struct x402_requirement offer = test_requirement();
    struct x402_clock clock = test_clock();
    size_t which;

    return request.requirement.asset == offer.asset &&
           x402_address_eq(&request.requirement.pay_to, &offer.pay_to) &&
           x402_amount_cmp(&request.requirement.amount, &offer.amount) == 0 &&
           request.requirement.timeout_s == 60 &&
           x402_payment_match(&which, &request.payment, &request.requirement, 1,
                              &clock) == X402_OK;
}

static void
test_golden(void)
{
    test_ok(decode_text(REQUEST2) == X402_OK && request.version == 2 &&
                request.payment.wire == X402_WIRE_V2 && is_ours() &&
                strcmp(request.resource, RESOURCE) == 0,
            "version 2");
    test_ok(decode_text(REQUEST1) == X402_OK && request.version == 1 &&
                request.payment.wire == X402_WIRE_V1 && is_ours() &&
                strcmp(request.resource, RESOURCE) == 0,
            "version 1");
    test_ok(decode_text(REQUEST000) == X402_OK && request.version == 2 &&
                request.payment.wire == X402_WIRE_SEED000 && is_ours() &&
                request.resource[0] == '\0',
            "version 2 with a payment of seed 000");
}

/* The payment as the header it came in. */
static void
test_payment_header(void)
{
    static const char *base[] = {REQUEST1, REQUEST2, REQUEST000};

    for (size_t i = 0; i < 3; i++) {
        json_t *root = test_json(base[i]);
        struct x402_span text =
            test_dump(json_object_get(root, "paymentPayload"));
        struct x402_span header = test_base64(text);
        enum x402_err err;

        json_object_set_new(root, "paymentHeader",
                            json_stringn(header.at, header.len));
        test_ok(decode(test_dump(root)) == X402_ERR_SYNTAX,
                "paymentHeader beside paymentPayload");
        json_object_del(root, "paymentPayload");
        err = decode(test_dump(root));
        test_ok(err == X402_OK && is_ours(), "paymentHeader in its place");
        json_object_set_new(root, "paymentHeader", json_string("!"));
        test_ok(decode(test_dump(root)) == X402_ERR_SYNTAX,
                "paymentHeader that is not base64");
        json_object_set_new(root, "paymentHeader", json_integer(1));
        test_ok(decode(test_dump(root)) == X402_ERR_SYNTAX,
                "paymentHeader that is not text");
        json_decref(root);
    }
}

struct mutation {
    const char *path;
    const char *value; /* JSON; NULL: left out */
    enum x402_err err;
};

static const struct mutation both[] = {
    {"x402Version", NULL, X402_ERR_SYNTAX},
    {"x402Version", "null", X402_ERR_SYNTAX},
    {"x402Version", "'2'", X402_ERR_SYNTAX},
    {"x402Version", "2.0", X402_ERR_SYNTAX},
    {"x402Version", "0", X402_ERR_VERSION},
    {"x402Version", "3", X402_ERR_VERSION},
    {"unknown", "{}", X402_OK},
    {"paymentPayload", NULL, X402_ERR_SYNTAX},
    {"paymentPayload", "null", X402_ERR_SYNTAX},
    {"paymentPayload", "[]", X402_ERR_SYNTAX},
    {"paymentPayload", "'x'", X402_ERR_SYNTAX},
    {"paymentPayload.x402Version", NULL, X402_ERR_SYNTAX},
    {"paymentPayload.chain", "'base'", X402_ERR_SYNTAX},
    {"paymentPayload.payload", NULL, X402_ERR_SYNTAX},
    {"paymentRequirements", NULL, X402_ERR_REQUIREMENT},
    {"paymentRequirements", "null", X402_ERR_REQUIREMENT},
    {"paymentRequirements", "[]", X402_ERR_REQUIREMENT},
    {"paymentRequirements.scheme", NULL, X402_ERR_REQUIREMENT},
    {"paymentRequirements.scheme", "1", X402_ERR_REQUIREMENT},
    {"paymentRequirements.scheme", "'upto'", X402_ERR_SCHEME},
    {"paymentRequirements.scheme", "'Exact'", X402_ERR_SCHEME},
    {"paymentRequirements.network", NULL, X402_ERR_REQUIREMENT},
    {"paymentRequirements.network", "8453", X402_ERR_REQUIREMENT},
    {"paymentRequirements.network", "'eip155:84532'", X402_ERR_NETWORK},
    {"paymentRequirements.network", "'base-sepolia'", X402_ERR_NETWORK},
    {"paymentRequirements.network", "'Base'", X402_ERR_NETWORK},
    {"paymentRequirements.asset", NULL, X402_ERR_REQUIREMENT},
    {"paymentRequirements.asset", "'0x1'", X402_ERR_REQUIREMENT},
    {"paymentRequirements.asset", "'" PAYEE "'", X402_ERR_ASSET},
    {"paymentRequirements.asset",
     "'0x036CbD53842c5426634e7929541eC2318f3dCF7e'", X402_ERR_ASSET},
    {"paymentRequirements.asset",
     "'0x833589fcd6edb6e08f4c7c32d4f71b54bda02913'", X402_OK},
    {"paymentRequirements.payTo", NULL, X402_ERR_REQUIREMENT},
    {"paymentRequirements.payTo", "''", X402_ERR_REQUIREMENT},
    {"paymentRequirements.payTo",
     "'0x0000000000000000000000000000000000000000'", X402_ERR_REQUIREMENT},
    {"paymentRequirements.maxTimeoutSeconds", NULL, X402_ERR_REQUIREMENT},
    {"paymentRequirements.maxTimeoutSeconds", "'60'", X402_ERR_REQUIREMENT},
    {"paymentRequirements.maxTimeoutSeconds", "0", X402_ERR_REQUIREMENT},
    {"paymentRequirements.extra", "[]", X402_ERR_REQUIREMENT},
    {"paymentRequirements.extra.name", NULL, X402_ERR_DOMAIN},
    {"paymentRequirements.extra.name", "'USDC'", X402_ERR_DOMAIN},
    {"paymentRequirements.extra.version", NULL, X402_ERR_DOMAIN},
    {"paymentRequirements.extra.version", "2", X402_ERR_DOMAIN},
    {"paymentRequirements.extra.assetTransferMethod", "'eip3009'", X402_OK},
    {"paymentRequirements.extra.assetTransferMethod", "'permit2'",
     X402_ERR_SCHEME},
    {"paymentRequirements.unknown", "[]", X402_OK},
};

static const struct mutation v2_only[] = {
    {"x402Version", "1", X402_ERR_VERSION},
    {"paymentPayload.x402Version", "1", X402_ERR_VERSION},
    {"paymentPayload.payload.permit2Authorization", "{}", X402_ERR_SYNTAX},
    {"paymentPayload.accepted.scheme", "'upto'", X402_ERR_PAYLOAD_TYPE},
    {"paymentPayload.accepted.network", "'eip155:84532'", X402_ERR_NETWORK},
    {"paymentPayload.accepted.network", "'base'", X402_ERR_NETWORK},
    {"paymentPayload.resource", "null", X402_OK},
    {"paymentPayload.resource", "'" RESOURCE "'", X402_ERR_SYNTAX},
    {"paymentPayload.resource.url", NULL, X402_OK},
    {"paymentPayload.resource.url", "1", X402_ERR_SYNTAX},
    {"paymentRequirements.network", "'base'", X402_ERR_NETWORK},
    {"paymentRequirements.amount", NULL, X402_ERR_REQUIREMENT},
    {"paymentRequirements.amount", "3000", X402_ERR_REQUIREMENT},
    {"paymentRequirements.amount", "'0'", X402_ERR_AMOUNT},
    {"paymentRequirements.amount", "'03000'", X402_ERR_AMOUNT},
    {"paymentRequirements.maxAmountRequired", "'1'", X402_OK},
    {"paymentRequirements.extra", NULL, X402_ERR_DOMAIN},
    {"paymentRequirements.extra", "null", X402_ERR_DOMAIN},
};

static const struct mutation v1_only[] = {
    {"x402Version", "2", X402_ERR_VERSION},
    {"paymentPayload.x402Version", "2", X402_ERR_VERSION},
    {"paymentPayload.accepted", ACCEPTED, X402_ERR_VERSION},
    {"paymentPayload.payload.permit2Authorization", "{}", X402_ERR_SCHEME},
    {"paymentPayload.scheme", "'upto'", X402_ERR_SCHEME},
    {"paymentPayload.network", "'base-sepolia'", X402_ERR_NETWORK},
    {"paymentPayload.network", "'eip155:8453'", X402_ERR_NETWORK},
    {"paymentRequirements.network", "'eip155:8453'", X402_ERR_NETWORK},
    {"paymentRequirements.maxAmountRequired", NULL, X402_ERR_REQUIREMENT},
    {"paymentRequirements.maxAmountRequired", "'0'", X402_ERR_AMOUNT},
    {"paymentRequirements.maxAmountRequired", "'-1'", X402_ERR_AMOUNT},
    {"paymentRequirements.amount", "'1'", X402_OK},
    {"paymentRequirements.resource", NULL, X402_OK},
    {"paymentRequirements.resource", "{}", X402_ERR_REQUIREMENT},
    {"paymentRequirements.extra", NULL, X402_OK},
    {"paymentRequirements.extra", "null", X402_OK},
    {"paymentRequirements.extra", "{}", X402_ERR_DOMAIN},
};

static const struct mutation seed000_only[] = {
    {"paymentRequirements.amount", "'3000'", X402_OK},
    {"paymentRequirements.amount", "'3001'", X402_ERR_REQUIREMENT},
    {"paymentRequirements.maxAmountRequired", NULL, X402_ERR_REQUIREMENT},
    {"paymentRequirements.maxAmountRequired", "'0'", X402_ERR_AMOUNT},
    {"paymentPayload.network", "'base'", X402_ERR_NETWORK},
};

static void
mutated(const char *base, const struct mutation *mutation)
{
    json_t *root = test_json(base);
    const char *last;
    json_t *parent = test_parent(root, mutation->path, &last);
    enum x402_err err;

    if (mutation->value == NULL) {
        json_object_del(parent, last);
    } else {
        json_t *value =
            json_loads(test_quote(mutation->value), JSON_DECODE_ANY, NULL);

        if (value == NULL || json_object_set_new(parent, last, value) != 0)
            abort();
    }
    err = decode(test_dump(root));
    test_ok(err == mutation->err &&
                (request.version == 1 || request.version == 2),
            "%s = %s: %s", mutation->path,
            mutation->value == NULL ? "nothing" : mutation->value,
            x402_err_info(err)->name);
    json_decref(root);
}

#define EACH(array, base)                                                      \
    for (size_t i = 0; i < TEST_LEN(array); i++)                               \
    mutated(base, &(array)[i])

static void
test_mutations(void)
{
    EACH(both, REQUEST2);
    EACH(both, REQUEST1);
    EACH(both, REQUEST000);
    EACH(v2_only, REQUEST2);
    EACH(v1_only, REQUEST1);
    EACH(seed000_only, REQUEST000);
}

/* Each member of golden requests left out, and set to each other type: refused
 * or, where it means nothing to us, taken.  A malformed request is never our
 * own fault. */
static void
mutate_one(json_t *root, json_t *object, const char *key, unsigned *count,
           unsigned *wrong)
{
    static const char *other[] = {"null", "true", "1", "''", "[]", "{}"};
    json_t *was = json_incref(json_object_get(object, key));

    for (unsigned i = 0; i < 7; i++) {
        const struct x402_err_info *info;

        if (i == 6)
            json_object_del(object, key);
        else
            json_object_set_new(
                object, key,
                json_loads(test_quote(other[i]), JSON_DECODE_ANY, NULL));
        info = x402_err_info(decode(test_dump(root)));
        (*count)++;
        if (info->http_status != 200 && info->fault != X402_FAULT_PEER) {
            printf("# %s = %s: %s\n", key, i == 6 ? "nothing" : other[i],
                   info->name);
            (*wrong)++;
        }
    }
    json_object_set_new(object, key, was);
}

static void
mutate_all(json_t *root, json_t *object, unsigned *count, unsigned *wrong)
{
    json_t *names = json_deep_copy(object); /* mutating moves members */
    const char *key;
    json_t *unused;

    json_object_foreach(names, key, unused)
    {
        mutate_one(root, object, key, count, wrong);
        if (json_is_object(json_object_get(object, key)))
            mutate_all(root, json_object_get(object, key), count, wrong);
    }
    json_decref(names);
}

static void
test_every_member(void)
{
    static const char *base[] = {REQUEST2, REQUEST1, REQUEST000};

    for (size_t i = 0; i < 3; i++) {
        json_t *root = test_json(base[i]);
        unsigned count = 0, wrong = 0;

        mutate_all(root, root, &count, &wrong);
        test_ok(count > 100 && wrong == 0 && decode(test_dump(root)) == X402_OK,
                "%u mutations, %u wrong, and the request itself is good again",
                count, wrong);
        json_decref(root);
    }
}

static void
test_bounds(void)
{
    static char big[X402_FACILITATOR_BODY_MAX + 1];
    json_t *root = test_json(REQUEST2);
    const char *last;
    json_t *resource = test_parent(root, "paymentPayload.resource.url", &last);

    memset(big, ' ', sizeof(big));
    test_ok(decode((struct x402_span){big, sizeof(big)}) ==
                    X402_ERR_TOO_LARGE &&
                request.version == 2,
            "a body of 64 KiB and one");
    test_ok(decode((struct x402_span){big, sizeof(big) - 1}) == X402_ERR_SYNTAX,
            "a body of 64 KiB of nothing");
    memset(big, 'u', X402_URL_MAX);
    json_object_set_new(resource, last, json_stringn(big, X402_URL_MAX - 1));
    test_ok(decode(test_dump(root)) == X402_OK &&
                strlen(request.resource) == X402_URL_MAX - 1,
            "the longest resource");
    json_object_set_new(resource, last, json_stringn(big, X402_URL_MAX));
    test_ok(decode(test_dump(root)) == X402_ERR_TOO_LARGE,
            "a resource longer than that");
    json_decref(root);
    test_ok(decode_text("[]") == X402_ERR_SYNTAX &&
                decode_text("") == X402_ERR_SYNTAX &&
                decode_text("null") == X402_ERR_SYNTAX,
            "no object");
    test_ok(decode_text("{'x402Version':2,'x402Version':2}") == X402_ERR_SYNTAX,
            "a name twice");
}

static void
answered(const char *why, const struct x402_buf *out, const char *expected)
{
    bool ok =
        x402_span_eq(x402_buf_span(out), x402_span_of(test_quote(expected)));

    if (!ok)
        printf("# %.*s\n", (int)out->len, out->at);
    test_ok(ok && !out->full, "%s", why);
}

static void
test_answers(void)
{
    char memory[1024];
    struct x402_address payer;
    struct x402_receipt receipt = {.success = true,
                                   .wire = X402_WIRE_SEED000,
                                   .chain_id = 8453,
                                   .amount = x402_amount_of(3000)};
    struct x402_buf out;

    if (x402_address_parse(&payer, x402_span_of(PAYER)) != X402_OK)
        abort();
    receipt.payer = payer;
    out = x402_buf_on(memory, sizeof(memory));
    x402_verify_response_json(&out, 2, X402_METHOD_EIP3009, X402_OK, &payer);
    answered("valid", &out, "{'isValid':true,'payer':'" PAYER "'}");
    out = x402_buf_on(memory, sizeof(memory));
    x402_verify_response_json(&out, 2, X402_METHOD_EIP3009, X402_ERR_FUNDS,
                              &payer);
    answered("no funds, version 2", &out,
             "{'isValid':false,'invalidReason':"
             "'invalid_exact_evm_insufficient_balance','payer':'" PAYER "'}");
    out = x402_buf_on(memory, sizeof(memory));
    x402_verify_response_json(&out, 1, X402_METHOD_EIP3009, X402_ERR_FUNDS,
                              NULL);
    answered("no funds, version 1, payer unknown", &out,
             "{'isValid':false,'invalidReason':'insufficient_funds'}");
    out = x402_buf_on(memory, sizeof(memory));
    x402_settle_response_json(&out, 1, &receipt);
    answered("settled, version 1", &out,
             "{'success':true,'transaction':'','network':'base','payer':"
             "'" PAYER "','amount':'3000'}");
    out = x402_buf_on(memory, sizeof(memory));
    x402_settle_response_json(&out, 2, &receipt);
    answered("settled, version 2", &out,
             "{'success':true,'transaction':'','network':'eip155:8453',"
             "'payer':'" PAYER "','amount':'3000'}");
    receipt.success = false;
    receipt.reason = X402_ERR_NONCE_USED;
    out = x402_buf_on(memory, sizeof(memory));
    x402_settle_response_json(&out, 2, &receipt);
    answered("not settled", &out,
             "{'success':false,'errorReason':"
             "'invalid_exact_evm_nonce_already_used','transaction':'',"
             "'network':'eip155:8453','payer':'" PAYER "'}");
}

int
main(void)
{
    test_golden();
    test_payment_header();
    test_mutations();
    test_every_member();
    test_bounds();
    test_answers();
    return test_done();
}
