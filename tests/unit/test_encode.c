/* SPDX-License-Identifier: Apache-2.0 */
/* Hex and base64: the published examples, every length, and everything that
 * looks almost right. */
#include "test.h"

#include <x402/encode.h>

static void
test_hex_rows(void)
{
    static const struct {
        const char *why, *text;
        size_t len;
        enum x402_err err;
    } rows[] = {
        {"nothing", "0x", 0, X402_OK},
        {"lower case", "0x00ff7a", 3, X402_OK},
        {"upper case", "0x00FF7A", 3, X402_OK},
        {"mixed case", "0x00fF7a", 3, X402_OK},
        {"a byte too few", "0x00ff", 3, X402_ERR_SYNTAX},
        {"a byte too many", "0x00ff7a00", 3, X402_ERR_SYNTAX},
        {"odd", "0x00ff7", 3, X402_ERR_SYNTAX},
        {"no prefix", "00ff7a00", 3, X402_ERR_SYNTAX},
        {"0X", "0X00ff7a", 3, X402_ERR_SYNTAX},
        {"empty", "", 0, X402_ERR_SYNTAX},
        {"half a prefix", "0", 0, X402_ERR_SYNTAX},
        {"another prefix", "1x00ff7a", 3, X402_ERR_SYNTAX},
        {"letter g", "0x00fg7a", 3, X402_ERR_SYNTAX},
        {"before '0'", "0x00/f7a", 3, X402_ERR_SYNTAX},
        {"after '9'", "0x00:f7a", 3, X402_ERR_SYNTAX},
        {"before 'A'", "0x00@f7a", 3, X402_ERR_SYNTAX},
        {"after 'F'", "0x00Gf7a", 3, X402_ERR_SYNTAX},
        {"before 'a'", "0x00`f7a", 3, X402_ERR_SYNTAX},
        {"space", "0x00 f7a", 3, X402_ERR_SYNTAX},
        {"minus", "0x00-f7a", 3, X402_ERR_SYNTAX},
        {"high bit",
         "0x00\xe6"
         "f7a",
         3, X402_ERR_SYNTAX},
    };
    static const uint8_t want[3] = {0x00, 0xff, 0x7a};
    static const uint8_t before[3] = {1, 2, 3};

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        uint8_t out[3] = {1, 2, 3}, any[4] = {1, 2, 3};
        size_t n = 99;
        struct x402_span text = test_edge_text(rows[i].text);
        enum x402_err err = x402_hex_decode(out, rows[i].len, text);
        enum x402_err err_any = x402_hex_decode_any(any, &n, 4, text);

        test_ok(err == rows[i].err, "hex: %s", rows[i].why);
        if (err == X402_OK) {
            test_bytes(out, rows[i].len, want, rows[i].len, rows[i].why);
            test_ok(err_any == X402_OK, "any length reads it too");
            test_bytes(any, n, want, rows[i].len, rows[i].why);
        } else {
            test_bytes(out, 3, before, 3, "refused, nothing written");
        }
    }
}

static void
test_hex_cap(void)
{
    uint8_t out[4] = {9, 9, 9, 9};
    size_t len = 7;

    test_ok(x402_hex_decode_any(out, &len, 2, test_edge_text("0x010203")) ==
                    X402_ERR_TOO_LARGE &&
                len == 7 && out[0] == 9,
            "three bytes do not go into two");
    test_ok(x402_hex_decode_any(out, &len, 3, test_edge_text("0x010203")) ==
                    X402_OK &&
                len == 3 && out[2] == 3 && out[3] == 9,
            "three bytes go into three");
    test_ok(x402_hex_decode_any(out, &len, 0, test_edge_text("0x")) ==
                    X402_OK &&
                len == 0,
            "none go into none");
}

