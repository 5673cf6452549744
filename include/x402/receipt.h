/* SPDX-License-Identifier: Apache-2.0 */
/* PAYMENT-RESPONSE / X-PAYMENT-RESPONSE: what became of a payment. */
#ifndef X402_RECEIPT_H
#define X402_RECEIPT_H

#include <stdbool.h>

#include <x402/buf.h>
#include <x402/payment.h>

struct x402_receipt {
    bool success;
    enum x402_err reason; /* X402_OK when success */
    enum x402_wire
        wire; /* network is a v1 name for X402_WIRE_V1, CAIP-2 otherwise */
    enum x402_method method; /* words the reason; not on the wire */
    uint64_t chain_id;
    struct x402_address payer;
    struct x402_amount amount;
    bool amount_unknown;  /* upto, run again: of what the first run cost */
    bool has_transaction; /* false: settlement comes later, transaction is "" */
    uint8_t transaction[32];
};

/** JSON SettleResponse: success, transaction, network, payer, amount,
 * errorReason. */
void x402_receipt_json(struct x402_buf *out,
                       const struct x402_receipt *receipt);
/** The header value: base64 of it. */
void x402_receipt_header(struct x402_buf *out,
                         const struct x402_receipt *receipt);
/** Read one (client); unknown members are ignored.  Informational: the chain is
 * the truth. */
X402_MUST_CHECK enum x402_err x402_receipt_decode(struct x402_receipt *out,
                                                  struct x402_span header);

#endif
