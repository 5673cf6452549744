/* SPDX-License-Identifier: Apache-2.0 */
/* Strict JSON: jansson with duplicate keys, trailing bytes, depth and size
 * refused. The one place of the library that allocates (jansson's own
 * allocator). */
#ifndef X402_JSON_H
#define X402_JSON_H

#include <jansson.h>

#include <x402/address.h>
#include <x402/amount.h>
#include <x402/error.h>
#include <x402/span.h>

#define X402_JSON_DEPTH_MAX 32

/** Parse one JSON text (RFC 8259, UTF-8, no BOM, no NUL bytes).
 *  In:      max_bytes   larger input is X402_ERR_TOO_LARGE before any parsing
 *           max_depth   1..X402_JSON_DEPTH_MAX nested arrays and objects
 *  Out:     *out        a new reference, json_decref it
 *  Returns: X402_ERR_SYNTAX for anything but one well-formed value
 *  Memory:  allocates through jansson. */
X402_MUST_CHECK enum x402_err x402_json_load(json_t **out,
                                             struct x402_span text,
                                             size_t max_bytes,
                                             unsigned max_depth);
/** The same for what a chain's node answers: its texts quote contracts, whose
 *  words may hold any byte, "\u0000" too.  Anybody can be such a contract, so
 *  that must not make the whole answer unreadable. */
X402_MUST_CHECK enum x402_err x402_json_load_node(json_t **out,
                                                  struct x402_span text,
                                                  size_t max_bytes,
                                                  unsigned max_depth);

/** Typed members: X402_ERR_SYNTAX when absent or of another type.  Spans borrow
 *  from the json_t. */
X402_MUST_CHECK enum x402_err
x402_json_string(struct x402_span *out, const json_t *object, const char *key);
X402_MUST_CHECK enum x402_err x402_json_address(struct x402_address *out,
                                                const json_t *object,
                                                const char *key);
/** A decimal string member (never a JSON number). */
X402_MUST_CHECK enum x402_err x402_json_amount(struct x402_amount *out,
                                               const json_t *object,
                                               const char *key);
X402_MUST_CHECK enum x402_err
x402_json_hex(uint8_t *out, size_t len, const json_t *object, const char *key);
X402_MUST_CHECK enum x402_err
x402_json_object(const json_t **out, const json_t *object, const char *key);

#endif
