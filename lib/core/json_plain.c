/* SPDX-License-Identifier: Apache-2.0 */
/* See json_plain.h.  Nothing here needs to be refused for good, so that each
 * rule may be narrower than JSON's. */
#include "json_plain.h"

#include <stdbool.h>
#include <string.h>

#define NAME_MAX_LEN 63
#define DIGITS_MAX 15 /* far from what a json_int_t holds */

struct plain {
    const char *at, *end;
    unsigned depth; /* how many more may be opened */
};

static json_t *read_value(struct plain *p);

static void
skip_space(struct plain *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' ||
                              *p->at == '\r' || *p->at == '\t'))
        p->at++;
}

static bool
take(struct plain *p, char wanted)
{
    skip_space(p);
    if (p->at == p->end || *p->at != wanted)
        return false;
    p->at++;
    return true;
}

/* The opening quote was taken. */
static bool
read_text(struct plain *p, struct x402_span *out)
{
    const char *at = p->at;

    while (at < p->end && *at >= ' ' && *at <= '~' && *at != '"' && *at != '\\')
        at++;
    if (at == p->end || *at != '"')
        return false;
    *out = (struct x402_span){p->at, (size_t)(at - p->at)};
    p->at = at + 1;
    return true;
}

static json_t *
read_string(struct plain *p)
{
    struct x402_span text;

    return read_text(p, &text) ? json_stringn_nocheck(text.at, text.len) : NULL;
}

static bool
read_member(struct plain *p, json_t *object)
{
    char name[NAME_MAX_LEN + 1];
    size_t before = json_object_size(object);
    struct x402_span text;

    if (!take(p, '"') || !read_text(p, &text) || text.len > NAME_MAX_LEN ||
        !take(p, ':'))
        return false;
    memcpy(name, text.at, text.len);
    name[text.len] = '\0';
    /* a name that was there before does not make the object larger */
    return json_object_set_new_nocheck(object, name, read_value(p)) == 0 &&
           json_object_size(object) > before;
}

static bool
read_element(struct plain *p, json_t *array)
{
    return json_array_append_new(array, read_value(p)) == 0;
}

/* The opening bracket was taken. */
static json_t *
read_list(struct plain *p, json_t *list, char close,
          bool (*read_one)(struct plain *, json_t *))
{
    bool good = p->depth-- > 0;

    if (good && !take(p, close)) {
        do
            good = read_one(p, list);
        while (good && take(p, ','));
        good = good && take(p, close);
    }
    p->depth++;
    if (good)
        return list;
    json_decref(list);
    return NULL;
}

/* No sign, fraction, exponent, or leading zero. */
static json_t *
read_number(struct plain *p)
{
    const char *begin = p->at;
    json_int_t value = 0;

    while (p->at < p->end && *p->at >= '0' && *p->at <= '9' &&
           p->at - begin < DIGITS_MAX)
        value = 10 * value + (*p->at++ - '0');
    if (p->at == begin || (*begin == '0' && p->at - begin > 1) ||
        p->at == p->end || strchr(" \n\r\t,]}", *p->at) == NULL ||
        *p->at == '\0')
        return NULL;
    return json_integer(value);
}

static bool
take_word(struct plain *p, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(p->end - p->at) < len || memcmp(p->at, word, len) != 0)
        return false;
    p->at += len;
    return true;
}

static json_t *
read_value(struct plain *p)
{
    if (take(p, '"'))
        return read_string(p);
    if (take(p, '{'))
        return read_list(p, json_object(), '}', read_member);
    if (take(p, '['))
        return read_list(p, json_array(), ']', read_element);
    if (take_word(p, "true"))
        return json_true();
    if (take_word(p, "false"))
        return json_false();
    if (take_word(p, "null"))
        return json_null();
    return read_number(p);
}

json_t *
json_plain(struct x402_span text, unsigned max_depth)
{
    struct plain p = {text.at, text.at + text.len, max_depth};
    json_t *value = read_value(&p);

    skip_space(&p);
    if (value == NULL || p.at == p.end)
        return value;
    json_decref(value);
    return NULL;
}
