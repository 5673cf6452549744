/* SPDX-License-Identifier: Apache-2.0 */
/* The finished challenges for one invoice, in the dialects that were asked for.
 * Pure. */
#ifndef X402D_CHALLENGE_H
#define X402D_CHALLENGE_H

#include <x402/till.h>

#include "secret.h"

struct challenge {
    const struct x402_till_issue *issue;
    const struct secret *secret;
    struct x402_span bolt11;
    uint8_t payment_hash[32];
    uint8_t token_id[32];  /* random: of the macaroon */
    uint64_t expires_s;    /* the invoice */
    uint64_t good_until_s; /* a proof of it */
};
/** Fill out->l402 and out->mpp; out->network and out->amount are read.
 *  Returns: X402_ERR_TOO_LARGE, X402_ERR_RANGE, X402_ERR_SYNTAX when one of
 *           them cannot be written. */
X402_MUST_CHECK enum x402_err challenge_write(struct x402_till_issued *out,
                                              const struct challenge *in);

#endif
