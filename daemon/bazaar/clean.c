/* SPDX-License-Identifier: Apache-2.0 */
/* See clean.h. */
#include "clean.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <x402/text.h>

bool
clean_is_ascii(const char *text, size_t max)
{
    size_t len = strlen(text);

    if (len == 0 || len > max)
        return false;
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
            return false;
    }
    return true;
}

bool
clean_is_word(const char *text, size_t max)
{
    return clean_is_ascii(text, max) && strpbrk(text, " \"'\\<>") == NULL;
}

bool
clean_has(const json_t *list, const char *text)
{
    const json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
    {
        if (strcasecmp(json_string_value(one), text) == 0)
            return true;
    }
    return false;
}

static json_t *clean_value(const json_t *value, unsigned depth);

static json_t *
clean_text(const json_t *value)
{
    size_t len = json_string_length(value);
    char *out = malloc(len + 1);
    json_t *text;

    if (out == NULL)
        return NULL;
    x402_text_clean(out, len + 1,
                    (struct x402_span){json_string_value(value), len});
    text = json_string(out);
    free(out);
    return text;
}

static bool
key_is_clean(const char *key)
{
    char out[130];

    return strlen(key) < sizeof(out) - 1 &&
           x402_text_clean(out, sizeof(out), x402_span_of(key)) ==
               strlen(key) &&
           strcmp(out, key) == 0;
}

static json_t *
clean_members(const json_t *object, unsigned depth)
{
    json_t *out = json_object();
    const char *key;
    json_t *member;

    json_object_foreach((json_t *)object, key, member)
    {
        if (key_is_clean(key))
            json_object_set_new(out, key, clean_value(member, depth + 1));
    }
    return out;
}

static json_t *
clean_value(const json_t *value, unsigned depth)
{
    json_t *out, *member;
    size_t i;

    if (depth > CLEAN_DEPTH_MAX)
        return json_null();
    if (json_is_string(value))
        return clean_text(value);
    if (json_is_object(value))
        return clean_members(value, depth);
    if (!json_is_array(value))
        return json_deep_copy(value);
    out = json_array();
    json_array_foreach(value, i, member)
        json_array_append_new(out, clean_value(member, depth + 1));
    return out;
}

json_t *
clean_object(const json_t *object, size_t max)
{
    if (!json_is_object(object) ||
        json_dumpb(object, NULL, 0, JSON_COMPACT) > max)
        return json_object();
    return clean_members(object, 0);
}
