/* SPDX-License-Identifier: Apache-2.0 */
/* What an invoice must be for: the request as we send it. */
#ifndef CLIENT_LN_REQUEST_H
#define CLIENT_LN_REQUEST_H

#include <x402/lnbtc.h>

#include "fetch_inside.h"

/** Hash the current request, with the headers that the terms bind.
 *  Returns: X402_ERR_LN_BINDING: something in it cannot be bound */
X402_MUST_CHECK enum x402_err
ln_request_hash(uint8_t out32[32], const struct fetch *fetch,
                const struct x402_lnbtc_terms *terms);

#endif
