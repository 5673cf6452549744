/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical JSON.  Rows marked (mpp) are those of lightninglabs/aperture,
 * mpp/testdata/vectors.json; (rfc) stand in RFC 8785. */
#include "test.h"

#include <x402/jcs.h>
#include <x402/json.h>

static const struct {
    const char *why, *input, *canonical; /* NULL: refused */
    enum x402_err err;
} rows[] = {
    {"empty object (mpp)", "{}", "{}", X402_OK},
    {"empty array (mpp)", "[]", "[]", X402_OK},
    {"order of names (mpp)",
     "{\"z\":1,\"m\":2,\"a\":3,\"A\":4,\"10\":5,\"2\":6}",
     "{\"10\":5,\"2\":6,\"A\":4,\"a\":3,\"m\":2,\"z\":1}", X402_OK},
    {"order across the surrogates (mpp)",
     "{\"\\ue000\":1,\"\\ud800\\udc00\":2,\"\\uffff\":3,\"\\ud7ff\":4}",
     "{\"\xed\x9f\xbf\":4,\"\xf0\x90\x80\x80\":2,\"\xee\x80\x80\":1,"
     "\"\xef\xbf\xbf\":3}",
     X402_OK},
    {"order of names (rfc)",
     "{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\",\"\\ufb33\":"
     "\"Hebrew Letter Dalet With Dagesh\",\"1\":\"One\",\"\\ud83d\\ude00\":"
     "\"Emoji: Grinning Face\",\"\\u0080\":\"Control\",\"\\u00f6\":\"Latin "
     "Small Letter O With Diaeresis\"}",
     "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
     "\"\xc3\xb6\":\"Latin Small Letter O With Diaeresis\",\"\xe2\x82\xac\":"
     "\"Euro Sign\",\"\xf0\x9f\x98\x80\":\"Emoji: Grinning Face\","
     "\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}",
     X402_OK},
    {"a name that begins another", "{\"ab\":1,\"a\":2,\"\":3}",
     "{\"\":3,\"a\":2,\"ab\":1}", X402_OK},
    {"nested (mpp)", "{\"b\":{\"d\":1,\"c\":2},\"a\":[3,{\"f\":4,\"e\":5}]}",
     "{\"a\":[3,{\"e\":5,\"f\":4}],\"b\":{\"c\":2,\"d\":1}}", X402_OK},
    {"literals (mpp)", "{\"t\":true,\"f\":false,\"n\":null}",
     "{\"f\":false,\"n\":null,\"t\":true}", X402_OK},
    {"no HTML escapes (mpp)", "{\"description\":\"Q&A <b> endpoint\"}",
     "{\"description\":\"Q&A <b> endpoint\"}", X402_OK},
    {"line separators stay (mpp)", "{\"s\":\"x\\u2028y\\u2029z\"}",
     "{\"s\":\"x\xe2\x80\xa8y\xe2\x80\xa9z\"}", X402_OK},
    {"short escapes (mpp)", "{\"s\":\"\\b\\f\\n\\r\\t\"}",
     "{\"s\":\"\\b\\f\\n\\r\\t\"}", X402_OK},
    {"other control characters (mpp)", "{\"s\":\"\\u0001\\u001F\\u000B\"}",
     "{\"s\":\"\\u0001\\u001f\\u000b\"}", X402_OK},
    {"delete and solidus (mpp)", "{\"s\":\"a\\/b\\u007f\"}",
     "{\"s\":\"a/b\x7f\"}", X402_OK},
    {"quote and reverse solidus (mpp)", "{\"s\":\"he said \\\"go\\\" \\\\\"}",
     "{\"s\":\"he said \\\"go\\\" \\\\\"}", X402_OK},
    {"other alphabets as UTF-8 (mpp)", "{\"s\":\"caf\\u00e9 \\u3042\"}",
     "{\"s\":\"caf\xc3\xa9 \xe3\x81\x82\"}", X402_OK},
    {"the largest integers", "[9007199254740991,-9007199254740991]",
     "[9007199254740991,-9007199254740991]", X402_OK},
    {"minus zero", "[-0,0]", "[0,0]", X402_OK},
    {"white space goes", " [ 1 , \"a b\" ] ", "[1,\"a b\"]", X402_OK},
    {"a scalar", "\"a\"", "\"a\"", X402_OK},
    {"charge request (mpp)",
     "{\"amount\":\"100\",\"currency\":\"sat\",\"description\":\"Weather "
     "report\",\"methodDetails\":{\"invoice\":\"lnbc1u1p\",\"paymentHash\":"
     "\"bc230847\",\"network\":\"mainnet\"}}",
     "{\"amount\":\"100\",\"currency\":\"sat\",\"description\":\"Weather "
     "report\",\"methodDetails\":{\"invoice\":\"lnbc1u1p\",\"network\":"
     "\"mainnet\",\"paymentHash\":\"bc230847\"}}",
     X402_OK},
    {"one more than a safe integer", "[9007199254740992]", NULL,
     X402_ERR_RANGE},
    {"one less than a safe integer", "[-9007199254740992]", NULL,
     X402_ERR_RANGE},
    {"the least of 64 bits", "[-9223372036854775808]", NULL, X402_ERR_RANGE},
    {"a fraction", "{\"a\":1.5}", NULL, X402_ERR_RANGE},
    {"an exponent", "{\"a\":1e3}", NULL, X402_ERR_RANGE},
    {"16 deep", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
     "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", X402_OK},
};

