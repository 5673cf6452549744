/* SPDX-License-Identifier: Apache-2.0 */
/* x402's own catalogue.  Nobody has set its shape: this is a superset of the
 * shapes in use, with one list of routes behind all of its arrays, and
 * `accepts` exactly as in the 402. */
#include <time.h>

#include "discovery.h"

static json_t *
schema_input(const struct x402_route *route)
{
    const struct x402_schema *schema = discovery_schema(route);
    json_t *object = json_pack("{s:s}", "method", schema->method);
    bool good = object != NULL;

    if (schema->query != NULL)
        good = good && discovery_set(object, "queryParams",
                                     json_deep_copy(schema->query));
    if (schema->has_body)
        good =
            good &&
            discovery_set(object, "bodyType", json_string(schema->body_type)) &&
            discovery_set(object, "body", discovery_copy(schema->body, "{}"));
    return discovery_done(object, good);
}

static json_t *
schema_output(const struct x402_route *route)
{
    const struct x402_schema *schema = discovery_schema(route);
    json_t *object = json_pack("{s:o}", "mimeType", discovery_mime(route));
    bool good = object != NULL;

    if (schema->output != NULL)
        good = good &&
               discovery_set(object, "schema", json_deep_copy(schema->output));
    if (schema->output_example != NULL)
        good = good && discovery_set(object, "example",
                                     json_deep_copy(schema->output_example));
    return discovery_done(object, good);
}

static json_t *
resource(const struct x402_routes *routes, const struct x402_route *route)
{
    json_t *entry = json_object();

    (void)routes;
    return discovery_done(
        entry,
        entry != NULL &&
            discovery_set(entry, "url", discovery_text(route->url)) &&
            discovery_set(entry, "path", discovery_text(route->path)) &&
            discovery_set(entry, "method",
                          discovery_text(x402_route_method(route))) &&
            discovery_set_text(entry, "description", route->description) &&
            discovery_set(entry, "mimeType", discovery_mime(route)) &&
            discovery_set(entry, "accepts", discovery_accepts(route)) &&
            discovery_set(entry, "input", schema_input(route)) &&
            discovery_set(entry, "output", schema_output(route)));
}

static json_t *
first_accept(const struct x402_route *route, const char *key)
{
    json_t *accepts = discovery_accepts(route);
    json_t *value =
        json_incref(json_object_get(json_array_get(accepts, 0), key));

    json_decref(accepts);
    return value;
}

/* One price in people's units, for the simplest of readers. */
static json_t *
endpoint(const struct x402_routes *routes, const struct x402_route *route)
{
    json_t *entry = json_object();
    bool good = entry != NULL &&
                discovery_set(entry, "path", discovery_text(route->path)) &&
                discovery_set(entry, "method",
                              discovery_text(x402_route_method(route))) &&
                discovery_set_text(entry, "description", route->description);

    (void)routes;
    if (route->accepts_len == 0)
        return discovery_done(
            entry,
            good && discovery_set(entry, "pricing", json_string("dynamic")));
    return discovery_done(
        entry,
        good && discovery_set(entry, "price", discovery_price(route)) &&
            discovery_set(entry, "currency",
                          json_string(route->accepts[0].asset->symbol)) &&
            discovery_set(entry, "network", first_accept(route, "network")) &&
            discovery_set(
                entry, "chain",
                json_integer((json_int_t)route->accepts[0].asset->chain_id)) &&
            discovery_set(entry, "scheme", first_accept(route, "scheme")) &&
            discovery_set(entry, "pay_to", first_accept(route, "payTo")));
}

