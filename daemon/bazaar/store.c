/* SPDX-License-Identifier: Apache-2.0 */
/* See store.h: the file, and what changes in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>
#include <unistd.h>

#include "../failpoint.h"
#include "../log.h"
#include "store_inside.h"

#define DAY_MS (24 * 3600 * 1000ULL)
#define SWEEP_ROWS 500
#define APPLICATION_ID 0x78343262 /* "x42b" */

static const char *const schema[] = {
#include "001_catalogue.sql.h"
#include "002_more.sql.h"
};

/* -- statements -- */

bool
store_do(struct store *s, const char *sql)
{
    int rc = sqlite3_exec(s->db, sql, NULL, NULL, NULL);

    if (rc != SQLITE_OK)
        store_complain(s);
    return rc == SQLITE_OK;
}

void
store_complain(struct store *s)
{
    log_event(LOG_WARN, "bazaar_file", "error", sqlite3_errmsg(s->db), NULL);
}

sqlite3_stmt *
store_use(struct store *s, enum store_sql which, const char *sql)
{
    if (s->stmt[which] == NULL &&
        sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
                           &s->stmt[which], NULL) != SQLITE_OK)
        store_complain(s);
    if (s->stmt[which] != NULL)
        sqlite3_reset(s->stmt[which]);
    return s->stmt[which];
}

void
store_text(sqlite3_stmt *stmt, int at, const char *text)
{
    if (stmt != NULL)
        sqlite3_bind_text(stmt, at, text, -1, SQLITE_TRANSIENT);
}

void
store_int(sqlite3_stmt *stmt, int at, int64_t value)
{
    if (stmt != NULL)
        sqlite3_bind_int64(stmt, at, value);
}

/* true: it ran to its end */
bool
store_run(struct store *s, sqlite3_stmt *stmt)
{
    bool good = stmt != NULL && sqlite3_step(stmt) == SQLITE_DONE;

    if (!good)
        store_complain(s);
    if (stmt != NULL)
        sqlite3_reset(stmt);
    return good;
}

/* -- the file -- */

static int64_t
number(struct store *s, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int64_t value = -1;

    if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW)
        value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return value;
}

static bool
prepare_file(struct store *s)
{
    char pragma[96];

    if (!store_do(s, "PRAGMA journal_mode = WAL") ||
        !store_do(s, "PRAGMA synchronous = NORMAL") ||
        !store_do(s, "PRAGMA trusted_schema = OFF"))
        return false;
    if (number(s, "PRAGMA user_version") == 1)
        return number(s, "PRAGMA application_id") == APPLICATION_ID &&
               store_do(s, schema[1]);
    if (number(s, "SELECT count(*) FROM sqlite_master") != 0)
        return false; /* somebody else's */
    snprintf(pragma, sizeof(pragma),
             "PRAGMA application_id = %d; PRAGMA user_version = 1",
             APPLICATION_ID);
    return store_do(s, "BEGIN EXCLUSIVE") && store_do(s, schema[0]) &&
           store_do(s, schema[1]) && store_do(s, pragma) &&
           store_do(s, "COMMIT");
}

struct store *
store_open(const char *path, char *error, size_t error_len)
{
    struct store *s = calloc(1, sizeof(*s));
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd >= 0)
        close(fd);
    if (s == NULL ||
        sqlite3_open_v2(path, &s->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK ||
        !prepare_file(s)) {
        snprintf(error, error_len,
                 "%s: cannot be opened as the Bazaar's catalogue: %s", path,
                 s != NULL ? sqlite3_errmsg(s->db) : "out of memory");
        store_close(s);
        return NULL;
    }
    sqlite3_busy_timeout(s->db, 1000);
    s->count = (uint64_t)number(s, "SELECT count(*) FROM listing");
    return s;
}

void
store_close(struct store *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < STORE_SQL_COUNT; i++)
        sqlite3_finalize(s->stmt[i]);
    sqlite3_close(s->db);
    free(s);
}

sqlite3 *
store_handle(struct store *s)
{
    return s->db;
}

uint64_t
store_count(const struct store *s)
{
    return s->count;
}

bool
store_begin(struct store *s)
{
    return store_do(s, "BEGIN IMMEDIATE");
}

