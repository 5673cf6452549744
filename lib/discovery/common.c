/* SPDX-License-Identifier: Apache-2.0 */
/* Small steps that every document takes. */
#include <x402/json.h>
#include <x402/offer.h>

#include "discovery.h"

json_t *
discovery_text(struct x402_span text)
{
    return json_stringn(text.len > 0 ? text.at : "", text.len);
}

json_t *
discovery_copy(const json_t *value, const char *otherwise)
{
    if (value != NULL)
        return json_deep_copy(value);
    return json_loads(otherwise, JSON_DECODE_ANY, NULL);
}

bool
discovery_set(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

bool
discovery_set_text(json_t *object, const char *key, struct x402_span text)
{
    return text.len == 0 || discovery_set(object, key, discovery_text(text));
}

json_t *
discovery_done(json_t *value, bool good)
{
    if (good)
        return value;
    json_decref(value);
    return NULL;
}

json_t *
discovery_each(const struct x402_routes *routes,
               json_t *(*entry)(const struct x402_routes *,
                                const struct x402_route *))
{
    json_t *array = json_array();
    bool good = array != NULL;

    for (size_t i = 0; good && i < routes->len; i++)
        good = json_array_append_new(array, entry(routes, &routes->at[i])) == 0;
    return discovery_done(array, good);
}

const struct x402_schema *
discovery_schema(const struct x402_route *route)
{
    static const struct x402_schema nothing = {.method = "GET"};

    return route->schema != NULL ? route->schema : &nothing;
}

struct x402_span
x402_route_method(const struct x402_route *route)
{
    return x402_span_of(discovery_schema(route)->method);
}

/* Read back from the text of the 402, so that there is one writer of it. */
json_t *
discovery_accepts(const struct x402_route *route)
{
    char memory[32768];
    struct x402_buf text = x402_buf_on(memory, sizeof(memory));
    struct x402_offer offer = {
        .resource_url = route->url,
        .method = x402_route_method(route),
        .accepts = route->accepts,
        .accepts_len = route->accepts_len,
    };
    json_t *root, *accepts;

    x402_offer_v2(&text, &offer);
    if (text.full || x402_json_load(&root, x402_buf_span(&text), sizeof(memory),
                                    X402_JSON_DEPTH_MAX) != X402_OK)
        return NULL;
    accepts = json_incref(json_object_get(root, "accepts"));
    json_decref(root);
    return accepts;
}

json_t *
discovery_price(const struct x402_route *route)
{
    const struct x402_requirement *first = route->accepts;
    char text[X402_AMOUNT_TEXT_MAX + 32];

    if (route->accepts_len == 0)
        return NULL;
    x402_amount_format_decimal(text, &first->amount, first->asset->decimals, 2);
    return json_string(text);
}

bool
discovery_price_is_most(const struct x402_route *route)
{
    return route->accepts_len > 0 &&
           route->accepts[0].method == X402_METHOD_PERMIT2_UPTO;
}

json_t *
discovery_url(const struct x402_routes *routes, const char *path)
{
    struct x402_span base = routes->service->base_url;

    return json_sprintf("%.*s%s", (int)base.len, base.at, path);
}

/* The host of an origin, without scheme and port. */
static struct x402_span
host_of(struct x402_span base_url)
{
    const char *end = base_url.at + base_url.len;
    const char *host = memchr(base_url.at, '/', base_url.len);
    const char *colon;

    host = host != NULL && end - host > 2 ? host + 2 : base_url.at;
    if (*host != '[' && (colon = memchr(host, ':', (size_t)(end - host))))
        end = colon;
    return (struct x402_span){host, (size_t)(end - host)};
}

json_t *
discovery_title(const struct x402_service *service)
{
    return discovery_text(service->name.len > 0 ? service->name
                                                : host_of(service->base_url));
}

json_t *
discovery_version(const struct x402_service *service)
{
    return service->version.len > 0 ? discovery_text(service->version)
                                    : json_string("1.0.0");
}

json_t *
discovery_mime(const struct x402_route *route)
{
    return route->mime_type.len > 0 ? discovery_text(route->mime_type)
                                    : json_string("application/json");
}

json_t *
discovery_protocols(void)
{
    return json_loads("[{\"x402\":{}}]", 0, NULL);
}
