/* SPDX-License-Identifier: Apache-2.0 */
/* A message makes a request or an error, and whatever bytes the route answers
 * make a well-formed JSON-RPC response. */
#include <stdlib.h>

#include <x402/json.h>
#include <x402/mcp.h>

#include "fuzz.h"

static char memory[1 << 20], body_memory[1 << 16], query_memory[1 << 16];

/* The route's shape comes from the message's length. */
static const char *const schemas[] = {
    "{}",
    "{\"body\":{}}",
    "{\"query\":{\"schema\":{\"required\":[\"q\"]}},\"body\":{}}",
    "{\"body\":{\"type\":\"text\"}}",
    "{\"body\":{\"type\":\"form-data\"}}",
};

static void
check_text(struct x402_buf *text)
{
    json_t *root;

    if (text->full)
        return;
    /* deeper than we take, and with NUL, where the route's answer is so */
    root = json_loadb(text->at, text->len, JSON_ALLOW_NUL, NULL);
    HOLDS(root != NULL);
    json_decref(root);
}

static void
check_request(const struct x402_mcp_message *message, size_t which)
{
    struct x402_schema *schema;
    struct x402_buf query = x402_buf_on(query_memory, sizeof(query_memory));
    struct x402_buf body = x402_buf_on(body_memory, sizeof(body_memory));
    struct x402_route route = {.path = x402_span_of("/a"),
                               .url = x402_span_of("https://x.example/a")};
    const char *type, *why = NULL;
    char text[160];

    HOLDS(x402_schema_read(&schema, text, sizeof(text),
                           x402_span_of(schemas[which])) == X402_OK);
    route.schema = schema;
    if (x402_mcp_request(&query, &body, &type, &route, message->arguments,
                         &why) == X402_MCP_OK) {
        for (size_t i = 0; i < query.len; i++)
            HOLDS(query.at[i] > ' ' && query.at[i] < 0x7f);
        HOLDS(body.len == 0 || type != NULL);
    } else {
        HOLDS(why != NULL);
    }
    x402_schema_free(schema);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct x402_span text = {(const char *)data, size};
    struct x402_buf buf = x402_buf_on(memory, sizeof(memory));
    struct x402_mcp_answer answer = {.status = 200,
                                     .url = x402_span_of("https://x.example/a"),
                                     .type = x402_span_of("application/json"),
                                     .body = text,
                                     .promised = size % 3 == 0};
    struct x402_mcp_message message;
    enum x402_mcp_code code = x402_mcp_read(&message, text);

    if (code != X402_MCP_OK)
        x402_mcp_error(&buf, message.id, code, message.why);
    else
        x402_mcp_call_result(&buf, message.id, &answer);
    check_text(&buf);
    answer.required = answer.receipt = text;
    answer.type = x402_span_of(size % 2 ? "text/plain" : "image/png; a");
    buf = x402_buf_on(memory, sizeof(memory));
    x402_mcp_call_result(&buf, message.id, &answer);
    check_text(&buf);
    if (code == X402_MCP_OK && message.kind == X402_MCP_CALL)
        check_request(&message, size % (sizeof(schemas) / sizeof(schemas[0])));
    x402_mcp_free(&message);
    return 0;
}
