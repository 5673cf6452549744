/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded writer: whole writes or none, and JSON strings that stay strings
 * wherever they are put. */
#include "test.h"

#include <x402/buf.h>

static void
test_writes(void)
{
    static const uint8_t bytes[3] = {0xde, 0xad, 0x0f};
    struct x402_amount amount = {{0, 1, 0, 0}};
    char memory[128];
    struct x402_buf buf = x402_buf_on(memory, sizeof memory);

    x402_buf_text(&buf, "a");
    x402_buf_char(&buf, ' ');
    x402_buf_u64(&buf, 0);
    x402_buf_char(&buf, ' ');
    x402_buf_u64(&buf, UINT64_MAX);
    x402_buf_char(&buf, ' ');
    x402_buf_amount(&buf, &amount);
    x402_buf_char(&buf, ' ');
    x402_buf_hex(&buf, bytes, 3);
    x402_buf_char(&buf, ' ');
    x402_buf_base64(&buf, bytes, 2);
    x402_buf_add(&buf, (struct x402_span){NULL, 0});
    x402_buf_char(&buf, '\0');
    test_ok(!buf.full, "everything fits");
    test_text(memory,
              "a 0 18446744073709551615 18446744073709551616 0xdead0f 3q0=",
              "every kind of write");
    test_ok(x402_buf_span(&buf).len == strlen(memory) + 1 &&
                x402_buf_span(&buf).at == memory,
            "the span is what was written");
}

/* One write of each kind; its length is what fits exactly. */
static void
write_kind(struct x402_buf *buf, unsigned kind)
{
    static const uint8_t bytes[4] = {1, 2, 3, 4};
    struct x402_amount amount = x402_amount_of(1234567);

    switch (kind) {
    case 0:
        x402_buf_text(buf, "text");
        break;
    case 1:
        x402_buf_u64(buf, 1234567);
        break;
    case 2:
        x402_buf_amount(buf, &amount);
        break;
    case 3:
        x402_buf_hex(buf, bytes, sizeof bytes);
        break;
    case 4:
        x402_buf_json(buf, x402_span_of("a\"b<\xff"));
        break;
    case 5:
        x402_buf_base64(buf, bytes, sizeof bytes);
        break;
    default:
        x402_buf_char(buf, 'c');
    }
}

/* At every capacity below its length a write leaves nothing behind, and nothing
 * is written past the capacity. */
static void
test_capacity(void)
{
    for (unsigned kind = 0; kind <= 6; kind++) {
        char memory[64];
        struct x402_buf whole = x402_buf_on(memory, sizeof memory);

        write_kind(&whole, kind);
        for (size_t cap = 0; cap <= whole.len; cap++) {
            char small[64];
            struct x402_buf buf;
            bool fits = cap == whole.len;

            memset(small, '#', sizeof small);
            buf = x402_buf_on(small, cap);
            write_kind(&buf, kind);
            test_ok(buf.full == !fits && buf.len == (fits ? whole.len : 0),
                    "kind %u of %zu bytes into %zu", kind, whole.len, cap);
            test_ok(small[cap] == '#', "nothing past the end");
            if (fits) {
                test_ok(memcmp(small, memory, cap) == 0, "the same bytes");
                continue;
            }
            x402_buf_add(&buf, (struct x402_span){NULL, 0});
            x402_buf_char(&buf, 'x');
            test_ok(buf.full && buf.len == 0, "later ones are dropped too");
        }
    }
}

static void
test_json_strings(void)
{
    static const struct {
        const char *why, *text, *want;
    } rows[] = {
        {"empty", "", "\"\""},
        {"plain", "USD Coin", "\"USD Coin\""},
        {"quote", "a\"b", "\"a\\\"b\""},
        {"backslash", "a\\b", "\"a\\\\b\""},
        {"new line", "a\nb", "\"a\\u000ab\""},
        {"tab", "\t", "\"\\u0009\""},
        {"unit separator", "\x1f", "\"\\u001f\""},
        {"DEL", "\x7f", "\"\\u007f\""},
        {"end of a script", "</script>", "\"\\u003c/script\\u003e\""},
        {"comment", "<!--", "\"\\u003c!--\""},
        {"entity", "&quot;", "\"\\u0026quot;\""},
        {"line separator", "\xe2\x80\xa8", "\"\\u2028\""},
        {"paragraph separator", "\xe2\x80\xa9", "\"\\u2029\""},
        {"its neighbour", "\xe2\x80\xaa", "\"\xe2\x80\xaa\""},
        {"two bytes", "\xc3\xa9", "\"\xc3\xa9\""},
        {"three bytes",
         "USD\xe2\x82\xae"
         "0",
         "\"USD\xe2\x82\xae"
         "0\""},
        {"four bytes", "\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\""},
        {"largest", "\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\""},
        {"past the largest", "\xf4\x90\x80\x80",
         "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"surrogate", "\xed\xa0\x80",
         "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"before the surrogates", "\xed\x9f\xbf", "\"\xed\x9f\xbf\""},
        {"after the surrogates", "\xee\x80\x80", "\"\xee\x80\x80\""},
        {"overlong slash", "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {"overlong of two", "\xc1\xbf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {"overlong of three", "\xe0\x9f\xbf",
         "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"overlong of four", "\xf0\x8f\xbf\xbf",
         "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"continuation alone", "a\x80z", "\"a\xef\xbf\xbdz\""},
        {"cut after one", "a\xe2", "\"a\xef\xbf\xbd\""},
        {"cut after two", "a\xe2\x82", "\"a\xef\xbf\xbd\xef\xbf\xbd\""},
        {"quote inside a character", "\xe2\"\x82",
         "\"\xef\xbf\xbd\\\"\xef\xbf\xbd\""},
        {"no UTF-8 byte", "\xff\xfe", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    };

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        char memory[128];
        struct x402_buf buf = x402_buf_on(memory, sizeof memory);

        x402_buf_json(&buf, test_edge_text(rows[i].text));
        test_bytes(memory, buf.len, rows[i].want, strlen(rows[i].want),
                   rows[i].why);
    }
}

/* Whatever the bytes: one string, and markup never. */
static void
test_json_random(void)
{
    uint64_t state = 8259;

    for (unsigned i = 0; i < 500; i++) {
        char text[40], memory[6 * sizeof text + 2];
        struct x402_buf buf = x402_buf_on(memory, sizeof memory);
        json_t *value;

        for (size_t j = 0; j < sizeof text; j++)
            text[j] = (char)test_random(&state);
        x402_buf_json(&buf, test_edge(text, sizeof text));
        value =
            json_loadb(memory, buf.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        test_ok(json_is_string(value) && !buf.full &&
                    memchr(memory, '<', buf.len) == NULL,
                "40 random bytes, %u", i);
        json_decref(value);
    }
}

int
main(void)
{
    test_writes();
    test_capacity();
    test_json_strings();
    test_json_random();
    return test_done();
}
