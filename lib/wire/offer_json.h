/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of a 402 that its wires have in common.  Written straight into the
 * buffer: with a variable price this runs for every unpaid request. */
#ifndef X402_WIRE_OFFER_JSON_H
#define X402_WIRE_OFFER_JSON_H

#include <x402/offer.h>

/** "key":"text", with the comma after it. */
void offer_add_text(struct x402_buf *out, const char *key,
                    struct x402_span text);
/** "key":"0x…", with the comma after it. */
void offer_add_address(struct x402_buf *out, const char *key,
                       const struct x402_address *address);
/** "key":"3000", with the comma after it. */
void offer_add_amount(struct x402_buf *out, const char *key,
                      const struct x402_amount *amount);
/** "error":"…", with the comma after it. */
void offer_add_error(struct x402_buf *out, const struct x402_offer *offer);
/** "resource":{"url":…,"description":…,"mimeType":…} of version 2. */
void offer_add_resource(struct x402_buf *out, const struct x402_offer *offer);
/** "extra":{"name":…,"version":…}: the EIP-712 domain of OUR table; with
 * Permit2 the transfer method and, for upto, the facilitator as well. */
void offer_add_extra(struct x402_buf *out,
                     const struct x402_requirement *entry);

#endif
