/* SPDX-License-Identifier: Apache-2.0 */
/* See bazaar.h: the two threads, and what goes between them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core.h"
#include "../http/attest.h"
#include "../log.h"
#include "inside.h"

#define QUESTIONS_MAX 128
#define LOOKS_MAX 64
#define IDLE_MS 1000
#define SWEEP_MS (60 * 1000ULL)

uint64_t
bazaar_now_ms(void)
{
    return core_now_ms();
}

bool
bazaar_stops(void *arg)
{
    struct bazaar *b = arg;

    return jobs_ending(b->prober);
}

static void
on_idle(void *arg)
{
    struct bazaar *b = arg;
    uint64_t now_ms = bazaar_now_ms();

    takings_read(b);
    announce_due(b, now_ms);
    if (now_ms - b->swept_ms < SWEEP_MS)
        return;
    b->swept_ms = now_ms;
    store_sweep(b->store, now_ms);
}

/* At the start, where somebody reads the message. */
static bool
key_is_there(const char *file, char *error, size_t error_len)
{
    struct x402_signer *signer;

    if (file == NULL)
        return true;
    signer = attest_open(file, error, error_len);
    attest_close(signer);
    return signer != NULL;
}

struct bazaar *
bazaar_open(const struct config *config, char *error, size_t error_len)
{
    struct bazaar *b = calloc(1, sizeof(*b));

    if (b == NULL)
        abort();
    b->config = config;
    b->guard.what = "the Bazaar's looks at resources";
    b->guard.allow = config->bazaar.allow;
    b->guard.allow_len = config->bazaar.allow_len;
    b->wording = b->guard;
    if (key_is_there(config->bazaar.register_key_file, error, error_len))
        b->store = store_open(config->bazaar.file, error, error_len);
    if (b->store == NULL) {
        free(b);
        return NULL;
    }
    b->prober = jobs_new(LOOKS_MAX, IDLE_MS, NULL, NULL);
    b->catalogue = jobs_new(QUESTIONS_MAX, IDLE_MS, on_idle, b);
    return b;
}

void
bazaar_close(struct bazaar *b)
{
    if (b == NULL)
        return;
    jobs_end(b->prober);
    jobs_end(b->catalogue);
    jobs_free(b->prober);
    jobs_free(b->catalogue);
    takings_close(b);
    store_close(b->store);
    for (size_t i = 0; i < BAZAAR_LIVES; i++)
        free(b->seen[i].json);
    free(b);
}

/* -- questions -- */

struct ask {
    struct bazaar *bazaar;
    struct store_question question;
    bazaar_cb cb;
    void *arg;
};

static void
on_ask(void *arg, bool dropped)
{
    struct ask *ask = arg;
    size_t len = 0;
    char *json =
        dropped ? NULL : store_answer(ask->bazaar->store, &ask->question, &len);

    ask->cb(ask->arg, json != NULL ? 200 : 503, json, len);
    free(ask);
}

void
bazaar_ask(struct bazaar *b, const struct store_question *question,
           bazaar_cb cb, void *arg)
{
    struct ask *ask = malloc(sizeof(*ask));

    if (ask != NULL) {
        *ask = (struct ask){b, *question, cb, arg};
        if (jobs_push(b->catalogue, on_ask, ask))
            return;
    }
    free(ask);
    cb(arg, 503, NULL, 0);
}

/* -- looks: to the prober and back -- */

/* A payment named this listing; its URL names another payee.  Whoever paid
 * himself to have it listed does not own it. */
static void
take_in(struct bazaar_look *look, uint64_t now_ms)
{
    struct bazaar *b = look->bazaar;
    const struct probe_result *found = look->result;
    char payees[LISTING_PAYEES_TEXT];
    char wanted[LISTING_PAYEE_MAX + 2], why[160] = "";

    listing_payees(payees, &found->listing);
    snprintf(wanted, sizeof(wanted), " %s ", look->payee);
    if (look->key[0] != '\0' && strcmp(look->key, found->listing.key) != 0)
        return; /* the extension says otherwise now; let it grow old */
    if (look->payee[0] != '\0' && strcasestr(payees, wanted) == NULL) {
        store_remove(b->store, look->key);
        return;
    }
    if (!store_put(b->store, &found->listing, STORE_READ, now_ms, why,
                   sizeof(why)))
        log_event(LOG_INFO, "not_listed", "resource", look->url, "reason", why,
                  NULL);
}

/* What its 402 says, where that can be asked. */
static const char *
method_of(const struct bazaar_look *look)
{
    const char *said = look->result->listing.method;

    return strcmp(look->method, "GET") == 0 && said[0] != '\0' ? said
                                                               : look->method;
}

static void
on_looked(void *arg, bool dropped)
{
    struct bazaar_look *look = arg;
    struct bazaar *b = look->bazaar;
    uint64_t now_ms = bazaar_now_ms();
    struct bazaar_try *try = dropped ? NULL : bazaar_try(b, look->url);
    struct store_row row;

    if (!dropped && look->result->has_offer && store_begin(b->store)) {
        take_in(look, now_ms);
        if (look->own)
            announce(b, look->url, method_of(look));
        store_commit(b->store);
        try->state = TRY_NONE;
    } else if (!dropped) {
        try->state = TRY_FAILED;
        try->at_ms = now_ms;
        if (look->key[0] != '\0' && store_find(b->store, &row, look->key))
            store_checked(b->store, row.id, now_ms);
        log_event(LOG_INFO, "not_read", "resource", look->url, "reason",
                  look->result->why, NULL);
    }
    free(look->result);
    free(look);
}

/* The ledger does not say by which method a route of ours is called: most
 * answer a GET, what refuses it is asked by POST. */
static void
look_at(struct bazaar_look *look)
{
    struct bazaar *b = look->bazaar;
    struct probe_result *found = look->result;

    probe(found, look->url, look->method, &b->guard, bazaar_stops, b);
    if (!look->own || !found->reached || found->status == 402)
        return;
    snprintf(look->method, sizeof(look->method), "POST");
    probe(found, look->url, look->method, &b->guard, bazaar_stops, b);
}

static void
on_look(void *arg, bool dropped)
{
    struct bazaar_look *look = arg;
    struct bazaar *b = look->bazaar;

    look->result = calloc(1, sizeof(*look->result));
    if (!dropped && look->result != NULL) {
        look_at(look);
        if (jobs_push(b->catalogue, on_looked, look))
            return;
    }
    free(look->result);
    free(look);
}

bool
bazaar_look(struct bazaar *b, const struct bazaar_look *look)
{
    struct bazaar_look *copy = malloc(sizeof(*copy));

    if (copy == NULL)
        return false;
    *copy = *look;
    copy->bazaar = b;
    if (jobs_push(b->prober, on_look, copy))
        return true;
    free(copy);
    return false;
}

/* A row of the table: this URL's, or the one that was tried longest ago. */
struct bazaar_try *
bazaar_try(struct bazaar *b, const char *url)
{
    struct bazaar_try *oldest = &b->tries[0];

    for (size_t i = 0; i < BAZAAR_TRIES; i++) {
        if (strcmp(b->tries[i].url, url) == 0)
            return &b->tries[i];
        if (b->tries[i].at_ms < oldest->at_ms)
            oldest = &b->tries[i];
    }
    memset(oldest, 0, sizeof(*oldest));
    snprintf(oldest->url, sizeof(oldest->url), "%s", url);
    return oldest;
}
