/* SPDX-License-Identifier: Apache-2.0 */
/* EIP-712 against ethers: any types, any domain.  The library hashes only flat
 * structs; a general encoder over its parts stands here, so that its parts see
 * all shapes. */
#include "test.h"

#include <x402/eip712.h>
#include <x402/keccak.h>

/* ---- types ---- */

static const json_t *types;

/* "Foo[2][]" is of base type "Foo". */
static size_t
base_len(const char *type)
{
    return strcspn(type, "[");
}

static const json_t *
struct_of(const char *type, size_t len)
{
    char name[128];

    test_need(len < sizeof name, "a type's name");
    memcpy(name, type, len);
    name[len] = '\0';
    return json_object_get(types, name);
}

/* Every struct that `type` needs, itself included, once. */
static void
collect(const char *found[], size_t *count, const char *type)
{
    const json_t *members = struct_of(type, base_len(type)), *member;
    size_t i;

    if (members == NULL)
        return;
    for (i = 0; i < *count; i++) {
        if (strlen(found[i]) == base_len(type) &&
            strncmp(found[i], type, base_len(type)) == 0)
            return;
    }
    test_need(*count < 32, "types");
    found[(*count)++] = type;
    json_array_foreach(members, i, member)
        collect(found, count, test_string(member, "type"));
}

static int
by_name(const void *a, const void *b)
{
    const char *x = *(const char *const *)a, *y = *(const char *const *)b;
    size_t n = base_len(x) < base_len(y) ? base_len(x) : base_len(y);
    int order = strncmp(x, y, n);

    return order != 0 ? order : (int)base_len(x) - (int)base_len(y);
}

static void
describe(char *out, size_t cap, const char *type)
{
    const json_t *members = struct_of(type, base_len(type)), *member;
    size_t i, n = strlen(out);

    n += (size_t)snprintf(out + n, cap - n, "%.*s(", (int)base_len(type), type);
    json_array_foreach(members, i, member) n += (size_t)snprintf(
        out + n, cap - n, "%s%s %s", i > 0 ? "," : "",
        test_string(member, "type"), test_string(member, "name"));
    snprintf(out + n, cap - n, ")");
}

/* EIP-712: "If the struct type references other struct types [..] then the set
 * of referenced struct types is collected, sorted by name and appended". */
static void
encode_type(char *out, size_t cap, const char *type)
{
    const char *found[32];
    size_t count = 0;

    collect(found, &count, type);
    qsort(found + 1, count - 1, sizeof found[0], by_name);
    out[0] = '\0';
    for (size_t i = 0; i < count; i++)
        describe(out, cap, found[i]);
}

/* ---- values ---- */

static void encode_value(uint8_t out32[32], const char *type,
                         const json_t *value);

static void
begin_struct(struct x402_eip712_struct *s, const char *type,
             const json_t *value)
{
    const json_t *members = struct_of(type, base_len(type)), *member;
    char text[4096];
    size_t i;

    encode_type(text, sizeof text, type);
    x402_eip712_begin(s, text);
    json_array_foreach(members, i, member)
    {
        uint8_t word[32];

        encode_value(word, test_string(member, "type"),
                     json_object_get(value, test_string(member, "name")));
        x402_eip712_word(s, word);
    }
}

/* Elements of `type` without its last brackets. */
static void
encode_array(uint8_t out32[32], const char *type, const json_t *value)
{
    struct x402_keccak keccak;
    const json_t *element;
    char inner[128];
    size_t i;

    snprintf(inner, sizeof inner, "%s", type);
    *strrchr(inner, '[') = '\0';
    x402_keccak_begin(&keccak);
    json_array_foreach(value, i, element)
    {
        uint8_t word[32];

        encode_value(word, inner, element);
        x402_keccak_add(&keccak, word, 32);
    }
    x402_keccak_end(&keccak, out32);
}

/* Decimal, "-" before a negative one: two's complement. */
static void
encode_integer(uint8_t out32[32], const char *text)
{
    struct x402_amount value;
    bool negative = *text == '-';

    test_need(x402_amount_parse(&value, x402_span_of(text + negative)) ==
                  X402_OK,
              text);
    if (negative) {
        struct x402_amount one = x402_amount_of(1), rest;

        test_need(x402_amount_sub(&rest, &value, &one), text);
        for (unsigned i = 0; i < 4; i++)
            value.limb[i] = ~rest.limb[i];
    }
    x402_amount_to_be32(out32, &value);
}

static void
encode_bytes(uint8_t out32[32], const char *type, const char *text)
{
    size_t len;
    uint8_t *bytes = test_unhex(&len, text);

    memset(out32, 0, 32);
    if (strcmp(type, "bytes") == 0)
        x402_keccak256(out32, bytes, len);
    else
        memcpy(out32, bytes, len); /* bytesN: zeros behind */
    free(bytes);
}

static void
one_word(uint8_t out32[32], const struct x402_eip712_struct *s)
{
    test_need(s->count == 1, "one word");
    memcpy(out32, s->word[0], 32);
}

