/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/income: what was charged, by day and by route, and why payments
 * failed: sums over the newest payments, at most 100,000 of 30 days.  They are
 * kept for as long as making them took, a hundred times over, so that a page
 * that is left open costs little. */
#include <stdlib.h>
#include <string.h>

#include "../tools/tools.h"
#include "inside.h"

#define DAY_MS 86400000ULL
#define KEEP_MS 1000
#define SLOTS 1024 /* a power of 2; half of them are used at most */
#define NAME_MAX_BYTES 200

/* One line of a sum: "2026-11-21" or "https://…/path", in one token. */
struct line {
    char name[NAME_MAX_BYTES + 1];
    uint64_t chain_id; /* 0: bitcoin, in millisatoshi */
    struct x402_address asset;
    struct x402_amount sum;
    uint64_t payments;
};

struct sums {
    struct line *slot[SLOTS];
    size_t len;
    bool cut; /* there were more names than fit */
};

struct work {
    struct sums days, routes, reasons;
    uint64_t since_ms;
};

static uint32_t
hash_of(const char *name, uint64_t chain_id, const struct x402_address *asset)
{
    uint32_t hash = 2166136261U; /* FNV-1a */

    for (; *name != '\0'; name++)
        hash = (hash ^ (unsigned char)*name) * 16777619U;
    hash = (hash ^ (uint32_t)chain_id) * 16777619U;
    return (hash ^ asset->byte[19]) * 16777619U;
}

static struct line *
line_of(struct sums *sums, const char *name, uint64_t chain_id,
        const struct x402_address *asset)
{
    uint32_t at = hash_of(name, chain_id, asset);
    struct line *line;

    for (;; at++) {
        line = sums->slot[at & (SLOTS - 1)];
        if (line == NULL)
            break;
        if (line->chain_id == chain_id &&
            x402_address_eq(&line->asset, asset) &&
            strcmp(line->name, name) == 0)
            return line;
    }
    if (sums->len == SLOTS / 2 || (line = calloc(1, sizeof(*line))) == NULL) {
        sums->cut = true;
        return NULL;
    }
    memcpy(line->name, name, strlen(name) + 1);
    line->chain_id = chain_id;
    line->asset = *asset;
    sums->slot[at & (SLOTS - 1)] = line;
    sums->len++;
    return line;
}

static void
add(struct sums *sums, const char *name, uint64_t chain_id,
    const struct x402_address *asset, const struct x402_amount *amount)
{
    struct line *line = line_of(sums, name, chain_id, asset);

    if (line == NULL)
        return;
    if (!x402_amount_add(&line->sum, &line->sum, amount))
        sums->cut = true;
    line->payments++;
}

/* A route: the URL up to its query. */
static void
route_of(char out[NAME_MAX_BYTES + 1], const char *resource)
{
    size_t len = strcspn(resource, "?");

    if (len > NAME_MAX_BYTES)
        len = NAME_MAX_BYTES;
    while (len > 0 && len == NAME_MAX_BYTES &&
           ((unsigned char)resource[len] & 0xc0) == 0x80)
        len--;
    memcpy(out, resource, len);
    out[len] = '\0';
}

static void
add_charged(struct work *work, uint64_t created_ms, uint64_t chain_id,
            const struct x402_address *asset, const struct x402_amount *amount,
            const char *resource)
{
    char name[NAME_MAX_BYTES + 1];

    tool_when(name, created_ms);
    name[10] = '\0'; /* the day */
    add(&work->days, name, chain_id, asset, amount);
    route_of(name, resource);
    add(&work->routes, name, chain_id, asset, amount);
}

static void
on_payment(void *arg, const struct pay_row *row, const char *resource)
{
    struct work *work = arg;

    switch (row->state) {
    case PAY_CAPTURED:
    case PAY_SUBMITTED:
    case PAY_MINED:
    case PAY_FINAL:
        add_charged(work, row->created_ms, row->chain_id, &row->asset,
                    &row->charge, resource);
        return;
    case PAY_FAILED:
        add(&work->reasons, x402_err_info(row->reason)->token, row->chain_id,
            &row->asset, &row->charge);
        return;
    case PAY_RESERVED:
    case PAY_RELEASED:
        break;
    }
}

