/* SPDX-License-Identifier: Apache-2.0 */
/* The daily gas budgets of API keys: counted with the claim, in the same
 * transaction, so that however many payments come at once the last one that
 * fits is the last one. */
#include "key_gas.h"

#include "../failpoint.h"

#define DAY_MS 86400000
#define GWEI_MOST                                                              \
    1000000000000000 /* of one payment: sums stay far from 2^63                \
                      */

static uint64_t
clamped(uint64_t gwei)
{
    return gwei < GWEI_MOST ? gwei : GWEI_MOST;
}

static void
bind_day(sqlite3_stmt *stmt, const char *key, uint64_t now_ms)
{
    (void)sqlite3_bind_text(stmt, 1, key, -1, SQLITE_TRANSIENT);
    bind_int(stmt, 2, (int64_t)(now_ms / DAY_MS));
}

static uint64_t
used(struct db *db, const char *key, uint64_t now_ms)
{
    sqlite3_stmt *stmt = db_use(db, SQL_KEY_GAS);
    uint64_t gwei = 0;

    bind_day(stmt, key, now_ms);
    if (db_row(db, stmt)) {
        gwei = (uint64_t)sqlite3_column_int64(stmt, 0);
        db_done(stmt);
    }
    return gwei;
}

bool
key_gas_fits(struct db *db, const struct ledger_reserve *in)
{
    if (in->key[0] == '\0' || in->key_gas_gwei == 0 ||
        mutant("key_gas_unlimited"))
        return true;
    return used(db, in->key, in->now_ms) + clamped(in->gas_gwei) <=
           in->key_gas_gwei;
}

void
key_gas_add(struct db *db, const struct ledger_reserve *in)
{
    sqlite3_stmt *stmt;

    if (in->key[0] == '\0' || mutant("key_gas_forgotten"))
        return;
    stmt = db_use(db, SQL_KEY_GAS_ADD);
    bind_day(stmt, in->key, in->now_ms);
    bind_int(stmt, 3, (int64_t)clamped(in->gas_gwei));
    db_run_one(db, stmt);
}

uint64_t
ledger_key_gas(struct ledger *ledger, const char *key, uint64_t now_ms)
{
    uint64_t gwei = used(&ledger->read, key, now_ms);

    ledger->read.rc = SQLITE_OK;
    return gwei;
}
