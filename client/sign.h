/* SPDX-License-Identifier: Apache-2.0 */
/* One signature: a fresh authorization for exactly one offer, as the value of a
 * payment header. */
#ifndef CLIENT_SIGN_H
#define CLIENT_SIGN_H

#include <x402/offer.h>

#include "record.h"

/** Stamp the time, draw a nonce, sign, encode.  The wallet is open already, so
 *  that nothing slow comes between the stamp and the signature.
 *  In:      resource_url  what seed 001 names when the server did not
 *  Out:     record->wire, chain_id, asset, auth, header, created
 *  Returns: X402_ERR_INTERNAL  no randomness, or the signature does not verify
 *           X402_ERR_TOO_LARGE the header would pass X402_PAYMENT_HEADER_MAX */
X402_MUST_CHECK enum x402_err sign_payment(struct record *record,
                                           const struct x402_choice *choice,
                                           const struct x402_payment_echo *echo,
                                           const char *resource_url,
                                           const struct x402_signer *signer);

#endif
