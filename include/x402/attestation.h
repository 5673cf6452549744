/* SPDX-License-Identifier: Apache-2.0 */
/* A verifier's signed word that a payment was good when it looked (seed 001,
 * section 4): "returns a signed attestation", cached "keyed by (receipt-hash,
 * resource-uri) for the lifetime of the receipt".  It says nothing about
 * settlement, and never by itself releases anything. */
#ifndef X402_ATTESTATION_H
#define X402_ATTESTATION_H

#include <x402/buf.h>
#include <x402/payment.h>

/** What is attested.  The scheme is "exact". */
struct x402_attestation {
    uint8_t receipt_hash[32];
    struct x402_span resource; /* its URL */
    const struct x402_asset *asset;
    struct x402_address pay_to;
    struct x402_amount amount;
    struct x402_address payer;
    uint8_t nonce[32];
    uint64_t issued_at_s;
    uint64_t valid_until_s;
};

/** Bytes of the longest attestation: a URL of which each character is escaped.
 */
#define X402_ATTESTATION_MAX 16384
/** How far a verifier's clock may be ahead of ours. */
#define X402_ATTESTATION_SKEW_S 30

/** SHA-256 over the canonical form (RFC 8785) of a decoded receipt: the payment
 *  object, whatever its wire.  Numbers, order of members and escapes of the
 *  sender do not matter; the letter case of hex digits does.
 *  Returns: X402_ERR_SYNTAX RANGE TOO_LARGE: not such an object; INTERNAL: out
 *           of memory.
 *  Memory:  scratch through jansson. */
X402_MUST_CHECK enum x402_err x402_receipt_hash(uint8_t out32[32],
                                                struct x402_span json);
/** The same for the paymentPayload inside a facilitator's request. */
X402_MUST_CHECK enum x402_err
x402_receipt_hash_of_request(uint8_t out32[32], struct x402_span body);

/** The payload in its canonical form.
 *  Returns: TOO_LARGE: no room; SYNTAX: the resource is not UTF-8. */
X402_MUST_CHECK enum x402_err
x402_attestation_payload(struct x402_buf *out,
                         const struct x402_attestation *attestation);
/** The EIP-712 digest that the verifier signs; domain "x402 attestation",
 * version 1, chain 1, without a contract. */
void x402_attestation_digest(uint8_t out32[32],
                             const struct x402_attestation *attestation);

/** {"format":"eip712","payload":{...},"signature":"0x..."}.
 *  Returns: as x402_attestation_payload, and as x402_sign. */
X402_MUST_CHECK enum x402_err
x402_attestation_sign(struct x402_buf *out,
                      const struct x402_attestation *attestation,
                      const struct x402_signer *verifier);

/** Check the attestation inside an answer of /verify,
 *  extensions["verification-attestation"].info.attestation.
 *
 *  In:      expected  what it must say, in every member but the two times
 *  Out:     expected  the times, as they were signed
 *  Returns: X402_ERR_SYNTAX     there is none, or it is about something else
 *           X402_ERR_SIGNATURE  another key signed it
 *           X402_ERR_EXPIRED    not valid now, or for no time at all */
X402_MUST_CHECK enum x402_err
x402_attestation_check(struct x402_attestation *expected, struct x402_span body,
                       const struct x402_address *verifier, uint64_t now_s);

#endif