static void
on_invoice(void *arg, const struct ledger_view_invoice *invoice)
{
    static const struct x402_address none;
    struct x402_amount amount = x402_amount_of(invoice->paid.value);
    struct work *work = arg;

    if (invoice->created_ms >= work->since_ms &&
        invoice->state != INVOICE_LAPSED)
        add_charged(work, invoice->created_ms, 0, &none, &amount,
                    invoice->resource);
}

/* -- JSON -- */

static void
add_line(struct x402_buf *out, const struct line *line, bool first)
{
    const struct x402_network *network = x402_network_by_id(line->chain_id);
    const struct x402_asset *asset =
        x402_asset_by_address(line->chain_id, &line->asset);
    char text[X402_AMOUNT_TEXT_MAX + 32];

    x402_amount_format_decimal(
        text, &line->sum,
        line->chain_id == 0 ? 3 : (asset != NULL ? asset->decimals : 0), 0);
    status_text(out, first ? "{\"name\":" : ",{\"name\":", line->name);
    status_text(out, ",\"network\":",
                line->chain_id == 0 ? "lightning"
                : network != NULL   ? network->caip2
                                    : "?");
    status_text(out, ",\"symbol\":",
                line->chain_id == 0 ? "sat"
                : asset != NULL     ? asset->symbol
                                    : "units");
    status_text(out, ",\"amount\":", text);
    status_number(out, ",\"payments\":", line->payments);
    x402_buf_char(out, '}');
}

static void
add_sums(struct x402_buf *out, const char *before, struct sums *sums)
{
    bool first = true;

    x402_buf_text(out, before);
    x402_buf_char(out, '[');
    for (size_t i = 0; i < SLOTS; i++) {
        if (sums->slot[i] == NULL)
            continue;
        add_line(out, sums->slot[i], first);
        first = false;
        free(sums->slot[i]);
    }
    x402_buf_char(out, ']');
}

static void
make(struct status *status, struct x402_buf *out, uint64_t now_ms)
{
    struct work *work = calloc(1, sizeof(*work));
    struct ledger_filter filter = {.newest_first = true};
    struct ledger_filter invoices = {
        .after_id = ledger_view_newest_invoice(status->view) - STATUS_SCAN_MAX};
    int64_t newest = ledger_view_newest(status->view);
    bool good;

    if (work == NULL) {
        out->full = true;
        return;
    }
    work->since_ms = (now_ms / DAY_MS - (STATUS_DAYS - 1)) * DAY_MS;
    filter.since_ms = work->since_ms;
    if (newest > STATUS_SCAN_MAX)
        filter.after_id = newest - STATUS_SCAN_MAX;
    good = ledger_view_payments(status->view, &filter, on_payment, work) &&
           ledger_view_invoices(status->view, &invoices, on_invoice, work);
    status_number(out, "{\"sinceMs\":", work->since_ms);
    status_number(out, ",\"nowMs\":", now_ms);
    status_flag(out, ",\"complete\":", good);
    status_flag(out, ",\"cut\":",
                newest > STATUS_SCAN_MAX || work->days.cut || work->routes.cut);
    add_sums(out, ",\"days\":", &work->days);
    add_sums(out, ",\"routes\":", &work->routes);
    add_sums(out, ",\"failures\":", &work->reasons);
    x402_buf_char(out, '}');
    free(work);
}

void
status_income(struct status *status, struct x402_buf *out)
{
    uint64_t now_ms = core_now_ms();
    struct x402_buf sums;
    uint64_t took;

    if (now_ms >= status->income_until_ms) {
        sums = x402_buf_on(status->income, STATUS_ANSWER_MAX);
        make(status, &sums, now_ms);
        status->income_len = sums.full ? 0 : sums.len;
        took = core_now_ms() - now_ms;
        status->income_until_ms = now_ms + KEEP_MS + 100 * took;
    }
    x402_buf_add(out, (struct x402_span){status->income, status->income_len});
}
