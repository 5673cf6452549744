/* SPDX-License-Identifier: Apache-2.0 */
/* See sign.h. */
#include "sign.h"

#include <stdlib.h>
#include <string.h>

#include <x402/abi.h>
#include <x402/transaction.h>

#include "../failpoint.h"
#include "../log.h"

/* -- calldata -- */

static void
direct_call(struct sign_calldata *out, const struct look_payment *payment)
{
    out->to = *look_target(payment);
    out->data = chain_alloc(LOOK_CALL_MAX);
    out->len = look_calldata(out->data, payment);
}

/* The factory may fail: somebody may have deployed the wallet meanwhile. */
uint8_t *
sign_deployment(size_t *len, const struct look_payment *payment,
                bool allow_failure)
{
    uint8_t inner[X402_ABI_TRANSFER_MAX];
    struct x402_abi_call calls[2] = {
        {.target = payment->deploy->factory,
         .allow_failure = true,
         .data = payment->deploy->calldata,
         .data_len = payment->deploy->calldata_len},
        {.target = *payment->asset,
         .allow_failure = allow_failure,
         .data = inner,
         .data_len = x402_abi_transfer(inner, payment->auth, payment->signature,
                                       payment->signature_len)},
    };
    uint8_t *out = chain_alloc(x402_abi_aggregate3_len(calls, 2));

    *len = x402_abi_aggregate3(out, calls, 2);
    return out;
}

void
sign_calldata(struct sign_calldata *out, const struct look_payment *payments,
              size_t n, bool allow_failure)
{
    struct x402_abi_call calls[LOOK_MAX];
    uint8_t *inner;

    if (n == 0 || n > LOOK_MAX)
        abort();
    if (n == 1 && payments->deploy != NULL) {
        out->to = *chain_multicall3();
        out->data = sign_deployment(&out->len, payments, false);
        return;
    }
    if (n == 1) {
        direct_call(out, payments);
        return;
    }
    inner = chain_alloc(n * LOOK_CALL_MAX);
    for (size_t i = 0; i < n; i++) {
        uint8_t *data = inner + i * LOOK_CALL_MAX;

        calls[i] = (struct x402_abi_call){
            .target = *look_target(&payments[i]),
            .allow_failure = allow_failure,
            .data = data,
            .data_len = look_calldata(data, &payments[i]),
        };
    }
    out->to = *chain_multicall3();
    out->data = chain_alloc(x402_abi_aggregate3_len(calls, n));
    out->len = x402_abi_aggregate3(out->data, calls, n);
    free(inner);
}

/* -- the second look -- */

static bool
same_authorization(const struct x402_authorization *a,
                   const struct x402_authorization *b)
{
    return x402_address_eq(&a->from, &b->from) &&
           x402_address_eq(&a->to, &b->to) &&
           x402_amount_cmp(&a->value, &b->value) == 0 &&
           a->valid_after_s == b->valid_after_s &&
           a->valid_before_s == b->valid_before_s &&
           memcmp(a->nonce, b->nonce, 32) == 0;
}

/* What Permit2 says beyond the authorization. */
static bool
same_permit2(const struct x402_abi_seen *seen,
             const struct look_payment *payment)
{
    bool upto = payment->method == X402_METHOD_PERMIT2_UPTO;

    if (payment->method == X402_METHOD_EIP3009)
        return true;
    return x402_address_eq(&seen->token, payment->asset) &&
           seen->with_permit == (payment->sponsor != NULL) &&
           x402_amount_cmp(&seen->charge, upto ? payment->charge
                                               : &payment->auth->value) == 0 &&
           (!upto || x402_address_eq(&seen->facilitator, payment->facilitator));
}

/* The contract that call i goes to: named inside an aggregate, the
 * transaction's target otherwise. */
static bool
is_ours(const struct x402_transaction *tx, const struct x402_abi_seen *seen,
        const struct look_payment *payment, size_t n)
{
    const struct x402_address *target = n == 1 ? &tx->to : &seen->target;

    return seen->method == payment->method &&
           x402_address_eq(target, look_target(payment)) &&
           same_authorization(&seen->auth, payment->auth) &&
           same_permit2(seen, payment);
}

static bool
calls_only(const struct x402_transaction *tx,
           const struct look_payment *payments, size_t n)
{
    struct x402_abi_seen *seen = chain_alloc((n + 1) * sizeof *seen);
    size_t len = 0;
    bool good = x402_abi_inspect(seen, &len, n + 1, tx->data, tx->data_len) ==
                    X402_OK &&
                len == n &&
                (n == 1 || x402_address_eq(&tx->to, chain_multicall3()));

    for (size_t i = 0; i < n && good; i++)
        good = is_ours(tx, &seen[i], &payments[i], n);
    free(seen);
    return good;
}

