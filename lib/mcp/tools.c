/* SPDX-License-Identifier: Apache-2.0 */
/* Routes as tools: what tools/list says of them. */
#include <ctype.h>
#include <stdio.h>

#include "mcp.h"

enum mcp_shape
mcp_shape(const struct x402_schema *schema)
{
    const json_t *type = json_object_get(schema->body, "type");
    bool object =
        type == NULL || (json_is_string(type) &&
                         strcmp(json_string_value(type), "object") == 0);

    if (!schema->has_body)
        return MCP_QUERY;
    if (schema->query == NULL && object &&
        strcmp(schema->body_type, "text") != 0)
        return MCP_BODY;
    return MCP_BOTH;
}

static bool
taken(char (*names)[X402_MCP_NAME_MAX + 1], size_t n, const char *name)
{
    while (n-- > 0) {
        if (strcmp(names[n], name) == 0)
            return true;
    }
    return false;
}

/* Room is kept for "_4294967295". */
static void
name_of(char *out, struct x402_span path)
{
    size_t n = 0;

    for (size_t i = 0; i < path.len && n < X402_MCP_NAME_MAX - 11; i++) {
        unsigned char c = (unsigned char)path.at[i];

        if (c < 0x80 && isalnum(c))
            out[n++] = (char)c;
        else if (n > 0 && out[n - 1] != '_')
            out[n++] = '_';
    }
    while (n > 0 && out[n - 1] == '_')
        n--;
    if (n == 0) {
        memcpy(out, "root", 4);
        n = 4;
    }
    out[n] = '\0';
}

void
x402_mcp_names(char (*out)[X402_MCP_NAME_MAX + 1],
               const struct x402_routes *routes)
{
    for (size_t i = 0; i < routes->len; i++) {
        size_t len;

        name_of(out[i], routes->at[i].path);
        len = strlen(out[i]);
        for (unsigned n = 2; taken(out, i, out[i]); n++)
            snprintf(out[i] + len, sizeof(out[i]) - len, "_%u", n);
    }
}

/* "The schema MUST be a valid JSON Schema object": of type object. */
static json_t *
object_schema(const json_t *schema)
{
    json_t *copy = discovery_copy(schema, "{}");

    return discovery_done(copy,
                          discovery_set(copy, "type", json_string("object")));
}

json_t *
mcp_input(const struct x402_schema *schema)
{
    json_t *root, *properties;

    switch (mcp_shape(schema)) {
    case MCP_QUERY:
        return object_schema(schema->query);
    case MCP_BODY:
        return object_schema(schema->body);
    case MCP_BOTH:
        break;
    }
    properties = json_object();
    root = json_pack("{s:s,s:O,s:[s]}", "type", "object", "properties",
                     properties, "required", "body");
    if (schema->query != NULL &&
        !discovery_set(properties, "query", object_schema(schema->query)))
        root = discovery_done(root, false);
    root = discovery_done(
        root, discovery_set(properties, "body",
                            strcmp(schema->body_type, "text") == 0
                                ? json_pack("{s:s}", "type", "string")
                                : discovery_copy(schema->body, "{}")));
    json_decref(properties);
    return root;
}

static json_t *
description(const struct x402_route *route)
{
    const struct x402_requirement *first = route->accepts;
    json_t *price = discovery_price(route);
    json_t *text;

    if (price != NULL)
        text = json_sprintf("%.*s%sCosts %s%s %s a call (x402).",
                            (int)route->description.len,
                            route->description.len ? route->description.at : "",
                            route->description.len ? ". " : "",
                            discovery_price_is_most(route) ? "at most " : "",
                            json_string_value(price), first->asset->symbol);
    else
        text = json_sprintf("%.*s%sThe price depends on the call (x402).",
                            (int)route->description.len,
                            route->description.len ? route->description.at : "",
                            route->description.len ? ". " : "");
    json_decref(price);
    return text;
}

static json_t *
meta(const struct x402_route *route)
{
    json_t *price = discovery_price(route);
    json_t *root = json_object();
    bool good = discovery_set(root, "x402/url", discovery_text(route->url));

    if (price != NULL)
        good = discovery_set(root, "x402/price",
                             json_pack("{s:o,s:s}", "amount", price, "currency",
                                       route->accepts[0].asset->symbol)) &&
               discovery_set(root, "x402/accepts", discovery_accepts(route)) &&
               good;
    return discovery_done(root, good);
}

static json_t *
annotations(const struct x402_route *route)
{
    bool reads = x402_span_eq(x402_route_method(route), x402_span_of("GET"));

    return json_pack("{s:b,s:b}", "readOnlyHint", reads, "openWorldHint", 1);
}

static json_t *
tool(const struct x402_route *route, const char *name)
{
    const struct x402_schema *schema = discovery_schema(route);
    const json_t *summary =
        schema->root ? json_object_get(schema->root, "summary") : NULL;
    json_t *root = json_pack("{s:s}", "name", name);

    return discovery_done(
        root, (summary == NULL ||
               discovery_set(root, "title", json_deep_copy(summary))) &&
                  discovery_set(root, "description", description(route)) &&
                  discovery_set(root, "inputSchema", mcp_input(schema)) &&
                  (!x402_mcp_promises(route) ||
                   discovery_set(root, "outputSchema", mcp_output(schema))) &&
                  discovery_set(root, "annotations", annotations(route)) &&
                  discovery_set(root, "_meta", meta(route)));
}

json_t *
x402_mcp_tools(const struct x402_routes *routes,
               char (*names)[X402_MCP_NAME_MAX + 1])
{
    json_t *tools = json_array();
    bool good = tools != NULL;

    for (size_t i = 0; good && i < routes->len; i++)
        good =
            json_array_append_new(tools, tool(&routes->at[i], names[i])) == 0;
    tools = discovery_done(tools, good);
    return tools ? json_pack("{s:o}", "tools", tools) : NULL;
}