static json_t *
item(const struct x402_routes *routes, const struct x402_route *route)
{
    json_t *about = json_pack("{s:o}", "url", discovery_text(route->url));
    json_t *entry = json_object();
    bool good =
        about != NULL &&
        discovery_set_text(about, "description", route->description) &&
        discovery_set(about, "mimeType", discovery_mime(route)) &&
        discovery_set(about, "serviceName", discovery_title(routes->service));

    good = discovery_set(entry, "resource", about) && good;
    return discovery_done(
        entry, good && discovery_set(entry, "type", json_string("http")) &&
                   discovery_set(entry, "accepts", discovery_accepts(route)) &&
                   discovery_set(entry, "input", schema_input(route)) &&
                   discovery_set(entry, "output", schema_output(route)));
}

/* Of the first route with a price: what a reader assumes for the rest. */
static bool
add_defaults(json_t *root, const struct x402_routes *routes)
{
    const struct x402_route *first = NULL;

    for (size_t i = 0; first == NULL && i < routes->len; i++) {
        if (routes->at[i].accepts_len > 0)
            first = &routes->at[i];
    }
    if (first == NULL)
        return true;
    return discovery_set(root, "payTo", first_accept(first, "payTo")) &&
           discovery_set(root, "pay_to", first_accept(first, "payTo")) &&
           discovery_set(root, "default_network",
                         first_accept(first, "network")) &&
           discovery_set(root, "default_asset", first_accept(first, "asset"));
}

static bool
has_text(const json_t *array, const json_t *text)
{
    const json_t *other;
    size_t i;

    json_array_foreach(array, i, other)
    {
        if (json_equal(other, text))
            return true;
    }
    return false;
}

static json_t *
networks_of(const struct x402_routes *routes)
{
    json_t *array = json_array();
    bool good = array != NULL;

    for (size_t i = 0; good && i < routes->len; i++) {
        json_t *accepts = discovery_accepts(&routes->at[i]), *accept;
        size_t j;

        good = accepts != NULL;
        json_array_foreach(accepts, j, accept)
        {
            json_t *network = json_object_get(accept, "network");

            if (!has_text(array, network))
                good = good && json_array_append(array, network) == 0;
        }
        json_decref(accepts);
    }
    return discovery_done(array, good);
}

/* RFC 3339, UTC */
static json_t *
time_text(uint64_t seconds)
{
    time_t at = (time_t)seconds;
    char text[32];
    struct tm tm;

    if (gmtime_r(&at, &tm) == NULL ||
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        return NULL;
    return json_string(text);
}

json_t *
x402_discovery_manifest(const struct x402_routes *routes)
{
    const struct x402_service *service = routes->service;
    json_t *root = json_pack("{s:i}", "x402Version", 2);
    bool good =
        root != NULL && discovery_set(root, "name", discovery_title(service)) &&
        discovery_set(root, "version", discovery_version(service)) &&
        discovery_set_text(root, "description", service->description) &&
        discovery_set(root, "baseUrl", discovery_url(routes, "")) &&
        discovery_set(root, "generated_at", time_text(service->made_s)) &&
        discovery_set(root, "lastUpdated",
                      json_integer((json_int_t)service->made_s)) &&
        discovery_set_text(root, "facilitator", service->facilitator_url) &&
        add_defaults(root, routes) &&
        discovery_set(root, "networks", networks_of(routes)) &&
        discovery_set(root, "resources", discovery_each(routes, resource)) &&
        discovery_set(root, "endpoints", discovery_each(routes, endpoint)) &&
        discovery_set(root, "items", discovery_each(routes, item)) &&
        discovery_set(root, "openapi",
                      discovery_url(routes, "/openapi.json")) &&
        discovery_set_text(root, "mcp", service->mcp_url) &&
        discovery_set_text(root, "contact", service->contact);

    return discovery_done(root, good);
}

static json_t *
url(const struct x402_routes *routes, const struct x402_route *route)
{
    (void)routes;
    return discovery_text(route->url);
}

json_t *
x402_discovery_list(const struct x402_routes *routes)
{
    json_t *root = json_pack("{s:i}", "version", 1);

    return discovery_done(
        root, discovery_set(root, "resources", discovery_each(routes, url)));
}
