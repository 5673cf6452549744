/* SPDX-License-Identifier: Apache-2.0 */
/* Our questions to a node, as JSON-RPC parameters.  Each function fills one
 * rpc_call; rpc_ask frees it. */
#ifndef X402D_PARAMS_H
#define X402D_PARAMS_H

#include <stddef.h>
#include <stdint.h>

#include <x402/address.h>
#include <x402/amount.h>

#include "rpc.h"

/** A message call.  Zero members are left out. */
struct params_message {
    const struct x402_address *from;
    const struct x402_address *to;
    const uint8_t *data;
    size_t data_len;
    uint64_t gas;
    const struct x402_amount *max_fee, *max_priority_fee;
    const char *block; /* "latest", "finalized" */
    uint64_t time_s;   /* block override: pretend that it is this late; 0:
                          none */
};
struct rpc_call params_call(const struct params_message *message);
struct rpc_call params_estimate(const struct params_message *message);

struct rpc_call params_plain(const char *method); /* no parameters */
struct rpc_call params_code(const struct x402_address *address);
struct rpc_call params_balance(const struct x402_address *address);
struct rpc_call params_nonce(const struct x402_address *address,
                             const char *block);
struct rpc_call params_block(const char *block); /* header only */
struct rpc_call params_block_at(uint64_t number);
struct rpc_call params_receipt(const uint8_t hash[32]);
struct rpc_call params_transaction(const uint8_t hash[32]);
struct rpc_call params_send(const uint8_t *raw, size_t raw_len);

/** Logs of one contract: topic0 is either of two, then two topics. */
struct params_logs {
    const struct x402_address *contract;
    const uint8_t *either[2];
    const uint8_t *topic1, *topic2;
    uint64_t from;
    uint64_t to; /* UINT64_MAX: the newest block */
};
/** Transfers of one token to any of these payees, 1 at least. */
struct rpc_call params_transfers(const struct x402_address *contract,
                                 const struct x402_address *payees,
                                 size_t payees_len, uint64_t from, uint64_t to);
struct rpc_call params_logs(const struct params_logs *logs);

#endif
