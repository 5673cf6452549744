/* SPDX-License-Identifier: Apache-2.0 */
/* MCP messages: what is read and what is refused, which request a call makes,
 * what a tool says of itself, and what is answered. */
#include <x402/mcp.h>

#include "test.h"

#define CALL(params)                                                           \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/"                        \
    "call\",\"params\":" params "}"

static char memory[65536];

static const struct {
    const char *text;
    enum x402_mcp_code code;
    enum x402_mcp_kind kind;
} messages[] = {
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}", X402_MCP_OK,
     X402_MCP_PING},
    {"{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"tools/list\"}",
     X402_MCP_OK, X402_MCP_LIST},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{"
     "\"protocolVersion\":\"x\"}}",
     X402_MCP_OK, X402_MCP_INITIALIZE},
    {CALL("{\"name\":\"a\",\"arguments\":{}}"), X402_MCP_OK, X402_MCP_CALL},
    {CALL("{\"name\":\"a\"}"), X402_MCP_OK, X402_MCP_CALL},
    {"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}",
     X402_MCP_OK, X402_MCP_QUIET},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", X402_MCP_OK,
     X402_MCP_QUIET},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/list\"}",
     X402_MCP_OK, X402_MCP_OTHER},
    {"", X402_MCP_PARSE, X402_MCP_OTHER},
    {"{", X402_MCP_PARSE, X402_MCP_OTHER},
    {"{\"a\":1,\"a\":2}", X402_MCP_PARSE, X402_MCP_OTHER},
    {"[]", X402_MCP_INVALID, X402_MCP_OTHER},
    {"1", X402_MCP_INVALID, X402_MCP_OTHER},
    {"{}", X402_MCP_INVALID, X402_MCP_OTHER},
    {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", X402_MCP_INVALID,
     X402_MCP_OTHER},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":1}", X402_MCP_INVALID,
     X402_MCP_OTHER},
    {"{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", X402_MCP_INVALID,
     X402_MCP_OTHER},
    {"{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}", X402_MCP_INVALID,
     X402_MCP_OTHER},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\"}",
     X402_MCP_PARAMS, X402_MCP_INITIALIZE},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/"
     "list\",\"params\":{\"cursor\":\"x\"}}",
     X402_MCP_PARAMS, X402_MCP_LIST},
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[]}",
     X402_MCP_PARAMS, X402_MCP_PING},
    {CALL("{}"), X402_MCP_PARAMS, X402_MCP_CALL},
    {CALL("{\"name\":1}"), X402_MCP_PARAMS, X402_MCP_CALL},
    {CALL("{\"name\":\"a\",\"arguments\":[]}"), X402_MCP_PARAMS, X402_MCP_CALL},
    {CALL("{\"name\":\"a\",\"_meta\":1}"), X402_MCP_PARAMS, X402_MCP_CALL},
};

static void
test_messages(void)
{
    for (size_t i = 0; i < TEST_LEN(messages); i++) {
        struct x402_mcp_message message;
        enum x402_mcp_code code =
            x402_mcp_read(&message, test_edge_text(messages[i].text));

        test_ok(code == messages[i].code && message.kind == messages[i].kind &&
                    (message.why == NULL) == (code == X402_MCP_OK),
                "message: %s (%s)", messages[i].text,
                message.why != NULL ? message.why : "taken");
        x402_mcp_free(&message);
    }
}

/* -- calls -- */

static const struct {
    const char *schema, *arguments;
    const char *query, *body, *type; /* NULL: refused; type NULL: no body */
} calls[] = {
    {"{}", "{}", "", "", NULL},
    {"{}", "{\"a\":\"x y\",\"b\":7,\"c\":true}", "a=x%20y&b=7&c=true", "",
     NULL},
    {"{}", "{\"a\":[1,\"b&\"]}", "a=1&a=b%26", "", NULL},
    {"{}", "{\"a\":{\"b\":1}}", NULL, NULL, NULL},
    {"{}", "{\"price\":19.99}", "price=19.99", "", NULL},
    {"{\"query\":{\"schema\":{\"required\":[\"q\"]}}}", "{\"a\":1}", NULL, NULL,
     NULL},
    {"{\"query\":{\"schema\":{\"required\":[\"q\"]}}}", "{\"q\":1}", "q=1", "",
     NULL},
    {"{\"body\":{}}", "{\"a\":1}", "", "{\"a\":1}", "application/json"},
    {"{\"body\":{\"schema\":{\"required\":[\"a\"]}}}", "{}", NULL, NULL, NULL},
    {"{\"body\":{\"type\":\"text\"}}", "{\"body\":\"hi\"}", "", "hi",
     "text/plain"},
    {"{\"body\":{\"type\":\"text\"}}", "{\"body\":1}", NULL, NULL, NULL},
    {"{\"query\":{\"schema\":{}},\"body\":{\"schema\":{}}}",
     "{\"body\":{\"b\":2}}", "", "{\"b\":2}", "application/json"},
};

