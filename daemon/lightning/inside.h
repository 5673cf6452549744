/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this folder share. */
#ifndef X402D_LIGHTNING_INSIDE_H
#define X402D_LIGHTNING_INSIDE_H

#include "allowance.h"
#include "lightning.h"
#include "lnd_read.h"
#include "macaroon.h"
#include "rate.h"
#include "rest.h"
#include "secret.h"

#define LIGHTNING_ADDING_MAX 64  /* AddInvoice calls under way */
#define LIGHTNING_LOOKING_MAX 64 /* look-ups for proofs under way */
#define LIGHTNING_WAIT_MS 1000   /* what cannot be issued now: ask again then */
#define LIGHTNING_WATCH_MS 2000  /* between two looks at the node */
#define LIGHTNING_SWEEP_MS 30000 /* between two looks at old invoices */
#define LIGHTNING_HOLD_MS 500    /* between two looks at what was decided */

struct issue;
struct claim;

struct lightning {
    struct core *core;
    const struct config_lightning *config;
    struct ledger *ledger;
    struct rest *rest;
    struct rate *rate; /* NULL: no conversion */
    struct secret secret;
    struct macaroon_file macaroon;
    struct allowance allowance;
    bool closing;
    int open; /* parts that are not closed yet */
    core_task closed;
    void *closed_arg;

    /* watch.c: what the node last said about itself */
    uv_timer_t watch;
    bool asking;
    bool ready;
    const char *why;
    struct lnd_info info;

    /* stream.c */
    struct rest_stream *stream;
    uv_timer_t again;
    unsigned broken; /* times in a row */

    /* sweep.c */
    uv_timer_t sweep;
    bool sweeping;
    bool sweep_all; /* the next pass looks at every invoice */
    uint64_t sweep_to_s;
    uint64_t sweep_at_s;
    int64_t sweep_at_id;
    size_t sweep_open;

    /* hold.c */
    uv_timer_t hold;
    size_t hold_open; /* calls under way */
    bool hold_listing;

    struct issue *issues;
    size_t adding;
    struct claim *claims;
    size_t looking;
};

/* -- watch.c -- */

void watch_start(struct lightning *l);
/** A call failed in a way that says: the node is not there, or not well. */
void watch_down(struct lightning *l, const char *why);

/* -- stream.c -- */

void stream_start(struct lightning *l);
void stream_stop(struct lightning *l);

/* -- sweep.c -- */

void sweep_start(struct lightning *l);
/** Look at every invoice that is not paid yet: events may have been missed. */
void sweep_everything(struct lightning *l);

/* -- hold.c -- */

void hold_start(struct lightning *l);
/** Is it long enough until the payer gets it back by itself? */
bool hold_is_long(const struct lightning *l, const struct lnd_invoice *invoice);

/* -- lookup.c -- */

/** GET /v1/invoice/<hash>.  state LND_UNKNOWN: no answer that can be used;
 *  gone: the node does not know the invoice. */
typedef void (*lookup_cb)(void *arg, const struct lnd_invoice *invoice,
                          bool gone);
void lookup(struct lightning *l, const uint8_t payment_hash[32], lookup_cb cb,
            void *arg);

/* -- issue.c, claim.c: their ends -- */

void issue_free_all(struct lightning *l);
void claim_free_all(struct lightning *l);

#endif
