/* SPDX-License-Identifier: Apache-2.0 */
/* VerifyResponse and SettleResponse, with the reasons of the version that was
 * asked in. */
#include <x402/facilitator.h>

void
x402_verify_response_json(struct x402_buf *out, int version,
                          enum x402_method method, enum x402_err err,
                          const struct x402_address *payer)
{
    char text[X402_ADDRESS_TEXT_LEN + 1];

    x402_buf_text(out,
                  err == X402_OK ? "{\"isValid\":true" : "{\"isValid\":false");
    if (err != X402_OK) {
        x402_buf_text(out, ",\"invalidReason\":");
        x402_buf_json(out, x402_span_of(x402_err_reason(err, version, method)));
    }
    if (payer != NULL) {
        x402_address_format(text, payer);
        x402_buf_text(out, ",\"payer\":\"");
        x402_buf_text(out, text);
        x402_buf_char(out, '"');
    }
    x402_buf_char(out, '}');
}

void
x402_settle_response_json(struct x402_buf *out, int version,
                          const struct x402_receipt *receipt)
{
    struct x402_receipt versioned = *receipt;

    versioned.wire = version == 1 ? X402_WIRE_V1 : X402_WIRE_V2;
    x402_receipt_json(out, &versioned);
}
