/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzz targets of the wires share: base64 in front of the parser, so
 * that mutations reach the JSON, and a copy of exactly the input's size, so
 * that the sanitizer sees each byte too many. */
#ifndef FUZZ_WIRE_H
#define FUZZ_WIRE_H

#include <x402/encode.h>

#include "fuzz.h"

/** Memory of its own with the bytes, or with their base64. */
static inline struct x402_span
header_of(const uint8_t *data, size_t size, int raw)
{
    size_t len = raw ? size : X402_BASE64_LEN(size);
    char *text = malloc(len > 0 ? len : 1);

    HOLDS(text != NULL);
    if (raw && size > 0)
        memcpy(text, data, size);
    if (!raw)
        x402_base64_encode(text, data, size);
    return (struct x402_span){text, len};
}

#endif