static void
test_call(const char *schema_text, const char *arguments_text,
          const char *query_text, const char *body_text, const char *type_text)
{
    struct x402_schema *schema = NULL;
    struct x402_route route = {.path = x402_span_of("/a")};
    struct x402_buf query = x402_buf_on(memory, 4096);
    struct x402_buf body = x402_buf_on(memory + 4096, 4096);
    json_t *arguments = json_loads(arguments_text, 0, NULL);
    const char *type = NULL, *reason = NULL;
    char why[160];
    enum x402_mcp_code code;
    bool ok = x402_schema_read(&schema, why, sizeof(why),
                               x402_span_of(schema_text)) == X402_OK;

    route.schema = schema;
    code = x402_mcp_request(&query, &body, &type, &route, arguments, &reason);
    if (query_text == NULL)
        ok = ok && code == X402_MCP_PARAMS && reason != NULL;
    else
        ok = ok && code == X402_MCP_OK &&
             x402_span_eq(x402_buf_span(&query), x402_span_of(query_text)) &&
             x402_span_eq(x402_buf_span(&body), x402_span_of(body_text)) &&
             (type == NULL) == (type_text == NULL) &&
             (type == NULL || strstr(type, type_text) == type);
    test_ok(ok, "call of %s with %s: ?%.*s, %.*s %s (%s)", schema_text,
            arguments_text, (int)query.len, query.at, (int)body.len, body.at,
            type != NULL ? type : "", reason != NULL ? reason : "");
    json_decref(arguments);
    x402_schema_free(schema);
}

/* -- tools -- */

static const struct {
    const char *output;  /* the schema of the answer; NULL: none */
    const char *promise; /* the first of outputSchema's anyOf; NULL: none */
} outputs[] = {
    {NULL, NULL},
    {"{}", NULL},
    {"{\"type\":\"array\"}", NULL},
    {"{\"type\":[\"object\",\"null\"]}", NULL},
    {"{\"type\":\"object\"}", "{\"type\":\"object\"}"},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/"
     "a\"}},\"$defs\":{\"a\":{\"type\":\"string\"}}}",
     "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/a\"}}}"},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/definitions/"
     "a\"}},\"definitions\":{\"a\":{}}}",
     "{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/definitions/"
     "a\"}}}"},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#/$defs/"
     "b\"}},\"$defs\":{\"a\":{}}}",
     NULL},
    {"{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}}}", NULL},
    {"{\"type\":\"object\",\"allOf\":[{\"$ref\":\"#/properties/a\"}]}", NULL},
};

static void
test_output(const char *output, const char *promise)
{
    char text[1024], why[160], names[1][X402_MCP_NAME_MAX + 1];
    struct x402_schema *schema = NULL;
    struct x402_route route = {.path = x402_span_of("/v1/chat"),
                               .url =
                                   x402_span_of("https://a.example/v1/chat")};
    struct x402_routes routes = {.at = &route, .len = 1};
    json_t *tools, *said, *wanted;
    bool ok;

    snprintf(text, sizeof(text),
             output != NULL ? "{\"output\":{\"schema\":%s}}" : "{}", output);
    ok = x402_schema_read(&schema, why, sizeof(why), x402_span_of(text)) ==
         X402_OK;
    route.schema = schema;
    x402_mcp_names(names, &routes);
    tools = x402_mcp_tools(&routes, names);
    said = json_object_get(json_array_get(json_object_get(tools, "tools"), 0),
                           "outputSchema");
    wanted = promise != NULL ? json_loads(promise, 0, NULL) : NULL;
    ok = ok && strcmp(names[0], "v1_chat") == 0 && tools != NULL &&
         x402_mcp_promises(&route) == (promise != NULL);
    if (promise == NULL)
        ok = ok && said == NULL;
    else
        ok = ok &&
             json_equal(json_array_get(json_object_get(said, "anyOf"), 0),
                        wanted) &&
             json_array_size(json_object_get(said, "anyOf")) == 2 &&
             strcmp(json_string_value(json_object_get(said, "type")),
                    "object") == 0;
    test_ok(ok, "outputSchema of %s", output != NULL ? output : "nothing");
    json_decref(wanted);
    json_decref(tools);
    x402_schema_free(schema);
}

