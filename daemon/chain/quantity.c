/* SPDX-License-Identifier: Apache-2.0 */
/* "When encoding quantities (integers, numbers): encode as hex, prefix with
 * "0x", the most compact representation" (Ethereum JSON-RPC).  Answers are read
 * a little wider than that: leading zeros are harmless. */
#include "quantity.h"

#include <stdlib.h>
#include <string.h>

#include <x402/encode.h>

#include "scan.h"

static bool
text_of(struct x402_span *out, const json_t *value)
{
    if (!json_is_string(value))
        return false;
    *out =
        (struct x402_span){json_string_value(value), json_string_length(value)};
    return true;
}

static bool
read_amount(struct x402_amount *out, struct x402_span text)
{
    char padded[67] = "0x";
    uint8_t be32[32];

    if (text.len < 3 || text.len > 66 || memcmp(text.at, "0x", 2) != 0)
        return false;
    memset(padded + 2, '0', 64);
    memcpy(padded + 2 + 64 - (text.len - 2), text.at + 2, text.len - 2);
    if (x402_hex_decode(be32, 32, (struct x402_span){padded, 66}) != X402_OK)
        return false;
    x402_amount_from_be32(out, be32);
    return true;
}

static bool
read_data(uint8_t **out, size_t *len, struct x402_span text)
{
    uint8_t *data;
    size_t n;

    if (text.len < 2)
        return false;
    data = malloc(text.len / 2);
    if (data == NULL)
        abort();
    if (x402_hex_decode_any(data, &n, text.len / 2, text) != X402_OK) {
        free(data);
        return false;
    }
    *out = data;
    *len = n;
    return true;
}

bool
quantity_amount(struct x402_amount *out, const json_t *value)
{
    struct x402_span text;

    return text_of(&text, value) && read_amount(out, text);
}

bool
quantity_u64(uint64_t *out, const json_t *value)
{
    struct x402_amount amount;

    return quantity_amount(&amount, value) && x402_amount_u64(out, &amount);
}

bool
quantity_text_u64(uint64_t *out, struct x402_span json)
{
    struct x402_amount amount;
    struct x402_span text;

    return scan_string(&text, json) && read_amount(&amount, text) &&
           x402_amount_u64(out, &amount);
}

bool
quantity_bytes(uint8_t *out, size_t len, const json_t *value)
{
    struct x402_span text;

    return text_of(&text, value) && x402_hex_decode(out, len, text) == X402_OK;
}

bool
quantity_text_bytes(uint8_t *out, size_t len, struct x402_span json)
{
    struct x402_span text;

    return scan_string(&text, json) &&
           x402_hex_decode(out, len, text) == X402_OK;
}

bool
quantity_address(struct x402_address *out, const json_t *value)
{
    return quantity_bytes(out->byte, sizeof out->byte, value);
}

bool
quantity_data(uint8_t **out, size_t *len, const json_t *value)
{
    struct x402_span text;

    return text_of(&text, value) && read_data(out, len, text);
}

bool
quantity_text_data(uint8_t **out, size_t *len, struct x402_span json)
{
    struct x402_span text;

    return scan_string(&text, json) && read_data(out, len, text);
}
