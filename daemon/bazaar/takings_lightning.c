/* SPDX-License-Identifier: Apache-2.0 */
/* What was sold by Lightning, read as in takings.c.  Invoices that nobody pays
 * are many, so these are read in the order in which they were captured.  Nobody
 * knows who pays by Lightning: all of them count as one payer. */
#include <stdio.h>

#include <sqlite3.h>

#include "inside.h"
#include "store_inside.h"

#define ROWS_MAX 2000
/* What was captured now may be committed a moment later. */
#define SETTLED_MS 2000

struct cursor {
    int64_t captured_ms, invoice;
};

/* Counting begins when the Bazaar is switched on. */
static struct cursor
read_cursor(struct bazaar *b, uint64_t now_ms)
{
    struct cursor cursor = {(int64_t)now_ms, 0};
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(store_handle(b->store),
                           "SELECT captured_ms, invoice FROM invoice_cursor",
                           -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        cursor.captured_ms = sqlite3_column_int64(stmt, 0);
        cursor.invoice = sqlite3_column_int64(stmt, 1);
    }
    sqlite3_finalize(stmt);
    return cursor;
}

static void
write_cursor(struct bazaar *b, const struct cursor *cursor)
{
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(store_handle(b->store),
                           "INSERT INTO invoice_cursor VALUES (1, ?1, ?2) "
                           "ON CONFLICT DO UPDATE SET captured_ms = ?1, "
                           "invoice = ?2",
                           -1, &stmt, NULL) == SQLITE_OK) {
        store_int(stmt, 1, cursor->captured_ms);
        store_int(stmt, 2, cursor->invoice);
        sqlite3_step(stmt);
    }
    sqlite3_finalize(stmt);
}

static void
read_rows(struct bazaar *b, sqlite3_stmt *stmt, struct cursor *cursor,
          uint64_t now_ms)
{
    static const uint8_t somebody[20];

    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *resource = (const char *)sqlite3_column_text(stmt, 2);

        if (resource != NULL && !takings_own(b, resource, somebody, "", now_ms))
            return; /* from here on, the next time */
        cursor->captured_ms = sqlite3_column_int64(stmt, 0);
        cursor->invoice = sqlite3_column_int64(stmt, 1);
    }
}

void
takings_lightning(struct bazaar *b, uint64_t now_ms)
{
    struct cursor cursor = read_cursor(b, now_ms);
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(b->ledger,
                           "SELECT captured_ms, id, resource FROM invoice "
                           "WHERE captured_ms > 0 "
                           "AND (captured_ms, id) > (?1, ?2) "
                           "AND captured_ms <= ?3 "
                           "ORDER BY captured_ms, id LIMIT ?4",
                           -1, &stmt, NULL) == SQLITE_OK) {
        store_int(stmt, 1, cursor.captured_ms);
        store_int(stmt, 2, cursor.invoice);
        store_int(stmt, 3, (int64_t)(now_ms - SETTLED_MS));
        store_int(stmt, 4, ROWS_MAX);
        read_rows(b, stmt, &cursor, now_ms);
    }
    sqlite3_finalize(stmt);
    write_cursor(b, &cursor);
}