static void
test_rows(void)
{
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        char memory[1024] = "";
        struct x402_buf buf = x402_buf_on(memory, sizeof memory - 1);
        json_t *value = NULL;

        test_need(x402_json_load(&value, x402_span_of(rows[i].input), 4096,
                                 X402_JSON_DEPTH_MAX) == X402_OK,
                  rows[i].why);
        test_ok(x402_jcs_write(&buf, value) == rows[i].err, "%s: verdict",
                rows[i].why);
        if (rows[i].err == X402_OK)
            test_text(memory, rows[i].canonical, rows[i].why);
        json_decref(value);
    }
}

/* Every buffer that is too small is refused, and none is overrun. */
static void
test_room(void)
{
    json_t *value = json_pack("{s:i,s:[s,b,n],s:{s:s}}", "b", 12, "a", "x\x01",
                              1, "c", "\xef\xbf\xbf", "v");
    static const char text[] = "{\"a\":[\"x\\u0001\",true,null],\"b\":12,\"c\":"
                               "{\"\xef\xbf\xbf\":\"v\"}}";
    unsigned refused = 0;

    test_need(value != NULL, "a value");
    for (size_t room = 0; room < sizeof text - 1; room++) {
        char *memory = malloc(room + 1);
        struct x402_buf buf = x402_buf_on(memory, room);

        refused += x402_jcs_write(&buf, value) == X402_ERR_TOO_LARGE;
        free(memory);
    }
    test_ok(refused == sizeof text - 1, "every smaller buffer is too small");
    json_decref(value);
}

static void
test_bounds(void)
{
    static char memory[1 << 14];
    struct x402_buf buf = x402_buf_on(memory, sizeof memory);
    json_t *object = json_object(), *deep = json_array();

    for (int i = 0; i < X402_JCS_MEMBERS_MAX; i++) {
        char name[16];

        snprintf(name, sizeof name, "m%d", i);
        json_object_set_new(object, name, json_true());
    }
    test_ok(x402_jcs_write(&buf, object) == X402_OK, "as many members as may");
    json_object_set_new(object, "more", json_true());
    test_ok(x402_jcs_write(&buf, object) == X402_ERR_TOO_LARGE, "one more");
    for (int i = 0; i < X402_JSON_DEPTH_MAX; i++) {
        json_t *outer = json_array();

        json_array_append_new(outer, deep);
        deep = outer;
    }
    test_ok(x402_jcs_write(&buf, deep) == X402_ERR_TOO_LARGE, "17 deep");
    json_decref(object);
    json_decref(deep);
}

int
main(void)
{
    test_rows();
    test_room();
    test_bounds();
    return test_done();
}
