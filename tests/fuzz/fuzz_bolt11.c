/* SPDX-License-Identifier: Apache-2.0 */
/* Invoices: any bytes are judged, and what is accepted keeps its bounds.  Most
 * mutations die at the checksum, so the data part of a bech32 text is also
 * tried with a right one. */
#include "fuzz.h"

#include <x402/bolt11.h>
#include <x402/lnbtc.h>

static void
judge(struct x402_span text)
{
    struct x402_bolt11 invoice;

    if (x402_bolt11_decode(&invoice, text) != X402_OK)
        return;
    HOLDS(text.len <= X402_BOLT11_MAX);
    HOLDS(invoice.amount.value <= X402_MSAT_MAX);
    HOLDS(invoice.has_amount == (invoice.amount.value != 0));
    HOLDS(invoice.description_len <= X402_BOLT11_DESCRIPTION_MAX);
    HOLDS(x402_ln_currency(invoice.network) != NULL);
    HOLDS(invoice.payee[0] == 2 || invoice.payee[0] == 3);
    HOLDS(x402_bolt11_is_expired(&invoice, UINT64_MAX));
}

/* BIP 173 over the input as prefix and groups of five bits. */
static uint32_t
step(uint32_t sum, uint32_t value)
{
    static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa,
                                         0x3d4233dd, 0x2a1462b3};
    uint32_t top = sum >> 25;

    sum = (sum & 0x1ffffff) << 5 ^ value;
    for (int i = 0; i < 5; i++)
        sum ^= top >> i & 1 ? generator[i] : 0;
    return sum;
}

static void
with_checksum(const uint8_t *data, size_t size)
{
    static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    static const char prefix[] = "lnbcrt210n";
    static char text[X402_BOLT11_MAX + 64];
    size_t len = strlen(prefix);
    uint32_t sum = 1;

    if (size > X402_BOLT11_MAX)
        return;
    memcpy(text, prefix, len);
    for (size_t i = 0; i < len; i++)
        sum = step(sum, (uint32_t)prefix[i] >> 5);
    sum = step(sum, 0);
    for (size_t i = 0; i < len; i++)
        sum = step(sum, (uint32_t)prefix[i] & 31);
    text[len++] = '1';
    for (size_t i = 0; i < size; i++) {
        sum = step(sum, data[i] & 31);
        text[len++] = alphabet[data[i] & 31];
    }
    for (int i = 0; i < 6; i++)
        sum = step(sum, 0);
    sum ^= 1;
    for (int i = 5; i >= 0; i--)
        text[len++] = alphabet[sum >> 5 * i & 31];
    judge((struct x402_span){text, len});
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    judge(fuzz_span(data, size));
    with_checksum(data, size);
    return 0;
}
