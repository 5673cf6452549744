/* SPDX-License-Identifier: Apache-2.0 */
/* See db.h. */
#include "db.h"

#include <string.h>

#include "logfile.h"

static const char *const texts[STATEMENT_COUNT] = {
#define STATEMENT_TEXT(name, text) [name] = text,
    STATEMENTS(STATEMENT_TEXT) INVOICE_STATEMENTS(STATEMENT_TEXT)
#undef STATEMENT_TEXT
};

static void
fail(struct db *db, int rc)
{
    if (db->rc == SQLITE_OK)
        db->rc = rc;
}

bool
db_open(struct db *db, const char *path, int flags)
{
    int rc;

    /* Nobody reads SQLite's memory statistics, and keeping them takes a lock
     * at each allocation.  Once it runs, this says MISUSE: no matter. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    rc = sqlite3_open_v2(path, &db->handle,
                         flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                         logfile_vfs());

    if (rc != SQLITE_OK) {
        fail(db, rc);
        return false;
    }
    /* what a broken or hostile file could otherwise make us do */
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_busy_timeout(db->handle, 2000);
    return db_exec(db, "PRAGMA cell_size_check = ON;"
                       "PRAGMA temp_store = MEMORY;"
                       "PRAGMA wal_autocheckpoint = 0;"
                       "PRAGMA synchronous = FULL;");
}

void
db_close(struct db *db)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(db->stmt[i]);
    sqlite3_close(db->handle);
    memset(db, 0, sizeof *db);
}

bool
db_exec(struct db *db, const char *sql)
{
    if (db->rc == SQLITE_OK)
        fail(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
    return db->rc == SQLITE_OK;
}

int64_t
db_number(struct db *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int64_t out = -1;

    if (db->rc != SQLITE_OK)
        return -1;
    fail(db, sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL));
    if (db_row(db, stmt))
        out = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return out;
}

sqlite3_stmt *
db_use(struct db *db, enum statement which)
{
    sqlite3_stmt **stmt = &db->stmt[which];

    if (db->rc != SQLITE_OK)
        return NULL;
    if (*stmt == NULL) {
        int rc = sqlite3_prepare_v3(db->handle, texts[which], -1,
                                    SQLITE_PREPARE_PERSISTENT, stmt, NULL);

        if (rc != SQLITE_OK)
            fail(db, rc);
    }
    db_done(*stmt);
    return *stmt;
}

/* A failed bind leaves NULL or no parameter at all in its place: the NOT NULL
 * columns and the changed-row checks catch that. */
void
bind_int(sqlite3_stmt *stmt, int at, int64_t value)
{
    (void)sqlite3_bind_int64(stmt, at, value);
}

void
bind_blob(sqlite3_stmt *stmt, int at, const void *bytes, size_t len)
{
    /* a NULL pointer would bind NULL, not an empty blob */
    (void)sqlite3_bind_blob64(stmt, at, len == 0 ? "" : bytes, len,
                              SQLITE_STATIC);
}

void
bind_address(sqlite3_stmt *stmt, int at, const struct x402_address *address)
{
    bind_blob(stmt, at, address->byte, sizeof address->byte);
}

void
bind_amount(sqlite3_stmt *stmt, int at, const struct x402_amount *amount)
{
    uint8_t be32[32];

    x402_amount_to_be32(be32, amount);
    (void)sqlite3_bind_blob64(stmt, at, be32, sizeof be32, SQLITE_TRANSIENT);
}

bool
db_row(struct db *db, sqlite3_stmt *stmt)
{
    int rc;

    if (stmt == NULL || db->rc != SQLITE_OK)
        return false;
    rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        return true;
    if (rc != SQLITE_DONE)
        fail(db, rc);
    db_done(stmt);
    return false;
}

void
db_done(sqlite3_stmt *stmt)
{
    (void)sqlite3_reset(stmt);
}

int
db_run(struct db *db, sqlite3_stmt *stmt)
{
    while (db_row(db, stmt))
        ;
    if (stmt == NULL || db->rc != SQLITE_OK)
        return 0;
    return sqlite3_changes(db->handle);
}

void
db_run_one(struct db *db, sqlite3_stmt *stmt)
{
    if (db_run(db, stmt) != 1)
        fail(db, SQLITE_INTERNAL);
}

void
column_blob(struct db *db, sqlite3_stmt *stmt, int at, void *out, size_t len)
{
    const void *bytes = sqlite3_column_blob(stmt, at);

    if (bytes == NULL || (size_t)sqlite3_column_bytes(stmt, at) != len) {
        fail(db, SQLITE_CORRUPT);
        memset(out, 0, len);
        return;
    }
    memcpy(out, bytes, len);
}

void
column_address(struct db *db, sqlite3_stmt *stmt, int at,
               struct x402_address *out)
{
    column_blob(db, stmt, at, out->byte, sizeof out->byte);
}

void
column_amount(struct db *db, sqlite3_stmt *stmt, int at,
              struct x402_amount *out)
{
    uint8_t be32[32];

    column_blob(db, stmt, at, be32, sizeof be32);
    x402_amount_from_be32(out, be32);
}