bool
store_commit(struct store *s)
{
    if (store_do(s, "COMMIT"))
        return true;
    sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

/* -- looking up -- */

static bool
find(sqlite3_stmt *stmt, struct store_row *out, const char *text)
{
    bool found;

    if (stmt == NULL)
        return false;
    store_text(stmt, 1, text);
    found = sqlite3_step(stmt) == SQLITE_ROW;
    if (found) {
        out->id = sqlite3_column_int64(stmt, 0);
        out->origin = (enum store_origin)sqlite3_column_int(stmt, 1);
        out->checked_ms = (uint64_t)sqlite3_column_int64(stmt, 2);
        snprintf(out->key, sizeof(out->key), "%s",
                 (const char *)sqlite3_column_text(stmt, 3));
        snprintf(out->url, sizeof(out->url), "%s",
                 (const char *)sqlite3_column_text(stmt, 4));
    }
    sqlite3_reset(stmt);
    return found;
}

#define FIND "SELECT id, origin, checked_ms, key, url FROM listing WHERE "

bool
store_find(struct store *s, struct store_row *out, const char *key)
{
    return find(store_use(s, STORE_SQL_FIND, FIND "key = ?1"), out, key);
}

bool
store_find_url(struct store *s, struct store_row *out, const char *url)
{
    return find(
        store_use(s, STORE_SQL_FIND_URL, FIND "url = ?1 ORDER BY id LIMIT 1"),
        out, url);
}

bool
store_has_payee(struct store *s, int64_t listing, const char *payee)
{
    sqlite3_stmt *stmt =
        store_use(s, STORE_SQL_HAS_PAYEE,
                  "SELECT 1 FROM listing WHERE id = ?1 AND "
                  "instr(payees, ' ' || lower(?2) || ' ') > 0");
    bool found;

    store_int(stmt, 1, listing);
    store_text(stmt, 2, payee);
    found = stmt != NULL && sqlite3_step(stmt) == SQLITE_ROW;
    if (stmt != NULL)
        sqlite3_reset(stmt);
    return found;
}

/* -- listing -- */

static int64_t
count_of_payee(struct store *s, const char *payee)
{
    sqlite3_stmt *stmt =
        store_use(s, STORE_SQL_OF_PAYEE,
                  "SELECT count(*) FROM (SELECT 1 FROM listing "
                  "WHERE payee = ?1 LIMIT 100000)");
    int64_t n = 0;

    store_text(stmt, 1, payee);
    if (stmt != NULL && sqlite3_step(stmt) == SQLITE_ROW)
        n = sqlite3_column_int64(stmt, 0);
    if (stmt != NULL)
        sqlite3_reset(stmt);
    return n;
}

static void
bind_listing(sqlite3_stmt *stmt, const struct listing *l,
             enum store_origin origin, uint64_t now_ms)
{
    char payees[LISTING_PAYEES_TEXT];

    listing_payees(payees, l);
    store_text(stmt, 1, l->key);
    store_text(stmt, 2, l->url);
    store_int(stmt, 3, origin);
    store_text(stmt, 4, payees);
    store_text(stmt, 5, l->payee[0]);
    store_text(stmt, 6, l->name);
    store_text(stmt, 7, l->tags);
    store_text(stmt, 8, l->description);
    store_int(stmt, 9, l->price_micro);
    if (stmt != NULL)
        sqlite3_bind_text(stmt, 10, l->item, (int)l->item_len,
                          SQLITE_TRANSIENT);
    store_int(stmt, 11, (int64_t)now_ms);
}

#define CHANGES                                                                \
    "origin = ?3, payees = ?4, payee = ?5, name = ?6, tags = ?7, "             \
    "description = ?8, price_micro = ?9, item = ?10, updated_ms = ?11, "       \
    "checked_ms = ?11, alive_ms = ?11 "

static bool
write_row(struct store *s, const struct listing *l, enum store_origin origin,
          uint64_t now_ms)
{
    sqlite3_stmt *stmt = store_use(
        s, STORE_SQL_PUT,
        "INSERT INTO listing (key, url, origin, payees, payee, name, tags, "
        "description, price_micro, item, added_ms, updated_ms, checked_ms, "
        "alive_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11, "
        "?11, ?11) ON CONFLICT (key) DO UPDATE SET url = ?2, " CHANGES);

    bind_listing(stmt, l, origin, now_ms);
    return store_run(s, stmt);
}

static bool
write_words(struct store *s, const struct listing *l, int64_t id, bool anew)
{
    sqlite3_stmt *stmt;

    if (!anew) {
        stmt = store_use(s, STORE_SQL_UNWORD,
                         "DELETE FROM words WHERE rowid = ?1");
        store_int(stmt, 1, id);
        if (!store_run(s, stmt))
            return false;
    }
    stmt = store_use(s, STORE_SQL_WORD,
                     "INSERT INTO words (rowid, name, tags, description, url, "
                     "terms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
    store_int(stmt, 1, id);
    store_text(stmt, 2, l->name);
    store_text(stmt, 3, l->tags);
    store_text(stmt, 4, l->description);
    store_text(stmt, 5, l->key); /* a tool's name is a word too */
    store_text(stmt, 6, l->terms);
    return store_run(s, stmt);
}

static void
touch(struct store *s, int64_t id, uint64_t now_ms)
{
    sqlite3_stmt *stmt = store_use(
        s, STORE_SQL_TOUCH, "UPDATE listing SET alive_ms = ?2 WHERE id = ?1");

    store_int(stmt, 1, id);
    store_int(stmt, 2, (int64_t)now_ms);
    store_run(s, stmt);
}

static bool
refuse(char *why, size_t why_len, const char *text)
{
    snprintf(why, why_len, "%s", text);
    return false;
}

bool
store_put(struct store *s, const struct listing *l, enum store_origin origin,
          uint64_t now_ms, char *why, size_t why_len)
{
    struct store_row row;
    bool known = store_find(s, &row, l->key);

    if (known && origin == STORE_SAID && !mutant("bazaar_hijack")) {
        if (!store_has_payee(s, row.id, l->payee[0]))
            return refuse(why, why_len,
                          "this resource is listed with another payee");
        if (row.origin == STORE_READ) {
            touch(s, row.id, now_ms);
            return true;
        }
    }
    if (!known && s->count >= STORE_LISTINGS_MAX)
        return refuse(why, why_len, "the catalogue is full");
    if (!known && count_of_payee(s, l->payee[0]) >= STORE_PER_PAYEE)
        return refuse(why, why_len, "this payee has too many listings");
    if (!write_row(s, l, origin, now_ms) || !store_find(s, &row, l->key) ||
        !write_words(s, l, row.id, !known))
        return refuse(why, why_len, "the catalogue cannot be written");
    s->count += !known;
    log_event(LOG_INFO, known ? "listing_changed" : "listed", "resource",
              l->key, "payee", l->payee[0], "by",
              origin == STORE_READ ? "its own 402" : "a payment", NULL);
    return true;
}

static void
run_for(struct store *s, enum store_sql which, const char *sql, int64_t id)
{
    sqlite3_stmt *stmt = store_use(s, which, sql);

    store_int(stmt, 1, id);
    store_run(s, stmt);
}

static void
remove_id(struct store *s, int64_t id)
{
    run_for(s, STORE_SQL_UNWORD, "DELETE FROM words WHERE rowid = ?1", id);
    run_for(s, STORE_SQL_UNDAY, "DELETE FROM day WHERE listing = ?1", id);
    run_for(s, STORE_SQL_UNPAYER, "DELETE FROM payer WHERE listing = ?1", id);
    run_for(s, STORE_SQL_UNLIST, "DELETE FROM listing WHERE id = ?1", id);
    s->count -= s->count != 0;
}

void
store_remove(struct store *s, const char *key)
{
    struct store_row row;

    if (!store_find(s, &row, key))
        return;
    remove_id(s, row.id);
    log_event(LOG_INFO, "unlisted", "resource", key, NULL);
}

void
store_checked(struct store *s, int64_t listing, uint64_t now_ms)
{
    sqlite3_stmt *stmt =
        store_use(s, STORE_SQL_CHECKED,
                  "UPDATE listing SET checked_ms = ?2 WHERE id = ?1");

    store_int(stmt, 1, listing);
    store_int(stmt, 2, (int64_t)now_ms);
    store_run(s, stmt);
}

/* -- payments -- */

static bool
note_payer(struct store *s, int64_t listing, const uint8_t payer[20],
           int64_t day)
{
    sqlite3_stmt *stmt = store_use(
        s, STORE_SQL_PAYER,
        "INSERT INTO payer (listing, payer, day) SELECT ?1, ?2, ?3 "
        "WHERE (SELECT payers FROM listing WHERE id = ?1) < ?4 OR EXISTS "
        "(SELECT 1 FROM payer WHERE listing = ?1 AND payer = ?2) "
        "ON CONFLICT DO UPDATE SET day = ?3 RETURNING 1");
    sqlite3_stmt *had =
        store_use(s, STORE_SQL_HAD_PAYER,
                  "SELECT 1 FROM payer WHERE listing = ?1 AND payer = ?2");
    bool known, kept = false;

    store_int(had, 1, listing);
    if (had != NULL)
        sqlite3_bind_blob(had, 2, payer, 20, SQLITE_TRANSIENT);
    known = had != NULL && sqlite3_step(had) == SQLITE_ROW;
    if (had != NULL)
        sqlite3_reset(had);
    store_int(stmt, 1, listing);
    if (stmt != NULL)
        sqlite3_bind_blob(stmt, 2, payer, 20, SQLITE_TRANSIENT);
    store_int(stmt, 3, day);
    store_int(stmt, 4, STORE_PAYERS_MAX);
    if (stmt != NULL) {
        kept = sqlite3_step(stmt) == SQLITE_ROW;
        sqlite3_reset(stmt);
    }
    return kept && !known;
}

void
store_paid(struct store *s, int64_t listing, const uint8_t payer[20],
           uint64_t now_ms)
{
    int64_t day = (int64_t)(now_ms / DAY_MS);
    bool anew = note_payer(s, listing, payer, day);
    sqlite3_stmt *stmt =
        store_use(s, STORE_SQL_DAY,
                  "INSERT INTO day (listing, day, calls) VALUES (?1, ?2, 1) "
                  "ON CONFLICT DO UPDATE SET calls = calls + 1");

    store_int(stmt, 1, listing);
    store_int(stmt, 2, day);
    store_run(s, stmt);
    stmt =
        store_use(s, STORE_SQL_CALLED,
                  "UPDATE listing SET calls = calls + 1, payers = payers + ?3, "
                  "called_ms = ?2, alive_ms = ?2 WHERE id = ?1");
    store_int(stmt, 1, listing);
    store_int(stmt, 2, (int64_t)now_ms);
    store_int(stmt, 3, anew);
    store_run(s, stmt);
}

/* -- time -- */

static size_t
drop_dead(struct store *s, uint64_t before_ms)
{
    sqlite3_stmt *stmt =
        store_use(s, STORE_SQL_DEAD,
                  "SELECT id FROM listing WHERE alive_ms < ?1 LIMIT ?2");
    int64_t id[SWEEP_ROWS];
    size_t n = 0;

    store_int(stmt, 1, (int64_t)before_ms);
    store_int(stmt, 2, SWEEP_ROWS);
    while (stmt != NULL && n < SWEEP_ROWS && sqlite3_step(stmt) == SQLITE_ROW)
        id[n++] = sqlite3_column_int64(stmt, 0);
    if (stmt != NULL)
        sqlite3_reset(stmt);
    for (size_t i = 0; i < n; i++)
        remove_id(s, id[i]);
    return n;
}

/* Days and payers that are past: each takes its share out of the sums. */
static void
drop_old(struct store *s, int64_t before_day)
{
    static const char *const table[2][3] = {{"day", "sum(calls)", "calls"},
                                            {"payer", "count(*)", "payers"}};
    char sql[1024];

    for (size_t i = 0; i < 2; i++) {
        snprintf(sql, sizeof(sql),
                 "CREATE TEMP TABLE IF NOT EXISTS old "
                 "(listing INTEGER PRIMARY KEY, n INTEGER);"
                 "DELETE FROM temp.old;"
                 "INSERT INTO temp.old SELECT listing, %s FROM %s "
                 "WHERE day < %lld GROUP BY listing;"
                 "UPDATE listing SET %s = max(0, %s - (SELECT n FROM temp.old "
                 "WHERE listing = id)) WHERE id IN "
                 "(SELECT listing FROM temp.old);"
                 "DELETE FROM %s WHERE day < %lld;",
                 table[i][1], table[i][0], (long long)before_day, table[i][2],
                 table[i][2], table[i][0], (long long)before_day);
        store_do(s, sql);
    }
}

size_t
store_sweep(struct store *s, uint64_t now_ms)
{
    uint64_t age = STORE_DAYS * DAY_MS;
    char sql[256];
    size_t n;

    if (now_ms < age || !store_begin(s))
        return 0;
    n = drop_dead(s, now_ms - age);
    drop_old(s, (int64_t)((now_ms - age) / DAY_MS));
    snprintf(sql, sizeof(sql),
             "DELETE FROM expected WHERE at_ms < %llu;"
             "DELETE FROM pending WHERE at_ms < %llu",
             (unsigned long long)(now_ms - DAY_MS),
             (unsigned long long)(now_ms - DAY_MS));
    store_do(s, sql);
    store_commit(s);
    return n;
}
