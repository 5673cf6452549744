/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the status page share.  Internal to daemon/status. */
#ifndef X402D_STATUS_INSIDE_H
#define X402D_STATUS_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include <microhttpd.h>
#include <uv.h>

#include <x402/buf.h>

#include "../ledger/view.h"
#include "status.h"

/* a hundred payments whose URLs are as long as they may be, escaped */
#define STATUS_ANSWER_MAX (2 * 1024 * 1024)
#define STATUS_OVERVIEW_MAX 32768
#define STATUS_ROWS_MAX 100    /* payments in a list */
#define STATUS_SCAN_MAX 100000 /* newest payments that sums are made of */
#define STATUS_DAYS 30
#define STATUS_CONNECTIONS_MAX 32

struct status {
    struct core *core;
    const struct config *config; /* core thread */
    struct cashier *cashier;
    struct ledger *ledger;
    struct MHD_Daemon *daemon;
    uv_timer_t tick;
    atomic_bool wanted; /* somebody looked since the last tick */

    pthread_mutex_t lock;
    char overview[STATUS_OVERVIEW_MAX]; /* JSON; under lock */
    size_t overview_len;

    /* the page's thread */
    struct ledger_view *view;
    char *answer; /* STATUS_ANSWER_MAX */
    char *income; /* the sums, kept for a while */
    size_t income_len;
    uint64_t income_until_ms;
};

/** Write down what the core knows.  Threads: core. */
void status_look(struct status *status);

/* The answers, on the page's thread. */
void status_overview(struct status *status, struct x402_buf *out);
void status_income(struct status *status, struct x402_buf *out);
/** filter: "" all, or the name of a state. false: no such state. */
bool status_payments(struct status *status, struct x402_buf *out,
                     const char *filter);
/** false: there is no such payment. */
bool status_payment(struct status *status, struct x402_buf *out, int64_t id);
/** Paid ones. */
void status_invoices(struct status *status, struct x402_buf *out);
bool status_invoice(struct status *status, struct x402_buf *out, int64_t id);

/** "name":number, and the like; `before` holds the comma and the name. */
void status_number(struct x402_buf *out, const char *before, uint64_t number);
void status_text(struct x402_buf *out, const char *before, const char *text);
void status_flag(struct x402_buf *out, const char *before, bool value);
void status_amount(struct x402_buf *out, const char *before,
                   const struct x402_amount *amount);

#endif
