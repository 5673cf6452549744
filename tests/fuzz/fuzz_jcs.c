/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical JSON: the text loads as the same value and is its own canonical
 * text. */
#include "fuzz.h"

#include <x402/jcs.h>
#include <x402/json.h>

#define TEXT_MAX 8192

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char first[8 * TEXT_MAX], second[8 * TEXT_MAX];
    struct x402_buf one = x402_buf_on(first, sizeof first);
    struct x402_buf two = x402_buf_on(second, sizeof second);
    json_t *value, *again;

    if (x402_json_load(&value, fuzz_span(data, size), TEXT_MAX,
                       X402_JSON_DEPTH_MAX) != X402_OK)
        return 0;
    if (x402_jcs_write(&one, value) == X402_OK) {
        HOLDS(x402_json_load(&again, x402_buf_span(&one), sizeof first,
                             X402_JSON_DEPTH_MAX) == X402_OK);
        HOLDS(json_equal(value, again));
        HOLDS(x402_jcs_write(&two, again) == X402_OK);
        HOLDS(x402_span_eq(x402_buf_span(&one), x402_buf_span(&two)));
        json_decref(again);
    }
    json_decref(value);
    return 0;
}
