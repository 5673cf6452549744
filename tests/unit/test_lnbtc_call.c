/* SPDX-License-Identifier: Apache-2.0 */
/* The request hash of an MCP tool call.  The examples and their digests are
 * the specification's (scheme_exact_lnbtc.md, "Request Binding Test Vectors").
 */
#include "test.h"

#include <openssl/sha.h>

#include <x402/json.h>
#include <x402/lnbtc.h>

#define SERVER "https://api.example.com/mcp"
#define ABSENT                                                                 \
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
#define NULL_VALUE                                                             \
    "c58dcb77cee9027d1f4b3207bd876d232e61f79ee9f9dbd4e6d834778da78b16"

static json_t *
parse(const char *text)
{
    json_t *json = NULL;

    if (text != NULL)
        test_need(x402_json_load(&json, x402_span_of(text), 70000,
                                 X402_JSON_DEPTH_MAX) == X402_OK,
                  text);
    return json;
}

static enum x402_err
hash(char hex[65], const char *server, const char *name, const char *arguments,
     const char *meta, const char *const *metadata, size_t len)
{
    json_t *args = parse(arguments), *more = parse(meta);
    struct x402_lnbtc_call call = {.server = x402_span_of(server),
                                   .name = x402_span_of(name),
                                   .arguments = args,
                                   .meta = more,
                                   .metadata = metadata,
                                   .metadata_len = len};
    uint8_t got[32] = {0};
    enum x402_err err = x402_lnbtc_call_hash(got, &call);

    for (size_t i = 0; i < sizeof got; i++)
        snprintf(hex + 2 * i, 3, "%02x", got[i]);
    json_decref(args);
    json_decref(more);
    return err;
}

static void
test_examples(void)
{
    static const struct {
        const char *server, *name, *arguments, *want;
    } rows[] = {
        {SERVER, "get_article", "{ \"article\" : \"A\" }",
         "03941bfedc6af8a09b2f459fe83470284a76a8c75801caa9e1487a9276a693f4"},
        {SERVER, "get_article", "{\"article\":\"B\"}",
         "b3e425970d64cd4f08fc4d57a11b76da59ce6a5760d92687398c91f063120678"},
        {SERVER, "delete_article", "{\"article\":\"A\"}",
         "3a52bbf19dda8b5765a27246b12e805770298273b48526956c421f02fe043455"},
        {"https://other.example.com/mcp", "get_article", "{\"article\":\"A\"}",
         "96903c29186c6aabc95e48abafd8ce3ad32b4060f5d5bf22cf75f3fbfe816e45"},
    };
    char hex[65];

    for (size_t i = 0; i < TEST_LEN(rows); i++)
        test_ok(hash(hex, rows[i].server, rows[i].name, rows[i].arguments, NULL,
                     NULL, 0) == X402_OK &&
                    strcmp(hex, rows[i].want) == 0,
                "example %zu: %s", i + 1, hex);
}

static void
sha256(char hex[65], const char *text)
{
    uint8_t out[32];

    SHA256((const uint8_t *)text, strlen(text), out);
    for (size_t i = 0; i < sizeof out; i++)
        snprintf(hex + 2 * i, 3, "%02x", out[i]);
}

/* The same binding, written by hand. */
static void
test_metadata(void)
{
    static const char *const names[] = {"a", "b<", "\xf0\x9d\x84\x9e",
                                        "\xef\xbf\xbd"};
    static const char by_hand[] =
        "{\"arguments\":{},\"domain\":\"x402:exact:lnbtc:bolt11:mcp:1\","
        "\"metadata\":[{\"name\":\"a\",\"valueHash\":\"" ABSENT "\"},"
        "{\"name\":\"b<\",\"valueHash\":\"" NULL_VALUE "\"},"
        "{\"name\":\"\xf0\x9d\x84\x9e\",\"valueHash\":\"" ABSENT "\"},"
        "{\"name\":\"\xef\xbf\xbd\",\"valueHash\":\"" ABSENT
        "\"}],\"method\":\"tools/call\",\"name\":\"t</s>\",\"server\":\"" SERVER
        "\"}";
    char got[65], again[65], want[65];

    sha256(want, by_hand);
    test_ok(hash(got, SERVER, "t</s>", NULL,
                 "{\"b<\":null,\"progressToken\":1}", names,
                 TEST_LEN(names)) == X402_OK &&
                strcmp(got, want) == 0,
            "members, null and absent, in UTF-16 order");
    test_ok(hash(again, SERVER, "t</s>", "{}",
                 "{\"x402/payment\":{},\"b<\":null}", names,
                 TEST_LEN(names)) == X402_OK &&
                strcmp(got, again) == 0,
            "{} is no arguments; what is not bound does not matter");
    test_ok(hash(again, SERVER, "t</s>", "{}", "{\"b<\":0}", names,
                 TEST_LEN(names)) == X402_OK &&
                strcmp(got, again) != 0,
            "another value, another hash");
}

static void
test_refused(void)
{
    static const char *const payment[] = {"x402/payment"};
    static const char *const token[] = {"progressToken"};
    static const char *const empty[] = {""};
    static const char *const twice[] = {"a", "a"};
    static const char *const unsorted[] = {"b", "a"};
    static const char *const utf8_order[] = {"\xef\xbf\xbd",
                                             "\xf0\x9d\x84\x9e"};
    static const struct {
        const char *why, *server, *name, *arguments, *meta;
        const char *const *metadata;
        size_t len;
    } rows[] = {
        {"a relative server", "/mcp", "t", "{}", NULL, NULL, 0},
        {"a fragment", SERVER "#x", "t", "{}", NULL, NULL, 0},
        {"user information", "https://a@b/mcp", "t", "{}", NULL, NULL, 0},
        {"no name", SERVER, "", "{}", NULL, NULL, 0},
        {"a name that is no UTF-8", SERVER, "\xff", "{}", NULL, NULL, 0},
        {"arguments in an array", SERVER, "t", "[]", NULL, NULL, 0},
        {"an integer that is not exact", SERVER, "t",
         "{\"n\":9007199254740993}", NULL, NULL, 0},
        {"_meta in an array", SERVER, "t", "{}", "[]", NULL, 0},
        {"the payment", SERVER, "t", "{}", NULL, payment, 1},
        {"the progress token", SERVER, "t", "{}", NULL, token, 1},
        {"an empty member", SERVER, "t", "{}", NULL, empty, 1},
        {"a member twice", SERVER, "t", "{}", NULL, twice, 2},
        {"members out of order", SERVER, "t", "{}", NULL, unsorted, 2},
        {"members in UTF-8 order", SERVER, "t", "{}", NULL, utf8_order, 2},
    };
    static char huge[66000];
    char hex[65];

    for (size_t i = 0; i < TEST_LEN(rows); i++)
        test_ok(hash(hex, rows[i].server, rows[i].name, rows[i].arguments,
                     rows[i].meta, rows[i].metadata,
                     rows[i].len) == X402_ERR_LN_BINDING,
                "refused: %s", rows[i].why);
    snprintf(huge, sizeof huge, "{\"a\":\"%065900d\"}", 0);
    test_ok(hash(hex, SERVER, "t", huge, NULL, NULL, 0) == X402_ERR_LN_BINDING,
            "refused: too large");
}

int
main(void)
{
    test_examples();
    test_metadata();
    test_refused();
    return test_done();
}
