/* SPDX-License-Identifier: Apache-2.0 */
/* What nodes write: hex quantities, hashes, addresses, data.  Read strictly,
 * from JSON to typed values. */
#ifndef X402D_QUANTITY_H
#define X402D_QUANTITY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <x402/address.h>
#include <x402/amount.h>
#include <x402/span.h>

/** "0x1a": no leading zeros are asked for, none are refused ("0x01" reads as
 * 1); empty, too large or another type: false, out unchanged. */
bool quantity_u64(uint64_t *out, const json_t *value);
bool quantity_amount(struct x402_amount *out, const json_t *value);

/** Exactly len bytes of data. */
bool quantity_bytes(uint8_t *out, size_t len, const json_t *value);
bool quantity_address(struct x402_address *out, const json_t *value);

/** The same out of JSON text (scan.h). */
bool quantity_text_u64(uint64_t *out, struct x402_span json);
bool quantity_text_bytes(uint8_t *out, size_t len, struct x402_span json);
bool quantity_text_data(uint8_t **out, size_t *len, struct x402_span json);

/** Data of any length.  Memory: *out is malloc'd, NULL when empty. */
bool quantity_data(uint8_t **out, size_t *len, const json_t *value);

#endif
