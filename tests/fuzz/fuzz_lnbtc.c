/* SPDX-License-Identifier: Apache-2.0 */
/* The scheme on Lightning: entries and payments of any JSON, URLs and prices of
 * any bytes. */
#include "fuzz.h"

#include <x402/json.h>
#include <x402/lnbtc.h>

#define TEXT_MAX 16384

static void
check_entry(const json_t *value)
{
    static char memory[4 * TEXT_MAX];
    struct x402_buf buf = x402_buf_on(memory, sizeof memory);
    struct x402_lnbtc_terms terms, again;
    json_t *written;

    if (x402_lnbtc_read_entry(&terms, value) != X402_OK)
        return;
    HOLDS(x402_ln_caip2(terms.network) != NULL);
    HOLDS(terms.amount.value > 0 && terms.timeout_s > 0);
    x402_lnbtc_write_entry(&buf, &terms);
    HOLDS(x402_json_load(&written, x402_buf_span(&buf), sizeof memory, 8) ==
          X402_OK);
    HOLDS(x402_lnbtc_read_entry(&again, written) == X402_OK);
    HOLDS(again.amount.value == terms.amount.value &&
          x402_span_eq(again.invoice, terms.invoice) &&
          again.headers_len == terms.headers_len);
    json_decref(written);
}

static void
check_payment(const json_t *value)
{
    struct x402_lnbtc_payment payment;
    struct x402_bolt11 invoice;
    struct x402_lnbtc_clock clock = {1700000000, 60, 60};

    if (x402_lnbtc_payment_from_json(&payment, value) != X402_OK)
        return;
    /* Against its own terms: whatever comes of it, an answer comes. */
    if (x402_lnbtc_check_payment(&invoice, &payment, &payment.accepted,
                                 &clock) == X402_OK)
        HOLDS(invoice.amount.value == payment.accepted.amount.value);
}

static void
check_texts(struct x402_span text)
{
    struct x402_lnbtc_request request = {.method = x402_span_of("GET"),
                                         .url = text};
    struct x402_msat amount;
    uint8_t hash[32];

    HOLDS((x402_lnbtc_check_url(text) == X402_OK) ==
          (x402_lnbtc_request_hash(hash, &request) == X402_OK));
    if (x402_msat_parse_price(&amount, text) == X402_OK)
        HOLDS(amount.value > 0 && amount.value <= X402_MSAT_MAX);
    if (x402_msat_parse(&amount, text) == X402_OK) {
        char back[X402_MSAT_TEXT_MAX + 1];

        HOLDS(x402_msat_format(back, amount) == text.len &&
              memcmp(back, text.at, text.len) == 0);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *value;

    check_texts(fuzz_span(data, size));
    if (x402_json_load(&value, fuzz_span(data, size), TEXT_MAX, 8) != X402_OK)
        return 0;
    check_entry(value);
    check_payment(value);
    json_decref(value);
    return 0;
}
