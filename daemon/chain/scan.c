/* SPDX-License-Identifier: Apache-2.0 */
/* See scan.h. */
#include "scan.h"

#include <stdint.h>
#include <string.h>

/* -- checking -- */

struct check {
    const char *at, *end;
    unsigned depth;
};

static bool check_value(struct check *c);

static void
skip_space(const char **at, const char *end)
{
    while (*at < end &&
           (**at == ' ' || **at == '\t' || **at == '\n' || **at == '\r'))
        (*at)++;
}

static bool
take(struct check *c, char wanted)
{
    skip_space(&c->at, c->end);
    if (c->at == c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

static bool
check_word(struct check *c, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(c->end - c->at) < len || memcmp(c->at, word, len) != 0)
        return false;
    c->at += len;
    return true;
}

static bool
is_digit(const struct check *c)
{
    return c->at < c->end && *c->at >= '0' && *c->at <= '9';
}

static bool
check_digits(struct check *c)
{
    if (!is_digit(c))
        return false;
    while (is_digit(c))
        c->at++;
    return true;
}

/* number = [ minus ] int [ frac ] [ exp ] */
static bool
check_number(struct check *c)
{
    if (*c->at == '-')
        c->at++;
    if (c->at < c->end && *c->at == '0')
        c->at++;
    else if (!check_digits(c))
        return false;
    if (c->at < c->end && *c->at == '.') {
        c->at++;
        if (!check_digits(c))
            return false;
    }
    if (c->at < c->end && (*c->at == 'e' || *c->at == 'E')) {
        c->at++;
        if (c->at < c->end && (*c->at == '+' || *c->at == '-'))
            c->at++;
        return check_digits(c);
    }
    return true;
}

static bool
check_escape(struct check *c)
{
    static const char hex[] = "0123456789abcdefABCDEF";

    if (c->at == c->end || *c->at == '\0')
        return false;
    if (*c->at != 'u')
        return strchr("\"\\/bfnrt", *c->at++) != NULL;
    c->at++;
    for (int i = 0; i < 4; i++, c->at++) {
        if (c->at == c->end || *c->at == '\0' || strchr(hex, *c->at) == NULL)
            return false;
    }
    return true;
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Is there a quote, a backslash or a control among these eight bytes?  May say
 * so for nothing, and then they are looked at one by one. */
static bool
has_special(const char *at)
{
    uint64_t word, quote, slash;

    memcpy(&word, at, sizeof word);
    quote = word ^ EACH('"');
    slash = word ^ EACH('\\');
    return (((quote - EACH(1)) | (slash - EACH(1)) | (word - EACH(0x20)) |
             word) &
            EACH(0x80)) != 0;
}

static bool
check_string(struct check *c)
{
    for (c->at++;;) {
        while (c->end - c->at >= 8 && !has_special(c->at))
            c->at += 8;
        if (c->at == c->end || (unsigned char)*c->at < 0x20)
            return false;
        switch (*c->at++) {
        case '"':
            return true;
        case '\\':
            if (!check_escape(c))
                return false;
        }
    }
}

static bool
check_members(struct check *c, char close)
{
    c->at++;
    if (take(c, close))
        return true;
    do {
        skip_space(&c->at, c->end);
        if (close == '}' && (c->at == c->end || *c->at != '"' ||
                             !check_string(c) || !take(c, ':')))
            return false;
        if (!check_value(c))
            return false;
    } while (take(c, ','));
    return take(c, close);
}

static bool
check_list(struct check *c, char close)
{
    bool good;

    if (++c->depth > SCAN_DEPTH_MAX)
        return false;
    good = check_members(c, close);
    c->depth--;
    return good;
}

static bool
check_value(struct check *c)
{
    skip_space(&c->at, c->end);
    if (c->at == c->end)
        return false;
    switch (*c->at) {
    case '{':
        return check_list(c, '}');
    case '[':
        return check_list(c, ']');
    case '"':
        return check_string(c);
    case 't':
        return check_word(c, "true");
    case 'f':
        return check_word(c, "false");
    case 'n':
        return check_word(c, "null");
    default:
        return check_number(c);
    }
}

bool
scan_check(struct x402_span text)
{
    struct check c = {text.at, text.at + text.len, 0};

    if (text.len == 0 || !check_value(&c))
        return false;
    skip_space(&c.at, c.end);
    return c.at == c.end;
}

/* -- walking: the text is known to be good -- */

static const char *
end_of_string(const char *at, const char *end)
{
    for (at++; at < end; at++) {
        const char *quote = memchr(at, '"', (size_t)(end - at));
        const char *slash;

        if (quote == NULL)
            return end;
        slash = memchr(at, '\\', (size_t)(quote - at));
        if (slash == NULL)
            return quote + 1;
        at = slash + 1; /* what follows it is skipped, a quote too */
    }
    return end;
}

static const char *
end_of_value(const char *at, const char *end)
{
    unsigned depth = 0;

    if (*at != '"' && *at != '{' && *at != '[') {
        while (at < end && memchr(",]} \t\r\n", *at, 7) == NULL)
            at++;
        return at;
    }
    while (at < end) {
        if (*at == '"') {
            at = end_of_string(at, end);
        } else {
            depth += *at == '{' || *at == '[';
            depth -= *at == '}' || *at == ']';
            at++;
        }
        if (depth == 0)
            return at;
    }
    return end;
}

static void
trim(struct x402_span *value)
{
    const char *at = value->at;

    skip_space(&at, value->at + value->len);
    value->len -= (size_t)(at - value->at);
    value->at = at;
}

bool
scan_begin(struct scan *scan, struct x402_span value)
{
    if (value.at == NULL)
        return false;
    trim(&value);
    if (value.len < 2 || (*value.at != '{' && *value.at != '['))
        return false;
    *scan = (struct scan){value.at + 1, value.at + value.len, *value.at == '{'};
    return true;
}

/* The next token, past spaces and what stands between two of them. */
static bool
find_token(struct scan *scan)
{
    while (scan->at < scan->end && memchr(",: \t\r\n", *scan->at, 6) != NULL)
        scan->at++;
    return scan->at < scan->end && *scan->at != '}' && *scan->at != ']';
}

static bool
take_token(struct scan *scan, struct x402_span *out)
{
    if (!find_token(scan))
        return false;
    out->at = scan->at;
    scan->at = end_of_value(scan->at, scan->end);
    out->len = (size_t)(scan->at - out->at);
    return true;
}

bool
scan_next(struct scan *scan, struct x402_span *name, struct x402_span *value)
{
    *name = (struct x402_span){"", 0};
    if (scan->object) {
        if (!take_token(scan, name) || name->len < 2)
            return false;
        name->at++;
        name->len -= 2;
    }
    return take_token(scan, value);
}

bool
scan_string(struct x402_span *out, struct x402_span value)
{
    if (value.at == NULL)
        return false;
    trim(&value);
    if (value.len < 2 || value.at[0] != '"' ||
        end_of_string(value.at, value.at + value.len) != value.at + value.len ||
        memchr(value.at, '\\', value.len) != NULL)
        return false;
    *out = (struct x402_span){value.at + 1, value.len - 2};
    return true;
}

bool
scan_is(struct x402_span name, const char *text)
{
    return name.at != NULL && name.len == strlen(text) &&
           memcmp(name.at, text, name.len) == 0;
}

bool
scan_find(struct scan_want *want, size_t len, struct x402_span object)
{
    struct x402_span name, value;
    struct scan scan;

    for (size_t i = 0; i < len; i++)
        want[i].value = (struct x402_span){NULL, 0};
    if (!scan_begin(&scan, object) || !scan.object)
        return false;
    while (scan_next(&scan, &name, &value)) {
        if (memchr(name.at, '\\', name.len) != NULL)
            return false; /* the same name in other clothes */
        for (size_t i = 0; i < len; i++) {
            if (!scan_is(name, want[i].name))
                continue;
            if (want[i].value.at != NULL)
                return false;
            want[i].value = value;
        }
    }
    return true;
}
