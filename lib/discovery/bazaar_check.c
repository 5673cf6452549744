/* SPDX-License-Identifier: Apache-2.0 */
/* A bazaar extension that a stranger sent: does its example fit its schema?
 *
 * "Facilitators must validate `info` against `schema` before cataloging" --
 * specs/extensions/bazaar.md.  Of JSON Schema the keywords are judged that the
 * extension's own schemas are made of: type, const, enum, required, properties,
 * additionalProperties, items.  `pattern` and references are not followed: a
 * regular expression of a stranger's can cost any time. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../mutant.h"
#include "discovery.h"

#define DEPTH_MAX 24
#define STEPS_MAX 20000 /* values compared and members looked at */

struct checker {
    char *why;
    size_t why_len;
    unsigned steps;
};

__attribute__((format(printf, 2, 3))) static bool
refuse(struct checker *c, const char *format, ...)
{
    va_list args;

    if (c->why_len > 0 && c->why[0] == '\0') {
        va_start(args, format);
        vsnprintf(c->why, c->why_len, format, args);
        va_end(args);
    }
    return false;
}

static bool
step(struct checker *c, unsigned depth)
{
    if (depth > DEPTH_MAX)
        return refuse(c, "nested too deeply");
    if (++c->steps > STEPS_MAX)
        return refuse(c, "too large to check");
    return true;
}

/* "`$ref` and `$id` values must be same-document JSON Pointer fragments
 * (starting with `#`)" */
static bool
stays_inside(struct checker *c, const json_t *value, unsigned depth)
{
    const char *key;
    json_t *member;
    size_t i;

    if (!step(c, depth))
        return false;
    json_array_foreach(value, i, member)
    {
        if (!stays_inside(c, member, depth + 1))
            return false;
    }
    json_object_foreach((json_t *)value, key, member)
    {
        bool reference = strcmp(key, "$ref") == 0 || strcmp(key, "$id") == 0;

        if (reference &&
            (!json_is_string(member) || json_string_value(member)[0] != '#'))
            return refuse(c, "schema must not contain external $ref/$id "
                             "references");
        if (!stays_inside(c, member, depth + 1))
            return false;
    }
    return true;
}

/* -- info against schema -- */

/* JSON Schema: "integer" is any number without a fraction, 1.0 too. */
static bool
is_integer(const json_t *value)
{
    char text[64];
    size_t len;

    if (!json_is_real(value))
        return json_is_integer(value);
    len = json_dumpb(value, text, sizeof(text), JSON_ENCODE_ANY);
    return len > 2 && len < sizeof(text) &&
           memcmp(text + len - 2, ".0", 2) == 0;
}

static bool
is_type(const json_t *value, const char *name)
{
    if (strcmp(name, "object") == 0)
        return json_is_object(value);
    if (strcmp(name, "array") == 0)
        return json_is_array(value);
    if (strcmp(name, "string") == 0)
        return json_is_string(value);
    if (strcmp(name, "integer") == 0)
        return is_integer(value);
    if (strcmp(name, "number") == 0)
        return json_is_number(value);
    if (strcmp(name, "boolean") == 0)
        return json_is_boolean(value);
    return strcmp(name, "null") == 0 && json_is_null(value);
}

static bool
type_fits(struct checker *c, const json_t *value, const json_t *type,
          const char *where)
{
    const json_t *one;
    size_t i;

    if (type == NULL ||
        (json_is_string(type) && is_type(value, json_string_value(type))))
        return true;
    json_array_foreach(type, i, one)
    {
        if (json_is_string(one) && is_type(value, json_string_value(one)))
            return true;
    }
    return refuse(c, "%.64s is of another type than its schema says", where);
}

static bool
enum_fits(struct checker *c, const json_t *value, const json_t *list,
          const char *where)
{
    const json_t *one;
    size_t i;

    if (!json_is_array(list))
        return true;
    json_array_foreach(list, i, one)
    {
        if (!step(c, 0))
            return false;
        if (json_equal(value, one))
            return true;
    }
    return refuse(c, "%.64s is none of the values that its schema lists",
                  where);
}

static bool fits(struct checker *c, const json_t *value, const json_t *schema,
                 const char *where, unsigned depth);

static bool
required_fits(struct checker *c, const json_t *value, const json_t *required)
{
    const json_t *name;
    size_t i;

    json_array_foreach(required, i, name)
    {
        if (!step(c, 0))
            return false;
        if (json_is_string(name) &&
            json_object_get(value, json_string_value(name)) == NULL)
            return refuse(c, "\"%.64s\" is missing", json_string_value(name));
    }
    return true;
}

