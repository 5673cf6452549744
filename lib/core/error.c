/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the error table, looked up by number. */
#include <x402/error.h>

#include <stddef.h>

#define X402_ERR_ROW(code, number, fault, status, v2, v1, token)               \
    [number] = {#code, X402_FAULT_##fault, status, v2, v1, token},

static const struct x402_err_info rows[] = {X402_ERR_MAP(X402_ERR_ROW)};

/* A row added without its count, or a number skipped, must not compile: the
 * numbers stand in ledgers and frames. */
_Static_assert(sizeof rows / sizeof rows[0] == X402_ERR_COUNT,
               "X402_ERR_COUNT is not the number of rows");
#define X402_ERR_ONE(code, number, fault, status, v2, v1, token) +1
_Static_assert((0 X402_ERR_MAP(X402_ERR_ONE)) == X402_ERR_COUNT,
               "a number of X402_ERR_MAP is used twice or skipped");

const struct x402_err_info *
x402_err_info(enum x402_err err)
{
    /* The value may come from a frame or a ledger row: any int. */
    size_t i = (size_t)(unsigned)err;

    if (i >= X402_ERR_COUNT)
        i = X402_ERR_INTERNAL;
    return &rows[i];
}
