/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the Bazaar share. */
#ifndef X402D_BAZAAR_INSIDE_H
#define X402D_BAZAAR_INSIDE_H

#include <stdatomic.h>

#include "bazaar.h"
#include "jobs.h"
#include "probe.h"

#define BAZAAR_TRIES 256 /* URLs whose last try is known */
#define BAZAAR_TRY_AGAIN_MS (10 * 60 * 1000ULL)
#define BAZAAR_RECHECK_MS (60 * 60 * 1000ULL)
#define BAZAAR_LIVE_MS 10000
#define BAZAAR_LIVES 64

enum try_state { TRY_NONE, TRY_WAITS, TRY_FAILED };

/** The last try to read a URL: catalogue thread. */
struct bazaar_try {
    char url[X402_URL_MAX];
    enum try_state state;
    uint64_t at_ms;
};

/** A 402 read a moment ago: prober thread. */
struct bazaar_seen {
    char url[X402_URL_MAX];
    uint64_t at_ms;
    char *json;
};

struct bazaar {
    const struct config *config; /* as at the start */
    struct guard guard;          /* prober thread */
    struct guard wording;        /* for hosts by their text; read only */
    struct store *store;         /* catalogue thread */
    struct sqlite3 *ledger;      /* read only; catalogue thread */
    struct sqlite3_stmt *rows, *row;
    struct jobs *catalogue, *prober;
    uint64_t swept_ms;
    struct bazaar_try tries[BAZAAR_TRIES];
    struct bazaar_seen seen[BAZAAR_LIVES];
};

uint64_t bazaar_now_ms(void);
bool bazaar_stops(void *bazaar);

/** A look at a URL, and what it is for. */
struct bazaar_look {
    struct bazaar *bazaar;
    char url[X402_URL_MAX];
    char method[8];
    char key[LISTING_KEY_MAX]; /* the listing it belongs to; "": none yet */
    char payee[LISTING_PAYEE_MAX];
    bool own; /* our gateway's route */
    struct probe_result *result;
};
/** Ask the prober; the catalogue takes in what it finds.  false: too busy.
 * Catalogue thread. */
bool bazaar_look(struct bazaar *bazaar, const struct bazaar_look *look);

/** Payments of the ledger that were settled since.  Catalogue thread. */
void takings_close(struct bazaar *bazaar);
void takings_read(struct bazaar *bazaar);
/** A route of ours was sold: counted, and listed when it is not.  payee: who
 * must stand in its 402, "": it does not matter.  false: it is being looked at,
 * and counts when that is done.  Catalogue thread, in a transaction. */
bool takings_own(struct bazaar *bazaar, const char *resource,
                 const uint8_t payer[20], const char *payee, uint64_t now_ms);
/** What was sold by Lightning since.  Catalogue thread, in a transaction. */
void takings_lightning(struct bazaar *bazaar, uint64_t now_ms);
struct bazaar_try *bazaar_try(struct bazaar *bazaar, const char *url);

/** Register a route of ours at the Bazaar of the configuration, from now on.
 * Catalogue thread. */
void announce(struct bazaar *bazaar, const char *url, const char *method);
/** Send the next one whose time has come.  Catalogue thread. */
void announce_due(struct bazaar *bazaar, uint64_t now_ms);

#endif
