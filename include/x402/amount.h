/* SPDX-License-Identifier: Apache-2.0 */
/* Money: unsigned 256-bit integers in atomic units, and exact decimal prices.
 */
#ifndef X402_AMOUNT_H
#define X402_AMOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <x402/error.h>
#include <x402/span.h>

#define X402_AMOUNT_TEXT_MAX 78 /* digits of 2^256-1 */

/** Token amount in atomic units (USDC: 1 = 0.000001 USDC), 0 .. 2^256-1, least
 *  significant limb first.  Wrapped in a struct so that the compiler rejects
 *  mixing it with plain integers; use only the functions below on it. */
struct x402_amount {
    uint64_t limb[4];
};

/** Parse 1..78 ASCII digits, no sign, no leading zero ("0" itself is fine).
 *  Source: x402 v2 "amount"; EIP-3009 "value".
 *  Returns: X402_OK; X402_ERR_SYNTAX; X402_ERR_RANGE at 2^256 and above.
 *  Out: unchanged on error.  Threads: any. */
X402_MUST_CHECK enum x402_err x402_amount_parse(struct x402_amount *out,
                                                struct x402_span text);

/** Parse a human price "(0|[1-9][0-9]*)(\.[0-9]+)?" at a token's decimals,
 * exactly. Returns: X402_ERR_SYNTAX; X402_ERR_RANGE when it has non-zero digits
 * beyond `decimals` or does not fit 256 bits. */
X402_MUST_CHECK enum x402_err x402_amount_parse_decimal(struct x402_amount *out,
                                                        struct x402_span text,
                                                        unsigned decimals);

/** Write as atomic digits / as a decimal ("3000" at 6 -> "0.003"; at least
 *  min_fraction digits after the point, no more zeros than that).
 *  out must hold X402_AMOUNT_TEXT_MAX+1 / X402_AMOUNT_TEXT_MAX+3+decimals
 * bytes; NUL-terminated.  Returns the length. */
size_t x402_amount_format(char *out, const struct x402_amount *amount);
size_t x402_amount_format_decimal(char *out, const struct x402_amount *amount,
                                  unsigned decimals, unsigned min_fraction);

struct x402_amount x402_amount_of(uint64_t value);
/** false when the value does not fit 64 bits; out unchanged then. */
X402_MUST_CHECK bool x402_amount_u64(uint64_t *out,
                                     const struct x402_amount *amount);
void x402_amount_to_be32(uint8_t out32[32], const struct x402_amount *amount);
void x402_amount_from_be32(struct x402_amount *out, const uint8_t in32[32]);
/** -1, 0, 1 */
int x402_amount_cmp(const struct x402_amount *a, const struct x402_amount *b);
bool x402_amount_is_zero(const struct x402_amount *amount);
/** false on overflow / underflow; out unchanged then.  out may alias a or b. */
X402_MUST_CHECK bool x402_amount_add(struct x402_amount *out,
                                     const struct x402_amount *a,
                                     const struct x402_amount *b);
X402_MUST_CHECK bool x402_amount_sub(struct x402_amount *out,
                                     const struct x402_amount *a,
                                     const struct x402_amount *b);
X402_MUST_CHECK bool x402_amount_mul_u64(struct x402_amount *out,
                                         const struct x402_amount *a,
                                         uint64_t b);
/** The quotient, rounded down, in out (which may alias a); returns the rest.
 * by is not 0. */
uint64_t x402_amount_div_u64(struct x402_amount *out,
                             const struct x402_amount *a, uint64_t by);

#endif
