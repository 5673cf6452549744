/* SPDX-License-Identifier: Apache-2.0 */
/* Plain JSON, read fast: objects and arrays of strings of printable ASCII
 * without escapes, of natural numbers, true, false and null.  So writes nearly
 * every client, and jansson, which goes by single characters, took a sixth of
 * what a payment costs the gateway beside its signature.
 *
 * No judge of JSON: whatever is not plain, and whatever is wrong, is left to
 * jansson.  What is read here jansson reads as the same value. */
#ifndef X402_LIB_JSON_PLAIN_H
#define X402_LIB_JSON_PLAIN_H

#include <jansson.h>

#include <x402/span.h>

/** A new reference; NULL: not plain, wrong, or nested deeper than max_depth. */
json_t *json_plain(struct x402_span text, unsigned max_depth);

#endif
