/* SPDX-License-Identifier: Apache-2.0 */
/* What a tool's structuredContent looks like: its outputSchema. */
#include <string.h>

#include "mcp.h"

static const char *const defs[] = {"$defs", "definitions"};

/* The schema is put below another one: of what its references name, only its
 * definitions are still where they were. */
static bool
is_found(const json_t *root, const char *ref)
{
    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(defs[i]);

        if (strncmp(ref, "#/", 2) == 0 && strncmp(ref + 2, defs[i], len) == 0 &&
            ref[2 + len] == '/')
            return json_object_get(json_object_get(root, defs[i]),
                                   ref + 2 + len + 1) != NULL;
    }
    return false;
}

/* No deeper than X402_JSON_DEPTH_MAX: it was read so. */
static bool
all_found(const json_t *root, const json_t *at)
{
    const json_t *ref = json_object_get(at, "$ref");
    const json_t *value;
    const char *key;
    size_t i;

    if (json_is_string(ref) && !is_found(root, json_string_value(ref)))
        return false;
    json_object_foreach((json_t *)at, key, value)
    {
        if (!all_found(root, value))
            return false;
    }
    json_array_foreach(at, i, value)
    {
        if (!all_found(root, value))
            return false;
    }
    return true;
}

bool
x402_mcp_promises(const struct x402_route *route)
{
    const json_t *output = discovery_schema(route)->output;
    const json_t *type = json_object_get(output, "type");

    return json_is_string(type) &&
           strcmp(json_string_value(type), "object") == 0 &&
           all_found(output, output);
}

/* "If an output schema is provided: Servers MUST provide structured results
 * that conform to this schema", and the result of a call without a payment is
 * structured too: either of them. */
json_t *
mcp_output(const struct x402_schema *schema)
{
    json_t *root = json_pack(
        "{s:s,s:[{s:s,s:s,s:[s,s],s:{s:{s:s},s:{s:s}}}]}", "type", "object",
        "anyOf", "description",
        "PaymentRequired (x402): the call carried no payment that was good",
        "type", "object", "required", "x402Version", "accepts", "properties",
        "x402Version", "type", "integer", "accepts", "type", "array");
    json_t *answer = discovery_copy(schema->output, "{}");
    bool good = root != NULL && answer != NULL;

    for (size_t i = 0; good && i < 2; i++) {
        json_t *found = json_object_get(answer, defs[i]);

        good = found == NULL || (json_object_set(root, defs[i], found) == 0 &&
                                 json_object_del(answer, defs[i]) == 0);
    }
    good = good &&
           json_array_insert(json_object_get(root, "anyOf"), 0, answer) == 0;
    json_decref(answer);
    return discovery_done(root, good);
}
