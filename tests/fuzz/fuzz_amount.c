/* SPDX-License-Identifier: Apache-2.0 */
/* Amounts: what is read is written again as it was. */
#include "fuzz.h"

#include <x402/amount.h>

static void
check_atomic(struct x402_span text)
{
    struct x402_amount amount, back;
    char again[X402_AMOUNT_TEXT_MAX + 1];
    uint8_t word[32];

    if (x402_amount_parse(&amount, text) != X402_OK)
        return;
    HOLDS(x402_amount_format(again, &amount) == text.len);
    HOLDS(memcmp(again, text.at, text.len) == 0);
    x402_amount_to_be32(word, &amount);
    x402_amount_from_be32(&back, word);
    HOLDS(x402_amount_cmp(&back, &amount) == 0);
}

/* Prices have more than one spelling: the value must come back, not the text.
 */
static void
check_decimal(struct x402_span text, unsigned decimals)
{
    struct x402_amount amount, back;
    char again[X402_AMOUNT_TEXT_MAX + 3 + 255];
    struct x402_span span = {again, 0};

    if (x402_amount_parse_decimal(&amount, text, decimals) != X402_OK)
        return;
    span.len = x402_amount_format_decimal(again, &amount, decimals,
                                          (unsigned)text.len % 9);
    HOLDS(strlen(again) == span.len);
    HOLDS(x402_amount_parse_decimal(&back, span, decimals) == X402_OK);
    HOLDS(x402_amount_cmp(&back, &amount) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_atomic(fuzz_span(data, size));
    if (size > 0)
        check_decimal(fuzz_span(data + 1, size - 1), data[0]);
    return 0;
}
