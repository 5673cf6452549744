/* SPDX-License-Identifier: Apache-2.0 */
/* Any PAYMENT-RESPONSE: refused, or a receipt that, written and read again,
 * says the same. */
#include <x402/receipt.h>

#include "fuzz_wire.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char memory[2048];
    struct x402_receipt receipt, back;
    struct x402_buf out = x402_buf_on(memory, sizeof(memory));
    struct x402_span header;

    if (size == 0)
        return 0;
    header = header_of(data + 1, size - 1, data[0] & 1);
    if (x402_receipt_decode(&receipt, header) == X402_OK) {
        HOLDS((receipt.reason == X402_OK) == receipt.success);
        x402_receipt_header(&out, &receipt);
        HOLDS(!out.full);
        HOLDS(x402_receipt_decode(&back, x402_buf_span(&out)) == X402_OK);
        HOLDS(back.success == receipt.success &&
              back.chain_id == receipt.chain_id &&
              x402_address_eq(&back.payer, &receipt.payer) &&
              back.has_transaction == receipt.has_transaction &&
              memcmp(back.transaction, receipt.transaction, 32) == 0);
    }
    free((char *)header.at);
    return 0;
}