static void
test_hex_round(void)
{
    uint8_t all[256], back[256];
    char text[2 * 256 + 3];

    for (unsigned i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    x402_hex_encode(text, all, sizeof all);
    test_ok(strlen(text) == 514, "256 bytes are 514 characters");
    test_ok(strspn(text + 2, "0123456789abcdef") == 512, "all lower case");
    test_ok(x402_hex_decode(back, sizeof back, test_edge_text(text)) == X402_OK,
            "and read back");
    test_bytes(back, sizeof back, all, sizeof all, "to the same bytes");
    x402_hex_encode(text, all, 0);
    test_text(text, "0x", "no bytes are 0x");
}

static void
test_base64_examples(void)
{
    /* RFC 4648, section 10. */
    static const struct {
        const char *plain, *text, *unpadded;
    } rows[] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    };

    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        size_t plain_len = strlen(rows[i].plain), len = 99;
        uint8_t back[16];
        char text[16];
        size_t n =
            x402_base64_encode(text, (const uint8_t *)rows[i].plain, plain_len);

        test_bytes(text, n, rows[i].text, strlen(rows[i].text), rows[i].plain);
        test_ok(n == X402_BASE64_LEN(plain_len), "its length is as said");
        test_ok(x402_base64_decode(back, &len, plain_len,
                                   test_edge_text(rows[i].text)) == X402_OK,
                "read with padding");
        test_bytes(back, len, rows[i].plain, plain_len, rows[i].text);
        len = 99;
        test_ok(x402_base64_decode(back, &len, plain_len,
                                   test_edge_text(rows[i].unpadded)) == X402_OK,
                "read without");
        test_bytes(back, len, rows[i].plain, plain_len, rows[i].unpadded);
    }
}

static void
test_base64_refused(void)
{
    static const struct {
        const char *why, *text;
    } rows[] = {
        {"one character", "Z"},
        {"five characters", "Zm9vY"},
        {"one of two paddings", "Zg="},
        {"padding of a whole group", "Zm9v="},
        {"two paddings of a whole group", "Zm9v=="},
        {"three paddings", "Z==="},
        {"four paddings", "===="},
        {"one padding", "="},
        {"two paddings alone", "=="},
        {"padding inside", "Zg==Zg=="},
        {"padding before the end", "Z=g="},
        {"bits after one byte", "Zh=="},
        {"bits after one byte, unpadded", "Zh"},
        {"bits after two bytes", "Zm9="},
        {"bits after two bytes, unpadded", "Zm9"},
        {"URL alphabet, minus", "Zm9-"},
        {"URL alphabet, underscore", "Zm9_"},
        {"space", "Zm 9"},
        {"space at the end", "Zm9v "},
        {"new line", "Zm9v\n"},
        {"new line in between", "Zm9v\nZm9v"},
        {"high bit", "Zm9\xc3"},
        {"DEL", "Zm9\x7f"},
        {"all ones that are no character", "\xff\xff\xff\xff"},
    };
    uint8_t out[16];
    size_t len;

    for (size_t i = 0; i < TEST_LEN(rows); i++)
        test_ok(x402_base64_decode(out, &len, sizeof out,
                                   test_edge_text(rows[i].text)) ==
                    X402_ERR_SYNTAX,
                "base64: %s", rows[i].why);
    test_ok(x402_base64_decode(out, &len, sizeof out, test_edge("Zm\0v", 4)) ==
                X402_ERR_SYNTAX,
            "base64: NUL");
    test_ok(x402_base64_decode(out, &len, 2, test_edge_text("Zm9v")) ==
                X402_ERR_TOO_LARGE,
            "three bytes do not go into two");
}

/* Of all 256 characters exactly the 64 pass, each with its own value. */
static void
test_base64_alphabet(void)
{
    uint8_t seen[64] = {0}, out[3];
    unsigned passed = 0;
    size_t len;

    for (unsigned c = 0; c < 256; c++) {
        char text[4] = {'A', 'A', 'A', (char)c};

        if (c == '=' ||
            x402_base64_decode(out, &len, 3, test_edge(text, 4)) != X402_OK)
            continue;
        passed++;
        seen[out[2] & 63]++;
    }
    test_ok(passed == 64, "64 characters are in the alphabet");
    for (unsigned i = 0; i < 64; i++)
        test_ok(seen[i] == 1, "one of them is %u", i);
}

