/* SPDX-License-Identifier: Apache-2.0 */
/* Millisatoshis: what Lightning counts in. */
#ifndef X402_MSAT_H
#define X402_MSAT_H

#include <stdbool.h>
#include <stdint.h>

#include <x402/error.h>
#include <x402/span.h>

#define X402_MSAT_MAX 2100000000000000000u /* 21 million bitcoin */
#define X402_MSAT_TEXT_MAX 19              /* digits of it */

/** 0 .. X402_MSAT_MAX.  Wrapped in a struct so that the compiler rejects mixing
 *  it with satoshis; use only the functions below on it. */
struct x402_msat {
    uint64_t value;
};

/** X402_ERR_RANGE past X402_MSAT_MAX; out unchanged then. */
X402_MUST_CHECK enum x402_err x402_msat_of(struct x402_msat *out,
                                           uint64_t value);
X402_MUST_CHECK enum x402_err x402_msat_of_sat(struct x402_msat *out,
                                               uint64_t sat);

/** Parse a wire amount.
 *  Source:  scheme_exact_lnbtc.md, "Amounts": "a decimal string that encodes a
 *           positive integer number of millisatoshis"
 *  Returns: X402_ERR_SYNTAX (also for 0 and a leading zero); X402_ERR_RANGE */
X402_MUST_CHECK enum x402_err x402_msat_parse(struct x402_msat *out,
                                              struct x402_span text);

/** Parse a price as a person writes it: "21 sat", "21 sats", "0.5 sat",
 *  "1500 msat"; one space, lower case.  A bare number has no unit and is
 *  refused, as are bitcoins and dollars.
 *  Source:  scheme_exact_lnbtc.md, "Amounts": "exact decimal arithmetic";
 *           "Bare numeric prices [...] MUST NOT default to satoshis"
 *  Returns: X402_ERR_SYNTAX (also for 0); X402_ERR_RANGE when it is not whole
 *           millisatoshis or past X402_MSAT_MAX.  Out: unchanged on error. */
X402_MUST_CHECK enum x402_err x402_msat_parse_price(struct x402_msat *out,
                                                    struct x402_span text);

/** Decimal digits and NUL.  Returns the length. */
size_t x402_msat_format(char out[X402_MSAT_TEXT_MAX + 1],
                        struct x402_msat amount);

/** Up to the next whole satoshi: L402 and the Payment scheme count in those. */
struct x402_msat x402_msat_ceil(struct x402_msat amount);
/** Satoshis; false when it is not a whole number of them. */
X402_MUST_CHECK bool x402_msat_sats(uint64_t *out, struct x402_msat amount);

/** -1, 0, 1 */
int x402_msat_cmp(struct x402_msat a, struct x402_msat b);
/** false past X402_MSAT_MAX; out unchanged then.  out may alias. */
X402_MUST_CHECK bool x402_msat_add(struct x402_msat *out, struct x402_msat a,
                                   struct x402_msat b);

#endif
