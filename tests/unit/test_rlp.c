/* SPDX-License-Identifier: Apache-2.0 */
/* RLP: the vectors of ethers and of ethereum/tests, there and back, and every
 * form that is not canonical. */
#include "test.h"

#include <x402/rlp.h>

#define AREA 8192

/* ---- from JSON: strings of hex and arrays ---- */

static void
put_value(struct x402_rlp_writer *w, const json_t *value)
{
    size_t end = w->start, len;
    uint8_t *bytes;

    if (json_is_array(value)) {
        for (size_t i = json_array_size(value); i-- > 0;)
            put_value(w, json_array_get(value, i));
        x402_rlp_list(w, end);
        return;
    }
    bytes = test_unhex(&len, json_string_value(value));
    x402_rlp_bytes(w, bytes, len);
    free(bytes);
}

static bool same_value(const struct x402_rlp_item *item, const json_t *value);

static bool
same_list(const struct x402_rlp_item *item, const json_t *value)
{
    const uint8_t *at = item->at;
    size_t len = item->len, i;
    const json_t *element;

    json_array_foreach(value, i, element)
    {
        struct x402_rlp_item inner;

        if (x402_rlp_read(&inner, &at, &len) != X402_OK ||
            !same_value(&inner, element))
            return false;
    }
    return len == 0;
}

static bool
same_value(const struct x402_rlp_item *item, const json_t *value)
{
    size_t len;
    uint8_t *bytes;
    bool same;

    if (item->list != json_is_array(value))
        return false;
    if (item->list)
        return same_list(item, value);
    bytes = test_unhex(&len, json_string_value(value));
    same = len == item->len && memcmp(bytes, item->at, len) == 0;
    free(bytes);
    return same;
}

static void
check_cuts(const uint8_t *encoded, size_t len, const char *name)
{
    unsigned passed = 0;

    for (size_t cut = 0; cut < len; cut++) {
        struct x402_span part = test_edge(encoded, cut);
        const uint8_t *at = (const uint8_t *)part.at;
        struct x402_rlp_item item;

        passed += x402_rlp_read(&item, &at, &part.len) == X402_OK;
    }
    test_ok(passed == 0, "%s: refused when cut anywhere", name);
}

static void
check_row(const json_t *row)
{
    const json_t *value = json_object_get(row, "decoded");
    const char *name = test_string(row, "name");
    static uint8_t memory[AREA];
    struct x402_rlp_writer w = {memory, AREA, AREA, false};
    struct x402_rlp_item item;
    struct x402_span edge;
    const uint8_t *at;
    size_t len;
    uint8_t *encoded = test_unhex(&len, test_string(row, "encoded"));

    put_value(&w, value);
    test_ok(!w.full && AREA - w.start == len &&
                memcmp(memory + w.start, encoded, len) == 0,
            "%s: written", name);
    edge = test_edge(encoded, len);
    at = (const uint8_t *)edge.at;
    test_ok(x402_rlp_read(&item, &at, &edge.len) == X402_OK && edge.len == 0 &&
                same_value(&item, value),
            "%s: read", name);
    check_cuts(encoded, len, name);
    free(encoded);
}

static void
test_file(const char *file, size_t least)
{
    json_t *rows = test_vectors(file), *row;
    size_t i;

    json_array_foreach(rows, i, row) check_row(row);
    test_ok(i >= least, "%s: %zu vectors", file, i);
    json_decref(rows);
}

/* ---- by hand ---- */

