/* SPDX-License-Identifier: Apache-2.0 */
/* See wallet.h. */
#include "wallet.h"

#include <stdlib.h>
#include <string.h>

#include <x402/abi.h>

#include "../failpoint.h"
#include "params.h"
#include "quantity.h"

/* Precompiles and what networks put beside them (ArbSys is 0x64): they answer
 * calls, some with what they were given, and have no code to look at. */
static bool
is_reserved(const struct x402_address *address)
{
    static const uint8_t zeros[sizeof address->byte - 2];

    return memcmp(address->byte, zeros, sizeof zeros) == 0;
}

enum x402_err
wallet_check(const struct chain_ask *ask)
{
    struct x402_erc6492 wrapper;

    if (mutant("payer_unchecked"))
        return X402_OK;
    if (is_reserved(&ask->auth.from) ||
        x402_address_eq(&ask->auth.from, &ask->asset) ||
        x402_address_eq(&ask->auth.from, chain_multicall3()))
        return X402_ERR_SIGNATURE;
    if (!x402_erc6492_is_wrapped(ask->signature, ask->signature_len))
        return X402_OK;
    return x402_erc6492_decode(&wrapper, ask->signature, ask->signature_len);
}

enum x402_err
wallet_may_deploy(const struct config_network *network,
                  const uint8_t *signature, size_t len)
{
    struct x402_erc6492 wrapper;
    enum x402_err err = x402_erc6492_decode(&wrapper, signature, len);

    if (err != X402_OK)
        return err;
    return config_is_factory(network, &wrapper.factory) || mutant("any_factory")
               ? X402_OK
               : X402_ERR_FACTORY;
}

struct look_payment
wallet_payment(struct x402_erc6492 *wrapper, const struct x402_address *asset,
               const struct x402_authorization *auth, const uint8_t *signature,
               size_t signature_len, bool deploys)
{
    struct look_payment payment = {.asset = asset,
                                   .auth = auth,
                                   .signature = signature,
                                   .signature_len = signature_len};

    if (!x402_erc6492_is_wrapped(signature, signature_len) ||
        x402_erc6492_decode(wrapper, signature, signature_len) != X402_OK)
        return payment;
    payment.signature = wrapper->signature;
    payment.signature_len = wrapper->signature_len;
    payment.deploy = deploys ? wrapper : NULL;
    return payment;
}

/* -- ERC-1271 -- */

static const struct x402_asset *
asset_of(const struct chain *chain, const struct x402_address *address)
{
    return x402_asset_by_address(chain->config->network->chain_id, address);
}

struct rpc_call
wallet_ask(const struct chain *chain, const struct look_payment *payment,
           uint64_t time_s)
{
    uint8_t data[X402_ABI_IS_VALID_MAX], digest[32];
    struct params_message message = {
        .from = payment->asset, /* a wallet may look who asks */
        .to = &payment->auth->from,
        .data = data,
        .gas = WALLET_GAS,
        .block = "latest",
        .time_s = time_s,
    };

    x402_eip3009_digest(digest, payment->auth, asset_of(chain, payment->asset));
    message.data_len = x402_abi_is_valid_signature(
        data, digest, payment->signature, payment->signature_len);
    return params_call(&message);
}

enum x402_err
wallet_judge(const struct rpc_answer *answer)
{
    uint8_t *data;
    size_t len;
    bool yes;

    if (answer->status == RPC_UNKNOWN ||
        (answer->status == RPC_ERROR && !chain_is_revert(answer)))
        return X402_ERR_UNAVAILABLE;
    if (answer->status == RPC_ERROR ||
        !quantity_data(&data, &len, answer->result))
        return X402_ERR_SIGNATURE;
    yes = x402_abi_is_valid_answer(data, len);
    free(data);
    return yes ? X402_OK : X402_ERR_SIGNATURE;
}
