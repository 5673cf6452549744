/* SPDX-License-Identifier: Apache-2.0 */
/* Settled payments make listings live, and are what quality is counted from.
 * They are read from the ledger's file over a connection of our own that cannot
 * write: the ledger does not know that the Bazaar exists.  Where we are, and
 * which payments are still open, stands in the catalogue's file and changes in
 * the same transaction as the counts: no payment is counted twice. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "../ledger/ledger.h"
#include "../log.h"
#include "inside.h"
#include "store_inside.h"

#define ROWS_MAX 2000
#define STRAY_MS 10000 /* a payment of /settle that nobody spoke of */

struct taking {
    int64_t id, chain_id;
    int state, origin;
    uint8_t payer[20], nonce[32];
    struct x402_address payee;
    char resource[X402_URL_MAX];
};

/* What becomes of the watch over a payment. */
enum verdict { WATCH, DONE };

#define COLUMNS "id, state, origin, chain_id, payer, nonce, payee, resource "

/* Tried again each round: what the ledger cannot say now it says later. */
static bool
open_ledger(struct bazaar *b)
{
    if (b->ledger != NULL)
        return true;
    if (sqlite3_open_v2(b->config->ledger_file, &b->ledger,
                        SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
                        NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(b->ledger,
                           "SELECT " COLUMNS "FROM payment WHERE id > ?1 "
                           "ORDER BY id LIMIT ?2",
                           -1, &b->rows, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(b->ledger,
                           "SELECT " COLUMNS "FROM payment WHERE id = ?1", -1,
                           &b->row, NULL) == SQLITE_OK) {
        sqlite3_busy_timeout(b->ledger, 100);
        return true;
    }
    log_event(LOG_WARN, "bazaar_ledger", "error", sqlite3_errmsg(b->ledger),
              NULL);
    takings_close(b);
    return false;
}

void
takings_close(struct bazaar *b)
{
    sqlite3_finalize(b->rows);
    sqlite3_finalize(b->row);
    sqlite3_close(b->ledger);
    b->rows = b->row = NULL;
    b->ledger = NULL;
}

static void
take(struct taking *out, sqlite3_stmt *row)
{
    const void *payer = sqlite3_column_blob(row, 4);
    const void *nonce = sqlite3_column_blob(row, 5);
    const void *payee = sqlite3_column_blob(row, 6);
    const unsigned char *resource = sqlite3_column_text(row, 7);

    memset(out, 0, sizeof(*out));
    out->id = sqlite3_column_int64(row, 0);
    out->state = sqlite3_column_int(row, 1);
    out->origin = sqlite3_column_int(row, 2);
    out->chain_id = sqlite3_column_int64(row, 3);
    if (payer != NULL && sqlite3_column_bytes(row, 4) == 20)
        memcpy(out->payer, payer, 20);
    if (nonce != NULL && sqlite3_column_bytes(row, 5) == 32)
        memcpy(out->nonce, nonce, 32);
    if (payee != NULL && sqlite3_column_bytes(row, 6) == 20)
        memcpy(out->payee.byte, payee, 20);
    if (resource != NULL)
        snprintf(out->resource, sizeof(out->resource), "%s",
                 (const char *)resource);
}

static int64_t
one_number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int64_t value = -1;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return value;
}

static void
run(struct bazaar *b, const char *sql, int64_t first, int64_t second)
{
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(store_handle(b->store), sql, -1, &stmt, NULL) ==
        SQLITE_OK) {
        store_int(stmt, 1, first);
        store_int(stmt, 2, second);
        sqlite3_step(stmt);
    }
    sqlite3_finalize(stmt);
}

/* -- what a payment was for -- */

bool
takings_own(struct bazaar *b, const char *resource, const uint8_t payer[20],
            const char *payee, uint64_t now_ms)
{
    struct bazaar_look look = {.method = "GET", .own = true};
    struct store_row row;
    struct bazaar_try *try;
    bool known;

    if (bazaar_url(look.url, sizeof(look.url), resource, NULL, &b->wording) !=
        NULL)
        return true;
    known = store_find_url(b->store, &row, look.url);
    if (known)
        store_paid(b->store, row.id, payer, now_ms);
    if (known && now_ms - row.checked_ms < BAZAAR_RECHECK_MS)
        return true;
    try = bazaar_try(b, look.url);
    if (try->state == TRY_WAITS && now_ms - try->at_ms < 60000)
        return known;
    if (try->state == TRY_FAILED && now_ms - try->at_ms < BAZAAR_TRY_AGAIN_MS)
        return true;
    snprintf(look.payee, sizeof(look.payee), "%s", payee);
    if (known)
        snprintf(look.key, sizeof(look.key), "%s", row.key);
    try->state = bazaar_look(b, &look) ? TRY_WAITS : TRY_NONE;
    try->at_ms = now_ms;
    return known;
}

/* Our gateway's: the resource is the configuration's own text. */
static enum verdict
of_gateway(struct bazaar *b, const struct taking *in, uint64_t now_ms)
{
    char payee[X402_ADDRESS_TEXT_LEN + 1];

    x402_address_format(payee, &in->payee);
    return takings_own(b, in->resource, in->payer, payee, now_ms) ? DONE
                                                                  : WATCH;
}

