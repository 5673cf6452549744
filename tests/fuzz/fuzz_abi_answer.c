/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of a node: results lie inside the answer, whatever it says. */
#include "fuzz.h"

#include <x402/abi.h>

#define RESULTS_MAX 64

static uint8_t sum; /* reads every byte that is handed out */

static void
check_inside(const uint8_t *at, size_t len, const uint8_t *data, size_t size)
{
    HOLDS(at >= data && len <= size && at - data <= (ptrdiff_t)(size - len));
    for (size_t i = 0; i < len; i++)
        sum ^= at[i];
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct x402_abi_result results[RESULTS_MAX];
    struct x402_span text = x402_abi_revert_text(data, size);
    size_t count;

    if (text.at != NULL)
        check_inside((const uint8_t *)text.at, text.len, data, size);
    if (size == 0)
        return 0;
    count = data[0] % RESULTS_MAX;
    if (x402_abi_aggregate3_decode(results, count, data + 1, size - 1) !=
        X402_OK)
        return 0;
    for (size_t i = 0; i < count; i++)
        check_inside(results[i].data, results[i].data_len, data, size);
    return 0;
}
