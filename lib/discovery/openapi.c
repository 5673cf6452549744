/* SPDX-License-Identifier: Apache-2.0 */
/* OpenAPI 3.1.0.  `security: []` says that no key is needed and
 * `x-payment-info` what it costs, as @agentcash/discovery's specification
 * (sections 6 and 7) reads them. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "discovery.h"

#define GUIDANCE                                                               \
    "Call a route without payment: the answer 402 says in the header "         \
    "PAYMENT-REQUIRED (base64 of JSON) and in its body what to pay, to whom "  \
    "and how. Sign, and send the same request again with the header "          \
    "PAYMENT-SIGNATURE. An answer of 400 and above is not charged."

static json_t *
payment_info(const struct x402_route *route)
{
    json_t *price = discovery_price(route);
    json_t *info;

    if (price != NULL && discovery_price_is_most(route))
        info = json_pack("{s:{s:s,s:s,s:s,s:o}}", "price", "mode", "dynamic",
                         "currency", "USD", "min", "0", "max", price);
    else if (price != NULL)
        info = json_pack("{s:{s:s,s:s,s:o}}", "price", "mode", "fixed",
                         "currency", "USD", "amount", price);
    else
        info = json_pack("{s:{s:s,s:s}}", "price", "mode", "dynamic",
                         "currency", "USD");
    return discovery_done(
        info, discovery_set(info, "protocols", discovery_protocols()));
}

/* One parameter for each property of the query's schema. */
static json_t *
parameters(const struct x402_schema *schema)
{
    json_t *array = json_array();
    const json_t *required = json_object_get(schema->query, "required");
    json_t *property, *name;
    const char *key;
    bool good = array != NULL;
    size_t i;

    json_object_foreach(json_object_get(schema->query, "properties"), key,
                        property)
    {
        bool must = false;
        json_t *parameter;

        json_array_foreach(required, i, name) must |=
            json_is_string(name) && strcmp(json_string_value(name), key) == 0;
        parameter =
            json_pack("{s:s,s:s,s:b,s:o*}", "name", key, "in", "query",
                      "required", must, "schema", json_deep_copy(property));
        good = good && json_array_append_new(array, parameter) == 0;
    }
    return discovery_done(array, good);
}

static json_t *
media(const json_t *schema, const json_t *example)
{
    json_t *object = json_pack("{s:o}", "schema", discovery_copy(schema, "{}"));
    bool good = object != NULL;

    if (example != NULL)
        good =
            good && discovery_set(object, "example", json_deep_copy(example));
    return discovery_done(object, good);
}

static json_t *
request_body(const struct x402_schema *schema)
{
    const char *type = "application/json";

    if (strcmp(schema->body_type, "form-data") == 0)
        type = "multipart/form-data";
    if (strcmp(schema->body_type, "text") == 0)
        type = "text/plain";
    return json_pack("{s:b,s:{s:o}}", "required", 1, "content", type,
                     media(schema->body, schema->body_example));
}

static json_t *
answer(const char *text)
{
    return json_pack("{s:s}", "description", text);
}

/* What a 402 carries; the schema stands under components. */
static json_t *
payment_required(void)
{
    return json_pack(
        "{s:s,s:{s:{s:s,s:{s:s}}},s:{s:{s:{s:s}}}}", "description",
        "Payment required: what to pay, to whom and how", "headers",
        "PAYMENT-REQUIRED", "description",
        "Base64 of the JSON object PaymentRequired (x402 version 2)", "schema",
        "type", "string", "content", "application/json", "schema", "$ref",
        "#/components/schemas/PaymentRequired");
}

static json_t *
responses(const struct x402_route *route)
{
    const struct x402_schema *schema = discovery_schema(route);
    json_t *object = json_object();
    json_t *content = json_object(), *paid = answer("The paid answer");
    json_t *mime = discovery_mime(route);
    bool good = mime != NULL && content != NULL &&
                discovery_set(content, json_string_value(mime),
                              media(schema->output, schema->output_example));

    good = discovery_set(paid, "content", content) && good;
    good = discovery_set(object, "200", paid) && good &&
           discovery_set(object, "400",
                         answer("The payment is malformed; nothing was "
                                "charged")) &&
           discovery_set(object, "402", payment_required()) &&
           discovery_set(object, "409",
                         answer("The same payment is in work: ask again with "
                                "it")) &&
           discovery_set(object, "503",
                         answer("The outcome is not known, or payments cannot "
                                "be taken: ask again with the same payment"));
    json_decref(mime);
    return discovery_done(object, good);
}

/* "post_v1_chat_completions" */
static json_t *
operation_id(const struct x402_route *route)
{
    struct x402_span method = x402_route_method(route);
    char text[256];
    size_t n = 0;

    for (size_t i = 0; i < method.len && n < sizeof(text) - 1; i++)
        text[n++] = (char)tolower((unsigned char)method.at[i]);
    for (size_t i = 0; i < route->path.len && n < sizeof(text) - 1; i++) {
        unsigned char c = (unsigned char)route->path.at[i];

        text[n++] = (char)(isalnum(c) ? c : '_');
    }
    text[n] = '\0';
    return json_string(text);
}

