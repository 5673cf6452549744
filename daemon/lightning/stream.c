/* SPDX-License-Identifier: Apache-2.0 */
/* The node's events.  "A stream ends without warning on a node restart:
 * reconnect with the last add_index/settle_index": those stand in the ledger
 * and are moved in the transaction that takes the event.  What a break may have
 * swallowed all the same is found by looking every open invoice up. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <x402/json.h>

#include "../failpoint.h"
#include "../log.h"
#include "../metrics.h"
#include "inside.h"

#define AGAIN_FIRST_MS 250
#define AGAIN_MAX_MS 30000

static void
on_taken(void *arg, enum x402_err err, int64_t payment)
{
    struct lightning *l = arg;

    if (err == X402_OK && payment != 0)
        metrics_add(METRIC_INVOICES_PAID, 1);
    /* the event is lost for us; the cursor may have passed it by now */
    if (err != X402_OK && !l->closing)
        sweep_everything(l);
}

static void
take_event(struct lightning *l, const struct lnd_invoice *invoice)
{
    struct ledger_invoice_news news = {
        .settled = invoice->state == LND_SETTLED,
        .lapsed = invoice->state == LND_CANCELED,
        .paid = invoice->paid,
        .add_index = invoice->add_index,
        .settle_index = invoice->settle_index,
        .now_ms = core_now_ms(),
    };

    memcpy(news.payment_hash, invoice->payment_hash, sizeof news.payment_hash);
    ledger_invoice_news(l->ledger, &news, on_taken, l);
}

/* {"result":{..}}; {"error":{..}} and what does not read end the stream */
static bool
on_line(void *arg, struct x402_span line)
{
    struct lightning *l = arg;
    struct lnd_invoice invoice;
    const json_t *result;
    json_t *json;
    bool good;

    if (l->closing || x402_json_load(&json, line, REST_LINE_MAX,
                                     X402_JSON_DEPTH_MAX) != X402_OK)
        return false;
    result = json_object_get(json, "result");
    good = json_is_object(result) && lnd_read_invoice(&invoice, result);
    if (good) {
        l->broken = 0;
        take_event(l, &invoice);
    }
    json_decref(json);
    return good;
}

static void
on_again(uv_timer_t *timer)
{
    stream_start(timer->data);
}

static void
on_end(void *arg, const char *why)
{
    struct lightning *l = arg;
    uint64_t ms = AGAIN_MAX_MS;

    l->stream = NULL;
    if (l->closing)
        return;
    log_event(LOG_INFO, "invoice_stream_ended", "why", why, NULL);
    if (l->broken < 7)
        ms = (uint64_t)AGAIN_FIRST_MS << l->broken;
    l->broken++;
    uv_timer_start(&l->again, on_again, ms, 0);
}

void
stream_start(struct lightning *l)
{
    struct invoice_cursor cursor = ledger_invoice_cursor(l->ledger);
    char path[128];

    if (l->stream != NULL || l->closing)
        return;
    uv_timer_stop(&l->again);
    if (mutant("invoice_stream_forgets"))
        cursor = (struct invoice_cursor){0, 0};
    else
        sweep_everything(l);
    snprintf(path, sizeof path,
             "/v1/invoices/subscribe?add_index=%" PRIu64
             "&settle_index=%" PRIu64,
             cursor.add_index, cursor.settle_index);
    l->stream = rest_listen(l->rest, path, on_line, on_end, l);
}

void
stream_stop(struct lightning *l)
{
    uv_timer_stop(&l->again);
    if (l->stream != NULL)
        rest_hang_up(l->stream);
    l->stream = NULL;
}
