/* SPDX-License-Identifier: Apache-2.0 */
/* The wallet's address, with as little opening as possible. */
#ifndef CLIENT_WALLET_ADDRESS_H
#define CLIENT_WALLET_ADDRESS_H

#include "wallet_options.h"

/** A keystore states its address; a raw key is opened.  false: said why. */
__attribute__((warn_unused_result)) bool
wallet_address(struct x402_address *out, const struct wallet_options *options);

#endif
