/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the catalogue.
 *
 * A question must cost little however many listings there are and however
 * common its words: rows come out of the index in the order of their numbers,
 * never sorted by SQLite, the newest and the oldest CANDIDATES are looked at
 * closely, and after STORE_SEARCH_MS SQLite is told to stop.  What was cut off
 * is said (partialResults).
 *
 * No text of a question becomes part of the query language: it is cut into
 * words, each stands in quotes, and filters are hashes (listing_term). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <x402/buf.h>

#include "../failpoint.h"
#include "store_inside.h"

#define CANDIDATES 500 /* from each end */
#define WORDS_MAX 12
#define WORD_MAX 32
#define MATCH_MAX 2048

struct word {
    char text[WORD_MAX + 1];
    size_t len;
};

struct candidate {
    int64_t id;
    unsigned score;
};

struct search {
    struct store *store;
    const struct store_question *q;
    struct word word[WORDS_MAX];
    size_t word_len;
    char match[MATCH_MAX];
    struct candidate found[2 * CANDIDATES];
    size_t len;
    bool partial;
};

static uint64_t
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static int
is_late(void *arg)
{
    const struct store *store = arg;

    return now_ns() > store->deadline_ns;
}

/* -- the query -- */

static bool
is_word_byte(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
           (c >= 'a' && c <= 'z') || c >= 0x80;
}

static void
cut_words(struct search *s)
{
    const char *at = s->q->query;

    while (*at != '\0' && s->word_len < WORDS_MAX) {
        struct word *word = &s->word[s->word_len];

        while (*at != '\0' && !is_word_byte((unsigned char)*at))
            at++;
        for (word->len = 0; is_word_byte((unsigned char)*at); at++) {
            if (word->len < WORD_MAX)
                word->text[word->len++] = *at;
        }
        word->text[word->len] = '\0';
        s->word_len += word->len != 0;
    }
}

/* '{name tags description url} : ("lisbon" AND "weather") AND terms : "z…"' */
static void
write_match(struct search *s, const char *between, bool beginnings)
{
    struct x402_buf out = x402_buf_on(s->match, sizeof(s->match) - 1);

    for (size_t i = 0; i < s->word_len; i++) {
        x402_buf_text(&out,
                      i == 0 ? "{name tags description url} : (" : between);
        if (mutant("bazaar_query")) {
            x402_buf_text(&out, s->q->query);
            break;
        }
        x402_buf_char(&out, '"');
        x402_buf_text(&out, s->word[i].text);
        x402_buf_text(&out, beginnings && s->word[i].len > 2 ? "\"*" : "\"");
    }
    if (s->word_len != 0)
        x402_buf_char(&out, ')');
    for (size_t i = 0; i < s->q->filter_len; i++) {
        x402_buf_text(&out, out.len != 0 ? " AND terms : \"" : "terms : \"");
        x402_buf_text(&out, s->q->filter[i]);
        x402_buf_char(&out, '"');
    }
    s->match[out.len] = '\0';
}

/* -- how well it fits -- */

static bool
holds(const char *text, const struct word *word)
{
    return text != NULL && strcasestr(text, word->text) != NULL;
}

static unsigned
log2_of(int64_t n)
{
    unsigned bits = 0;

    for (; n > 0 && bits < 12; n >>= 1)
        bits++;
    return bits;
}

/* Name before tags before description before URL; who is paid by many comes
 * before who is paid often. */
static unsigned
score(const struct search *s, sqlite3_stmt *row)
{
    unsigned sum = 0;

    for (size_t i = 0; i < s->word_len; i++) {
        for (int column = 0; column < 4; column++) {
            if (holds((const char *)sqlite3_column_text(row, 1 + column),
                      &s->word[i]))
                sum += 16U >> column;
        }
    }
    return sum * 2 + 2 * log2_of(sqlite3_column_int64(row, 6)) +
           log2_of(sqlite3_column_int64(row, 5));
}

#define CANDIDATE_ROWS                                                         \
    "SELECT l.id, l.name, l.tags, l.description, l.key, l.calls, l.payers "    \
    "FROM words CROSS JOIN listing l ON l.id = words.rowid WHERE words MATCH " \
    "?1 "                                                                      \
    "AND (?2 < 0 OR l.price_micro BETWEEN 0 AND ?2) ORDER BY words.rowid "
#define ALL_ROWS                                                               \
    "SELECT l.id, l.name, l.tags, l.description, l.key, l.calls, l.payers "    \
    "FROM listing l WHERE ?1 = '' "                                            \
    "AND (?2 < 0 OR l.price_micro BETWEEN 0 AND ?2) ORDER BY l.id "

