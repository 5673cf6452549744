/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded text writer over the caller's memory. */
#ifndef X402_BUF_H
#define X402_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <x402/amount.h>
#include <x402/span.h>

/** Writes go to at[0..cap); one that does not fit sets `full` and writes
 *  nothing, and so do all later ones.  Check `full` once, at the end. */
struct x402_buf {
    char *at;
    size_t len;
    size_t cap;
    bool full;
};

struct x402_buf x402_buf_on(char *memory, size_t cap);
void x402_buf_add(struct x402_buf *buf, struct x402_span bytes);
void x402_buf_text(struct x402_buf *buf, const char *text);
void x402_buf_char(struct x402_buf *buf, char c);
void x402_buf_u64(struct x402_buf *buf, uint64_t value); /* decimal */
void x402_buf_amount(struct x402_buf *buf, const struct x402_amount *amount);
void x402_buf_hex(struct x402_buf *buf, const uint8_t *bytes,
                  size_t len); /* "0x" + lower case */
void x402_buf_hex_bare(struct x402_buf *buf, const uint8_t *bytes,
                       size_t len); /* lower case alone */
/** A JSON string with its quotes.  Control characters, quote, backslash, '<',
 *  '>', '&', U+2028 and U+2029 are escaped, so that the text is also safe
 * inside a <script type="application/json">.  Bytes that are not UTF-8 become
 * U+FFFD. */
void x402_buf_json(struct x402_buf *buf, struct x402_span text);
/** Standard base64 (RFC 4648 section 4) with padding. */
void x402_buf_base64(struct x402_buf *buf, const uint8_t *bytes, size_t len);
/** The URL-safe alphabet (section 5) without padding. */
void x402_buf_base64url(struct x402_buf *buf, const uint8_t *bytes, size_t len);
struct x402_span x402_buf_span(const struct x402_buf *buf);

#endif
