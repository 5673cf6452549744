/* SPDX-License-Identifier: Apache-2.0 */
/* What nodes answer, walked without a tree: plain ASCII that jansson reads is
 * accepted and says the same; what is accepted is JSON. */
#include "../../daemon/chain/scan.h"

#include "fuzz.h"

#include <ctype.h>

#include <jansson.h>

static bool
is_plain(struct x402_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\0' || !isascii((unsigned char)text.at[i]))
            return false;
    }
    return true;
}

/* jansson refuses numbers that it cannot hold, and some \u. */
static bool
is_simple(struct x402_span text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '\\' || isdigit((unsigned char)text.at[i]))
            return false;
    }
    return true;
}

static void check_same(const json_t *value, struct x402_span text);

static void
check_object(const json_t *value, struct x402_span text)
{
    struct x402_span name, item;
    struct scan scan;
    size_t n = 0;

    HOLDS(scan_begin(&scan, text) && scan.object);
    while (scan_next(&scan, &name, &item)) {
        struct scan_want want = {.name = "id"};

        if (memchr(name.at, '\\', name.len) == NULL)
            check_same(json_object_getn(value, name.at, name.len), item);
        if (scan_find(&want, 1, text) && scan_is(name, "id"))
            HOLDS(want.value.at == item.at);
        n++;
    }
    HOLDS(n == json_object_size(value));
}

static void
check_array(const json_t *value, struct x402_span text)
{
    struct x402_span name, item;
    struct scan scan;
    size_t n = 0;

    HOLDS(scan_begin(&scan, text) && !scan.object);
    while (scan_next(&scan, &name, &item))
        check_same(json_array_get(value, n++), item);
    HOLDS(n == json_array_size(value));
}

static void
check_same(const json_t *value, struct x402_span text)
{
    struct x402_span string;
    struct scan scan;

    HOLDS(value != NULL && scan_check(text));
    if (json_is_object(value))
        check_object(value, text);
    else if (json_is_array(value))
        check_array(value, text);
    else
        HOLDS(!scan_begin(&scan, text));
    if (scan_string(&string, text))
        HOLDS(string.len == json_string_length(value) &&
              memcmp(string.at, json_string_value(value), string.len) == 0);
    else
        HOLDS(!json_is_string(value) ||
              memchr(text.at, '\\', text.len) != NULL);
    HOLDS(scan_is(text, "null") == json_is_null(value));
}

/* What is inside a text is found without the spaces around it. */
static struct x402_span
bare(struct x402_span text)
{
    while (text.len > 0 && strchr(" \t\r\n", text.at[text.len - 1]) != NULL)
        text.len--;
    while (text.len > 0 && strchr(" \t\r\n", text.at[0]) != NULL) {
        text.at++;
        text.len--;
    }
    return text;
}

static bool
is_shallow(const json_t *value, unsigned depth)
{
    const char *key;
    json_t *item;
    size_t i;

    if (json_is_object(value) || json_is_array(value)) {
        if (++depth > SCAN_DEPTH_MAX)
            return false;
    }
    json_array_foreach(value, i, item)
    {
        if (!is_shallow(item, depth))
            return false;
    }
    json_object_foreach((json_t *)value, key, item)
    {
        if (!is_shallow(item, depth))
            return false;
    }
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1); /* so that one byte too far is seen */
    struct x402_span text = {copy, size};
    json_t *value;
    bool good;

    HOLDS(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    copy = realloc(copy, size > 0 ? size : 1);
    text.at = copy;
    good = scan_check(text);
    value = size == 0
                ? NULL
                : json_loadb(copy, size,
                             JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (is_plain(text) && value != NULL && is_shallow(value, 0)) {
        HOLDS(good);
        check_same(value, bare(text));
    }
    if (good && is_plain(text) && is_simple(text)) {
        json_t *any = json_loadb(copy, size, JSON_DECODE_ANY, NULL);

        HOLDS(any != NULL);
        json_decref(any);
    }
    json_decref(value);
    free(copy);
    return 0;
}
