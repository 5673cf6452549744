/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the wires share. */
#include "wire_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x402/encode.h>

/* Test programs end soon; what they allocate is kept reachable until then. */
static void *
kept(size_t size)
{
    static void **list;
    static size_t len;

    list = realloc(list, (len + 1) * sizeof(*list));
    if (list == NULL || (list[len] = calloc(1, size)) == NULL)
        abort();
    return list[len++];
}

char *
test_quote(const char *text)
{
    char *copy = kept(strlen(text) + 1);

    for (size_t i = 0; text[i] != '\0'; i++)
        copy[i] = text[i] == '\'' ? '"' : text[i];
    return copy;
}

struct x402_span
test_edge_span(struct x402_span bytes)
{
    return test_edge(bytes.at, bytes.len);
}

struct x402_span
test_base64(struct x402_span text)
{
    size_t len = X402_BASE64_LEN(text.len);
    char *memory = malloc(len + 1);
    struct x402_span edge;

    if (memory == NULL)
        abort();
    x402_base64_encode(memory, (const uint8_t *)text.at, text.len);
    edge = test_edge(memory, len);
    free(memory);
    return edge;
}

struct x402_span
test_dump(const json_t *value)
{
    size_t len = json_dumpb(value, NULL, 0, JSON_COMPACT);
    char *memory = kept(len + 1);

    if (json_dumpb(value, memory, len, JSON_COMPACT) != len)
        abort();
    return (struct x402_span){memory, len};
}

json_t *
test_json(const char *text)
{
    json_t *value = json_loads(test_quote(text), 0, NULL);

    if (value == NULL) {
        fprintf(stderr, "not JSON: %s\n", text);
        abort();
    }
    return value;
}

json_t *
test_parent(json_t *root, const char *path, const char **last)
{
    const char *dot;

    while ((dot = strchr(path, '.')) != NULL) {
        char *name = kept((size_t)(dot - path) + 1);

        memcpy(name, path, (size_t)(dot - path));
        root = json_object_get(root, name);
        path = dot + 1;
    }
    *last = path;
    return root;
}

struct x402_requirement
test_requirement(void)
{
    struct x402_requirement requirement = {.timeout_s = 60};

    requirement.asset = x402_asset_by_symbol(8453, x402_span_of("USDC"));
    if (requirement.asset == NULL ||
        x402_address_parse(&requirement.pay_to, x402_span_of(PAYEE)) != X402_OK)
        abort();
    requirement.amount = x402_amount_of(3000);
    return requirement;
}

struct x402_clock
test_clock(void)
{
    return (struct x402_clock){1700000000, 25, 300};
}
