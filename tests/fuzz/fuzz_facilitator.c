/* SPDX-License-Identifier: Apache-2.0 */
/* Any body of /verify: refused as the sender's fault, or read with two halves
 * of one chain and a requirement that could be paid. */
#include <x402/facilitator.h>

#include "fuzz_wire.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct x402_facilitator_request request;
    struct x402_span body = header_of(data, size, 1);
    enum x402_err err = x402_facilitator_request_decode(&request, body);

    HOLDS(request.version == 1 || request.version == 2);
    if (err == X402_OK) {
        HOLDS(request.requirement.asset != NULL &&
              request.requirement.asset->chain_id == request.payment.chain_id);
        HOLDS(!x402_amount_is_zero(&request.requirement.amount) ||
              request.requirement.method == X402_METHOD_PERMIT2_UPTO);
        HOLDS(request.requirement.method == request.payment.method);
        HOLDS(!x402_address_is_zero(&request.requirement.pay_to));
        HOLDS(request.requirement.timeout_s > 0);
        HOLDS(memchr(request.resource, '\0', sizeof(request.resource)) != NULL);
        HOLDS((request.payment.wire == X402_WIRE_V1) == (request.version == 1));
    } else {
        HOLDS(x402_err_info(err)->fault == X402_FAULT_PEER);
    }
    free((char *)body.at);
    return 0;
}
