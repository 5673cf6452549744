/* SPDX-License-Identifier: Apache-2.0 */
/* Payments that came to /settle with the bazaar extension.  "Clients echo the
 * `resource` block, so a malicious client could submit hostile metadata": what
 * a payment says is cleaned and listed as said, and the URL is asked for its
 * own 402, which then counts (bazaar.recheck). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include <x402/json.h>

#include "../log.h"
#include "inside.h"
#include "store_inside.h"

struct bazaar_offer {
    struct bazaar *bazaar;
    struct listing listing;
    char url[X402_URL_MAX]; /* as it was asked, for looking at it */
    uint8_t payer[20], nonce[32];
};

/* The requirement that was paid stands for `accepts`: the rest of the offer is
 * the client's word. */
static bool
read_body(struct bazaar_offer *out, char *why, size_t why_len,
          const json_t *body)
{
    const json_t *payload = json_object_get(body, "paymentPayload");
    const json_t *extensions = json_object_get(payload, "extensions");
    json_t *accepts = json_array();
    struct listing_source source = {json_object_get(payload, "resource"),
                                    accepts,
                                    json_object_get(extensions, "bazaar"), 2};
    bool good;

    why[0] = '\0';
    json_array_append(accepts, json_object_get(body, "paymentRequirements"));
    good =
        source.bazaar != NULL && listing_read(&out->listing, why, why_len,
                                              &source, &out->bazaar->wording);
    if (good)
        snprintf(out->url, sizeof(out->url), "%s",
                 json_string_value(json_object_get(source.resource, "url")));
    json_decref(accepts);
    return good;
}

struct bazaar_offer *
bazaar_offer_read(struct bazaar *b, char *why, size_t why_len,
                  struct x402_span body, const struct x402_payment *payment)
{
    static const char name[] = "\"bazaar\"";
    struct bazaar_offer *offer = NULL;
    json_t *json = NULL;
    bool good = false;

    why[0] = '\0';
    /* most payments carry none, and need not be read twice */
    if (body.at == NULL ||
        memmem(body.at, body.len, name, sizeof(name) - 1) == NULL)
        return NULL;
    if (x402_json_load(&json, body, X402_FACILITATOR_BODY_MAX,
                       X402_JSON_DEPTH_MAX) == X402_OK)
        offer = calloc(1, sizeof(*offer));
    if (offer != NULL) {
        offer->bazaar = b;
        memcpy(offer->payer, payment->auth.from.byte, 20);
        memcpy(offer->nonce, payment->auth.nonce, 32);
        good = read_body(offer, why, why_len, json);
    }
    json_decref(json);
    if (good)
        return offer;
    free(offer);
    return NULL;
}

void
bazaar_offer_free(struct bazaar_offer *offer)
{
    free(offer);
}

static void
expect(struct bazaar *b, const struct bazaar_offer *offer, uint64_t now_ms)
{
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(store_handle(b->store),
                           "INSERT OR IGNORE INTO expected "
                           "VALUES (?1, ?2, ?3, ?4)",
                           -1, &stmt, NULL) != SQLITE_OK)
        return;
    sqlite3_bind_blob(stmt, 1, offer->payer, 20, SQLITE_STATIC);
    sqlite3_bind_blob(stmt, 2, offer->nonce, 32, SQLITE_STATIC);
    store_text(stmt, 3, offer->listing.key);
    store_int(stmt, 4, (int64_t)now_ms);
    sqlite3_step(stmt);
    sqlite3_finalize(stmt);
}

static void
recheck(struct bazaar *b, const struct bazaar_offer *offer, uint64_t now_ms)
{
    struct bazaar_look look = {.own = false};
    struct store_row row;
    struct bazaar_try *try;

    if (!b->config->bazaar.recheck || offer->listing.method[0] == '\0' ||
        !store_find(b->store, &row, offer->listing.key) ||
        (row.origin == STORE_READ &&
         now_ms - row.checked_ms < BAZAAR_RECHECK_MS))
        return;
    try = bazaar_try(b, offer->listing.url);
    if (try->state != TRY_NONE && now_ms - try->at_ms < BAZAAR_TRY_AGAIN_MS)
        return;
    snprintf(look.url, sizeof(look.url), "%s", offer->url);
    snprintf(look.method, sizeof(look.method), "%s", offer->listing.method);
    snprintf(look.key, sizeof(look.key), "%s", offer->listing.key);
    snprintf(look.payee, sizeof(look.payee), "%s", offer->listing.payee[0]);
    if (bazaar_look(b, &look)) {
        try->state = TRY_WAITS;
        try->at_ms = now_ms;
    }
}

static void
on_settled(void *arg, bool dropped)
{
    struct bazaar_offer *offer = arg;
    struct bazaar *b = offer->bazaar;
    uint64_t now_ms = bazaar_now_ms();
    char why[160] = "";

    if (!dropped && store_begin(b->store)) {
        if (store_put(b->store, &offer->listing, STORE_SAID, now_ms, why,
                      sizeof(why))) {
            expect(b, offer, now_ms);
            recheck(b, offer, now_ms);
        } else {
            log_event(LOG_INFO, "not_listed", "resource", offer->listing.key,
                      "reason", why, NULL);
        }
        store_commit(b->store);
    }
    free(offer);
}

bool
bazaar_settled(struct bazaar *b, struct bazaar_offer *offer)
{
    if (jobs_push(b->catalogue, on_settled, offer))
        return true;
    free(offer);
    return false;
}
