/* SPDX-License-Identifier: Apache-2.0 */
/* Invoices that are not paid, looked up one after another: all of them when
 * events may have been missed, and otherwise those whose time is over, so that
 * the ledger need not keep what nobody will pay. */
#include <string.h>

#include "../failpoint.h"
#include "../metrics.h"
#include "inside.h"

#define SWEEP_BATCH 8
#define SWEEP_LATE_S 30          /* after the expiry: LND cancels then */
#define SWEEP_KEEP_S (24 * 3600) /* a lapsed row is kept this long */
#define SWEEP_PRUNE_MAX 256

struct sweep_look {
    struct lightning *l;
    struct invoice_row row;
};

static void next_batch(struct lightning *l);

static void
on_taken(void *arg, enum x402_err err, int64_t payment)
{
    (void)arg;
    if (err == X402_OK && payment != 0)
        metrics_add(METRIC_INVOICES_PAID, 1);
}

static void
end_pass(struct lightning *l)
{
    l->sweeping = false;
    ledger_invoices_prune(l->ledger, core_now_ms() / 1000 - SWEEP_KEEP_S,
                          SWEEP_PRUNE_MAX, ledger_nobody, NULL);
}

static void
on_looked(void *arg, const struct lnd_invoice *invoice, bool gone)
{
    struct sweep_look *look = arg;
    struct lightning *l = look->l;
    uint64_t now_ms = core_now_ms();
    bool over = look->row.expires_s + SWEEP_LATE_S < now_ms / 1000;
    struct ledger_invoice_news news = {
        .settled = invoice->state == LND_SETTLED,
        .lapsed = invoice->state == LND_CANCELED || (gone && over),
        .overdue = invoice->state == LND_ACCEPTED &&
                   look->row.expires_s < now_ms / 1000,
        .paid = invoice->paid,
        .now_ms = now_ms,
    };

    memcpy(news.payment_hash, look->row.payment_hash, sizeof news.payment_hash);
    free(look);
    if (l->closing)
        return;
    if (news.settled || news.lapsed || news.overdue)
        ledger_invoice_news(l->ledger, &news, on_taken, l);
    if (--l->sweep_open == 0)
        next_batch(l);
}

static void
on_rows(void *arg, const struct invoice_row *rows, size_t len)
{
    struct lightning *l = arg;

    if (l->closing)
        return;
    if (len == 0 || rows[0].expires_s > l->sweep_to_s || !l->ready) {
        end_pass(l);
        return;
    }
    l->sweep_open = len;
    for (size_t i = 0; i < len; i++) {
        struct sweep_look *look = calloc(1, sizeof *look);

        if (look == NULL)
            abort();
        look->l = l;
        look->row = rows[i];
        l->sweep_at_s = rows[i].expires_s;
        l->sweep_at_id = rows[i].id;
        lookup(l, rows[i].payment_hash, on_looked, look);
    }
}

static void
next_batch(struct lightning *l)
{
    ledger_invoices_issued(l->ledger, l->sweep_at_s, l->sweep_at_id,
                           SWEEP_BATCH, on_rows, l);
}

static void
begin_pass(struct lightning *l, uint64_t to_s)
{
    if (mutant("invoice_stream_forgets"))
        return;
    l->sweeping = true;
    l->sweep_to_s = to_s;
    l->sweep_at_s = 0;
    l->sweep_at_id = 0;
    next_batch(l);
}

static void
on_timer(uv_timer_t *timer)
{
    struct lightning *l = timer->data;

    if (l->sweeping || !l->ready || l->closing)
        return;
    if (l->sweep_all)
        begin_pass(l, INT64_MAX);
    else
        begin_pass(l, core_now_ms() / 1000 - SWEEP_LATE_S);
    l->sweep_all = false;
}

/* A moment later: the node has just come back, and others want it more. */
void
sweep_everything(struct lightning *l)
{
    l->sweep_all = true;
    if (!l->closing)
        uv_timer_start(&l->sweep, on_timer, LIGHTNING_WAIT_MS,
                       LIGHTNING_SWEEP_MS);
}

void
sweep_start(struct lightning *l)
{
    uv_timer_start(&l->sweep, on_timer, LIGHTNING_SWEEP_MS, LIGHTNING_SWEEP_MS);
}
