/* SPDX-License-Identifier: Apache-2.0 */
/* The door for JSON: JSONTestSuite, what we refuse beyond it, and the typed
 * members. */
#include "test.h"

#include <dirent.h>

#include <x402/json.h>

static enum x402_err
load(struct x402_span text, unsigned depth)
{
    json_t *value = NULL;
    enum x402_err err = x402_json_load(&value, text, 1 << 20, depth);

    test_need((err == X402_OK) == (value != NULL), "result follows the code");
    json_decref(value);
    return err;
}

/* Valid JSON that a payment may not be. */
static bool
is_refused_on_purpose(const char *name)
{
    static const char *const names[] = {
        /* Two parsers could see two payments. */
        "y_object_duplicated_key.json",
        "y_object_duplicated_key_and_value.json",
        /* A NUL ends a text early for half of the world. */
        "y_object_escaped_null_in_key.json",
        "y_string_null_escape.json",
    };

    for (size_t i = 0; i < TEST_LEN(names); i++) {
        if (strcmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

static struct x402_span
read_file(const char *folder, const char *name)
{
    static char bytes[1 << 18];
    char path[4096];
    size_t len;
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    test_need(file != NULL, path);
    len = fread(bytes, 1, sizeof bytes, file);
    test_need(len < sizeof bytes, "a vector larger than the buffer");
    fclose(file);
    return test_edge(bytes, len);
}

/* y_ must load, n_ must not, i_ may do either but must come back. */
static void
test_one_of_suite(const char *folder, const char *name)
{
    enum x402_err err = load(read_file(folder, name), X402_JSON_DEPTH_MAX);

    switch (name[0]) {
    case 'y':
        test_ok((err == X402_OK) != is_refused_on_purpose(name), "%s", name);
        break;
    case 'n':
        test_ok(err == X402_ERR_SYNTAX, "%s", name);
        break;
    default:
        test_ok(err == X402_OK || err == X402_ERR_SYNTAX, "%s", name);
    }
}

static void
test_suite(void)
{
    const char *folder = X402_TEST_VECTORS "/json";
    struct dirent *entry;
    unsigned count = 0;
    DIR *dir = opendir(folder);

    test_need(dir != NULL, folder);
    while ((entry = readdir(dir)) != NULL) {
        const char *dot = strrchr(entry->d_name, '.');

        if (dot == NULL || strcmp(dot, ".json") != 0)
            continue;
        test_one_of_suite(folder, entry->d_name);
        count++;
    }
    closedir(dir);
    test_ok(count == 318, "the whole suite was there (%u)", count);
}

#define N63 "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
static const struct {
    const char *why, *text;
    unsigned depth;
    enum x402_err err;
} rows[] = {
    {"flat at depth 1", "{\"a\":1}", 1, X402_OK},
    {"nested at depth 1", "{\"a\":{}}", 1, X402_ERR_SYNTAX},
    {"nested at depth 2", "{\"a\":{}}", 2, X402_OK},
    {"siblings do not add up", "[[],[],[],[]]", 2, X402_OK},
    {"arrays and objects count alike", "[{\"a\":[]}]", 2, X402_ERR_SYNTAX},
    {"brackets in a string", "{\"a\":\"[[[[{{{{\"}", 1, X402_OK},
    {"brackets after an escaped quote", "{\"a\":\"\\\"[[[[\"}", 1, X402_OK},
    {"brackets after an escaped backslash", "[\"\\\\\",[[]]]", 1,
     X402_ERR_SYNTAX},
    {"a key full of brackets", "{\"[[[[\":1}", 1, X402_OK},
    {"16 deep", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", 16, X402_OK},
    {"17 deep", "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", 16, X402_ERR_SYNTAX},
    {"scalar", "1", 1, X402_OK},
    {"closed too often", "[]]", 1, X402_ERR_SYNTAX},
    {"closed first", "][", 1, X402_ERR_SYNTAX},
    {"two values", "{} {}", 1, X402_ERR_SYNTAX},
    {"value and text", "{}x", 1, X402_ERR_SYNTAX},
    {"white space around", " \t\r\n{} \t\r\n", 1, X402_OK},
    {"empty", "", 1, X402_ERR_SYNTAX},
    {"white space only", "  ", 1, X402_ERR_SYNTAX},
    {"byte order mark", "\xef\xbb\xbf{}", 1, X402_ERR_SYNTAX},
    {"duplicate key", "{\"a\":1,\"a\":1}", 1, X402_ERR_SYNTAX},
    {"duplicate key by escape", "{\"a\":1,\"\\u0061\":2}", 1, X402_ERR_SYNTAX},
    {"duplicate key inside", "{\"b\":{\"a\":1,\"a\":2}}", 2, X402_ERR_SYNTAX},
    {"same key in two objects", "[{\"a\":1},{\"a\":1}]", 2, X402_OK},
    {"escaped NUL", "\"\\u0000\"", 1, X402_ERR_SYNTAX},
    {"invalid UTF-8", "\"\xff\"", 1, X402_ERR_SYNTAX},
    {"overlong UTF-8", "\"\xc0\xaf\"", 1, X402_ERR_SYNTAX},
    {"surrogate in UTF-8", "\"\xed\xa0\x80\"", 1, X402_ERR_SYNTAX},
    {"lone surrogate escape", "\"\\ud800\"", 1, X402_ERR_SYNTAX},
    {"open string", "\"abc", 1, X402_ERR_SYNTAX},
    {"string ends in a backslash", "\"abc\\", 1, X402_ERR_SYNTAX},
    {"comment", "{}//", 1, X402_ERR_SYNTAX},
    {"trailing comma", "[1,]", 1, X402_ERR_SYNTAX},
    {"NaN", "NaN", 1, X402_ERR_SYNTAX},
    {"number out of range", "1e999", 1, X402_ERR_SYNTAX},
    {"numbers of every kind",
     "[0,1,10,-0,-1,0.5,1e2,123456789012345,1234567890123456,"
     "9223372036854775807]",
     1, X402_OK},
    {"a natural number too many", "[9223372036854775808]", 1, X402_ERR_SYNTAX},
    {"leading zero", "[01]", 1, X402_ERR_SYNTAX},
    {"two zeros", "[00]", 1, X402_ERR_SYNTAX},
    {"number and text", "[1x]", 1, X402_ERR_SYNTAX},
    {"number, then nothing", "[1", 1, X402_ERR_SYNTAX},
    {"words", "{\"a\":true,\"b\":false,\"c\":null}", 1, X402_OK},
    {"words together", "[truefalse]", 1, X402_ERR_SYNTAX},
    {"half a word", "[tru", 1, X402_ERR_SYNTAX},
    {"spaces everywhere", " { \"a\" : [ 1 , 2 ] ,\n\"b\"\t:\r{ } } ", 2,
     X402_OK},
    {"what is not plain in a string",
     "[\"\x7f\",\"\xc3\xa9\",\"\\n\",\"/\",\"\"]", 1, X402_OK},
    {"a control in a string", "[\"a\nb\"]", 1, X402_ERR_SYNTAX},
    {"a name of 63", "{\"" N63 "\":1}", 1, X402_OK},
    {"a name of 64", "{\"" N63 "n\":1}", 1, X402_OK},
    {"two names of 64 that begin alike",
     "{\"" N63 "n\":1,\"" N63 "m\":1,\"" N63 "\":1}", 1, X402_OK},
    {"empty name", "{\"\":1,\"a\":\"\"}", 1, X402_OK},
    {"empty name twice", "{\"\":1,\"\":2}", 1, X402_ERR_SYNTAX},
    {"duplicate key, not plain", "{\"a\":\"\xc3\xa9\",\"a\":1}", 1,
     X402_ERR_SYNTAX},
    {"no colon", "{\"a\" 1}", 1, X402_ERR_SYNTAX},
    {"no name", "{1:1}", 1, X402_ERR_SYNTAX},
    {"no value", "{\"a\":}", 1, X402_ERR_SYNTAX},
    {"closed by the other bracket", "[1}", 1, X402_ERR_SYNTAX},
    {"trailing comma in an object", "{\"a\":1,}", 1, X402_ERR_SYNTAX},
    {"comma first", "[,1]", 1, X402_ERR_SYNTAX},
};

static void
test_rules(void)
{
    for (size_t i = 0; i < TEST_LEN(rows); i++)
        test_ok(load(test_edge_text(rows[i].text), rows[i].depth) ==
                    rows[i].err,
                "%s", rows[i].why);
    test_ok(load(test_edge("{}\0", 3), 1) == X402_ERR_SYNTAX, "NUL after");
    test_ok(load(test_edge("\"a\0b\"", 5), 1) == X402_ERR_SYNTAX,
            "NUL in a string");
}

static void
test_size(void)
{
    json_t *value = NULL;

    test_ok(x402_json_load(&value, x402_span_of("[12]"), 3, 1) ==
                X402_ERR_TOO_LARGE,
            "four bytes where three may be");
    test_ok(value == NULL, "nothing loaded");
    test_ok(x402_json_load(&value, x402_span_of("[12]"), 4, 1) == X402_OK,
            "four where four may be");
    json_decref(value);
}

static json_t *
object(const char *text)
{
    json_t *value = NULL;

    test_need(x402_json_load(&value, x402_span_of(text), 4096, 4) == X402_OK,
              text);
    return value;
}

static void
test_strings(void)
{
    json_t *o = object("{\"s\":\"text\",\"e\":\"\",\"n\":5,\"z\":null,"
                       "\"o\":{},\"a\":[]}");
    struct x402_span span = {"kept", 4};
    static const char *const others[] = {"n", "z", "o", "a", "absent"};

    test_ok(x402_json_string(&span, o, "s") == X402_OK &&
                x402_span_eq(span, x402_span_of("text")),
            "a string");
    test_ok(x402_json_string(&span, o, "e") == X402_OK && span.len == 0,
            "an empty string");
    span = x402_span_of("kept");
    for (size_t i = 0; i < TEST_LEN(others); i++)
        test_ok(x402_json_string(&span, o, others[i]) == X402_ERR_SYNTAX &&
                    x402_span_eq(span, x402_span_of("kept")),
                "%s is no string", others[i]);
    test_ok(x402_json_string(&span, NULL, "s") == X402_ERR_SYNTAX,
            "no object, no member");
    test_ok(x402_json_string(&span, json_object_get(o, "a"), "s") ==
                X402_ERR_SYNTAX,
            "an array has no members");
    json_decref(o);
}

static void
test_amounts(void)
{
    json_t *o = object("{\"d\":\"3000\",\"n\":3000,\"z\":\"03\",\"h\":\"0x3\","
                       "\"l\":\"11579208923731619542357098500868790785326998466"
                       "5640564039457584007913129639936\"}");
    struct x402_amount amount = x402_amount_of(7);

    test_ok(x402_json_amount(&amount, o, "n") == X402_ERR_SYNTAX,
            "a number is no amount");
    test_ok(x402_json_amount(&amount, o, "z") == X402_ERR_SYNTAX,
            "nor is one with a leading zero");
    test_ok(x402_json_amount(&amount, o, "h") == X402_ERR_SYNTAX, "nor hex");
    test_ok(x402_json_amount(&amount, o, "l") == X402_ERR_RANGE, "nor 2^256");
    test_ok(x402_json_amount(&amount, o, "absent") == X402_ERR_SYNTAX,
            "nor nothing");
    test_ok(amount.limb[0] == 7, "the result is untouched so far");
    test_ok(x402_json_amount(&amount, o, "d") == X402_OK &&
                amount.limb[0] == 3000,
            "digits in a string are");
    json_decref(o);
}

static void
test_bytes_members(void)
{
    json_t *o =
        object("{\"a\":\"0x833589fcd6EDB6e08f4c7c32d4f71b54bda02913\","
               "\"b\":\"0x833589fcd6edb6e08f4c7c32d4f71b54bda029\",\"n\":1,"
               "\"o\":{\"x\":1}}");
    struct x402_address address = {{0}};
    uint8_t bytes[20] = {0};
    const json_t *inner = NULL;

    test_ok(x402_json_address(&address, o, "a") == X402_OK &&
                address.byte[0] == 0x83 && address.byte[19] == 0x13,
            "an address of any case");
    test_ok(x402_json_address(&address, o, "b") == X402_ERR_SYNTAX,
            "19 bytes are none");
    test_ok(x402_json_address(&address, o, "n") == X402_ERR_SYNTAX,
            "a number is none");
    test_ok(x402_json_hex(bytes, 20, o, "a") == X402_OK && bytes[0] == 0x83,
            "20 bytes of hex");
    test_ok(x402_json_hex(bytes, 20, o, "b") == X402_ERR_SYNTAX,
            "19 are not 20");
    test_ok(x402_json_hex(bytes, 20, o, "n") == X402_ERR_SYNTAX,
            "a number is no hex");
    test_ok(x402_json_object(&inner, o, "n") == X402_ERR_SYNTAX &&
                x402_json_object(&inner, o, "absent") == X402_ERR_SYNTAX &&
                inner == NULL,
            "no object there");
    test_ok(x402_json_object(&inner, o, "o") == X402_OK &&
                json_object_size(inner) == 1,
            "an object there");
    json_decref(o);
}

int
main(void)
{
    test_suite();
    test_rules();
    test_size();
    test_strings();
    test_amounts();
    test_bytes_members();
    return test_done();
}
