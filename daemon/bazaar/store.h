/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue's file: SQLite with FTS5, one connection, the catalogue's
 * thread alone. */
#ifndef X402D_BAZAAR_STORE_H
#define X402D_BAZAAR_STORE_H

#include "listing.h"

#define STORE_DAYS 30 /* without a payment: gone */
#define STORE_LISTINGS_MAX 2000000
#define STORE_PER_PAYEE 500
#define STORE_PAYERS_MAX 10000  /* told apart, of one listing */
#define STORE_PENDING_MAX 20000 /* payments watched for their settlement */
#define STORE_ANSWER_MAX (1024 * 1024)
#define STORE_SEARCH_MS 30 /* of SQLite's time, for one question */
#define STORE_QUERY_MAX 400
#define STORE_FILTERS_MAX 8

enum store_origin {
    STORE_READ = 1, /* at the URL itself */
    STORE_SAID = 2, /* by a payment only */
};
_Static_assert(STORE_READ == 1 && STORE_SAID == 2, "stored");

struct store;

/** Opens, or makes, the file.  NULL with a message. */
struct store *store_open(const char *path, char *error, size_t error_len);
void store_close(struct store *store);
struct sqlite3 *store_handle(struct store *store);

/** List, or refresh.  What was read at the URL itself stands above what a
 * payment says, and as long as a listing lives its payee does not change
 * because of somebody's payment.  false: `why` says so. */
bool store_put(struct store *store, const struct listing *listing,
               enum store_origin origin, uint64_t now_ms, char *why,
               size_t why_len);
void store_remove(struct store *store, const char *key);

struct store_row {
    int64_t id;
    enum store_origin origin;
    uint64_t checked_ms;
    char key[LISTING_KEY_MAX];
    char url[X402_URL_MAX];
};
/** By key; by URL, the first of it. */
bool store_find(struct store *store, struct store_row *out, const char *key);
bool store_find_url(struct store *store, struct store_row *out,
                    const char *url);
/** A settled payment for this listing. */
void store_paid(struct store *store, int64_t listing, const uint8_t payer[20],
                uint64_t now_ms);
bool store_has_payee(struct store *store, int64_t listing, const char *payee);
/** Looked at the URL: nothing changed. */
void store_checked(struct store *store, int64_t listing, uint64_t now_ms);
/** Drop what is too old; some rows at a time.  Returns how many listings. */
size_t store_sweep(struct store *store, uint64_t now_ms);
uint64_t store_count(const struct store *store);
bool store_begin(struct store *store);
bool store_commit(struct store *store);

enum store_ask { STORE_LIST, STORE_SEARCH, STORE_MERCHANT };

struct store_question {
    enum store_ask ask;
    char query[STORE_QUERY_MAX + 1];
    char filter[STORE_FILTERS_MAX][LISTING_TERM_LEN + 1];
    size_t filter_len;
    char payee[LISTING_PAYEE_MAX]; /* MERCHANT: echoed */
    char resource[X402_URL_MAX];   /* LIST: this one alone; "": all */
    int64_t max_price_micro;       /* -1: any */
    unsigned limit, offset;
};

/** The answer's JSON; free it.  NULL: out of memory, or the file is broken. */
char *store_answer(struct store *store, const struct store_question *question,
                   size_t *len);

#endif