static bool
members_fit(struct checker *c, const json_t *value, const json_t *schema,
            unsigned depth)
{
    const json_t *properties = json_object_get(schema, "properties");
    const json_t *others = json_object_get(schema, "additionalProperties");
    const char *key;
    json_t *member;

    json_object_foreach((json_t *)value, key, member)
    {
        const json_t *rule = json_object_get(properties, key);

        if (rule == NULL && json_is_false(others))
            return refuse(c, "\"%.64s\" is not in the schema", key);
        if (!fits(c, member, rule != NULL ? rule : others, key, depth + 1))
            return false;
    }
    return required_fits(c, value, json_object_get(schema, "required"));
}

static bool
fits(struct checker *c, const json_t *value, const json_t *schema,
     const char *where, unsigned depth)
{
    const json_t *constant = json_object_get(schema, "const");
    const json_t *member;
    size_t i;

    if (!step(c, depth))
        return false;
    if (json_is_false(schema))
        return refuse(c, "%.64s is forbidden by its schema", where);
    if (!json_is_object(schema))
        return true;
    if (constant != NULL && !json_equal(constant, value))
        return refuse(c, "%.64s is not the constant of its schema", where);
    if (!type_fits(c, value, json_object_get(schema, "type"), where) ||
        !enum_fits(c, value, json_object_get(schema, "enum"), where))
        return false;
    json_array_foreach(value, i, member)
    {
        if (!fits(c, member, json_object_get(schema, "items"), where,
                  depth + 1))
            return false;
    }
    return !json_is_object(value) || members_fit(c, value, schema, depth);
}

/* -- what the specification says of info -- */

static bool
is_one_of(const json_t *value, const char *const *words)
{
    const char *text = json_string_value(value);

    for (; text != NULL && *words != NULL; words++) {
        if (strcmp(text, *words) == 0)
            return true;
    }
    return false;
}

static bool
http_input(struct checker *c, const json_t *input)
{
    static const char *const query[] = {"GET", "HEAD", "DELETE", NULL};
    static const char *const body[] = {"POST", "PUT", "PATCH", NULL};
    static const char *const types[] = {"json", "form-data", "text", NULL};
    const json_t *method = json_object_get(input, "method");
    const json_t *type = json_object_get(input, "bodyType");

    if (!is_one_of(method, query) && !is_one_of(method, body))
        return refuse(c, "info.input.method is none of GET, HEAD, DELETE, "
                         "POST, PUT, PATCH");
    if (type != NULL && !is_one_of(type, types))
        return refuse(c, "info.input.bodyType is none of json, form-data, "
                         "text");
    if ((type != NULL) != is_one_of(method, body))
        return refuse(c, "info.input.bodyType and info.input.method do not "
                         "belong together");
    return true;
}

/* "The April copy says `tool` where newer text says `toolName`": both. */
static bool
mcp_input(struct checker *c, const json_t *input)
{
    static const char *const transports[] = {"streamable-http", "sse", NULL};
    const char *name = x402_bazaar_tool(input);
    const json_t *transport = json_object_get(input, "transport");

    if (name == NULL || *name == '\0' || strlen(name) > 128)
        return refuse(c, "info.input.toolName is no text of 1 to 128 bytes");
    if (!json_is_object(json_object_get(input, "inputSchema")))
        return refuse(c, "info.input.inputSchema is no object");
    if (transport != NULL && !is_one_of(transport, transports))
        return refuse(c, "info.input.transport is neither streamable-http nor "
                         "sse");
    return true;
}

const char *
x402_bazaar_tool(const json_t *input)
{
    const char *name = json_string_value(json_object_get(input, "toolName"));

    return name != NULL ? name
                        : json_string_value(json_object_get(input, "tool"));
}

static bool
info_is_good(struct checker *c, const json_t *info)
{
    static const char *const http[] = {"http", NULL}, *const mcp[] = {"mcp",
                                                                      NULL};
    const json_t *input = json_object_get(info, "input");
    const json_t *type = json_object_get(input, "type");

    if (!json_is_object(input))
        return refuse(c, "info.input is no object");
    if (is_one_of(type, http))
        return http_input(c, input);
    if (is_one_of(type, mcp))
        return mcp_input(c, input);
    return refuse(c, "info.input.type is neither http nor mcp");
}

enum x402_err
x402_bazaar_check(char *why, size_t why_len, const json_t *extension)
{
    struct checker c = {why, why_len, 0};
    const json_t *info = json_object_get(extension, "info");
    const json_t *schema = json_object_get(extension, "schema");

    if (why_len > 0)
        why[0] = '\0';
    if (!json_is_object(info) || !json_is_object(schema))
        refuse(&c, "info and schema must be objects");
    else if (stays_inside(&c, schema, 0) && info_is_good(&c, info) &&
             (mutant("bazaar_schema") || fits(&c, info, schema, "info", 0)))
        return X402_OK;
    return X402_ERR_SYNTAX;
}
