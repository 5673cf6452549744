/* SPDX-License-Identifier: Apache-2.0 */
/* A client's JSON-RPC message, read once. */
#include <x402/json.h>
#include <x402/mcp.h>

static const struct {
    const char *name;
    enum x402_mcp_kind kind;
} methods[] = {
    {"initialize", X402_MCP_INITIALIZE},
    {"ping", X402_MCP_PING},
    {"tools/list", X402_MCP_LIST},
    {"tools/call", X402_MCP_CALL},
};

static enum x402_mcp_code
refuse(struct x402_mcp_message *out, enum x402_mcp_code code, const char *why)
{
    out->why = why;
    return code;
}

/* "Requests MUST include a string or integer ID. Unlike base JSON-RPC, the ID
 * MUST NOT be null." -- MCP 2025-11-25, Basic, Requests */
static bool
is_id(const json_t *value)
{
    return json_is_integer(value) ||
           (json_is_string(value) &&
            json_string_length(value) <= X402_MCP_ID_MAX);
}

static struct x402_span
text_of(const json_t *value)
{
    return (struct x402_span){json_string_value(value),
                              json_string_length(value)};
}

static enum x402_mcp_kind
kind_of(const char *method)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (strcmp(methods[i].name, method) == 0)
            return methods[i].kind;
    }
    return X402_MCP_OTHER;
}

static enum x402_mcp_code
read_call(struct x402_mcp_message *out, const json_t *params)
{
    const json_t *name = json_object_get(params, "name");
    const json_t *arguments = json_object_get(params, "arguments");
    const json_t *meta = json_object_get(params, "_meta");

    if (!json_is_string(name))
        return refuse(out, X402_MCP_PARAMS, "params.name is not a text");
    if (arguments != NULL && !json_is_object(arguments))
        return refuse(out, X402_MCP_PARAMS, "params.arguments is no object");
    if (meta != NULL && !json_is_object(meta))
        return refuse(out, X402_MCP_PARAMS, "params._meta is no object");
    out->name = text_of(name);
    out->arguments = arguments;
    out->payment = json_object_get(meta, "x402/payment");
    return X402_MCP_OK;
}

static enum x402_mcp_code
read_params(struct x402_mcp_message *out, const json_t *params)
{
    const json_t *version = json_object_get(params, "protocolVersion");

    if (params != NULL && !json_is_object(params))
        return refuse(out, X402_MCP_PARAMS, "params is no object");
    switch (out->kind) {
    case X402_MCP_INITIALIZE:
        if (!json_is_string(version))
            return refuse(out, X402_MCP_PARAMS,
                          "params.protocolVersion is not a text");
        out->version = text_of(version);
        return X402_MCP_OK;
    case X402_MCP_LIST:
        if (json_object_get(params, "cursor") != NULL)
            return refuse(out, X402_MCP_PARAMS,
                          "the list has one page: there is no cursor");
        return X402_MCP_OK;
    case X402_MCP_CALL:
        return read_call(out, params);
    case X402_MCP_QUIET:
    case X402_MCP_PING:
    case X402_MCP_OTHER:
        break;
    }
    return X402_MCP_OK;
}

static enum x402_mcp_code
read_object(struct x402_mcp_message *out)
{
    const json_t *id = json_object_get(out->root, "id");
    const json_t *method = json_object_get(out->root, "method");
    const json_t *version = json_object_get(out->root, "jsonrpc");

    if (is_id(id))
        out->id = id;
    if (!json_is_string(version) ||
        strcmp(json_string_value(version), "2.0") != 0)
        return refuse(out, X402_MCP_INVALID, "jsonrpc is not \"2.0\"");
    if (method == NULL && (json_object_get(out->root, "result") != NULL ||
                           json_object_get(out->root, "error") != NULL)) {
        out->kind = X402_MCP_QUIET; /* we ask clients nothing */
        return X402_MCP_OK;
    }
    if (!json_is_string(method))
        return refuse(out, X402_MCP_INVALID, "method is not a text");
    if (id == NULL) {
        out->kind = X402_MCP_QUIET;
        return X402_MCP_OK;
    }
    if (out->id == NULL)
        return refuse(out, X402_MCP_INVALID,
                      "id is neither an integer nor a short text");
    out->kind = kind_of(json_string_value(method));
    return read_params(out, json_object_get(out->root, "params"));
}

enum x402_mcp_code
x402_mcp_read(struct x402_mcp_message *out, struct x402_span text)
{
    *out = (struct x402_mcp_message){.kind = X402_MCP_OTHER};
    if (x402_json_load(&out->root, text, X402_MCP_MAX, X402_JSON_DEPTH_MAX) !=
        X402_OK) {
        out->root = NULL;
        return refuse(out, X402_MCP_PARSE, "not one well-formed JSON value");
    }
    if (json_is_array(out->root))
        return refuse(out, X402_MCP_INVALID,
                      "no batches: send one message at a time");
    if (!json_is_object(out->root))
        return refuse(out, X402_MCP_INVALID, "the message is no object");
    return read_object(out);
}

void
x402_mcp_free(struct x402_mcp_message *message)
{
    json_decref(message->root);
    message->root = NULL;
}