static const struct {
    const char *why;
    const char *bytes; /* hex */
    enum x402_err err;
    bool list;
    size_t len, left;
} rows[] = {
    {"zero byte", "0x00", X402_OK, false, 1, 0},
    {"largest single byte", "0x7f", X402_OK, false, 1, 0},
    {"empty string", "0x80", X402_OK, false, 0, 0},
    {"smallest byte with a header", "0x8180", X402_OK, false, 1, 0},
    {"byte below 0x80 with a header", "0x8100", X402_ERR_SYNTAX, 0, 0, 0},
    {"0x7f with a header", "0x817f", X402_ERR_SYNTAX, 0, 0, 0},
    {"header without its byte", "0x81", X402_ERR_SYNTAX, 0, 0, 0},
    {"two bytes, one there", "0x8201", X402_ERR_SYNTAX, 0, 0, 0},
    {"the next item stays", "0x820102ff", X402_OK, false, 2, 1},
    {"long form for none", "0xb800", X402_ERR_SYNTAX, 0, 0, 0},
    {"long form for one", "0xb801ff", X402_ERR_SYNTAX, 0, 0, 0},
    {"long form without a length", "0xb8", X402_ERR_SYNTAX, 0, 0, 0},
    {"length with a leading zero", "0xb90038", X402_ERR_SYNTAX, 0, 0, 0},
    {"length cut short", "0xb901", X402_ERR_SYNTAX, 0, 0, 0},
    {"more than is there", "0xb838", X402_ERR_SYNTAX, 0, 0, 0},
    {"largest length", "0xbfffffffffffffffff", X402_ERR_SYNTAX, 0, 0, 0},
    {"length that wraps with its header", "0xbffffffffffffffff7",
     X402_ERR_SYNTAX, 0, 0, 0},
    {"empty list", "0xc0", X402_OK, true, 0, 0},
    {"list of one", "0xc105", X402_OK, true, 1, 0},
    {"a list's item may be anything until it is read", "0xc28100", X402_OK,
     true, 2, 0},
    {"list without its bytes", "0xc1", X402_ERR_SYNTAX, 0, 0, 0},
    {"long list of none", "0xf800", X402_ERR_SYNTAX, 0, 0, 0},
    {"long list, leading zero", "0xf90038", X402_ERR_SYNTAX, 0, 0, 0},
    {"long list, largest length", "0xffffffffffffffffff", X402_ERR_SYNTAX, 0, 0,
     0},
    {"nothing", "0x", X402_ERR_SYNTAX, 0, 0, 0},
};

static void
test_forms(void)
{
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        size_t len;
        uint8_t *bytes = test_unhex(&len, rows[i].bytes);
        struct x402_span in = test_edge(bytes, len);
        const uint8_t *at = (const uint8_t *)in.at, *before = at;
        struct x402_rlp_item item = {false, NULL, 99};
        enum x402_err err = x402_rlp_read(&item, &at, &in.len);

        test_ok(err == rows[i].err, "%s", rows[i].why);
        if (err == X402_OK)
            test_ok(item.list == rows[i].list && item.len == rows[i].len &&
                        in.len == rows[i].left && item.at + item.len == at,
                    "%s: as it is", rows[i].why);
        else
            test_ok(at == before && in.len == len && item.len == 99,
                    "%s: nothing moved", rows[i].why);
        free(bytes);
    }
}

/* A payload that is all there, behind headers that say its length in more bytes
 * than needed. */
static void
test_long_headers(void)
{
    static const struct {
        const char *why;
        size_t payload;
        uint8_t header[4], header_len;
        enum x402_err err;
    } headers[] = {
        {"56 bytes", 56, {0xb8, 56}, 2, X402_OK},
        {"56 bytes, leading zero", 56, {0xb9, 0, 56}, 3, X402_ERR_SYNTAX},
        {"55 bytes, long form", 55, {0xb8, 55}, 2, X402_ERR_SYNTAX},
        {"256 bytes", 256, {0xb9, 1, 0}, 3, X402_OK},
        {"256 bytes, leading zero", 256, {0xba, 0, 1, 0}, 4, X402_ERR_SYNTAX},
        {"list of 56 bytes", 56, {0xf8, 56}, 2, X402_OK},
        {"list, leading zero", 56, {0xf9, 0, 56}, 3, X402_ERR_SYNTAX},
        {"list of 55 bytes, long form", 55, {0xf8, 55}, 2, X402_ERR_SYNTAX},
    };

    for (size_t i = 0; i < TEST_LEN(headers); i++) {
        uint8_t bytes[300] = {0};
        struct x402_rlp_item item;
        struct x402_span in;
        const uint8_t *at;

        memcpy(bytes, headers[i].header, headers[i].header_len);
        in = test_edge(bytes, headers[i].header_len + headers[i].payload);
        at = (const uint8_t *)in.at;
        test_ok(x402_rlp_read(&item, &at, &in.len) == headers[i].err, "%s",
                headers[i].why);
    }
}

