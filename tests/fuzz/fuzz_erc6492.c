/* SPDX-License-Identifier: Apache-2.0 */
/* ERC-6492 wrappers: what is read lies inside the input, is not wrapped again,
 * and written down as the standard says it is the input. */
#include "fuzz.h"

#include <x402/erc6492.h>

#define WORD 32

static size_t
put_bytes(uint8_t *out, const uint8_t *bytes, size_t len)
{
    memset(out, 0, WORD + (len + WORD - 1) / WORD * WORD);
    out[WORD - 2] = (uint8_t)(len >> 8);
    out[WORD - 1] = (uint8_t)len;
    memcpy(out + WORD, bytes, len);
    return WORD + (len + WORD - 1) / WORD * WORD;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t out[1 << 18];
    struct x402_erc6492 seen;
    size_t at = 3 * WORD;

    if (x402_erc6492_decode(&seen, data, size) != X402_OK)
        return 0;
    HOLDS(x402_erc6492_is_wrapped(data, size));
    HOLDS(seen.calldata >= data && seen.signature >= data);
    HOLDS(seen.calldata + seen.calldata_len <= seen.signature);
    HOLDS(seen.signature + seen.signature_len <= data + size - WORD);
    HOLDS(!x402_erc6492_is_wrapped(seen.signature, seen.signature_len));
    memset(out, 0, 3 * WORD);
    memcpy(out + WORD - 20, seen.factory.byte, 20);
    out[2 * WORD - 1] = 3 * WORD;
    at += put_bytes(out + at, seen.calldata, seen.calldata_len);
    out[3 * WORD - 2] = (uint8_t)(at >> 8);
    out[3 * WORD - 1] = (uint8_t)at;
    at += put_bytes(out + at, seen.signature, seen.signature_len);
    HOLDS(at + WORD == size && memcmp(out, data, at) == 0);
    return 0;
}
