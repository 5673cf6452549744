/* SPDX-License-Identifier: Apache-2.0 */
/* Sellers: registering a resource, and what a listed one asks for right now. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inside.h"

/* -- registering here -- */

struct registering {
    struct bazaar *bazaar;
    struct bazaar_claim claim;
    struct probe_result result;
    bazaar_cb cb;
    void *arg;
};

static void
answer(bazaar_cb cb, void *arg, unsigned status, json_t *json)
{
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

    json_decref(json);
    cb(arg, text != NULL ? status : 503, text, text != NULL ? strlen(text) : 0);
}

static void
answer_error(bazaar_cb cb, void *arg, unsigned status, const char *why)
{
    answer(cb, arg, status, json_pack("{s:s}", "error", why));
}

static void
on_registered(void *arg, bool dropped)
{
    struct registering *r = arg;
    struct store *store = r->bazaar->store;
    struct store_row row;
    char why[160] = "the catalogue cannot be written";
    bool known = false, good = false;

    if (!dropped && store_begin(store)) {
        known = store_find(store, &row, r->result.listing.key);
        good = store_put(store, &r->result.listing, STORE_READ, bazaar_now_ms(),
                         why, sizeof(why));
        good = store_commit(store) && good;
    }
    if (good)
        answer(r->cb, r->arg, known ? 200 : 201,
               json_pack("{s:b,s:s,s:s}", "success", 1, "resource",
                         r->result.listing.url, "type",
                         r->result.listing.type));
    else if (dropped)
        r->cb(r->arg, 503, NULL, 0);
    else
        answer_error(r->cb, r->arg, 422, why);
    free(r);
}

static bool
names_payee(const struct listing *listing, const struct x402_address *payee)
{
    struct x402_address one;

    for (size_t i = 0; i < listing->payee_len; i++) {
        if (x402_address_parse(&one, x402_span_of(listing->payee[i])) ==
                X402_OK &&
            x402_address_eq(&one, payee))
            return true;
    }
    return false;
}

static void
on_register(void *arg, bool dropped)
{
    struct registering *r = arg;
    struct probe_result *found = &r->result;

    if (!dropped)
        probe(found, r->claim.url, r->claim.method, &r->bazaar->guard,
              bazaar_stops, r->bazaar);
    if (found->has_offer && !names_payee(&found->listing, &r->claim.payee)) {
        found->has_offer = false;
        snprintf(found->why, sizeof(found->why),
                 "its 402 asks to pay somebody else than who signed");
    }
    if (found->has_offer && jobs_push(r->bazaar->catalogue, on_registered, r))
        return;
    if (dropped || found->has_offer)
        r->cb(r->arg, 503, NULL, 0);
    else
        answer_error(r->cb, r->arg, 422, found->why);
    free(r);
}

void
bazaar_register(struct bazaar *b, const struct bazaar_claim *claim,
                bazaar_cb cb, void *arg)
{
    struct registering *r = calloc(1, sizeof(*r));
    char url[X402_URL_MAX];
    const char *why =
        bazaar_url(url, sizeof(url), claim->url, NULL, &b->wording);

    if (why != NULL) {
        free(r);
        answer_error(cb, arg, 422, why);
        return;
    }
    if (r != NULL) {
        r->bazaar = b;
        r->claim = *claim;
        r->cb = cb;
        r->arg = arg;
        if (jobs_push(b->prober, on_register, r))
            return;
    }
    free(r);
    cb(arg, 503, NULL, 0);
}

/* -- what it costs now -- */

struct live {
    struct bazaar *bazaar;
    char url[X402_URL_MAX], method[8];
    struct probe_result result;
    bazaar_cb cb;
    void *arg;
};

static struct bazaar_seen *
seen_of(struct bazaar *b, const char *url)
{
    struct bazaar_seen *oldest = &b->seen[0];

    for (size_t i = 0; i < BAZAAR_LIVES; i++) {
        if (strcmp(b->seen[i].url, url) == 0)
            return &b->seen[i];
        if (b->seen[i].at_ms < oldest->at_ms)
            oldest = &b->seen[i];
    }
    return oldest;
}

static json_t *
write_live(const struct probe_result *found)
{
    json_t *item, *out;

    if (!found->has_offer)
        return json_pack("{s:b,s:s}", "live", 0, "error",
                         found->why[0] != '\0' ? found->why
                                               : "it cannot be reached");
    item =
        json_loadb(found->listing.item, found->listing.item_len + 1, 0, NULL);
    out = json_pack("{s:b,s:O*,s:O*}", "live", 1, "accepts",
                    json_object_get(item, "accepts"), "prices",
                    json_object_get(item, "prices"));
    json_decref(item);
    return out;
}

static void
on_live(void *arg, bool dropped)
{
    struct live *live = arg;
    struct bazaar_seen *seen = seen_of(live->bazaar, live->url);
    uint64_t now_ms = bazaar_now_ms();
    json_t *json;

    if (dropped) {
        live->cb(live->arg, 503, NULL, 0);
        free(live);
        return;
    }
    if (seen->json == NULL || strcmp(seen->url, live->url) != 0 ||
        now_ms - seen->at_ms > BAZAAR_LIVE_MS) {
        probe(&live->result, live->url, live->method, &live->bazaar->guard,
              bazaar_stops, live->bazaar);
        json = write_live(&live->result);
        free(seen->json);
        seen->json = json_dumps(json, JSON_COMPACT);
        seen->at_ms = now_ms;
        snprintf(seen->url, sizeof(seen->url), "%s", live->url);
        json_decref(json);
    }
    answer(live->cb, live->arg, 200,
           seen->json != NULL ? json_loads(seen->json, 0, NULL) : NULL);
    free(live);
}

/* Only what is listed is asked: this is no way to send requests elsewhere. */
static void
on_live_wanted(void *arg, bool dropped)
{
    struct live *live = arg;
    struct store_row row;

    if (!dropped && !store_find_url(live->bazaar->store, &row, live->url)) {
        answer_error(live->cb, live->arg, 404, "this resource is not listed");
        free(live);
        return;
    }
    if (!dropped && jobs_push(live->bazaar->prober, on_live, live))
        return;
    live->cb(live->arg, 503, NULL, 0);
    free(live);
}

void
bazaar_live(struct bazaar *b, const char *url, const char *method, bazaar_cb cb,
            void *arg)
{
    struct live *live = calloc(1, sizeof(*live));

    if (live != NULL) {
        live->bazaar = b;
        live->cb = cb;
        live->arg = arg;
        snprintf(live->url, sizeof(live->url), "%s", url);
        snprintf(live->method, sizeof(live->method), "%s", method);
        if (jobs_push(b->catalogue, on_live_wanted, live))
            return;
    }
    free(live);
    cb(arg, 503, NULL, 0);
}
