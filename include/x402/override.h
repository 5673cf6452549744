/* SPDX-License-Identifier: Apache-2.0 */
/* Settlement-Overrides: the upstream says what its work did cost. */
#ifndef X402_OVERRIDE_H
#define X402_OVERRIDE_H

#include <x402/payment.h>

#define X402_OVERRIDE_MAX 256 /* bytes of the header's value */

/** Read the header's value, {"amount":"…"}: atomic units ("1858"), a share of
 * the maximum ("25%", "12.50%", rounded down) or dollars ("$0.001", digits
 * that the token does not have are cut off).
 *
 *  Source:  @x402/core 2.27, resolveSettlementOverrideAmount.
 *  In:      requirement  its amount is the maximum, its asset has the decimals
 *  Out:     out  atomic units, 0 .. the maximum; unchanged on error
 *  Returns: X402_ERR_SYNTAX, X402_ERR_RANGE, X402_ERR_TOO_LARGE: not an amount;
 *           X402_ERR_EXCEEDS: more than the maximum.
 *  Threads: any. */
X402_MUST_CHECK enum x402_err
x402_override_read(struct x402_amount *out, struct x402_span header,
                   const struct x402_requirement *requirement);

#endif
