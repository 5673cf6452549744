/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzz targets share.  Each target states what must hold for every
 * input at all; libFuzzer, AddressSanitizer and UBSan look for the rest. */
#ifndef X402_FUZZ_H
#define X402_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x402/span.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** End with the reason when something that must hold does not. */
#define HOLDS(what)                                                            \
    do {                                                                       \
        if (!(what)) {                                                         \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__,  \
                    #what);                                                    \
            abort();                                                           \
        }                                                                      \
    } while (0)

static inline struct x402_span
fuzz_span(const uint8_t *data, size_t size)
{
    return (struct x402_span){(const char *)data, size};
}

#endif