static bool
is_new(const struct search *s, size_t before, int64_t id)
{
    for (size_t i = 0; i < before; i++) {
        if (s->found[i].id == id)
            return false;
    }
    return true;
}

static void
look(struct search *s, sqlite3_stmt *stmt)
{
    size_t before = s->len, n = 0;
    int rc = SQLITE_DONE;

    store_text(stmt, 1, s->match);
    store_int(stmt, 2, s->q->max_price_micro);
    while (stmt != NULL && n < CANDIDATES &&
           (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(stmt, 0);

        n++;
        if (is_new(s, before, id))
            s->found[s->len++] = (struct candidate){id, score(s, stmt)};
    }
    if (n == CANDIDATES || rc == SQLITE_INTERRUPT)
        s->partial = true;
    else if (rc != SQLITE_DONE)
        store_complain(s->store);
    if (stmt != NULL)
        sqlite3_reset(stmt);
}

static void
collect(struct search *s)
{
    bool all = s->match[0] == '\0';

    look(s, all ? store_use(s->store, STORE_SQL_ALL, ALL_ROWS "DESC")
                : store_use(s->store, STORE_SQL_NEWEST, CANDIDATE_ROWS "DESC"));
    if (s->partial && !all)
        look(s, store_use(s->store, STORE_SQL_OLDEST, CANDIDATE_ROWS "ASC"));
}

static int
better(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;

    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return x->id < y->id ? 1 : x->id > y->id ? -1 : 0;
}

/* -- the answer -- */

/* "2026-03-01T12:00:00Z" */
static void
put_time(FILE *out, const char *key, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    char text[32];

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    if (ms > 0)
        fprintf(out, ",\"%s\":\"%s\"", key, text);
    else
        fprintf(out, ",\"%s\":null", key);
}

#define ITEM_COLUMNS                                                           \
    "item, updated_ms, calls, payers, called_ms, origin FROM listing "

/* false: there is no more room */
static bool
put_item(FILE *out, sqlite3_stmt *row, bool first)
{
    const char *item = (const char *)sqlite3_column_text(row, 0);

    if (item == NULL ||
        ftell(out) + (long)strlen(item) + 512 > (long)STORE_ANSWER_MAX)
        return false;
    fputs(first ? "" : ",", out);
    fputs(item, out);
    put_time(out, "lastUpdated", sqlite3_column_int64(row, 1));
    fprintf(out,
            ",\"verified\":%s,\"quality\":{\"l30DaysTotalCalls\":%lld,"
            "\"l30DaysUniquePayers\":%lld",
            sqlite3_column_int(row, 5) == STORE_READ ? "true" : "false",
            (long long)sqlite3_column_int64(row, 2),
            (long long)sqlite3_column_int64(row, 3));
    put_time(out, "lastCalledAt", sqlite3_column_int64(row, 4));
    fputs("}}", out);
    return true;
}

static size_t
put_found(struct search *s, FILE *out)
{
    size_t done = 0, end = s->q->offset + s->q->limit;

    for (size_t i = s->q->offset; i < s->len && i < end; i++) {
        sqlite3_stmt *stmt = store_use(s->store, STORE_SQL_ITEM,
                                       "SELECT " ITEM_COLUMNS "WHERE id = ?1");
        bool good;

        store_int(stmt, 1, s->found[i].id);
        good = stmt != NULL && sqlite3_step(stmt) == SQLITE_ROW &&
               put_item(out, stmt, done == 0);
        if (stmt != NULL)
            sqlite3_reset(stmt);
        if (!good)
            break;
        done++;
    }
    return done;
}

static void
answer_search(struct search *s, FILE *out)
{
    size_t done, next;

    cut_words(s);
    /* whole words come out of the index one by one; beginnings are merged
     * first, which takes longer the more there are */
    write_match(s, " AND ", false);
    collect(s);
    if (s->len == 0 && !s->partial) {
        write_match(s, " AND ", true);
        collect(s);
    }
    if (s->len == 0 && s->word_len > 1 && !s->partial) {
        write_match(s, " OR ", true);
        collect(s);
    }
    qsort(s->found, s->len, sizeof(s->found[0]), better);
    fputs("{\"x402Version\":2,\"resources\":[", out);
    done = put_found(s, out);
    next = s->q->offset + done;
    fprintf(out,
            "],\"partialResults\":%s,\"searchMethod\":\"text\","
            "\"pagination\":{\"limit\":%u,\"cursor\":",
            s->partial || next < s->len ? "true" : "false", s->q->limit);
    if (done != 0 && next < s->len)
        fprintf(out, "\"%zu\"}}", next);
    else
        fputs("null}}", out);
}

/* -- lists: newest first -- */

static sqlite3_stmt *
list_rows(struct search *s)
{
    sqlite3_stmt *stmt;

    if (s->q->resource[0] != '\0') {
        stmt = store_use(s->store, STORE_SQL_ONE,
                         "SELECT " ITEM_COLUMNS "WHERE url = ?1 "
                         "ORDER BY id LIMIT ?2 OFFSET ?3");
        store_text(stmt, 1, s->q->resource);
    } else if (s->match[0] == '\0') {
        stmt = store_use(s->store, STORE_SQL_EVERY,
                         "SELECT " ITEM_COLUMNS
                         "JOIN (SELECT id AS i FROM listing "
                         "INDEXED BY listing_added WHERE ?1 = '' "
                         "ORDER BY added_ms DESC, id DESC LIMIT ?2 OFFSET ?3) "
                         "ON i = id ORDER BY added_ms DESC, id DESC");
        store_text(stmt, 1, "");
    } else {
        stmt = store_use(s->store, STORE_SQL_SOME,
                         "SELECT " ITEM_COLUMNS
                         "JOIN (SELECT rowid AS i FROM words WHERE words "
                         "MATCH ?1 ORDER BY rowid DESC LIMIT ?2 OFFSET ?3) "
                         "ON i = id ORDER BY id DESC");
        store_text(stmt, 1, s->match);
    }
    store_int(stmt, 2, s->q->limit);
    store_int(stmt, 3, s->q->offset);
    return stmt;
}

/* Of those that fit; what was seen of them where counting takes too long. */
static uint64_t
count_rows(struct search *s, size_t seen)
{
    sqlite3_stmt *stmt;
    uint64_t n = s->q->offset + seen;

    if (s->q->resource[0] != '\0')
        return n;
    if (s->match[0] == '\0')
        return s->store->count;
    stmt = store_use(s->store, STORE_SQL_SOME_COUNT,
                     "SELECT count(*) FROM words WHERE words MATCH ?1");
    store_text(stmt, 1, s->match);
    if (stmt != NULL && sqlite3_step(stmt) == SQLITE_ROW)
        n = (uint64_t)sqlite3_column_int64(stmt, 0);
    if (stmt != NULL)
        sqlite3_reset(stmt);
    return n;
}

static size_t
put_rows(struct search *s, FILE *out)
{
    sqlite3_stmt *stmt = list_rows(s);
    size_t n = 0;
    int rc = SQLITE_DONE;

    while (stmt != NULL && (rc = sqlite3_step(stmt)) == SQLITE_ROW &&
           put_item(out, stmt, n == 0))
        n++;
    s->partial = rc != SQLITE_DONE;
    if (stmt != NULL)
        sqlite3_reset(stmt);
    return n;
}

static void
answer_list(struct search *s, FILE *out)
{
    bool merchant = s->q->ask == STORE_MERCHANT;
    size_t n;

    write_match(s, "", false);
    fputs("{\"x402Version\":2,", out);
    if (merchant)
        fprintf(out, "\"payTo\":\"%s\",", s->q->payee);
    fputs(merchant ? "\"resources\":[" : "\"items\":[", out);
    n = put_rows(s, out);
    fputs(s->partial ? "],\"partialResults\":true," : "],", out);
    fprintf(out, "\"pagination\":{\"limit\":%u,\"offset\":%u,\"total\":%llu}}",
            s->q->limit, s->q->offset, (unsigned long long)count_rows(s, n));
}

char *
store_answer(struct store *store, const struct store_question *q, size_t *len)
{
    struct search *s = calloc(1, sizeof(*s));
    char *text = NULL;
    FILE *out = open_memstream(&text, len);

    if (s == NULL || out == NULL) {
        free(s);
        return NULL;
    }
    s->store = store;
    s->q = q;
    store->deadline_ns = now_ns() + STORE_SEARCH_MS * 1000000ULL;
    sqlite3_progress_handler(store->db, 1000, is_late, store);
    if (q->ask == STORE_SEARCH)
        answer_search(s, out);
    else
        answer_list(s, out);
    sqlite3_progress_handler(store->db, 0, NULL, NULL);
    free(s);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}
