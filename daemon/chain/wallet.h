/* SPDX-License-Identifier: Apache-2.0 */
/* Payers that are contracts.
 *
 * Whether a payer has code decides how he signs, and the token decides by it
 * too: without code the signature is his key's (ECDSA), with code his
 * contract's (ERC-1271), also where the code is a delegation (EIP-7702).
 * There is no second try the other way.  A contract that is not there yet
 * wraps its signature (ERC-6492); it is deployed in the transaction that
 * settles, by a factory that the operator allows. */
#ifndef X402D_WALLET_H
#define X402D_WALLET_H

#include "inside.h"
#include "look.h"

/* What a contract may use up: in the call that asks, and in the transaction. */
#define WALLET_GAS 500000
#define WALLET_DEPLOY_GAS 1500000

/** What can be said of the signature without the chain: X402_OK SIGNATURE. */
enum x402_err wallet_check(const struct chain_ask *ask);
/** May this wrapped signature's factory be called at all?  X402_OK SIGNATURE
 *  FACTORY. */
enum x402_err wallet_may_deploy(const struct config_network *network,
                                const uint8_t *signature, size_t len);
/** A payment as the token is given it: the signature unwrapped; with `deploys`
 *  it names the deployment.  It borrows from *wrapper, which is filled in. */
struct look_payment wallet_payment(struct x402_erc6492 *wrapper,
                                   const struct x402_address *asset,
                                   const struct x402_authorization *auth,
                                   const uint8_t *signature,
                                   size_t signature_len, bool deploys);

/** Ask the wallet itself, as the token would. */
struct rpc_call wallet_ask(const struct chain *chain,
                           const struct look_payment *payment, uint64_t time_s);
/** X402_OK, SIGNATURE, or UNAVAILABLE when the node did not say. */
enum x402_err wallet_judge(const struct rpc_answer *answer);

#endif
