/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes and text: hex and base64, strict in what they read. */
#ifndef X402_ENCODE_H
#define X402_ENCODE_H

#include <stddef.h>
#include <stdint.h>

#include <x402/error.h>
#include <x402/span.h>

/** Read exactly len bytes from "0x" + 2*len hex digits of any case.
 *  Returns: X402_ERR_SYNTAX otherwise ("0X" too); out is unchanged then. */
X402_MUST_CHECK enum x402_err x402_hex_decode(uint8_t *out, size_t len,
                                              struct x402_span text);
/** Read up to cap bytes; *len is set.  X402_ERR_TOO_LARGE past cap. */
X402_MUST_CHECK enum x402_err x402_hex_decode_any(uint8_t *out, size_t *len,
                                                  size_t cap,
                                                  struct x402_span text);
/** "0x" + 2*len lower-case digits + NUL: 2*len+3 bytes. */
void x402_hex_encode(char *out, const uint8_t *bytes, size_t len);
/** 2*len lower-case digits and nothing else. */
void x402_hex_encode_bare(char *out, const uint8_t *bytes, size_t len);

#define X402_BASE64_LEN(n) (((n) + 2) / 3 * 4)
#define X402_BASE64_DECODED_MAX(n) ((n) / 4 * 3 + 3)

/** Decode standard base64 (RFC 4648 section 4).  Padding may be absent; nothing
 *  else that is not canonical passes: no white space, no URL-safe alphabet, no
 *  partial padding, zero trailing bits.
 *  Out: out[0..*len); *len is at most X402_BASE64_DECODED_MAX(text.len). */
X402_MUST_CHECK enum x402_err x402_base64_decode(uint8_t *out, size_t *len,
                                                 size_t cap,
                                                 struct x402_span text);
/** X402_BASE64_LEN(len) characters, padded, no NUL. Returns that length. */
size_t x402_base64_encode(char *out, const uint8_t *bytes, size_t len);

/** The URL-safe alphabet (RFC 4648 section 5), as strict; complete padding may
 *  be there. */
X402_MUST_CHECK enum x402_err x402_base64url_decode(uint8_t *out, size_t *len,
                                                    size_t cap,
                                                    struct x402_span text);
/** Without padding: at most X402_BASE64_LEN(len) characters, no NUL.  out must
 *  hold X402_BASE64_LEN(len).  Returns the length. */
size_t x402_base64url_encode(char *out, const uint8_t *bytes, size_t len);

/** Read exactly len bytes from 2*len lower-case hex digits without "0x", as
 *  Lightning writes them.  X402_ERR_SYNTAX otherwise; out is unchanged then. */
X402_MUST_CHECK enum x402_err x402_hex_decode_bare(uint8_t *out, size_t len,
                                                   struct x402_span text);

#endif