/* The allowed factory, the payer's own calldata, this payment, no more. */
static bool
deploys_only(const struct x402_transaction *tx,
             const struct config_network *network,
             const struct look_payment *payment)
{
    const struct x402_erc6492 *deploy = payment->deploy;
    struct x402_abi_deploy seen;

    return x402_address_eq(&tx->to, chain_multicall3()) &&
           x402_abi_inspect_deploy(&seen, tx->data, tx->data_len) == X402_OK &&
           (config_is_factory(network, &seen.factory) ||
            mutant("any_factory")) &&
           x402_address_eq(&seen.factory, &deploy->factory) &&
           seen.calldata_len == deploy->calldata_len &&
           (seen.calldata_len == 0 ||
            memcmp(seen.calldata, deploy->calldata, seen.calldata_len) == 0) &&
           x402_address_eq(&seen.transfer.target, payment->asset) &&
           same_authorization(&seen.transfer.auth, payment->auth);
}

/* Decoded again, it is the transaction that was meant and the signer's. */
static bool
reads_back(const struct flight_tx *signed_tx, const struct x402_transaction *tx,
           const struct signer *signer)
{
    struct x402_transaction back;
    struct x402_address sender;

    return x402_transaction_decode(&back, &sender, signed_tx->raw,
                                   signed_tx->raw_len) == X402_OK &&
           x402_address_eq(&sender, &signer->address) &&
           back.chain_id == tx->chain_id && back.nonce == tx->nonce &&
           back.gas_limit == tx->gas_limit &&
           x402_amount_cmp(&back.max_fee, &tx->max_fee) == 0 &&
           x402_amount_cmp(&back.max_priority_fee, &tx->max_priority_fee) ==
               0 &&
           x402_amount_cmp(&back.value, &tx->value) == 0 &&
           x402_address_eq(&back.to, &tx->to) &&
           back.data_len == tx->data_len &&
           (back.data_len == 0 ||
            memcmp(back.data, tx->data, tx->data_len) == 0);
}

/* -- signing -- */

static bool
sign_checked(struct flight_tx *out, const struct x402_transaction *tx,
             const struct signer *signer)
{
    size_t cap = tx->data_len + X402_TRANSACTION_OVERHEAD;

    memset(out, 0, sizeof *out);
    out->raw = chain_alloc(cap);
    out->fees = (struct fees){tx->max_fee, tx->max_priority_fee};
    out->gas_limit = tx->gas_limit;
    if (x402_transaction_sign(out->raw, &out->raw_len, cap, out->hash, tx,
                              signer->key) == X402_OK &&
        reads_back(out, tx, signer))
        return true;
    log_event(LOG_ERROR, "signed_transaction_differs", NULL);
    free(out->raw);
    out->raw = NULL;
    return false;
}

static struct x402_transaction
begin(const struct sign_order *order, const struct x402_address *to)
{
    return (struct x402_transaction){
        .chain_id = order->chain_id,
        .nonce = order->account_nonce,
        .max_priority_fee = order->fees.max_priority,
        .max_fee = order->fees.max_fee,
        .gas_limit = order->gas_limit,
        .to = *to,
    };
}

bool
sign_settlement(struct flight_tx *out, const struct sign_order *order,
                const struct look_payment *payments, size_t n)
{
    struct x402_transaction tx = begin(order, &order->calldata->to);
    bool good;

    tx.data = order->calldata->data;
    tx.data_len = order->calldata->len;
    good = n == 1 && payments->deploy != NULL
               ? deploys_only(&tx, order->network, payments)
               : calls_only(&tx, payments, n);
    if (!good) {
        log_event(LOG_ERROR, "settlement_calldata_differs", NULL);
        return false;
    }
    return sign_checked(out, &tx, order->signer);
}

/* No call of anything, and no more than the operator's word. */
bool
sign_gift(struct flight_tx *out, const struct sign_order *order,
          const struct x402_address *payer, uint64_t gwei)
{
    struct x402_transaction tx = begin(order, payer);

    tx.value = x402_amount_of(gwei);
    if ((gwei > order->network->gift_payer_gwei && !mutant("gift_any_size")) ||
        !x402_amount_mul_u64(&tx.value, &tx.value, SIGN_GWEI)) {
        log_event(LOG_ERROR, "gift_over_its_bound", NULL);
        return false;
    }
    return sign_checked(out, &tx, order->signer);
}

bool
sign_empty(struct flight_tx *out, const struct sign_order *order)
{
    const struct x402_transaction tx = begin(order, &order->signer->address);

    return sign_checked(out, &tx, order->signer);
}

bool
sign_replacement(struct flight_tx *out, const struct flight_tx *before,
                 const struct signer *signer, const struct fees *fees,
                 bool cancel)
{
    struct x402_transaction tx;
    struct x402_address sender;

    if (x402_transaction_decode(&tx, &sender, before->raw, before->raw_len) !=
            X402_OK ||
        !x402_address_eq(&sender, &signer->address))
        return false;
    tx.max_fee = fees->max_fee;
    tx.max_priority_fee = fees->max_priority;
    if (cancel) {
        tx.to = signer->address;
        tx.value = x402_amount_of(0);
        tx.data = NULL;
        tx.data_len = 0;
    }
    return sign_checked(out, &tx, signer);
}
