/* SPDX-License-Identifier: Apache-2.0 */
/* A schema file: checked here, once, so that the documents can trust it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x402/json.h>

#include "discovery.h"

struct reader {
    char *why;
    size_t why_len;
};

__attribute__((format(printf, 2, 3))) static bool
refuse(struct reader *reader, const char *format, ...)
{
    va_list args;

    if (reader->why_len > 0 && reader->why[0] == '\0') {
        va_start(args, format);
        vsnprintf(reader->why, reader->why_len, format, args);
        va_end(args);
    }
    return false;
}

/* No key but these: a misspelt one would say nothing to anybody. */
static bool
only(struct reader *reader, const json_t *object, const char *where,
     const char *const *keys)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        size_t i = 0;

        while (keys[i] != NULL && strcmp(keys[i], key) != 0)
            i++;
        if (keys[i] == NULL)
            return refuse(reader, "%s has an unknown member \"%.64s\"", where,
                          key);
    }
    return true;
}

/* "`$ref` and `$id` values must be same-document JSON Pointer fragments
 * (starting with `#`)" -- specs/extensions/bazaar.md, Schema Validation */
static bool
stays_inside(struct reader *reader, const json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;

    json_array_foreach(value, i, member)
    {
        if (!stays_inside(reader, member))
            return false;
    }
    json_object_foreach((json_t *)value, key, member)
    {
        if ((strcmp(key, "$ref") == 0 || strcmp(key, "$id") == 0) &&
            json_is_string(member) && json_string_value(member)[0] != '#')
            return refuse(reader, "%s must begin with '#': \"%.64s\"", key,
                          json_string_value(member));
        if (!stays_inside(reader, member))
            return false;
    }
    return true;
}

/* {"schema": object, "example": anything} */
static bool
part(struct reader *reader, const json_t *root, const char *name,
     const json_t **schema, const json_t **example)
{
    static const char *const keys[] = {"schema", "example", "type", NULL};
    const json_t *object = json_object_get(root, name);

    if (object == NULL)
        return true;
    if (!json_is_object(object))
        return refuse(reader, "\"%s\" is not an object", name);
    *schema = json_object_get(object, "schema");
    *example = json_object_get(object, "example");
    if (*schema != NULL && !json_is_object(*schema))
        return refuse(reader, "\"%s\".schema is not an object", name);
    return only(reader, object, name, keys) && stays_inside(reader, *schema);
}

static bool
read_method(struct reader *reader, struct x402_schema *schema)
{
    static const char *const names[] = {"GET",  "HEAD", "DELETE",
                                        "POST", "PUT",  "PATCH"};
    const json_t *value = json_object_get(schema->root, "method");

    schema->method = json_object_get(schema->root, "body") ? "POST" : "GET";
    if (value != NULL)
        schema->method = json_is_string(value) ? json_string_value(value) : "";
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], schema->method) != 0)
            continue;
        schema->has_body = i >= 3;
        return true;
    }
    return refuse(reader, "\"method\" is none of GET, HEAD, DELETE, POST, PUT, "
                          "PATCH");
}

static bool
read_body(struct reader *reader, struct x402_schema *schema)
{
    const json_t *body = json_object_get(schema->root, "body");
    const json_t *type = json_object_get(body, "type");

    if (body != NULL && !schema->has_body)
        return refuse(reader, "a %s has no \"body\"", schema->method);
    schema->body_type = "json";
    if (type != NULL)
        schema->body_type = json_is_string(type) ? json_string_value(type) : "";
    if (strcmp(schema->body_type, "json") != 0 &&
        strcmp(schema->body_type, "form-data") != 0 &&
        strcmp(schema->body_type, "text") != 0)
        return refuse(reader, "\"body\".type is none of json, form-data, text");
    return part(reader, schema->root, "body", &schema->body,
                &schema->body_example);
}

static bool
read_words(struct reader *reader, const json_t *root)
{
    const json_t *summary = json_object_get(root, "summary");
    const json_t *tags = json_object_get(root, "tags");
    const json_t *tag;
    size_t i;

    if (summary != NULL && !json_is_string(summary))
        return refuse(reader, "\"summary\" is not a text");
    if (tags != NULL && (!json_is_array(tags) || json_array_size(tags) > 5))
        return refuse(reader, "\"tags\" is not a list of at most 5 words");
    json_array_foreach(tags, i, tag)
    {
        if (!json_is_string(tag) || json_string_length(tag) == 0 ||
            json_string_length(tag) > 32)
            return refuse(reader, "a tag is not a text of 1 to 32 bytes");
    }
    return true;
}

static bool
read_members(struct reader *reader, struct x402_schema *schema)
{
    static const char *const keys[] = {"method", "summary", "tags", "query",
                                       "body",   "output",  NULL};

    if (!json_is_object(schema->root))
        return refuse(reader, "the file is not one JSON object");
    return only(reader, schema->root, "the file", keys) &&
           read_method(reader, schema) && read_words(reader, schema->root) &&
           part(reader, schema->root, "query", &schema->query,
                &schema->query_example) &&
           read_body(reader, schema) &&
           part(reader, schema->root, "output", &schema->output,
                &schema->output_example);
}

enum x402_err
x402_schema_read(struct x402_schema **out, char *why, size_t why_len,
                 struct x402_span text)
{
    struct reader reader = {why, why_len};
    struct x402_schema schema = {0};
    enum x402_err err;

    if (why_len > 0)
        why[0] = '\0';
    err = x402_json_load(&schema.root, text, X402_SCHEMA_MAX,
                         X402_JSON_DEPTH_MAX);
    if (err != X402_OK) {
        refuse(&reader, err == X402_ERR_TOO_LARGE
                            ? "the file is larger than 64 KiB"
                            : "the file is not well-formed JSON");
        return err;
    }
    *out = read_members(&reader, &schema) ? malloc(sizeof(**out)) : NULL;
    if (*out == NULL) {
        json_decref(schema.root);
        return X402_ERR_SYNTAX;
    }
    **out = schema;
    return X402_OK;
}

void
x402_schema_free(struct x402_schema *schema)
{
    if (schema == NULL)
        return;
    json_decref(schema->root);
    free(schema);
}
