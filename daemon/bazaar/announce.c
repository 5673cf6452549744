/* SPDX-License-Identifier: Apache-2.0 */
/* Our gateway's routes at somebody else's Bazaar (register_at): each is
 * registered when it was first paid for, and once a day after that, because a
 * listing without payments there expires.  What fails is tried again: after a
 * second, and twice as long each time, an hour at most; a refusal (4xx) a day
 * later, REFUSALS_MAX times in a row.  The list stands in the catalogue's file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include <x402/encode.h>
#include <x402/signer.h>

#include "../http/attest.h"
#include "../log.h"
#include "inside.h"
#include "store_inside.h"

#define ROUTES_MAX 256
#define DAY_MS (24 * 3600 * 1000ULL)
#define AGAIN_MS 1000ULL
#define ANSWER_MS 600000ULL /* by then it is known, or was lost */
#define AGAIN_MAX_MS (3600 * 1000ULL)
#define REFUSALS_MAX 7

struct announcement {
    struct bazaar *bazaar;
    char url[X402_URL_MAX];
    char method[8];
    int64_t tries; /* that failed in a row */
    long status;   /* of the answer, 0: none */
};

static json_t *
sign_claim(const struct x402_signer *signer, const char *url,
           const char *method)
{
    char text[BAZAAR_CLAIM_MAX], pay_to[X402_ADDRESS_TEXT_LEN + 1];
    char hex[2 * 65 + 3];
    uint8_t digest[32], signature[65];
    uint64_t expires_s = bazaar_now_ms() / 1000 + 600;

    x402_address_format(pay_to, &signer->address);
    bazaar_claim_text(text, url, pay_to, expires_s);
    bazaar_claim_digest(digest, text);
    if (x402_sign(signature, signer, digest) != X402_OK)
        return NULL;
    x402_hex_encode(hex, signature, sizeof(signature));
    return json_pack("{s:s,s:s,s:s,s:I,s:s}", "url", url, "method", method,
                     "payTo", pay_to, "expires", (json_int_t)expires_s,
                     "signature", hex);
}

/* Prober thread: it may block. */
static long
post(const struct announcement *a)
{
    const struct config_bazaar *config = &a->bazaar->config->bazaar;
    char error[256], at[X402_URL_MAX + 16];
    struct x402_signer *signer =
        attest_open(config->register_key_file, error, sizeof(error));
    long status = 0;
    json_t *json;
    char *text;

    if (signer == NULL) {
        log_event(LOG_WARN, "not_registered", "resource", a->url, "reason",
                  error, NULL);
        return 0;
    }
    json = sign_claim(signer, a->url, a->method);
    attest_close(signer);
    text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    if (text == NULL)
        return 0;
    snprintf(at, sizeof(at), "%.2047s/register", config->register_at);
    status = probe_post(at, text);
    free(text);
    return status;
}

/* -- the list: catalogue thread -- */

static sqlite3_stmt *
prepare(struct bazaar *b, const char *sql)
{
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(store_handle(b->store), sql, -1, &stmt, NULL) !=
        SQLITE_OK)
        store_complain(b->store);
    return stmt;
}

static void
run(struct bazaar *b, sqlite3_stmt *stmt)
{
    if (stmt != NULL && sqlite3_step(stmt) != SQLITE_DONE)
        store_complain(b->store);
    sqlite3_finalize(stmt);
}

void
announce(struct bazaar *b, const char *url, const char *method)
{
    sqlite3_stmt *stmt;

    if (b->config->bazaar.register_at == NULL)
        return;
    stmt = prepare(b, "INSERT OR IGNORE INTO announced (url, method, due_ms, "
                      "tries) SELECT ?1, ?2, 0, 0 WHERE "
                      "(SELECT count(*) FROM announced) < ?3");
    store_text(stmt, 1, url);
    store_text(stmt, 2, method);
    store_int(stmt, 3, ROUTES_MAX);
    run(b, stmt);
}

static bool
is_refusal(long status)
{
    return status >= 400 && status < 500 && status != 408 && status != 429;
}

static uint64_t
next_ms(const struct announcement *a)
{
    uint64_t ms = AGAIN_MS;

    if (a->status == 200 || a->status == 201 || is_refusal(a->status))
        return DAY_MS;
    for (int64_t i = 0; i < a->tries && ms < AGAIN_MAX_MS; i++)
        ms *= 2;
    return ms < AGAIN_MAX_MS ? ms : AGAIN_MAX_MS;
}

static void
on_posted(void *arg, bool dropped)
{
    struct announcement *a = arg;
    bool good = a->status == 200 || a->status == 201;
    bool over = is_refusal(a->status) && a->tries + 1 >= REFUSALS_MAX;
    sqlite3_stmt *stmt;

    if (!dropped) {
        stmt = prepare(a->bazaar,
                       over ? "DELETE FROM announced WHERE url = ?1"
                            : "UPDATE announced SET due_ms = ?2, tries = ?3 "
                              "WHERE url = ?1");
        store_text(stmt, 1, a->url);
        if (!over) {
            store_int(stmt, 2, (int64_t)(bazaar_now_ms() + next_ms(a)));
            store_int(stmt, 3, good ? 0 : a->tries + 1);
        }
        run(a->bazaar, stmt);
    }
    free(a);
}

static void
on_post(void *arg, bool dropped)
{
    struct announcement *a = arg;
    char status[24];

    if (!dropped) {
        a->status = post(a);
        snprintf(status, sizeof(status), "%ld", a->status);
        log_event(LOG_INFO,
                  a->status == 200 || a->status == 201 ? "registered"
                                                       : "not_registered",
                  "resource", a->url, "at",
                  a->bazaar->config->bazaar.register_at, "status", status,
                  NULL);
        if (jobs_push(a->bazaar->catalogue, on_posted, a))
            return;
    }
    free(a);
}

/* The one that has waited longest. */
static bool
read_due(struct bazaar *b, struct announcement *out, uint64_t now_ms)
{
    sqlite3_stmt *stmt =
        prepare(b, "SELECT url, method, tries FROM announced "
                   "WHERE due_ms <= ?1 ORDER BY due_ms LIMIT 1");
    bool found;

    store_int(stmt, 1, (int64_t)now_ms);
    found = stmt != NULL && sqlite3_step(stmt) == SQLITE_ROW;
    if (found) {
        snprintf(out->url, sizeof(out->url), "%s",
                 (const char *)sqlite3_column_text(stmt, 0));
        snprintf(out->method, sizeof(out->method), "%s",
                 (const char *)sqlite3_column_text(stmt, 1));
        out->tries = sqlite3_column_int64(stmt, 2);
    }
    sqlite3_finalize(stmt);
    return found;
}

/* Not again before its answer is there, or would have to be. */
static void
put_off(struct bazaar *b, const char *url, uint64_t until_ms)
{
    sqlite3_stmt *stmt =
        prepare(b, "UPDATE announced SET due_ms = ?2 WHERE url = ?1");

    store_text(stmt, 1, url);
    store_int(stmt, 2, (int64_t)until_ms);
    run(b, stmt);
}

void
announce_due(struct bazaar *b, uint64_t now_ms)
{
    struct announcement *a;

    if (b->config->bazaar.register_at == NULL)
        return;
    a = calloc(1, sizeof(*a));
    if (a != NULL && read_due(b, a, now_ms)) {
        a->bazaar = b;
        put_off(b, a->url, now_ms + ANSWER_MS);
        if (jobs_push(b->prober, on_post, a))
            return;
    }
    free(a);
}
