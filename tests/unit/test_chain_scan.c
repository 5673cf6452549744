/* SPDX-License-Identifier: Apache-2.0 */
/* JSON walked in place: JSONTestSuite, the bodies of nodes, and what a node
 * could say twice. */
#include "chain/quantity.h"
#include "chain/rpc.h"
#include "chain/scan.h"
#include "test.h"

#include <dirent.h>

/* -- the grammar -- */

/* Bytes of strings beyond ASCII are the reader's of the string, and some of
 * the suite nest deeper than a node does. */
static bool
is_let_through(const char *name)
{
    return strstr(name, "utf8") != NULL || strstr(name, "UTF-8") != NULL ||
           strstr(name, "UTF8") != NULL || strstr(name, "invalid-utf-8") ||
           strstr(name, "invalid_utf") || strstr(name, "latin1");
}

static void
one_of_suite(const char *folder, const char *name)
{
    static char bytes[1 << 18];
    struct x402_span text;
    char path[4096];
    FILE *file;
    bool good;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    test_need(file != NULL, path);
    text = test_edge(bytes, fread(bytes, 1, sizeof bytes, file));
    fclose(file);
    good = scan_check(text);
    if (name[0] == 'y')
        test_ok(good, "%s", name);
    else if (name[0] == 'n')
        test_ok(!good || is_let_through(name), "%s", name);
}

static void
the_suite(void)
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
        one_of_suite(folder, entry->d_name);
        count++;
    }
    closedir(dir);
    test_ok(count == 318, "the whole suite was there (%u)", count);
}

/* -- one body against what was asked: ids 5 and 6, the second one raw -- */

static const struct {
    const char *why, *body;
    bool good;
    enum rpc_status first, second;
} bodies[] = {
    {"both", "[{\"id\":5,\"result\":\"0x1\"},{\"id\":6,\"result\":\"0x2\"}]",
     true, RPC_RESULT, RPC_RESULT},
    {"in another order, with spaces",
     " [ { \"result\" : \"0x2\" , \"id\" : 6 } , "
     "{ \"id\" : 5 , \"result\" : \"0x1\" } ] ",
     true, RPC_RESULT, RPC_RESULT},
    {"one is missing", "[{\"id\":5,\"result\":null}]", true, RPC_RESULT,
     RPC_UNKNOWN},
    {"an error beside a result",
     "[{\"id\":5,\"error\":{\"code\":3,\"message\":\"no\"}},"
     "{\"id\":6,\"result\":\"0x2\",\"error\":null}]",
     true, RPC_ERROR, RPC_RESULT},
    {"nothing", "[]", true, RPC_UNKNOWN, RPC_UNKNOWN},
    {"a question nobody asked", "[{\"id\":7,\"result\":\"0x1\"}]", false,
     RPC_UNKNOWN, RPC_UNKNOWN},
    {"one question twice",
     "[{\"id\":5,\"result\":\"0x1\"},{\"id\":5,\"result\":\"0x2\"}]", false,
     RPC_UNKNOWN, RPC_UNKNOWN},
    {"two results in one answer",
     "[{\"id\":6,\"result\":\"0x1\",\"result\":\"0x2\"}]", false, RPC_UNKNOWN,
     RPC_UNKNOWN},
    {"two results, one in disguise",
     "[{\"id\":6,\"result\":\"0x1\",\"resul\\u0074\":\"0x2\"}]", false,
     RPC_UNKNOWN, RPC_UNKNOWN},
    {"result and error",
     "[{\"id\":5,\"result\":\"0x1\",\"error\":{\"code\":3}}]", false,
     RPC_UNKNOWN, RPC_UNKNOWN},
    {"neither", "[{\"id\":5}]", false, RPC_UNKNOWN, RPC_UNKNOWN},
    {"no id", "[{\"result\":\"0x1\"}]", false, RPC_UNKNOWN, RPC_UNKNOWN},
    {"an id in quotes", "[{\"id\":\"5\",\"result\":\"0x1\"}]", false,
     RPC_UNKNOWN, RPC_UNKNOWN},
    {"an id with a fraction", "[{\"id\":5.0,\"result\":\"0x1\"}]", false,
     RPC_UNKNOWN, RPC_UNKNOWN},
    {"an id with a zero before", "[{\"id\":05,\"result\":\"0x1\"}]", false,
     RPC_UNKNOWN, RPC_UNKNOWN},
    {"an error without a code", "[{\"id\":5,\"error\":{}}]", false, RPC_UNKNOWN,
     RPC_UNKNOWN},
    {"one error for the batch", "{\"id\":null,\"error\":{\"code\":1}}", false,
     RPC_UNKNOWN, RPC_UNKNOWN},
    {"cut off", "[{\"id\":5,\"result\":\"0x1\"}", false, RPC_UNKNOWN,
     RPC_UNKNOWN},
    {"something after it", "[{\"id\":5,\"result\":\"0x1\"}]x", false,
     RPC_UNKNOWN, RPC_UNKNOWN},
    {"a repeated name inside a parsed result",
     "[{\"id\":5,\"result\":{\"a\":1,\"a\":2}}]", false, RPC_UNKNOWN,
     RPC_UNKNOWN},
    {"not JSON", "<html>", false, RPC_UNKNOWN, RPC_UNKNOWN},
};

