/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the store share. */
#ifndef X402D_BAZAAR_STORE_INSIDE_H
#define X402D_BAZAAR_STORE_INSIDE_H

#include <sqlite3.h>

#include "store.h"

enum store_sql {
    STORE_SQL_FIND,
    STORE_SQL_FIND_URL,
    STORE_SQL_HAS_PAYEE,
    STORE_SQL_OF_PAYEE,
    STORE_SQL_PUT,
    STORE_SQL_WORD,
    STORE_SQL_UNWORD,
    STORE_SQL_UNDAY,
    STORE_SQL_UNPAYER,
    STORE_SQL_UNLIST,
    STORE_SQL_TOUCH,
    STORE_SQL_CHECKED,
    STORE_SQL_PAYER,
    STORE_SQL_HAD_PAYER,
    STORE_SQL_DAY,
    STORE_SQL_CALLED,
    STORE_SQL_DEAD,
    STORE_SQL_ITEM,
    STORE_SQL_NEWEST,
    STORE_SQL_OLDEST,
    STORE_SQL_ALL,
    STORE_SQL_EVERY,
    STORE_SQL_SOME,
    STORE_SQL_SOME_COUNT,
    STORE_SQL_ONE,
    STORE_SQL_COUNT
};

struct store {
    sqlite3 *db;
    sqlite3_stmt *stmt[STORE_SQL_COUNT];
    uint64_t count;
    uint64_t deadline_ns; /* of the question that is being answered */
};

bool store_do(struct store *store, const char *sql);
void store_complain(struct store *store);
/** A prepared statement, reset; NULL after an error, which everything takes. */
sqlite3_stmt *store_use(struct store *store, enum store_sql which,
                        const char *sql);
void store_text(sqlite3_stmt *stmt, int at, const char *text);
void store_int(sqlite3_stmt *stmt, int at, int64_t value);
bool store_run(struct store *store, sqlite3_stmt *stmt);

#endif
