/* SPDX-License-Identifier: Apache-2.0 */
/* The few questions that the client asks a chain node: JSON-RPC over https, or
 * plain http on this machine. */
#ifndef CLIENT_RPC_H
#define CLIENT_RPC_H

#include <stdbool.h>

#include <x402/address.h>
#include <x402/amount.h>
#include <x402/network.h>

#include "record.h"
#include "terminal.h"

struct rpc; /* one node of one network */

/** Connect and make sure that it is the network it should be (eth_chainId).
 *  NULL: said why.  Memory: rpc_close. */
struct rpc *rpc_open(const char *url, const struct x402_network *network,
                     const struct say *say);
void rpc_close(struct rpc *rpc);

/** Token balance at the latest block.  false: said why. */
__attribute__((warn_unused_result)) bool
rpc_balance(struct x402_amount *out, struct rpc *rpc,
            const struct x402_asset *asset, const struct x402_address *owner);

/** Is a payment proven never to be executed: its time is over at a finalized
 *  block, and its nonce is unused in that block?  false without *proven being
 *  set: the node gave no answer, said why. */
__attribute__((warn_unused_result)) bool
rpc_payment_is_void(bool *proven, struct rpc *rpc, const struct record *record);

#endif
