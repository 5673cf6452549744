/* SPDX-License-Identifier: Apache-2.0 */
/* What /verify and /settle do alike before anybody else is asked.  Internal to
 * daemon/http. */
#ifndef X402D_HTTP_PAYMENT_H
#define X402D_HTTP_PAYMENT_H

#include "request.h"

/** Decode the body into request->payment and make every check that needs
 * neither ledger nor chain.  Threads: HTTP (one signature recovery). */
enum x402_err http_payment_check(struct http_request *request, bool settle);
/** 400 for what cannot be read; every judgement about a payment is an answer,
 * 200. */
unsigned http_payment_status(enum x402_err err);
/** Set it in the answer, with Retry-After where it applies. */
void http_payment_answer_status(struct http_request *request,
                                enum x402_err err);
/** Who says he pays; NULL when the body did not get that far. */
const struct x402_address *
http_payment_payer(const struct http_request *request, enum x402_err err);

#endif