/* Lengths at which the header changes its form, for strings and lists. */
static void
test_lengths(void)
{
    static const struct {
        size_t len, header;
        uint8_t first_of_string, first_of_list;
    } forms[] = {
        {2, 1, 0x82, 0xc2},     {55, 1, 0xb7, 0xf7},  {56, 2, 0xb8, 0xf8},
        {255, 2, 0xb8, 0xf8},   {256, 3, 0xb9, 0xf9}, {65535, 3, 0xb9, 0xf9},
        {65536, 4, 0xba, 0xfa},
    };
    static uint8_t memory[1 << 17], payload[65536];

    for (size_t i = 0; i < TEST_LEN(forms); i++) {
        struct x402_rlp_writer w = {memory, sizeof memory, sizeof memory,
                                    false};

        x402_rlp_bytes(&w, payload, forms[i].len);
        test_ok(!w.full &&
                    sizeof memory - w.start == forms[i].len + forms[i].header &&
                    memory[w.start] == forms[i].first_of_string,
                "string of %zu bytes", forms[i].len);
        w = (struct x402_rlp_writer){memory, sizeof memory - forms[i].len,
                                     sizeof memory, false};
        x402_rlp_list(&w, sizeof memory);
        test_ok(!w.full &&
                    sizeof memory - w.start == forms[i].len + forms[i].header &&
                    memory[w.start] == forms[i].first_of_list,
                "list of %zu bytes", forms[i].len);
    }
}

static void
test_integers(void)
{
    static const struct {
        uint64_t limb[4];
        const char *bytes;
    } numbers[] = {
        {{0, 0, 0, 0}, "0x80"},
        {{1, 0, 0, 0}, "0x01"},
        {{127, 0, 0, 0}, "0x7f"},
        {{128, 0, 0, 0}, "0x8180"},
        {{255, 0, 0, 0}, "0x81ff"},
        {{256, 0, 0, 0}, "0x820100"},
        {{UINT64_MAX, 0, 0, 0}, "0x88ffffffffffffffff"},
        {{0, 1, 0, 0}, "0x89010000000000000000"},
        {{UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX},
         "0xa0fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
         "f"},
    };

    for (size_t i = 0; i < TEST_LEN(numbers); i++) {
        struct x402_amount amount;
        uint8_t memory[40];
        struct x402_rlp_writer w = {memory, sizeof memory, sizeof memory,
                                    false};
        size_t len;
        uint8_t *want = test_unhex(&len, numbers[i].bytes);

        memcpy(amount.limb, numbers[i].limb, sizeof amount.limb);
        x402_rlp_amount(&w, &amount);
        test_bytes(memory + w.start, sizeof memory - w.start, want, len,
                   numbers[i].bytes);
        if (amount.limb[1] == 0) {
            w.start = sizeof memory;
            x402_rlp_u64(&w, amount.limb[0]);
            test_bytes(memory + w.start, sizeof memory - w.start, want, len,
                       "as 64 bits");
        }
        free(want);
    }
}

/* A writer too small says so, writes nothing before its start and stays full.
 */
static void
test_full(void)
{
    static const uint8_t payload[60] = {1};

    for (size_t cap = 0; cap <= 64; cap++) {
        uint8_t memory[65];
        struct x402_rlp_writer w = {memory, cap, cap, false};

        memset(memory, 0x55, sizeof memory);
        x402_rlp_bytes(&w, payload, sizeof payload);
        x402_rlp_list(&w, cap);
        test_ok(w.full == (cap < 64), "62 bytes and 2 more into %zu", cap);
        test_ok(memory[cap] == 0x55, "nothing past the end");
        if (w.full) {
            x402_rlp_u64(&w, 1);
            x402_rlp_list(&w, cap);
            test_ok(w.full, "and it stays full");
        }
    }
}

int
main(void)
{
    test_file("ethers/rlp.json", 51);
    test_file("ethereum/rlp.json", 25);
    test_forms();
    test_long_headers();
    test_lengths();
    test_integers();
    test_full();
    return test_done();
}
