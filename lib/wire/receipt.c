/* SPDX-License-Identifier: Apache-2.0 */
/* SettleResponse, written: what became of a payment.  `success`, `transaction`
 * and `network` are required by the specification; a transaction that is not
 * known yet is the empty string, never an invented one. */
#include "receipt.h"
#include "wire.h"

static void
add_reason(struct x402_buf *out, const struct x402_receipt *receipt)
{
    enum x402_err reason = receipt->reason;

    x402_buf_text(out, ",\"errorReason\":");
    x402_buf_json(out,
                  x402_span_of(x402_err_reason(
                      reason == X402_OK ? X402_ERR_INTERNAL : reason,
                      receipt->wire == X402_WIRE_V1 ? 1 : 2, receipt->method)));
}

/* Seed 001 has no receipt of its own: it gets version 2's. */
static const char *
network_text(const struct x402_receipt *receipt)
{
    const char *text = NULL;

    if (receipt->wire == X402_WIRE_V1)
        text = wire_network_text(X402_WIRE_V1, receipt->chain_id);
    if (text == NULL)
        text = wire_network_text(X402_WIRE_V2, receipt->chain_id);
    return text == NULL ? "" : text;
}

void
x402_receipt_json(struct x402_buf *out, const struct x402_receipt *receipt)
{
    char payer[X402_ADDRESS_TEXT_LEN + 1];

    x402_buf_text(out, receipt->success ? "{\"success\":true"
                                        : "{\"success\":false");
    if (!receipt->success)
        add_reason(out, receipt);
    x402_buf_text(out, ",\"transaction\":\"");
    if (receipt->has_transaction)
        x402_buf_hex(out, receipt->transaction, sizeof(receipt->transaction));
    x402_buf_text(out, "\",\"network\":");
    x402_buf_json(out, x402_span_of(network_text(receipt)));
    if (!x402_address_is_zero(&receipt->payer)) {
        x402_address_format(payer, &receipt->payer);
        x402_buf_text(out, ",\"payer\":\"");
        x402_buf_text(out, payer);
        x402_buf_char(out, '"');
    }
    if (receipt->success && !receipt->amount_unknown) {
        x402_buf_text(out, ",\"amount\":\"");
        x402_buf_amount(out, &receipt->amount);
        x402_buf_char(out, '"');
    }
    x402_buf_char(out, '}');
}

void
x402_receipt_header(struct x402_buf *out, const struct x402_receipt *receipt)
{
    char memory[RECEIPT_JSON_MAX];
    struct x402_buf json = x402_buf_on(memory, sizeof(memory));

    x402_receipt_json(&json, receipt);
    if (json.full)
        out->full = true;
    else
        x402_buf_base64(out, (const uint8_t *)json.at, json.len);
}
