/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical JSON, RFC 8785. */
#include <x402/jcs.h>

#include <x402/json.h>

/* RFC 8785, section 3.2.2.3 (ECMAScript numbers); RFC 7493, section 2.2: "an
 * I-JSON sender cannot expect a receiver to treat an integer whose absolute
 * value is greater than 9007199254740991 [...] as an exact value". */
#define SAFE_INTEGER 9007199254740991

static enum x402_err write_value(struct x402_buf *buf, const json_t *value,
                                 unsigned depth);

/* RFC 8785, section 3.2.2.2: "If the Unicode value falls within the
 * traditional ASCII control character range (U+0000 through U+001F), it MUST
 * be serialized using lowercase hexadecimal Unicode notation (\uhhhh) unless it
 * is in the set of predefined JSON control characters U+0008, U+0009, U+000A,
 * U+000C, or U+000D, which MUST be serialized as "\b", "\t", "\n", "\f", and
 * "\r", respectively."  Everything else but '"' and '\' "MUST be serialized
 * as is". */
static void
write_character(struct x402_buf *buf, char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char plain[] = "\b\t\n\f\r\"\\", escaped[] = "btnfr\"\\";
    const char *at = c == '\0' ? NULL : strchr(plain, c);
    unsigned char byte = (unsigned char)c;

    if (at != NULL) {
        x402_buf_char(buf, '\\');
        x402_buf_char(buf, escaped[at - plain]);
    } else if (byte < 0x20) {
        x402_buf_text(buf, "\\u00");
        x402_buf_char(buf, hex[byte >> 4]);
        x402_buf_char(buf, hex[byte & 15]);
    } else {
        x402_buf_char(buf, c);
    }
}

static void
write_string(struct x402_buf *buf, struct x402_span text)
{
    x402_buf_char(buf, '"');
    for (size_t i = 0; i < text.len; i++)
        write_character(buf, text.at[i]);
    x402_buf_char(buf, '"');
}

static enum x402_err
write_integer(struct x402_buf *buf, json_int_t value)
{
    if (value > SAFE_INTEGER || value < -SAFE_INTEGER)
        return X402_ERR_RANGE;
    if (value < 0) {
        x402_buf_char(buf, '-');
        value = -value;
    }
    x402_buf_u64(buf, (uint64_t)value);
    return X402_OK;
}

/* UTF-8 sorts by code point, UTF-16 does not: a character from U+10000 up is a
 * pair of surrogates there, D800 to DFFF, and so comes before U+E000 to U+FFFF,
 * whose first byte is 0xee or 0xef.  Where two texts first differ, either both
 * bytes begin a character or both belong to characters with the same first
 * byte, so ranking the bytes is enough. */
static unsigned
rank_of(char c)
{
    unsigned char byte = (unsigned char)c;

    return byte == 0xee || byte == 0xef ? byte + 0x10u : byte;
}

/* RFC 8785, section 3.2.3: "property name strings to be sorted are formatted as
 * arrays of UTF-16 code units [...] sorted using pure value comparisons". */
bool
x402_jcs_before(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return rank_of(*a) < rank_of(*b);
}

/* Insertion: few members, often sorted already. */
static size_t
sorted_names(const char **names, const json_t *object)
{
    json_t *mutable = (json_t *)(uintptr_t)object;
    size_t count = 0;

    for (void *at = json_object_iter(mutable); at != NULL;
         at = json_object_iter_next(mutable, at)) {
        const char *name = json_object_iter_key(at);
        size_t i = count++;

        for (; i > 0 && x402_jcs_before(name, names[i - 1]); i--)
            names[i] = names[i - 1];
        names[i] = name;
    }
    return count;
}

static enum x402_err
write_object(struct x402_buf *buf, const json_t *object, unsigned depth)
{
    const char *names[X402_JCS_MEMBERS_MAX];
    size_t count;

    if (json_object_size(object) > X402_JCS_MEMBERS_MAX)
        return X402_ERR_TOO_LARGE;
    count = sorted_names(names, object);
    x402_buf_char(buf, '{');
    for (size_t i = 0; i < count; i++) {
        enum x402_err err;

        if (i > 0)
            x402_buf_char(buf, ',');
        write_string(buf, x402_span_of(names[i]));
        x402_buf_char(buf, ':');
        err = write_value(buf, json_object_get(object, names[i]), depth);
        if (err != X402_OK)
            return err;
    }
    x402_buf_char(buf, '}');
    return X402_OK;
}

static enum x402_err
write_array(struct x402_buf *buf, const json_t *array, unsigned depth)
{
    x402_buf_char(buf, '[');
    for (size_t i = 0; i < json_array_size(array); i++) {
        enum x402_err err;

        if (i > 0)
            x402_buf_char(buf, ',');
        err = write_value(buf, json_array_get(array, i), depth);
        if (err != X402_OK)
            return err;
    }
    x402_buf_char(buf, ']');
    return X402_OK;
}

static enum x402_err
write_value(struct x402_buf *buf, const json_t *value, unsigned depth)
{
    /* A full buffer ends the walk early. */
    if (buf->full)
        return X402_ERR_TOO_LARGE;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        if (depth == 0)
            return X402_ERR_TOO_LARGE;
        return json_is_object(value) ? write_object(buf, value, depth - 1)
                                     : write_array(buf, value, depth - 1);
    case JSON_STRING:
        write_string(buf, (struct x402_span){json_string_value(value),
                                             json_string_length(value)});
        return X402_OK;
    case JSON_INTEGER:
        return write_integer(buf, json_integer_value(value));
    case JSON_REAL:
        return X402_ERR_RANGE;
    case JSON_TRUE:
        x402_buf_text(buf, "true");
        return X402_OK;
    case JSON_FALSE:
        x402_buf_text(buf, "false");
        return X402_OK;
    case JSON_NULL:
        x402_buf_text(buf, "null");
        return X402_OK;
    }
    return X402_ERR_INTERNAL;
}

enum x402_err
x402_jcs_write(struct x402_buf *buf, const json_t *value)
{
    enum x402_err err = write_value(buf, value, X402_JSON_DEPTH_MAX);

    return err == X402_OK && buf->full ? X402_ERR_TOO_LARGE : err;
}
