/* SPDX-License-Identifier: Apache-2.0 */
/* JSON in, and strings out: what is loaded loads again as the same value, and
 * any bytes at all become one string. */
#include "fuzz.h"

#include <x402/buf.h>
#include <x402/json.h>

#define TEXT_MAX 16384

static void
read_members(const json_t *object)
{
    struct x402_span span;
    struct x402_address address;
    struct x402_amount amount;
    const json_t *inner;
    uint8_t nonce[32];

    if (x402_json_string(&span, object, "a") == X402_OK)
        HOLDS(span.at != NULL && strlen(span.at) == span.len);
    if (x402_json_address(&address, object, "a") == X402_OK ||
        x402_json_amount(&amount, object, "a") == X402_OK ||
        x402_json_hex(nonce, sizeof nonce, object, "a") == X402_OK)
        HOLDS(json_is_object(object));
    if (x402_json_object(&inner, object, "a") == X402_OK)
        read_members(inner);
}

static void
check_load(struct x402_span text, unsigned depth)
{
    json_t *value, *again;
    char *dump;

    if (x402_json_load(&value, text, TEXT_MAX, depth) != X402_OK)
        return;
    HOLDS(text.len <= TEXT_MAX);
    read_members(value);
    dump = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    HOLDS(dump != NULL);
    HOLDS(x402_json_load(&again, x402_span_of(dump), SIZE_MAX, depth) ==
          X402_OK);
    HOLDS(json_equal(value, again));
    json_decref(again);
    json_decref(value);
    free(dump);
}

static void
check_string(struct x402_span text)
{
    static char memory[6 * TEXT_MAX + 2];
    struct x402_buf buf = x402_buf_on(memory, sizeof memory);
    json_t *value;

    if (text.len > TEXT_MAX)
        return;
    x402_buf_json(&buf, text);
    HOLDS(!buf.full && memchr(memory, '<', buf.len) == NULL);
    value = json_loadb(memory, buf.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    HOLDS(json_is_string(value));
    json_decref(value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_string(fuzz_span(data, size));
    if (size > 0)
        check_load(fuzz_span(data + 1, size - 1),
                   1 + data[0] % X402_JSON_DEPTH_MAX);
    return 0;
}