static void
encode_value(uint8_t out32[32], const char *type, const json_t *value)
{
    struct x402_eip712_struct s = {.count = 0};
    struct x402_address address;

    if (type[strlen(type) - 1] == ']') {
        encode_array(out32, type, value);
    } else if (struct_of(type, strlen(type)) != NULL) {
        begin_struct(&s, type, value);
        x402_eip712_end(&s, out32);
    } else if (strcmp(type, "string") == 0) {
        x402_eip712_string(&s, x402_span_of(json_string_value(value)));
        one_word(out32, &s);
    } else if (strcmp(type, "address") == 0) {
        test_need(x402_address_parse(&address, x402_span_of(json_string_value(
                                                   value))) == X402_OK,
                  type);
        x402_eip712_address(&s, &address);
        one_word(out32, &s);
    } else if (strcmp(type, "bool") == 0) {
        struct x402_amount bit = x402_amount_of(json_is_true(value));

        x402_eip712_amount(&s, &bit);
        one_word(out32, &s);
    } else if (strncmp(type, "bytes", 5) == 0) {
        encode_bytes(out32, type, json_string_value(value));
    } else {
        encode_integer(out32, json_string_value(value));
    }
}

/* ---- domains ---- */

struct member {
    const char *name, *type;
};

static const struct member domain_members[] = {{"name", "string"},
                                               {"version", "string"},
                                               {"chainId", "uint256"},
                                               {"verifyingContract", "address"},
                                               {"salt", "bytes32"}};

static void
domain_type(char *out, size_t cap, const json_t *domain)
{
    const char *comma = "";
    size_t n = (size_t)snprintf(out, cap, "EIP712Domain(");

    for (size_t i = 0; i < TEST_LEN(domain_members); i++) {
        const struct member *m = &domain_members[i];

        if (json_object_get(domain, m->name) == NULL)
            continue;
        n += (size_t)snprintf(out + n, cap - n, "%s%s %s", comma, m->type,
                              m->name);
        comma = ",";
    }
    snprintf(out + n, cap - n, ")");
}

static void
encode_domain(uint8_t out32[32], const json_t *domain)
{
    struct x402_eip712_struct s;
    char type[256];

    domain_type(type, sizeof type, domain);
    x402_eip712_begin(&s, type);
    for (size_t i = 0; i < TEST_LEN(domain_members); i++) {
        const struct member *m = &domain_members[i];
        const json_t *value = json_object_get(domain, m->name);
        uint8_t word[32];

        if (value == NULL)
            continue;
        if (json_is_integer(value)) {
            struct x402_amount id =
                x402_amount_of((uint64_t)json_integer_value(value));

            x402_eip712_amount(&s, &id);
            continue;
        }
        encode_value(word, m->type, value);
        x402_eip712_word(&s, word);
    }
    x402_eip712_end(&s, out32);
}

/* The library's own way, for the domains that tokens have. */
static bool
library_agrees(const uint8_t domain32[32], const json_t *domain)
{
    struct x402_address contract;
    uint8_t hash[32];

    test_need(x402_address_parse(&contract,
                                 x402_span_of(test_string(
                                     domain, "verifyingContract"))) == X402_OK,
              "contract");
    x402_eip712_domain(
        hash, x402_span_of(test_string(domain, "name")),
        x402_span_of(test_string(domain, "version")),
        (uint64_t)json_integer_value(json_object_get(domain, "chainId")),
        &contract);
    return memcmp(hash, domain32, 32) == 0;
}

/* ---- vectors ---- */

static void
test_row(const json_t *row, size_t *tokens)
{
    const json_t *domain = json_object_get(row, "domain");
    uint8_t separator[32], hash[32], digest[32], want[32];
    struct x402_eip712_struct s;
    size_t len;
    uint8_t *encoded = test_unhex(&len, test_string(row, "encoded"));

    types = json_object_get(row, "types");
    begin_struct(&s, test_string(row, "primaryType"),
                 json_object_get(row, "data"));
    test_ok(len == (size_t)s.count * 32 && memcmp(s.word, encoded, len) == 0,
            "%s: encoded", test_string(row, "name"));
    free(encoded);
    x402_eip712_end(&s, hash);
    encode_domain(separator, domain);
    x402_eip712_digest(digest, separator, hash);
    test_member(want, 32, row, "digest");
    test_bytes(digest, 32, want, 32, "its digest");
    if (json_object_size(domain) == 4 &&
        json_object_get(domain, "salt") == NULL) {
        test_ok(library_agrees(separator, domain), "its domain");
        (*tokens)++;
    }
}

static void
test_ethers(void)
{
    json_t *rows = test_vectors("ethers/eip712.json"), *row;
    size_t i, tokens = 0;

    json_array_foreach(rows, i, row) test_row(row, &tokens);
    test_ok(i >= 130 && tokens >= 20, "%zu cases, %zu with a token's domain", i,
            tokens);
    json_decref(rows);
}

/* The domain of USDC on Base, and the wrong one that seed 000 prints. */
static void
test_usdc(void)
{
    static const struct {
        const char *name, *separator;
    } rows[] = {
        {"USD Coin",
         "0x02fa7265e7c5d81118673727957699e4d68f74cd74b7db77da710fe8a2c7834f"},
        {"USDC",
         "0xe824be45ff6ee69e5f9486cef877c2a7f3c987b25b91038a372bb1c70646a3d7"},
    };
    struct x402_address usdc;

    test_need(x402_address_parse(
                  &usdc,
                  x402_span_of("0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913")) ==
                  X402_OK,
              "USDC");
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        uint8_t separator[32];
        size_t len;
        uint8_t *want = test_unhex(&len, rows[i].separator);

        x402_eip712_domain(separator, x402_span_of(rows[i].name),
                           x402_span_of("2"), 8453, &usdc);
        test_bytes(separator, 32, want, len, rows[i].name);
        free(want);
    }
}

int
main(void)
{
    test_ethers();
    test_usdc();
    return test_done();
}
