/* SPDX-License-Identifier: Apache-2.0 */
/* POST /verify: would this payment settle now?  Nothing is written. */
#include "payment.h"

#include "../log.h"
#include "../metrics.h"

static void
fill(struct http_request *request, enum x402_err err)
{
    http_payment_answer_status(request, err);
    x402_verify_response_json(&request->out, request->payment.version,
                              request->payment.payment.method, err,
                              http_payment_payer(request, err));
    log_event(LOG_DEBUG, "verify", "result", x402_err_info(err)->name, NULL);
}

static void
on_verified(void *arg, const struct cashier_answer *verdict)
{
    fill(arg, verdict->err);
    if (verdict->err == X402_OK)
        attest_add(arg);
    http_answer(arg);
}

static void
ask_cashier(struct http_request *request)
{
    cashier_verify(request->http->cashier, &request->payment, request->key,
                   request->recovered, on_verified, request);
}

enum http_next
http_verify(struct http_request *request)
{
    enum x402_err err;

    metrics_add(METRIC_VERIFY, 1);
    err = http_payment_check(request, false);
    if (err == X402_OK)
        return http_to_core(request, ask_cashier);
    fill(request, err);
    return HTTP_ANSWER;
}