/* -- answers -- */

static const struct {
    const char *why;
    unsigned status;
    const char *type, *body, *required, *receipt;
    bool promised;
    bool is_error;
    const char *has, *has_not; /* parts of the message; NULL */
} answers[] = {
    {"an object", 200, "application/json", "{\"a\":1}", "", "", false, false,
     "\"structuredContent\":{\"a\":1}", NULL},
    {"a list is no structure", 200, "application/json", "[1]", "", "", false,
     false, "\"text\":\"[1]\"", "structuredContent"},
    {"text", 200, "text/plain; charset=utf-8", "hi", "", "", false, false,
     "\"text\":\"hi\"", "structuredContent"},
    {"an image", 200, "image/png; a=b", "x", "", "", false, false,
     "\"mimeType\":\"image/png\"", "structuredContent"},
    {"bytes", 200, "application/zip", "x", "", "", false, false,
     "\"blob\":\"eA==\"", NULL},
    {"an error", 500, "text/plain", "broken", "", "", false, true, "HTTP 500",
     "structuredContent"},
    {"a redirect is no answer", 302, "text/plain", "", "", "", false, true,
     "HTTP 302", NULL},
    {"to be paid", 402, "application/json", "{}",
     "{\"x402Version\":2,\"accepts\":[]}", "", false, true,
     "\"structuredContent\":{\"x402Version\":2", NULL},
    {"paid", 200, "application/json", "{}", "", "{\"success\":true}", false,
     false, "\"x402/payment-response\":{\"success\":true}", NULL},
    {"a receipt that is none", 200, "application/json", "{}", "", "[", false,
     false, NULL, "payment-response"},
    {"promised and kept", 200, "application/json", "{\"a\":1}", "", "", true,
     false, "structuredContent", NULL},
    {"promised and a list: what came is there", 200, "application/json", "[1]",
     "", "{\"success\":true}", true, true, "\"text\":\"[1]\"",
     "structuredContent"},
    {"promised and text: the receipt too", 200, "text/plain", "hi", "",
     "{\"success\":true}", true, true, "payment-response", "structuredContent"},
    {"promised, and it failed", 500, "application/json", "{\"a\":1}", "", "",
     true, true, "HTTP 500", "outputSchema"},
};

static void
test_answers(void)
{
    for (size_t i = 0; i < TEST_LEN(answers); i++) {
        struct x402_mcp_answer answer = {
            .status = answers[i].status,
            .url = x402_span_of("https://a.example/a"),
            .type = x402_span_of(answers[i].type),
            .body = x402_span_of(answers[i].body),
            .required = x402_span_of(answers[i].required),
            .receipt = x402_span_of(answers[i].receipt),
            .promised = answers[i].promised,
        };
        struct x402_buf buf = x402_buf_on(memory, sizeof(memory) - 1);
        json_t *root, *result;
        bool ok;

        x402_mcp_call_result(&buf, NULL, &answer);
        memory[buf.len] = '\0';
        root = json_loads(memory, 0, NULL);
        result = json_object_get(root, "result");
        ok = !buf.full && json_is_object(result) &&
             json_is_true(json_object_get(result, "isError")) ==
                 answers[i].is_error &&
             json_array_size(json_object_get(result, "content")) > 0 &&
             (answers[i].has == NULL ||
              strstr(memory, answers[i].has) != NULL) &&
             (answers[i].has_not == NULL ||
              strstr(memory, answers[i].has_not) == NULL);
        test_ok(ok, "answer: %s: %s", answers[i].why, memory);
        json_decref(root);
    }
}

int
main(void)
{
    test_messages();
    for (size_t i = 0; i < TEST_LEN(calls); i++)
        test_call(calls[i].schema, calls[i].arguments, calls[i].query,
                  calls[i].body, calls[i].type);
    for (size_t i = 0; i < TEST_LEN(outputs); i++)
        test_output(outputs[i].output, outputs[i].promise);
    test_answers();
    return test_done();
}
