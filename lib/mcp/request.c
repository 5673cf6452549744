/* SPDX-License-Identifier: Apache-2.0 */
/* A call's arguments as the query and the body of the route's request. */
#include <stdio.h>

#include "mcp.h"

#define BOUNDARY "x402-mcp-7e1b0c5f4a93d286"

static const char hex[] = "0123456789ABCDEF";

/* RFC 3986, section 2.3: unreserved characters stay as they are. */
static void
add_encoded(struct x402_buf *buf, struct x402_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                     (c >= 'a' && c <= 'z') || c == '-' || c == '_' ||
                     c == '.' || c == '~';

        if (plain) {
            x402_buf_char(buf, (char)c);
        } else {
            x402_buf_char(buf, '%');
            x402_buf_char(buf, hex[c >> 4]);
            x402_buf_char(buf, hex[c & 15]);
        }
    }
}

static bool
reads_as(struct x402_span text, const json_t *value)
{
    json_t *back = json_loadb(text.at, text.len, JSON_DECODE_ANY, NULL);
    bool same = back != NULL && json_equal(back, value);

    json_decref(back);
    return same;
}

/* With as few digits as say the same numbers: 17 make 19.989999999999998 of
 * 19.99.  Returns the length; 0 or more than cap: it is not there. */
static size_t
dump(char *out, size_t cap, const json_t *value)
{
    size_t n = 0;

    for (unsigned digits = 15; digits <= 17; digits++) {
        n = json_dumpb(value, out, cap,
                       JSON_ENCODE_ANY | JSON_COMPACT |
                           JSON_REAL_PRECISION(digits));
        if (n == 0 || n > cap || reads_as((struct x402_span){out, n}, value))
            break;
    }
    return n;
}

/* A scalar as text; numbers as JSON writes them.  false: it is none. */
static bool
scalar(struct x402_span *out, char number[40], const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        *out = (struct x402_span){json_string_value(value),
                                  json_string_length(value)};
        return true;
    case JSON_INTEGER:
    case JSON_REAL: {
        size_t n = dump(number, 40, value);

        *out = (struct x402_span){number, n};
        return n > 0 && n <= 40;
    }
    case JSON_TRUE:
    case JSON_FALSE:
        *out = x402_span_of(json_is_true(value) ? "true" : "false");
        return true;
    case JSON_NULL:
    case JSON_OBJECT:
    case JSON_ARRAY:
        break;
    }
    return false;
}

static bool
add_parameter(struct x402_buf *query, const char *key, const json_t *value)
{
    struct x402_span text;
    char number[40];

    if (!scalar(&text, number, value))
        return false;
    if (query->len > 0)
        x402_buf_char(query, '&');
    add_encoded(query, x402_span_of(key));
    x402_buf_char(query, '=');
    add_encoded(query, text);
    return true;
}

/* a=1&a=2 for lists; what is null is left out */
static bool
add_query(struct x402_buf *query, const json_t *object)
{
    const char *key;
    json_t *value, *item;
    size_t i;

    json_object_foreach((json_t *)object, key, value)
    {
        if (json_is_null(value))
            continue;
        if (!json_is_array(value)) {
            if (!add_parameter(query, key, value))
                return false;
            continue;
        }
        json_array_foreach(value, i, item)
        {
            if (!add_parameter(query, key, item))
                return false;
        }
    }
    return true;
}

static void
add_json(struct x402_buf *body, const json_t *value)
{
    size_t room = body->cap - body->len;
    size_t n = dump(body->at + body->len, room, value);

    if (n == 0 || n > room)
        body->full = true;
    else
        body->len += n;
}

/* RFC 7578; a name or value that could end its part is refused */
static bool
add_form(struct x402_buf *body, const json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
    {
        struct x402_span text;
        char number[40];

        if (json_is_null(value))
            continue;
        if (strpbrk(key, "\"\r\n") != NULL || !scalar(&text, number, value) ||
            (json_is_string(value) &&
             strstr(json_string_value(value), BOUNDARY) != NULL))
            return false;
        x402_buf_text(body, "--" BOUNDARY "\r\n"
                            "Content-Disposition: form-data; name=\"");
        x402_buf_text(body, key);
        x402_buf_text(body, "\"\r\n\r\n");
        x402_buf_add(body, text);
        x402_buf_text(body, "\r\n");
    }
    x402_buf_text(body, "--" BOUNDARY "--\r\n");
    return true;
}

static bool
add_body(struct x402_buf *body, const char **type,
         const struct x402_schema *schema, const json_t *value)
{
    if (strcmp(schema->body_type, "text") == 0) {
        *type = "text/plain; charset=utf-8";
        if (!json_is_string(value))
            return false;
        x402_buf_add(body, (struct x402_span){json_string_value(value),
                                              json_string_length(value)});
        return true;
    }
    if (strcmp(schema->body_type, "form-data") == 0) {
        *type = "multipart/form-data; boundary=" BOUNDARY;
        return json_is_object(value) && add_form(body, value);
    }
    *type = "application/json";
    add_json(body, value);
    return true;
}

/* "Servers MUST: Validate all tool inputs": that what is required is there is
 * seen before anything is paid; the rest is the API's to say. */
static bool
complete(const struct x402_schema *schema, const json_t *arguments)
{
    json_t *input = mcp_input(schema);
    bool good = input != NULL;
    json_t *name;
    size_t i;

    json_array_foreach(json_object_get(input, "required"), i, name)
    {
        good = good &&
               (!json_is_string(name) ||
                json_object_get(arguments, json_string_value(name)) != NULL);
    }
    json_decref(input);
    return good;
}

enum x402_mcp_code
x402_mcp_request(struct x402_buf *query, struct x402_buf *body,
                 const char **type, const struct x402_route *route,
                 const json_t *arguments, const char **why)
{
    const struct x402_schema *schema = discovery_schema(route);
    json_t *nothing = json_object();
    const json_t *given = arguments != NULL ? arguments : nothing;
    bool good = false;

    *type = NULL;
    *why = "an argument that the tool's schema requires is missing";
    if (given != NULL && complete(schema, given)) {
        *why = "the arguments cannot be written as the route's request";
        switch (mcp_shape(schema)) {
        case MCP_QUERY:
            good = add_query(query, given);
            break;
        case MCP_BODY:
            good = add_body(body, type, schema, given);
            break;
        case MCP_BOTH:
            good = add_query(query, json_object_get(given, "query")) &&
                   add_body(body, type, schema, json_object_get(given, "body"));
            break;
        }
    }
    json_decref(nothing);
    if (query->full || body->full)
        *why = "the arguments are too large";
    return good && !query->full && !body->full ? X402_MCP_OK : X402_MCP_PARAMS;
}
