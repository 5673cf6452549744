/* SPDX-License-Identifier: Apache-2.0 */
/* The facilitator's HTTP bodies: POST /verify and /settle, GET /supported. */
#ifndef X402_FACILITATOR_H
#define X402_FACILITATOR_H

#include <x402/buf.h>
#include <x402/payment.h>
#include <x402/receipt.h>

#define X402_FACILITATOR_BODY_MAX 65536

/** VerifyRequest = SettleRequest: {x402Version, paymentPayload,
 * paymentRequirements}. */
struct x402_facilitator_request {
    int version; /* 1 or 2 */
    struct x402_payment payment;
    /* asset from our table, method and facilitator from the payload; with upto
     * the amount is what /settle shall take, at most what was signed */
    struct x402_requirement requirement;
    char resource[X402_URL_MAX]; /* v1 requirement.resource or v2 payload
                                    resource.url; "" */
};

/** Decode and cross-check the two halves' scheme and network.
 *  Returns: SYNTAX RANGE TOO_LARGE VERSION REQUIREMENT: malformed, HTTP 400;
 *           SCHEME NETWORK ASSET DOMAIN: a refusal, HTTP 200 with the reason.
 *  Out: out->version is set whenever it could be read (else 2), also on error.
 */
X402_MUST_CHECK enum x402_err
x402_facilitator_request_decode(struct x402_facilitator_request *out,
                                struct x402_span body);

/** {"isValid":…,"invalidReason":…,"payer":…}; payer NULL when unknown; version
 * and method pick the reason text. */
void x402_verify_response_json(struct x402_buf *out, int version,
                               enum x402_method method, enum x402_err err,
                               const struct x402_address *payer);
/** {"success":…,"errorReason":…,"transaction":…,"network":…,"payer":…} */
void x402_settle_response_json(struct x402_buf *out, int version,
                               const struct x402_receipt *receipt);

#endif
