/* SPDX-License-Identifier: Apache-2.0 */
/* POST /settle: move the tokens.  Durable and idempotent in the cashier: the
 * same payment gets the same transaction, however often it is asked. */
#include "payment.h"

#include <string.h>

#include <x402/receipt.h>

#include "../log.h"
#include "../metrics.h"

static void
fill(struct http_request *request, const struct cashier_answer *outcome)
{
    const struct x402_facilitator_request *in = &request->payment;
    const struct x402_address *payer =
        http_payment_payer(request, outcome->err);
    struct x402_receipt receipt = {
        .success = outcome->err == X402_OK,
        .reason = outcome->err,
        .method = in->payment.method,
        .chain_id = in->payment.chain_id,
        .amount = in->requirement.amount,
        .has_transaction = outcome->has_transaction,
    };

    if (payer != NULL)
        receipt.payer = *payer;
    if (outcome->has_transaction)
        memcpy(receipt.transaction, outcome->transaction, 32);
    http_payment_answer_status(request, outcome->err);
    x402_settle_response_json(&request->out, in->version, &receipt);
}

/** Who paid what stands on the chain for all to see; the signature does not
 * appear. */
static void
log_outcome(const struct http_request *request, enum x402_err err)
{
    const struct x402_facilitator_request *in = &request->payment;
    char id[X402_PAYMENT_ID_MAX];

    x402_payment_id(id, in->payment.chain_id,
                    x402_method_contract(in->payment.method,
                                         &in->requirement.asset->address),
                    &in->payment.auth);
    log_event(LOG_INFO, "settle", "payment", id, "result",
              x402_err_info(err)->name, NULL);
}

static void
on_settled(void *arg, const struct cashier_answer *outcome)
{
    log_outcome(arg, outcome->err);
    if (outcome->err == X402_OK)
        http_offer_settled(arg);
    fill(arg, outcome);
    http_answer(arg);
}

static void
ask_cashier(struct http_request *request)
{
    cashier_settle(request->http->cashier, &request->payment, request->key,
                   on_settled, request);
}

enum http_next
http_settle(struct http_request *request)
{
    struct cashier_answer refusal = {.err = X402_OK};

    metrics_add(METRIC_SETTLE, 1);
    refusal.err = http_payment_check(request, true);
    if (refusal.err == X402_OK) {
        http_offer_read(request);
        return http_to_core(request, ask_cashier);
    }
    fill(request, &refusal);
    return HTTP_ANSWER;
}
