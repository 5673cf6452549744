/* SPDX-License-Identifier: Apache-2.0 */
/* Schema files: what is taken and what is refused, with its reason.  What the
 * documents say is shown by tests/discovery, with readers that others wrote. */
#include <x402/discovery.h>
#include <x402/mcp.h>

#include "test.h"

static const struct {
    const char *why;  /* of the row */
    const char *text; /* a schema file */
    const char *says; /* part of the refusal; NULL: it is taken */
    const char *method;
} rows[] = {
    {"empty object", "{}", NULL, "GET"},
    {"a body makes it a POST", "{\"body\":{}}", NULL, "POST"},
    {"method", "{\"method\":\"PATCH\"}", NULL, "PATCH"},
    {"everything",
     "{\"method\":\"PUT\",\"summary\":\"s\",\"tags\":[\"a\"],"
     "\"query\":{\"schema\":{\"type\":\"object\"},\"example\":{}},"
     "\"body\":{\"type\":\"text\",\"schema\":{},\"example\":\"x\"},"
     "\"output\":{\"schema\":{},\"example\":[1]}}",
     NULL, "PUT"},
    {"a $ref that stays inside",
     "{\"output\":{\"schema\":{\"$ref\":\"#/$defs/a\"}}}", NULL, "GET"},
    {"a $ref that leaves",
     "{\"output\":{\"schema\":{\"a\":[{\"$ref\":\"https://x.example/\"}]}}}",
     "$ref must begin with '#'", NULL},
    {"an $id that leaves", "{\"query\":{\"schema\":{\"$id\":\"urn:x\"}}}",
     "$id must begin with '#'", NULL},
    {"not JSON", "{", "not well-formed", NULL},
    {"nothing", "", "not well-formed", NULL},
    {"a key twice", "{\"method\":\"GET\",\"method\":\"GET\"}",
     "not well-formed", NULL},
    {"an array", "[]", "not one JSON object", NULL},
    {"unknown member", "{\"outptu\":{}}", "\"outptu\"", NULL},
    {"unknown member below", "{\"output\":{\"exmaple\":1}}", "\"exmaple\"",
     NULL},
    {"lower case method", "{\"method\":\"get\"}", "\"method\" is none", NULL},
    {"method of another type", "{\"method\":1}", "\"method\" is none", NULL},
    {"a GET with a body", "{\"method\":\"GET\",\"body\":{}}", "has no \"body\"",
     NULL},
    {"body type", "{\"body\":{\"type\":\"xml\"}}", "\"body\".type", NULL},
    {"schema of another type", "{\"body\":{\"schema\":true}}",
     "\"body\".schema", NULL},
    {"part of another type", "{\"query\":[]}", "\"query\" is not", NULL},
    {"summary of another type", "{\"summary\":[]}", "\"summary\"", NULL},
    {"six tags", "{\"tags\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\"]}", "\"tags\"",
     NULL},
    {"an empty tag", "{\"tags\":[\"\"]}", "a tag", NULL},
};

static void
test_rows(void)
{
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct x402_schema *schema = NULL;
        char why[160] = "unset";
        enum x402_err err = x402_schema_read(&schema, why, sizeof(why),
                                             test_edge_text(rows[i].text));
        struct x402_route route = {.schema = schema};
        bool ok = (err == X402_OK) == (rows[i].says == NULL);

        if (rows[i].says != NULL)
            ok = ok && strstr(why, rows[i].says) != NULL;
        else
            ok = ok && why[0] == '\0' &&
                 x402_span_eq(x402_route_method(&route),
                              x402_span_of(rows[i].method));
        test_ok(ok, "schema: %s (\"%s\")", rows[i].why, why);
        x402_schema_free(schema);
    }
}

/* What a call costs, as people's tools read it; upto's amount is a maximum. */
static void
test_price(enum x402_method method, const char *mode, const char *key,
           const char *says)
{
    struct x402_requirement requirement = {
        .asset = x402_asset_by_symbol(84532, x402_span_of("USDC")),
        .amount = x402_amount_of(1234567),
        .method = method,
    };
    struct x402_route route = {.path = x402_span_of("/a"),
                               .url = x402_span_of("https://a.example/a"),
                               .accepts = &requirement,
                               .accepts_len = 1};
    struct x402_service service = {.base_url =
                                       x402_span_of("https://a.example")};
    struct x402_routes routes = {.service = &service, .at = &route, .len = 1};
    json_t *openapi = x402_discovery_openapi(&routes);
    json_t *price = json_object_get(openapi, "paths");
    char name[1][X402_MCP_NAME_MAX + 1] = {"a"};
    char *tools;

    price = json_object_get(json_object_get(price, "/a"), "get");
    price = json_object_get(json_object_get(price, "x-payment-info"), "price");
    test_ok(json_is_object(price), "%s: it has a price", mode);
    test_text(json_string_value(json_object_get(price, "mode")), mode, "mode");
    test_text(json_string_value(json_object_get(price, key)), "1.234567", key);
    json_decref(openapi);
    openapi = x402_mcp_tools(&routes, name);
    tools = json_dumps(openapi, 0);
    test_ok(tools != NULL && strstr(tools, says) != NULL, "tool: %s", says);
    free(tools);
    json_decref(openapi);
}

static void
test_too_large(void)
{
    static char text[X402_SCHEMA_MAX + 1];
    struct x402_schema *schema;
    char why[160];

    memset(text, ' ', sizeof(text));
    memcpy(text, "{}", 2);
    test_ok(x402_schema_read(&schema, why, sizeof(why),
                             test_edge(text, sizeof(text))) ==
                X402_ERR_TOO_LARGE,
            "one byte above the limit: %s", why);
    test_ok(x402_schema_read(&schema, why, sizeof(why),
                             test_edge(text, sizeof(text) - 1)) == X402_OK,
            "at the limit");
    x402_schema_free(schema);
}

/* Texts that are not UTF-8 make no document, and no half of one. */
static void
test_not_utf8(void)
{
    struct x402_service service = {
        .base_url = x402_span_of("https://api.example.com"),
        .contact = x402_span_of("a@example.com"),
        .logo = x402_span_of("https://example.com/l"),
        .legal = x402_span_of("https://example.com/t")};
    struct x402_route route = {.path = x402_span_of("/a"),
                               .url = x402_span_of("https://api.example.com/a"),
                               .description = x402_span_of("caf\xe9")};
    struct x402_routes routes = {&service, &route, 1};
    json_t *plugin = x402_discovery_plugin(&routes);

    test_ok(x402_discovery_openapi(&routes) == NULL, "openapi: not UTF-8");
    test_ok(x402_discovery_manifest(&routes) == NULL, "manifest: not UTF-8");
    test_ok(plugin != NULL, "a document that does not say the text");
    json_decref(plugin);
    service.legal = (struct x402_span){NULL, 0};
    test_ok(x402_discovery_plugin(&routes) == NULL, "plugin: no legal text");
}

int
main(void)
{
    test_rows();
    test_too_large();
    test_not_utf8();
    test_price(X402_METHOD_EIP3009, "fixed", "amount",
               "Costs 1.234567 USDC a call");
    test_price(X402_METHOD_PERMIT2_UPTO, "dynamic", "max",
               "Costs at most 1.234567 USDC a call");
    return test_done();
}