static void
test_base64_round(void)
{
    uint64_t state = 4648;

    for (size_t n = 0; n < 200; n++) {
        uint8_t bytes[200], back[200];
        char text[X402_BASE64_LEN(200)];
        size_t text_len, len = 999;

        for (size_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)test_random(&state);
        text_len = x402_base64_encode(text, bytes, n);
        test_ok(x402_base64_decode(back, &len, n, test_edge(text, text_len)) ==
                        X402_OK &&
                    len == n && memcmp(back, bytes, n) == 0 &&
                    n <= X402_BASE64_DECODED_MAX(text_len),
                "%zu random bytes there and back", n);
    }
}

/* lightninglabs/aperture, mpp/testdata/vectors.json, "base64url". */
static const struct {
    const char *text, *hex; /* NULL: refused */
    bool canonical;
} url_rows[] = {
    {"", "0x", true},
    {"AA", "0x00", true},
    {"__4", "0xfffe", true},
    {"__79", "0xfffefd", true},
    {"aGVsbG8", "0x68656c6c6f", true},
    {"-_-_A-__", "0xfbffbf03efff", true},
    {"aGVsbG8=", "0x68656c6c6f", false},
    {"AA==", "0x00", false},
    {"AB", NULL, false},
    {"aGVs\nbG8", NULL, false},
    {"aGVs\rbG8", NULL, false},
    {"a+b/", NULL, false},
    {"aGV=bG8", NULL, false},
    {"aGVsbG8===", NULL, false},
    {"aGVsbG8==", NULL, false},
    {"aGVsbG=", NULL, false},
    {"aGVsb", NULL, false},
    {"====", NULL, false},
    {"=", NULL, false},
    {"!!!invalid!!!", NULL, false},
};

static void
test_base64url(void)
{
    for (size_t i = 0; i < TEST_LEN(url_rows); i++) {
        struct x402_span text = test_edge_text(url_rows[i].text);
        uint8_t got[32], *want;
        char again[32];
        size_t len, n;
        enum x402_err err = x402_base64url_decode(got, &len, sizeof got, text);

        if (url_rows[i].hex == NULL) {
            test_ok(err == X402_ERR_SYNTAX, "base64url refused: row %zu", i);
            continue;
        }
        want = test_unhex(&n, url_rows[i].hex);
        test_need(err == X402_OK, url_rows[i].text);
        test_bytes(got, len, want, n, "base64url");
        free(want);
        if (url_rows[i].canonical) {
            n = x402_base64url_encode(again, got, len);
            test_bytes(again, n, text.at, text.len, "base64url again");
        }
    }
    test_ok(x402_base64url_decode(NULL, &(size_t){0}, 0,
                                  x402_span_of("AAAA")) == X402_ERR_TOO_LARGE,
            "base64url without room");
}

static void
test_bare_hex(void)
{
    uint8_t got[2] = {7, 7};

    test_ok(x402_hex_decode_bare(got, 2, test_edge_text("0AfF")) ==
                X402_ERR_SYNTAX,
            "bare hex is lower case");
    test_ok(x402_hex_decode_bare(got, 2, test_edge_text("0x0a")) ==
                    X402_ERR_SYNTAX &&
                x402_hex_decode_bare(got, 2, test_edge_text("0a0")) ==
                    X402_ERR_SYNTAX &&
                x402_hex_decode_bare(got, 2, test_edge_text("0a0b0c")) ==
                    X402_ERR_SYNTAX &&
                got[0] == 7,
            "has no prefix, and one length");
    test_ok(x402_hex_decode_bare(got, 2, test_edge_text("0aff")) == X402_OK &&
                got[0] == 10 && got[1] == 255,
            "two bytes");
}

int
main(void)
{
    test_hex_rows();
    test_hex_cap();
    test_hex_round();
    test_base64_examples();
    test_base64_refused();
    test_base64_alphabet();
    test_base64_round();
    test_base64url();
    test_bare_hex();
    return test_done();
}