/* /settle's: somebody said what it was for when it was settled. */
static enum verdict
of_facilitator(struct bazaar *b, const struct taking *in, uint64_t at_ms,
               uint64_t now_ms)
{
    sqlite3_stmt *stmt = NULL;
    struct store_row row;
    bool found = false;

    if (sqlite3_prepare_v2(store_handle(b->store),
                           "DELETE FROM expected WHERE payer = ?1 AND "
                           "nonce = ?2 RETURNING key",
                           -1, &stmt, NULL) != SQLITE_OK)
        return DONE;
    sqlite3_bind_blob(stmt, 1, in->payer, 20, SQLITE_STATIC);
    sqlite3_bind_blob(stmt, 2, in->nonce, 32, SQLITE_STATIC);
    if (sqlite3_step(stmt) == SQLITE_ROW) {
        found = true;
        if (store_find(b->store, &row,
                       (const char *)sqlite3_column_text(stmt, 0)))
            store_paid(b->store, row.id, in->payer, now_ms);
    }
    sqlite3_finalize(stmt);
    return found || now_ms - at_ms > STRAY_MS ? DONE : WATCH;
}

static enum verdict
judge(struct bazaar *b, const struct taking *in, uint64_t at_ms,
      uint64_t now_ms)
{
    if (in->state == PAY_FAILED || in->resource[0] == '\0')
        return DONE;
    if (in->state != PAY_MINED && in->state != PAY_FINAL)
        return WATCH;
    if (in->origin == PAY_ORIGIN_FACILITATOR)
        return of_facilitator(b, in, at_ms, now_ms);
    return of_gateway(b, in, now_ms);
}

/* -- a round -- */

static void
read_new(struct bazaar *b, int64_t cursor, uint64_t now_ms)
{
    int64_t last = cursor;
    struct taking in;

    sqlite3_reset(b->rows);
    store_int(b->rows, 1, cursor);
    store_int(b->rows, 2, ROWS_MAX);
    while (sqlite3_step(b->rows) == SQLITE_ROW) {
        take(&in, b->rows);
        last = in.id;
        if (judge(b, &in, now_ms, now_ms) == WATCH)
            run(b, "INSERT OR IGNORE INTO pending VALUES (?1, ?2)", in.id,
                (int64_t)now_ms);
    }
    sqlite3_reset(b->rows);
    if (last != cursor)
        run(b, "UPDATE meta SET cursor = ?1", last, 0);
}

/* One of those that were open; gone from the ledger: nothing to watch. */
static enum verdict
look_again(struct bazaar *b, int64_t id, uint64_t at_ms, uint64_t now_ms)
{
    enum verdict verdict = DONE;
    struct taking in;

    sqlite3_reset(b->row);
    store_int(b->row, 1, id);
    if (sqlite3_step(b->row) == SQLITE_ROW) {
        take(&in, b->row);
        verdict = judge(b, &in, at_ms, now_ms);
    }
    sqlite3_reset(b->row);
    return verdict;
}

static void
read_pending(struct bazaar *b, uint64_t now_ms)
{
    sqlite3_stmt *stmt = NULL;
    struct {
        int64_t id;
        uint64_t at_ms;
    } *row = calloc(STORE_PENDING_MAX, sizeof(*row));
    size_t n = 0;

    if (row != NULL && sqlite3_prepare_v2(store_handle(b->store),
                                          "SELECT payment, at_ms FROM pending "
                                          "ORDER BY payment DESC",
                                          -1, &stmt, NULL) == SQLITE_OK) {
        while (n < STORE_PENDING_MAX && sqlite3_step(stmt) == SQLITE_ROW) {
            row[n].id = sqlite3_column_int64(stmt, 0);
            row[n].at_ms = (uint64_t)sqlite3_column_int64(stmt, 1);
            n++;
        }
    }
    sqlite3_finalize(stmt);
    for (size_t i = 0; i < n; i++) {
        if (look_again(b, row[i].id, row[i].at_ms, now_ms) == DONE)
            run(b, "DELETE FROM pending WHERE payment = ?1", row[i].id, 0);
    }
    if (n == STORE_PENDING_MAX) /* the oldest are not watched any longer */
        run(b, "DELETE FROM pending WHERE payment < ?1", row[n - 1].id, 0);
    free(row);
}

void
takings_read(struct bazaar *b)
{
    sqlite3 *db = store_handle(b->store);
    uint64_t now_ms = bazaar_now_ms();
    int64_t cursor;

    if (!open_ledger(b) || !store_begin(b->store))
        return;
    cursor = one_number(db, "SELECT cursor FROM meta");
    if (cursor < 0) { /* counting begins when the Bazaar is switched on */
        cursor = one_number(b->ledger, "SELECT coalesce(max(id), 0) "
                                       "FROM payment");
        run(b, "UPDATE meta SET cursor = ?1", cursor, 0);
    }
    read_pending(b, now_ms);
    read_new(b, cursor, now_ms);
    takings_lightning(b, now_ms);
    store_commit(b->store);
}
