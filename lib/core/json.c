/* SPDX-License-Identifier: Apache-2.0 */
/* The one door through which JSON comes in.  jansson parses; what it would let
 * pass, or what it would do much work or recursion for, is refused before. */
#include <x402/json.h>

#include <assert.h>

#include <x402/encode.h>

#include "../mutant.h"

/* The index after the string that begins at text.at[i], or text.len. */
static size_t
skip_string(struct x402_span text, size_t i)
{
    for (i++; i < text.len && text.at[i] != '"'; i++) {
        if (text.at[i] == '\\')
            i++;
    }
    return i < text.len ? i + 1 : text.len;
}

/* Brackets outside strings never nest deeper than max_depth.  Says nothing
 * about the rest of the grammar: that is jansson's part, which recurses. */
static bool
is_shallow(struct x402_span text, unsigned max_depth)
{
    unsigned depth = 0;

    for (size_t i = 0; i < text.len;) {
        char c = text.at[i];

        if (c == '"') {
            i = skip_string(text, i);
            continue;
        }
        if ((c == '[' || c == '{') && ++depth > max_depth)
            return false;
        if ((c == ']' || c == '}') && depth-- == 0)
            return false;
        i++;
    }
    return true;
}

static enum x402_err
load(json_t **out, struct x402_span text, size_t max_bytes, unsigned max_depth,
     size_t more_flags)
{
    /* RFC 8259, section 4: "The names within an object SHOULD be unique."
     * Parsers differ in which of two they see; a payment has one meaning. */
    const size_t flags =
        JSON_DECODE_ANY | more_flags |
        (mutant("json_duplicates") ? 0 : JSON_REJECT_DUPLICATES);
    json_t *value;

    assert(max_depth >= 1 && max_depth <= X402_JSON_DEPTH_MAX);
    if (text.len > max_bytes)
        return X402_ERR_TOO_LARGE;
    if (text.len == 0 || memchr(text.at, '\0', text.len) != NULL)
        return X402_ERR_SYNTAX;
    if (!is_shallow(text, max_depth))
        return X402_ERR_SYNTAX;
    value = json_loadb(text.at, text.len, flags, NULL);
    if (value == NULL)
        return X402_ERR_SYNTAX;
    *out = value;
    return X402_OK;
}

enum x402_err
x402_json_load(json_t **out, struct x402_span text, size_t max_bytes,
               unsigned max_depth)
{
    return load(out, text, max_bytes, max_depth, 0);
}

enum x402_err
x402_json_load_node(json_t **out, struct x402_span text, size_t max_bytes,
                    unsigned max_depth)
{
    return load(out, text, max_bytes, max_depth, JSON_ALLOW_NUL);
}

enum x402_err
x402_json_string(struct x402_span *out, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_string(value))
        return X402_ERR_SYNTAX;
    out->at = json_string_value(value);
    out->len = json_string_length(value);
    return X402_OK;
}

enum x402_err
x402_json_address(struct x402_address *out, const json_t *object,
                  const char *key)
{
    struct x402_span text;
    enum x402_err err = x402_json_string(&text, object, key);

    return err == X402_OK ? x402_address_parse(out, text) : err;
}

enum x402_err
x402_json_amount(struct x402_amount *out, const json_t *object, const char *key)
{
    struct x402_span text;
    enum x402_err err = x402_json_string(&text, object, key);

    return err == X402_OK ? x402_amount_parse(out, text) : err;
}

enum x402_err
x402_json_hex(uint8_t *out, size_t len, const json_t *object, const char *key)
{
    struct x402_span text;
    enum x402_err err = x402_json_string(&text, object, key);

    return err == X402_OK ? x402_hex_decode(out, len, text) : err;
}

enum x402_err
x402_json_object(const json_t **out, const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_object(value))
        return X402_ERR_SYNTAX;
    *out = value;
    return X402_OK;
}
