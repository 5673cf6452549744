/* SPDX-License-Identifier: Apache-2.0 */
/* EVM addresses: 20 bytes, written with the checksum of EIP-55. */
#ifndef X402_ADDRESS_H
#define X402_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

#include <x402/error.h>
#include <x402/span.h>

#define X402_ADDRESS_TEXT_LEN 42

struct x402_address {
    uint8_t byte[20];
};

/** Parse "0x" + 40 hex digits of any case: for payloads, compared as bytes. */
X402_MUST_CHECK enum x402_err x402_address_parse(struct x402_address *out,
                                                 struct x402_span text);
/** The same, and mixed case must carry the right EIP-55 checksum: for
 *  configuration and what a person types. */
X402_MUST_CHECK enum x402_err
x402_address_parse_checked(struct x402_address *out, struct x402_span text);
/** EIP-55 text and NUL: 43 bytes. */
void x402_address_format(char out[X402_ADDRESS_TEXT_LEN + 1],
                         const struct x402_address *address);
bool x402_address_eq(const struct x402_address *a,
                     const struct x402_address *b);
bool x402_address_is_zero(const struct x402_address *address);

#endif
