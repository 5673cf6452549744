/* SPDX-License-Identifier: Apache-2.0 */
/* The bounded writer: a write is whole or absent, and one that was refused is
 * never followed by another. */
#include <x402/buf.h>

#include <x402/encode.h>

/* Where `len` more bytes go, or NULL with `full` set. */
static char *
claim(struct x402_buf *buf, size_t len)
{
    char *at = buf->at + buf->len;

    if (buf->full || len > buf->cap - buf->len) {
        buf->full = true;
        return NULL;
    }
    buf->len += len;
    return at;
}

struct x402_buf
x402_buf_on(char *memory, size_t cap)
{
    return (struct x402_buf){memory, 0, cap, false};
}

void
x402_buf_add(struct x402_buf *buf, struct x402_span bytes)
{
    char *at = claim(buf, bytes.len);

    if (at != NULL && bytes.len > 0)
        memcpy(at, bytes.at, bytes.len);
}

void
x402_buf_text(struct x402_buf *buf, const char *text)
{
    x402_buf_add(buf, x402_span_of(text));
}

void
x402_buf_char(struct x402_buf *buf, char c)
{
    x402_buf_add(buf, (struct x402_span){&c, 1});
}

void
x402_buf_u64(struct x402_buf *buf, uint64_t value)
{
    struct x402_amount amount = x402_amount_of(value);

    x402_buf_amount(buf, &amount);
}

void
x402_buf_amount(struct x402_buf *buf, const struct x402_amount *amount)
{
    char digits[X402_AMOUNT_TEXT_MAX + 1];
    size_t n = x402_amount_format(digits, amount);

    x402_buf_add(buf, (struct x402_span){digits, n});
}

void
x402_buf_hex(struct x402_buf *buf, const uint8_t *bytes, size_t len)
{
    /* Whole or absent, prefix and all. */
    if (buf->full || 2 + 2 * len > buf->cap - buf->len) {
        buf->full = true;
        return;
    }
    x402_buf_text(buf, "0x");
    x402_buf_hex_bare(buf, bytes, len);
}

void
x402_buf_hex_bare(struct x402_buf *buf, const uint8_t *bytes, size_t len)
{
    char *at = claim(buf, 2 * len);

    if (at != NULL)
        x402_hex_encode_bare(at, bytes, len);
}

void
x402_buf_base64(struct x402_buf *buf, const uint8_t *bytes, size_t len)
{
    char *at = claim(buf, X402_BASE64_LEN(len));

    if (at != NULL)
        x402_base64_encode(at, bytes, len);
}

void
x402_buf_base64url(struct x402_buf *buf, const uint8_t *bytes, size_t len)
{
    char *at = claim(buf, X402_BASE64_LEN(len));

    if (at != NULL)
        buf->len -=
            X402_BASE64_LEN(len) - x402_base64url_encode(at, bytes, len);
}

struct x402_span
x402_buf_span(const struct x402_buf *buf)
{
    return (struct x402_span){buf->at, buf->len};
}
