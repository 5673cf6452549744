/* SPDX-License-Identifier: Apache-2.0 */
/* A thin layer over one SQLite connection.  The first error sticks in db.rc and
 * every later call does nothing, so a command reads as a list of steps and
 * looks at db.rc once, at its end. */
#ifndef X402D_LEDGER_DB_H
#define X402D_LEDGER_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sqlite3.h>

#include <x402/address.h>
#include <x402/amount.h>

#include "statements.h"

struct db {
    sqlite3 *handle;
    sqlite3_stmt *stmt[STATEMENT_COUNT];
    int rc; /* extended result code of the first failure, or SQLITE_OK */
};

/** Open a connection to an existing file, with our settings and functions.
 * flags: of sqlite3_open_v2.  false: db->rc says why; close it all the same. */
bool db_open(struct db *db, const char *path, int flags);
void db_close(struct db *db);
/** Run SQL text without results. */
bool db_exec(struct db *db, const char *sql);
/** One integer out of SQL text; -1 on error. */
int64_t db_number(struct db *db, const char *sql);

/** A prepared statement, reset; bind all its parameters anew.  NULL after an
 * error; everything below takes NULL. */
sqlite3_stmt *db_use(struct db *db, enum statement which);
void bind_int(sqlite3_stmt *stmt, int at, int64_t value);
/** Blobs are read during the step and must live until then. */
void bind_blob(sqlite3_stmt *stmt, int at, const void *bytes, size_t len);
void bind_address(sqlite3_stmt *stmt, int at,
                  const struct x402_address *address);
void bind_amount(sqlite3_stmt *stmt, int at, const struct x402_amount *amount);
/** Step: true when there is a row.  After the last row, or when no more rows
 * are wanted, db_done. */
bool db_row(struct db *db, sqlite3_stmt *stmt);
void db_done(sqlite3_stmt *stmt);
/** Step to the end.  Returns the number of rows changed, 0 after an error. */
int db_run(struct db *db, sqlite3_stmt *stmt);
/** The same, and exactly one row must change: anything else is an error of this
 * program (SQLITE_INTERNAL). */
void db_run_one(struct db *db, sqlite3_stmt *stmt);

/* columns; a blob of another size than wanted is SQLITE_CORRUPT */
void column_blob(struct db *db, sqlite3_stmt *stmt, int at, void *out,
                 size_t len);
void column_address(struct db *db, sqlite3_stmt *stmt, int at,
                    struct x402_address *out);
void column_amount(struct db *db, sqlite3_stmt *stmt, int at,
                   struct x402_amount *out);

#endif