static void
one_body(void)
{
    const struct rpc_call calls[2] = {{.method = "a"},
                                      {.method = "b", .raw = true}};

    for (size_t i = 0; i < TEST_LEN(bodies); i++) {
        struct rpc_answer answers[2];
        struct x402_span body =
            test_edge(bodies[i].body, strlen(bodies[i].body));
        json_t *root;
        bool good = rpc_match(answers, calls, 2, 5, body, &root);
        uint64_t value = 0;

        test_ok(good == bodies[i].good && (root != NULL) == good &&
                    answers[0].status == bodies[i].first &&
                    answers[1].status == bodies[i].second,
                "%s", bodies[i].why);
        if (answers[0].status == RPC_RESULT)
            test_ok(answers[0].result != NULL, "parsed");
        if (answers[1].status == RPC_RESULT)
            test_ok(answers[1].result == NULL &&
                        quantity_text_u64(&value, answers[1].text) &&
                        value == 2,
                    "as text");
        json_decref(root);
    }
}

/* -- values -- */

static const struct {
    const char *why, *json, *text;
} strings[] = {
    {"a string", "\"0xab\"", "0xab"},
    {"an empty one", "\"\"", ""},
    {"an escape", "\"0x\\u0061b\"", NULL},
    {"a number", "12", NULL},
    {"null", "null", NULL},
    {"an object", "{\"a\":\"b\"}", NULL},
};

static void
values(void)
{
    struct x402_span out;

    for (size_t i = 0; i < TEST_LEN(strings); i++) {
        bool good = scan_string(&out, x402_span_of(strings[i].json));

        test_ok(good == (strings[i].text != NULL) &&
                    (!good || scan_is(out, strings[i].text)),
                "%s", strings[i].why);
    }
    test_ok(!scan_string(&out, (struct x402_span){NULL, 0}), "no value");
}

static void
members(void)
{
    struct scan_want want[2] = {{.name = "a"}, {.name = "b"}};

    test_ok(scan_find(want, 2,
                      x402_span_of("{\"x\":{\"a\":1},\"b\":[\"a\",2],\"c\":"
                                   "\"a\"}")) &&
                want[0].value.at == NULL && scan_is(want[1].value, "[\"a\",2]"),
            "its own members only");
    test_ok(!scan_find(want, 2, x402_span_of("{\"a\":1,\"a\":1}")), "twice");
    test_ok(!scan_find(want, 2, x402_span_of("[\"a\"]")), "an array");
}

int
main(void)
{
    the_suite();
    one_body();
    values();
    members();
    return test_done();
}
