/* SPDX-License-Identifier: Apache-2.0 */
/* The Payment scheme: credentials of any JSON, headers of any bytes, and lines
 * that no value can break out of. */
#include "fuzz.h"

#include <x402/encode.h>
#include <x402/mpp.h>

static void
check_header(struct x402_span header)
{
    static const uint8_t secret[] = "secret";
    struct x402_mpp_credential credential;
    json_t *owner;

    if (x402_mpp_decode(&owner, &credential, header) != X402_OK)
        return;
    HOLDS(x402_mpp_is(header));
    HOLDS(x402_mpp_check(&credential, x402_span_of("realm"), secret, 6) !=
          X402_OK);
    json_decref(owner);
}

/* The input as the JSON of a credential. */
static void
check_json(const uint8_t *data, size_t size)
{
    static char memory[32768];
    struct x402_buf buf = x402_buf_on(memory, sizeof memory);

    x402_buf_text(&buf, "Payment ");
    x402_buf_base64url(&buf, data, size);
    if (!buf.full)
        check_header(x402_buf_span(&buf));
}

static void
check_line(struct x402_span text)
{
    static char memory[65536];
    struct x402_buf buf = x402_buf_on(memory, sizeof memory);
    struct x402_mpp_challenge challenge = {.id = text, .description = text};

    x402_mpp_write_challenge(&buf, &challenge);
    for (size_t i = 0; i < buf.len; i++)
        HOLDS((unsigned char)memory[i] >= 0x20 || memory[i] == '\t');
}

static void
check_base64url(struct x402_span text)
{
    static uint8_t bytes[65536];
    static char again[65536];
    size_t len;

    if (text.len > 32768 ||
        x402_base64url_decode(bytes, &len, sizeof bytes, text) != X402_OK)
        return;
    len = x402_base64url_encode(again, bytes, len);
    HOLDS(len <= text.len && memcmp(again, text.at, len) == 0);
    for (size_t i = len; i < text.len; i++)
        HOLDS(text.at[i] == '=');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_header(fuzz_span(data, size));
    check_json(data, size);
    check_line(fuzz_span(data, size));
    check_base64url(fuzz_span(data, size));
    return 0;
}
