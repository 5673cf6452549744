/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the scheme share. */
#ifndef X402_LIGHTNING_LNBTC_H
#define X402_LIGHTNING_LNBTC_H

#include <x402/lnbtc.h>

/** Names after each other in ascending order, each a good one. */
X402_MUST_CHECK enum x402_err lnbtc_check_names(const struct x402_span *names,
                                                size_t len);

#endif
