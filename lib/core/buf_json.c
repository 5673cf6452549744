/* SPDX-License-Identifier: Apache-2.0 */
/* JSON strings, written so that the text may also stand inside a <script>
 * element of an HTML page. */
#include <x402/buf.h>

/* One step through a text: how many bytes, and the character they are. */
struct character {
    size_t len;
    uint32_t code;
    bool valid;
};

/* What a first byte promises: continuation bytes, and the smallest character
 * that may be written at that length (shorter forms are the only valid ones).
 */
static size_t
more_bytes(unsigned char first, uint32_t *code, uint32_t *least)
{
    if (first >= 0xc2 && first <= 0xdf) {
        *code = first & 0x1fu;
        *least = 0x80;
        return 1;
    }
    if (first >= 0xe0 && first <= 0xef) {
        *code = first & 0x0fu;
        *least = 0x800;
        return 2;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        *code = first & 0x07u;
        *least = 0x10000;
        return 3;
    }
    return 0;
}

/* The UTF-8 character at the start of a non-empty text. RFC 3629: no overlong
 * forms, no surrogates, nothing above U+10FFFF. A bad one is one byte long. */
static struct character
first_character(struct x402_span text)
{
    const unsigned char *at = (const unsigned char *)text.at;
    struct character bad = {1, 0xfffd, false};
    uint32_t code, least;
    size_t more;

    if (at[0] < 0x80)
        return (struct character){1, at[0], true};
    more = more_bytes(at[0], &code, &least);
    if (more == 0 || more >= text.len)
        return bad;
    for (size_t i = 1; i <= more; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return bad;
        code = code << 6 | (at[i] & 0x3fu);
    }
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return bad;
    return (struct character){more + 1, code, true};
}

static bool
must_escape(uint32_t code)
{
    /* The last two end a line in JavaScript, the three before them begin
     * markup in HTML. */
    return code < 0x20 || code == 0x7f || code == '"' || code == '\\' ||
           code == '<' || code == '>' || code == '&' || code == 0x2028 ||
           code == 0x2029;
}

static void
add_escape(struct x402_buf *buf, uint32_t code)
{
    static const char digit[] = "0123456789abcdef";
    char text[6] = {'\\', 'u'};

    if (code == '"' || code == '\\') {
        text[1] = (char)code;
        x402_buf_add(buf, (struct x402_span){text, 2});
        return;
    }
    for (unsigned i = 0; i < 4; i++)
        text[2 + i] = digit[code >> (12 - 4 * i) & 15];
    x402_buf_add(buf, (struct x402_span){text, sizeof text});
}

static void
add_character(struct x402_buf *buf, struct x402_span text, struct character c)
{
    if (!c.valid)
        x402_buf_text(buf, "\xef\xbf\xbd"); /* U+FFFD */
    else if (must_escape(c.code))
        add_escape(buf, c.code);
    else
        x402_buf_add(buf, (struct x402_span){text.at, c.len});
}

void
x402_buf_json(struct x402_buf *buf, struct x402_span text)
{
    size_t start = buf->len;

    x402_buf_char(buf, '"');
    while (text.len > 0 && !buf->full) {
        struct character c = first_character(text);

        add_character(buf, text, c);
        text.at += c.len;
        text.len -= c.len;
    }
    x402_buf_char(buf, '"');
    if (buf->full)
        buf->len = start; /* whole or absent */
}
