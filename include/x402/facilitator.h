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

/* -- the other side: asking a facilitator -- */

/** What a seller asks about: a payment that fits the seller's own requirement,
 *  written anew from the struct.  Nothing of the client's bytes goes along. */
struct x402_facilitator_ask {
    int version; /* 1 or 2, as the facilitator lists it in /supported */
    const struct x402_asset *asset;
    const struct x402_authorization *auth;
    const uint8_t *signature;
    size_t signature_len;
    struct x402_span resource; /* its URL; may be empty */
    enum x402_method method;   /* Permit2's on version 2 alone */
    /* upto: who may settle; and at /settle how much of the authorization is
     * taken (NULL: all) */
    struct x402_address facilitator;
    const struct x402_amount *charge;
};

/** The maxTimeoutSeconds that is written into requirements. */
#define X402_FACILITATOR_TIMEOUT_S 300

/** VerifyRequest and SettleRequest.  The same ask gives the same bytes. */
void x402_facilitator_request_json(struct x402_buf *out,
                                   const struct x402_facilitator_ask *ask);
/** The request's paymentPayload alone. */
void x402_facilitator_payload_json(struct x402_buf *out,
                                   const struct x402_facilitator_ask *ask);

struct x402_verify_answer {
    bool valid;
    enum x402_err reason; /* not valid: X402_ERR_INTERNAL for an unknown text */
};
/** Read the answer of /verify.  Only JSON's true and false count.
 *  Returns: X402_ERR_SYNTAX TOO_LARGE: no answer to our question (not an
 *           object, no boolean, another payer, yes with a reason against it):
 *           nothing is known then.  Memory: scratch through jansson. */
X402_MUST_CHECK enum x402_err
x402_verify_answer_decode(struct x402_verify_answer *out, struct x402_span body,
                          const struct x402_facilitator_ask *ask);

struct x402_settle_answer {
    bool success;
    enum x402_err reason; /* no success */
    bool has_transaction; /* always with success */
    uint8_t transaction[32];
};
/** Read the answer of /settle.  A success names a transaction and the network
 *  asked for; payer and amount are ours where they are said.
 *  Returns: as x402_verify_answer_decode. */
X402_MUST_CHECK enum x402_err
x402_settle_answer_decode(struct x402_settle_answer *out, struct x402_span body,
                          const struct x402_facilitator_ask *ask);

/** Read the answer of /supported: in which version is scheme "exact" settled
 *  on this network?
 *  Out:     *version  2, else 1, else 0: not at all
 *  Returns: X402_ERR_SYNTAX TOO_LARGE: no such answer. */
X402_MUST_CHECK enum x402_err
x402_supported_decode(int *version, struct x402_span body,
                      const struct x402_network *network);
/** The accounts that settle scheme "upto" on this network: "The facilitator
 *  announces its address via the /supported endpoint in the extra field", and
 *  where it lists more signers for the network, those.
 *  Out: *len  0: it does not settle upto here; at most cap are written.
 *  Returns: as x402_supported_decode. */
X402_MUST_CHECK enum x402_err
x402_supported_upto(struct x402_address *out, size_t *len, size_t cap,
                    struct x402_span body, const struct x402_network *network);

#endif
