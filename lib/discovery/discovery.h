/* SPDX-License-Identifier: Apache-2.0 */
/* What the documents have in common.  Nobody outside includes this. */
#ifndef X402_LIB_DISCOVERY_H
#define X402_LIB_DISCOVERY_H

#include <x402/discovery.h>

/* Members of a schema file, checked when it was read; NULL: not said. */
struct x402_schema {
    json_t *root;
    const char *method;
    bool has_body; /* POST, PUT, PATCH */
    const json_t *query, *query_example;
    const char *body_type;
    const json_t *body, *body_example;
    const json_t *output, *output_example;
};

/* The schema of a route that has none: a GET of anything. */
const struct x402_schema *discovery_schema(const struct x402_route *route);

/* All of them return new references, NULL: out of memory. */
json_t *discovery_text(struct x402_span text);
json_t *discovery_copy(const json_t *value, const char *otherwise);
/* The route's "accepts", from the writer of the 402 itself. */
json_t *discovery_accepts(const struct x402_route *route);
/* "0.001" of the first accept; NULL: the price depends on the request. */
json_t *discovery_price(const struct x402_route *route);
/* upto: that price is the most that a call can cost. */
bool discovery_price_is_most(const struct x402_route *route);
json_t *discovery_url(const struct x402_routes *routes, const char *path);
json_t *discovery_title(const struct x402_service *service);
json_t *discovery_version(const struct x402_service *service);
json_t *discovery_mime(const struct x402_route *route);
json_t *discovery_protocols(void);

/* object[key] = value, taking the reference; false: either was NULL. */
bool discovery_set(json_t *object, const char *key, json_t *value);
/* The same when the text is said; true also when it is not. */
bool discovery_set_text(json_t *object, const char *key, struct x402_span text);
/* value when all went well; otherwise releases it and returns NULL. */
json_t *discovery_done(json_t *value, bool good);
/* One entry for each route, in order. */
json_t *discovery_each(const struct x402_routes *routes,
                       json_t *(*entry)(const struct x402_routes *,
                                        const struct x402_route *));

#endif
