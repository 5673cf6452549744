/* SPDX-License-Identifier: Apache-2.0 */
/* 256-bit amounts inside SQL, so that counters are kept by the statement that
 * changes them.  A counter that would go below zero or over 2^256-1 is a
 * ledger that does not add up: the statement fails. */
#include "db.h"

static bool
argument(struct x402_amount *out, sqlite3_value *value)
{
    const void *bytes = sqlite3_value_blob(value);

    if (bytes == NULL || sqlite3_value_bytes(value) != 32)
        return false;
    x402_amount_from_be32(out, bytes);
    return true;
}

static void
compute(sqlite3_context *context, sqlite3_value **values, bool add)
{
    struct x402_amount a, b;
    uint8_t be32[32];

    if (!argument(&a, values[0]) || !argument(&b, values[1])) {
        sqlite3_result_error(context, "not a 256-bit amount", -1);
        return;
    }
    if (!(add ? x402_amount_add(&a, &a, &b) : x402_amount_sub(&a, &a, &b))) {
        sqlite3_result_error(context, "amount out of range", -1);
        return;
    }
    x402_amount_to_be32(be32, &a);
    sqlite3_result_blob(context, be32, sizeof be32, SQLITE_TRANSIENT);
}

static void
u256_add(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    compute(context, values, true);
}

static void
u256_sub(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    compute(context, values, false);
}

int
u256_register(sqlite3 *handle)
{
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    int rc = sqlite3_create_function_v2(handle, "u256_add", 2, flags, NULL,
                                        u256_add, NULL, NULL, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_create_function_v2(handle, "u256_sub", 2, flags, NULL,
                                        u256_sub, NULL, NULL, NULL);
    return rc;
}
