/* SPDX-License-Identifier: Apache-2.0 */
/* Any header value: refused, or decoded to a payment that, written and read
 * again, is the same payment. */
#include <x402/approval.h>
#include <x402/payment.h>

#include "fuzz_wire.h"

static const struct x402_asset *
some_asset(uint64_t chain_id)
{
    const struct x402_asset *asset;

    for (size_t i = 0; (asset = x402_asset_at(i)) != NULL; i++) {
        if (asset->chain_id == chain_id)
            return asset;
    }
    return x402_asset_at(0);
}

static void
again(const struct x402_payment *payment, enum x402_carrier carrier)
{
    static char memory[X402_PAYMENT_HEADER_MAX];
    static struct x402_payment back;
    struct x402_payment_echo echo = {.resource_url = x402_span_of("r")};
    struct x402_buf out = x402_buf_on(memory, sizeof(memory));

    x402_payment_encode(&out, payment, some_asset(payment->chain_id), &echo);
    HOLDS(!out.full);
    /* Without the 402 the timeout that was accepted is the struct's. */
    HOLDS(x402_payment_decode(&back, carrier, x402_buf_span(&out)) == X402_OK);
    HOLDS(back.wire == payment->wire && back.chain_id == payment->chain_id);
    HOLDS(back.method == payment->method);
    HOLDS(memcmp(&back.auth, &payment->auth, sizeof(back.auth)) == 0);
    HOLDS(x402_address_eq(&back.token, &payment->token) &&
          x402_address_eq(&back.facilitator, &payment->facilitator));
    HOLDS(back.signature_len == payment->signature_len);
    HOLDS(memcmp(back.signature, payment->signature, back.signature_len) == 0);
}

/* What would be broadcast reads as what came in. */
static void
written_again(const struct x402_payment *payment)
{
    uint8_t raw[X402_APPROVAL_RAW_MAX], hash[32];
    struct x402_sponsor again;
    size_t len = x402_approval_write(raw, hash, &payment->sponsor,
                                     payment->chain_id, &payment->token);

    HOLDS(len > 0 &&
          x402_approval_read(&again, raw, len, payment->chain_id,
                             &payment->token, &payment->auth.value) == X402_OK);
    HOLDS(memcmp(again.data, payment->sponsor.data, sizeof again.data) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct x402_payment payment;
    const struct x402_clock clock = {1700000000, 25, 300};
    struct x402_requirement offer = {.timeout_s = 60};
    enum x402_carrier carrier;
    struct x402_span header;
    size_t which;

    if (size == 0)
        return 0;
    carrier =
        data[0] & 1 ? X402_CARRIER_PAYMENT_SIGNATURE : X402_CARRIER_X_PAYMENT;
    header = header_of(data + 1, size - 1, data[0] & 2);
    if (x402_payment_decode(&payment, carrier, header) == X402_OK) {
        HOLDS(!x402_address_is_zero(&payment.auth.from));
        HOLDS(!x402_address_is_zero(&payment.auth.to));
        HOLDS(payment.signature_len >= 1);
        again(&payment, carrier);
        offer.asset = some_asset(payment.chain_id);
        offer.pay_to = payment.auth.to;
        offer.amount = payment.auth.value;
        offer.method = payment.method;
        offer.facilitator = payment.facilitator;
        HOLDS(payment.method == X402_METHOD_EIP3009 ||
              payment.wire == X402_WIRE_V2);
        HOLDS(payment.sponsor.kind == X402_SPONSOR_NONE ||
              (payment.sponsor.len == X402_SPONSOR_MAX &&
               payment.sponsor_err == X402_OK));
        if (payment.sponsor.kind == X402_SPONSOR_APPROVAL)
            written_again(&payment);
        if (x402_payment_match(&which, &payment, &offer, 1, &clock) == X402_OK)
            HOLDS(payment.auth.valid_before_s <= clock.now_s + clock.max_s &&
                  payment.auth.valid_before_s >= clock.now_s + clock.margin_s &&
                  payment.auth.valid_after_s < clock.now_s);
    }
    free((char *)header.at);
    return 0;
}
