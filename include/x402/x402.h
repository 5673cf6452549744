/* SPDX-License-Identifier: Apache-2.0 */
/* libx402, all of it. */
#ifndef X402_X402_H
#define X402_X402_H

#include <x402/abi.h>
#include <x402/address.h>
#include <x402/amount.h>
#include <x402/bolt11.h>
#include <x402/buf.h>
#include <x402/discovery.h>
#include <x402/eip3009.h>
#include <x402/eip712.h>
#include <x402/encode.h>
#include <x402/error.h>
#include <x402/facilitator.h>
#include <x402/jcs.h>
#include <x402/json.h>
#include <x402/keccak.h>
#include <x402/l402.h>
#include <x402/lnbtc.h>
#include <x402/mcp.h>
#include <x402/mpp.h>
#include <x402/msat.h>
#include <x402/network.h>
#include <x402/offer.h>
#include <x402/payment.h>
#include <x402/receipt.h>
#include <x402/rlp.h>
#include <x402/signer.h>
#include <x402/span.h>
#include <x402/text.h>
#include <x402/till.h>
#include <x402/transaction.h>

#endif
