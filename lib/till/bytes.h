/* SPDX-License-Identifier: Apache-2.0 */
/* Big-endian writing and reading over bounded memory, for the till's frames.
 * Both stop at the first thing that does not fit and say so once, at the end:
 * a frame is checked as a whole, not field by field. */
#ifndef X402_TILL_BYTES_H
#define X402_TILL_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct till_put {
    uint8_t *at;
    size_t len;
    size_t cap;
    bool full;
};

static inline void
till_put_bytes(struct till_put *put, const uint8_t *bytes, size_t len)
{
    if (put->full || len > put->cap - put->len) {
        put->full = true;
        return;
    }
    if (len > 0)
        memcpy(put->at + put->len, bytes, len);
    put->len += len;
}

/** The lowest `size` bytes of value, 1..8. */
static inline void
till_put_uint(struct till_put *put, uint64_t value, size_t size)
{
    uint8_t be[8];

    for (size_t i = size; i > 0; i--) {
        be[i - 1] = (uint8_t)(value & 0xff);
        value >>= 8;
    }
    till_put_bytes(put, be, size);
}

struct till_take {
    const uint8_t *at;
    size_t left;
    bool bad; /* something was short or out of bounds */
};

/** A run of len bytes inside the input; NULL, and bad, when it is not there. */
static inline const uint8_t *
till_take_run(struct till_take *take, size_t len)
{
    const uint8_t *run = take->at;

    if (take->bad || len > take->left) {
        take->bad = true;
        return NULL;
    }
    take->at += len;
    take->left -= len;
    return run;
}

static inline void
till_take_bytes(struct till_take *take, uint8_t *out, size_t len)
{
    const uint8_t *run = till_take_run(take, len);

    if (run != NULL)
        memcpy(out, run, len);
}

static inline uint64_t
till_take_uint(struct till_take *take, size_t size)
{
    const uint8_t *run = till_take_run(take, size);
    uint64_t value = 0;

    for (size_t i = 0; run != NULL && i < size; i++)
        value = value << 8 | run[i];
    return value;
}

/** An integer that must be at most max. */
static inline uint64_t
till_take_upto(struct till_take *take, size_t size, uint64_t max)
{
    uint64_t value = till_take_uint(take, size);

    if (value > max)
        take->bad = true;
    return take->bad ? 0 : value;
}

#endif
