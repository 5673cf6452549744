/* SPDX-License-Identifier: Apache-2.0 */
/* The shape of the ledger file: numbered steps, each one transaction, and the
 * checks that keep us from taking another file for ours. */
#include <stdio.h>
#include <string.h>

#include "../failpoint.h"
#include "internal.h"

/* Step n brings a file from user_version n to n + 1.  Append only. */
static const char *const step[SCHEMA_VERSION] = {
#include "001_first.sql.h"
#include "002_sums.sql.h"
#include "003_invoice.sql.h"
#include "004_facilitator.sql.h"
#include "005_operate.sql.h"
#include "006_permit2.sql.h"
#include "007_hold.sql.h"
#include "008_key_gas.sql.h"
#include "009_history.sql.h"
#include "010_gift.sql.h"
#include "011_invoice_captured.sql.h"
#include "012_was.sql.h"
#include "013_not_adopted.sql.h"
};

static bool
say(struct db *db, const char *what, char *error, size_t error_len)
{
    snprintf(error, error_len, "ledger: %s%s%s", what,
             db->rc != SQLITE_OK ? ": " : "",
             db->rc != SQLITE_OK ? sqlite3_errmsg(db->handle) : "");
    return false;
}

static bool
migrate(struct db *db, int64_t version)
{
    char pragma[64];

    for (; version < SCHEMA_VERSION; version++) {
        snprintf(pragma, sizeof pragma, "PRAGMA user_version = %d",
                 (int)version + 1);
        db_exec(db, "BEGIN EXCLUSIVE");
        db_exec(db, step[version]);
        db_exec(db, pragma);
        failpoint("before_migration");
        db_exec(db, "COMMIT");
    }
    return db->rc == SQLITE_OK;
}

bool
schema_create(const char *path, char *error, size_t error_len)
{
    struct db db = {0};
    char pragma[64];
    bool good;

    snprintf(pragma, sizeof pragma, "PRAGMA application_id = %d",
             SCHEMA_APPLICATION_ID);
    good = db_open(&db, path, SQLITE_OPEN_READWRITE) && db_exec(&db, pragma) &&
           migrate(&db, 0);
    if (!good)
        say(&db, "cannot be created", error, error_len);
    db_close(&db);
    return good;
}

static bool
is_whole(struct db *db)
{
    sqlite3_stmt *stmt = NULL;
    bool good = false;

    db->rc = sqlite3_prepare_v2(db->handle, "PRAGMA quick_check(1)", -1, &stmt,
                                NULL);
    if (db_row(db, stmt)) {
        const unsigned char *text = sqlite3_column_text(stmt, 0);

        good = text != NULL && strcmp((const char *)text, "ok") == 0;
    }
    sqlite3_finalize(stmt);
    return good;
}

bool
schema_check(struct db *db, char *error, size_t error_len)
{
    int64_t id = db_number(db, "PRAGMA application_id");
    int64_t version = db_number(db, "PRAGMA user_version");

    if (db->rc != SQLITE_OK)
        return say(db, "cannot be read", error, error_len);
    if (id != SCHEMA_APPLICATION_ID || version < 1)
        return say(db, "the file is not a ledger of x402d", error, error_len);
    if (version > SCHEMA_VERSION)
        return say(db, "the file was written by a newer x402d", error,
                   error_len);
    if (!is_whole(db))
        return say(db, "the file is damaged", error, error_len);
    if (!migrate(db, version))
        return say(db, "cannot be migrated", error, error_len);
    return true;
}
