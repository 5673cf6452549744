/* SPDX-License-Identifier: Apache-2.0 */
/* Any answer of a facilitator: nothing at all, or plainly yes or no to our
 * question.  The first byte chooses which answer it is taken for. */
#include <x402/facilitator.h>

#include "fuzz_wire.h"

static struct x402_facilitator_ask
question(void)
{
    static struct x402_authorization auth;
    static const uint8_t signature[65];
    struct x402_facilitator_ask ask = {
        .version = 2,
        .asset = x402_asset_by_symbol(84532, x402_span_of("USDC")),
        .auth = &auth,
        .signature = signature,
        .signature_len = sizeof(signature),
        .resource = x402_span_of("https://api.example.com/a"),
    };

    auth.from.byte[19] = 1;
    auth.value = x402_amount_of(1000);
    return ask;
}

static void
verify(struct x402_span body, const struct x402_facilitator_ask *ask)
{
    struct x402_verify_answer answer;

    if (x402_verify_answer_decode(&answer, body, ask) == X402_OK)
        HOLDS(answer.valid == (answer.reason == X402_OK));
}

static void
settle(struct x402_span body, const struct x402_facilitator_ask *ask)
{
    struct x402_settle_answer answer;

    if (x402_settle_answer_decode(&answer, body, ask) != X402_OK)
        return;
    HOLDS(answer.success == (answer.reason == X402_OK));
    HOLDS(!answer.success || answer.has_transaction);
}

static void
supported(struct x402_span body)
{
    struct x402_address upto[2];
    int version = -1;
    size_t len = 0;

    if (x402_supported_upto(upto, &len, 2, body, x402_network_by_id(84532)) ==
        X402_OK)
        HOLDS(len <= 2);

    if (x402_supported_decode(&version, body, x402_network_by_id(84532)) ==
        X402_OK)
        HOLDS(version >= 0 && version <= 2);
    else
        HOLDS(version == -1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct x402_facilitator_ask ask = question();
    struct x402_span body;

    if (size == 0)
        return 0;
    body = header_of(data + 1, size - 1, 1);
    if (data[0] == 'v')
        verify(body, &ask);
    else if (data[0] == 's')
        settle(body, &ask);
    else
        supported(body);
    free((char *)body.at);
    return 0;
}
