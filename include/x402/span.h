/* SPDX-License-Identifier: Apache-2.0 */
/* A borrowed run of bytes: pointer and length, never NUL-terminated. */
#ifndef X402_SPAN_H
#define X402_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct x402_span {
    const char *at;
    size_t len;
};

static inline struct x402_span
x402_span_of(const char *text)
{
    return (struct x402_span){text, text ? strlen(text) : 0};
}

static inline bool
x402_span_eq(struct x402_span a, struct x402_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

/** No byte of it is anything but zero; false only tells that, in a time that
 * does not depend on which. */
static inline bool
x402_all_zero(const void *bytes, size_t len)
{
    unsigned char any = 0;

    for (size_t i = 0; i < len; i++)
        any |= ((const unsigned char *)bytes)[i];
    return any == 0;
}

#endif
