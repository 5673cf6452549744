/* SPDX-License-Identifier: Apache-2.0 */
/* Hex and base64: one text per value. */
#include "fuzz.h"

#include <x402/encode.h>

#define BYTES_MAX 4096

static void
check_hex(struct x402_span text)
{
    static uint8_t bytes[BYTES_MAX], again[BYTES_MAX];
    static char written[2 * BYTES_MAX + 3];
    size_t len = 0;

    if (x402_hex_decode_any(bytes, &len, BYTES_MAX, text) != X402_OK)
        return;
    HOLDS(text.len == 2 * len + 2);
    HOLDS(x402_hex_decode(again, len, text) == X402_OK);
    HOLDS(memcmp(bytes, again, len) == 0);
    x402_hex_encode(written, bytes, len);
    for (size_t i = 0; i < text.len; i++)
        HOLDS(written[i] == text.at[i] || (written[i] - 32) == text.at[i]);
}

static void
check_base64(struct x402_span text)
{
    static uint8_t bytes[BYTES_MAX];
    static char written[X402_BASE64_LEN(BYTES_MAX)];
    size_t len = 0, n;

    if (x402_base64_decode(bytes, &len, BYTES_MAX, text) != X402_OK)
        return;
    HOLDS(len <= X402_BASE64_DECODED_MAX(text.len));
    n = x402_base64_encode(written, bytes, len);
    HOLDS(n >= text.len && n - text.len <= 2);
    HOLDS(memcmp(written, text.at, text.len) == 0);
    for (size_t i = text.len; i < n; i++)
        HOLDS(written[i] == '=');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_hex(fuzz_span(data, size));
    check_base64(fuzz_span(data, size));
    return 0;
}