static bool
add_words(json_t *operation, const struct x402_route *route)
{
    const json_t *root = discovery_schema(route)->root;
    const json_t *summary = json_object_get(root, "summary");
    const json_t *tags = json_object_get(root, "tags");
    struct x402_span text = route->description;

    if (text.len == 0)
        text = route->path;
    return discovery_set(operation, "summary",
                         summary != NULL ? json_deep_copy(summary)
                                         : discovery_text(text)) &&
           discovery_set_text(operation, "description", route->description) &&
           (tags == NULL ||
            discovery_set(operation, "tags", json_deep_copy(tags)));
}

static json_t *
operation(const struct x402_route *route)
{
    const struct x402_schema *schema = discovery_schema(route);
    json_t *object = json_object();
    bool good = object != NULL && add_words(object, route) &&
                discovery_set(object, "operationId", operation_id(route)) &&
                discovery_set(object, "security", json_array()) &&
                discovery_set(object, "x-payment-info", payment_info(route)) &&
                discovery_set(object, "parameters", parameters(schema)) &&
                (!schema->has_body ||
                 discovery_set(object, "requestBody", request_body(schema))) &&
                discovery_set(object, "responses", responses(route));

    return discovery_done(object, good);
}

static bool
add_path(json_t *paths, const struct x402_route *route)
{
    char method[16];
    struct x402_span name = x402_route_method(route);
    json_t *item, *key = discovery_text(route->path);
    bool good;

    for (size_t i = 0; i < name.len; i++)
        method[i] = (char)tolower((unsigned char)name.at[i]);
    method[name.len] = '\0';
    item = json_object();
    good = item != NULL && key != NULL &&
           discovery_set(item, method, operation(route)) &&
           json_object_set(paths, json_string_value(key), item) == 0;
    json_decref(item);
    json_decref(key);
    return good;
}

static json_t *
paths_of(const struct x402_routes *routes)
{
    json_t *paths = json_object();
    bool good = paths != NULL;

    for (size_t i = 0; good && i < routes->len; i++)
        good = add_path(paths, &routes->at[i]);
    return discovery_done(paths, good);
}

static json_t *
info_of(const struct x402_service *service)
{
    json_t *info = json_object();
    bool good = info != NULL &&
                discovery_set(info, "title", discovery_title(service)) &&
                discovery_set(info, "version", discovery_version(service)) &&
                discovery_set_text(info, "description", service->description) &&
                discovery_set(info, "x-guidance", json_string(GUIDANCE));

    if (service->contact.len > 0)
        good =
            good && discovery_set(info, "contact",
                                  json_pack("{s:o}", "email",
                                            discovery_text(service->contact)));
    if (service->legal.len > 0)
        good = good && discovery_set(info, "termsOfService",
                                     discovery_text(service->legal));
    return discovery_done(info, good);
}

static json_t *
components(void)
{
    return json_loads(
        "{\"schemas\":{\"PaymentRequired\":{\"type\":\"object\","
        "\"required\":[\"x402Version\",\"accepts\"],\"properties\":{"
        "\"x402Version\":{\"type\":\"integer\",\"enum\":[1,2]},"
        "\"error\":{\"type\":\"string\"},"
        "\"resource\":{\"type\":\"object\"},"
        "\"accepts\":{\"type\":\"array\",\"items\":{\"type\":\"object\","
        "\"required\":[\"scheme\",\"network\",\"asset\",\"payTo\","
        "\"maxTimeoutSeconds\"],\"properties\":{"
        "\"scheme\":{\"type\":\"string\"},"
        "\"network\":{\"type\":\"string\"},"
        "\"amount\":{\"type\":\"string\",\"description\":\"atomic units\"},"
        "\"maxAmountRequired\":{\"type\":\"string\","
        "\"description\":\"the same, as older clients read it\"},"
        "\"asset\":{\"type\":\"string\"},\"payTo\":{\"type\":\"string\"},"
        "\"maxTimeoutSeconds\":{\"type\":\"integer\"},"
        "\"extra\":{\"type\":\"object\"}}}}}}}}",
        0, NULL);
}

json_t *
x402_discovery_openapi(const struct x402_routes *routes)
{
    json_t *root = json_pack("{s:s}", "openapi", "3.1.0");
    bool good =
        root != NULL && discovery_set(root, "info", info_of(routes->service)) &&
        discovery_set(root, "servers",
                      json_pack("[{s:o}]", "url", discovery_url(routes, ""))) &&
        discovery_set(root, "paths", paths_of(routes)) &&
        discovery_set(root, "components", components());

    return discovery_done(root, good);
}
