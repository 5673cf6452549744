/* SPDX-License-Identifier: Apache-2.0 */
/* Hold invoices: the node is told what the ledger says was decided, again and
 * again until it has done so, whatever stops in between.  Where it refuses, it
 * is asked what became of the invoice. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <x402/encode.h>

#include "../failpoint.h"
#include "../log.h"
#include "../metrics.h"
#include "inside.h"

#define HOLD_BATCH 16
#define HOLD_BLOCKS_MIN                                                        \
    24 /* LND gives a held payment back 18 blocks before its end               \
          (invoices.holdexpirydelta) */

struct telling {
    struct lightning *l;
    struct invoice_row row;
};

bool
hold_is_long(const struct lightning *l, const struct lnd_invoice *invoice)
{
    return invoice->held_until != 0 && l->info.height != 0 &&
           invoice->held_until >= l->info.height + HOLD_BLOCKS_MIN;
}

/* -- the end -- */

/* resolved: HOLD_NONE: not known, to be tried again */
static void
end(struct telling *telling, enum invoice_hold resolved)
{
    struct lightning *l = telling->l;
    char hash[67];

    l->hold_open--;
    if (resolved == HOLD_LOST) {
        x402_hex_encode(hash, telling->row.payment_hash, 32);
        log_event(LOG_ERROR, "hold_invoice_lost", "payment_hash", hash, NULL);
    }
    if (resolved != HOLD_NONE) {
        metrics_add(resolved == HOLD_SETTLED     ? METRIC_HOLD_SETTLED
                    : resolved == HOLD_CANCELLED ? METRIC_HOLD_CANCELLED
                                                 : METRIC_HOLD_LOST,
                    1);
        ledger_invoice_resolve(l->ledger, telling->row.payment_hash, resolved,
                               core_now_ms(), ledger_nobody, NULL);
    }
    free(telling);
}

/* It would not do it: because it was done before? */
static void
on_looked(void *arg, const struct lnd_invoice *invoice, bool gone)
{
    struct telling *telling = arg;
    bool settle = telling->row.hold == HOLD_SETTLE;

    if (invoice->state == LND_SETTLED)
        end(telling, HOLD_SETTLED);
    else if (invoice->state == LND_CANCELED || gone)
        end(telling, settle ? HOLD_LOST : HOLD_CANCELLED);
    else
        end(telling, HOLD_NONE);
}

static void
on_told(void *arg, const struct rest_answer *answer)
{
    struct telling *telling = arg;

    if (answer->http_status == 200)
        end(telling,
            telling->row.hold == HOLD_SETTLE ? HOLD_SETTLED : HOLD_CANCELLED);
    else if (answer->http_status == 0 || telling->l->closing)
        end(telling, HOLD_NONE);
    else
        lookup(telling->l, telling->row.payment_hash, on_looked, telling);
}

/* -- telling it -- */

static void
tell(struct lightning *l, const struct invoice_row *row)
{
    struct telling *telling = calloc(1, sizeof *telling);
    bool settle = row->hold == HOLD_SETTLE;
    char text[X402_BASE64_LEN(32) + 1];
    char *body = malloc(128);

    if (telling == NULL || body == NULL)
        abort();
    telling->l = l;
    telling->row = *row;
    l->hold_open++;
    text[x402_base64_encode(text, settle ? row->preimage : row->payment_hash,
                            32)] = '\0';
    snprintf(body, 128, "{\"%s\":\"%s\"}", settle ? "preimage" : "payment_hash",
             text);
    explicit_bzero(text, sizeof text);
    rest_post(l->rest, settle ? "/v2/invoices/settle" : "/v2/invoices/cancel",
              body, l->config->timeout_ms, on_told, telling);
}

static void
on_decided(void *arg, const struct invoice_row *rows, size_t len)
{
    struct lightning *l = arg;

    l->hold_listing = false;
    if (l->closing || !l->ready)
        return;
    if (len > 0)
        failpoint("before_hold");
    for (size_t i = 0; i < len; i++)
        tell(l, &rows[i]);
}

static void
on_timer(uv_timer_t *timer)
{
    struct lightning *l = timer->data;

    if (!l->ready || l->closing || l->hold_listing || l->hold_open > 0 ||
        !ledger_invoices_any_decided(l->ledger))
        return;
    l->hold_listing = true;
    ledger_invoices_decided(l->ledger, 0, HOLD_BATCH, on_decided, l);
}

void
hold_start(struct lightning *l)
{
    uv_timer_start(&l->hold, on_timer, LIGHTNING_HOLD_MS, LIGHTNING_HOLD_MS);
}
