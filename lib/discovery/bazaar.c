/* SPDX-License-Identifier: Apache-2.0 */
/* The bazaar extension of a 402: an example of a call (info) and the JSON
 * Schema that the example fits (schema). */
#include <string.h>

#include "discovery.h"

#define ANY_OBJECT "{\"type\":\"object\"}"

static json_t *
info_input(const struct x402_schema *schema)
{
    json_t *input = json_object();
    bool good = input != NULL &&
                discovery_set(input, "type", json_string("http")) &&
                discovery_set(input, "method", json_string(schema->method));

    if (schema->query_example != NULL)
        good = good && discovery_set(input, "queryParams",
                                     json_deep_copy(schema->query_example));
    if (schema->has_body)
        good =
            good &&
            discovery_set(input, "bodyType", json_string(schema->body_type)) &&
            discovery_set(input, "body",
                          discovery_copy(schema->body_example, "{}"));
    return discovery_done(input, good);
}

/* "Response content type (e.g., `"json"`, `"text"`)" */
static json_t *
output_type(const struct x402_route *route)
{
    static const char json[] = "application/json";
    struct x402_span mime = route->mime_type;

    if (mime.len == 0 || (mime.len >= sizeof(json) - 1 &&
                          memcmp(mime.at, json, sizeof(json) - 1) == 0))
        return json_string("json");
    if (mime.len > 5 && memcmp(mime.at, "text/", 5) == 0)
        return json_string("text");
    return discovery_text(mime);
}

static json_t *
info_output(const struct x402_route *route)
{
    const json_t *example = discovery_schema(route)->output_example;
    json_t *output = json_object();
    bool good =
        output != NULL && discovery_set(output, "type", output_type(route));

    if (example != NULL)
        good =
            good && discovery_set(output, "example", json_deep_copy(example));
    return discovery_done(output, good);
}

static json_t *
info(const struct x402_route *route)
{
    json_t *object = json_object();

    return discovery_done(
        object, object != NULL &&
                    discovery_set(object, "input",
                                  info_input(discovery_schema(route))) &&
                    discovery_set(object, "output", info_output(route)));
}

/* "For HTTP endpoints: Must validate the appropriate `method` enum" */
static json_t *
input_properties(const struct x402_schema *schema)
{
    json_t *object = json_pack("{s:{s:s,s:s},s:{s:s,s:[s]}}", "type", "type",
                               "string", "const", "http", "method", "type",
                               "string", "enum", schema->method);
    bool good = object != NULL &&
                discovery_set(object, "queryParams",
                              discovery_copy(schema->query, ANY_OBJECT));

    if (schema->has_body)
        good =
            good &&
            discovery_set(object, "bodyType",
                          json_pack("{s:s,s:[s]}", "type", "string", "enum",
                                    schema->body_type)) &&
            discovery_set(object, "body", discovery_copy(schema->body, "{}"));
    return discovery_done(object, good);
}

static json_t *
input_schema(const struct x402_schema *schema)
{
    json_t *object =
        json_pack("{s:s,s:o*,s:b}", "type", "object", "properties",
                  input_properties(schema), "additionalProperties", 0);
    json_t *required =
        schema->has_body
            ? json_pack("[s,s,s,s]", "type", "method", "bodyType", "body")
            : json_pack("[s,s]", "type", "method");
    bool good = object != NULL && json_object_get(object, "properties") != NULL;

    return discovery_done(object,
                          discovery_set(object, "required", required) && good);
}

static json_t *
output_schema(const struct x402_schema *schema)
{
    json_t *example = discovery_copy(schema->output, "{}");

    return json_pack("{s:s,s:{s:{s:s},s:o},s:[s]}", "type", "object",
                     "properties", "type", "type", "string", "example", example,
                     "required", "type");
}

static json_t *
schema_of(const struct x402_schema *schema)
{
    json_t *properties = json_object();
    json_t *object;
    bool good = properties != NULL &&
                discovery_set(properties, "input", input_schema(schema)) &&
                discovery_set(properties, "output", output_schema(schema));

    object = json_pack("{s:s,s:s,s:[s]}", "$schema",
                       "https://json-schema.org/draft/2020-12/schema", "type",
                       "object", "required", "input");
    return discovery_done(
        object, discovery_set(object, "properties", properties) && good);
}

json_t *
x402_bazaar_extension(const struct x402_route *route)
{
    const struct x402_schema *schema = discovery_schema(route);
    json_t *object = json_object();

    return discovery_done(
        object, object != NULL && discovery_set(object, "info", info(route)) &&
                    discovery_set(object, "schema", schema_of(schema)));
}
