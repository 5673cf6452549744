/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/payments, /api/payment, /api/invoices, /api/invoice: the newest
 * ones, and all of one. */
#include "../tools/tools.h"
#include "inside.h"

struct list {
    struct x402_buf *out;
    bool any;
};

static void
add_row(void *arg, const struct pay_row *row, const char *resource)
{
    struct list *list = arg;

    x402_buf_text(list->out, list->any ? "," : "");
    tool_write_json(list->out, row, resource);
    list->any = true;
}

bool
status_payments(struct status *status, struct x402_buf *out,
                const char *filter_text)
{
    struct ledger_filter filter = {.newest_first = true,
                                   .limit = STATUS_ROWS_MAX};
    struct list list = {out, false};
    int64_t newest = ledger_view_newest(status->view);

    if (filter_text[0] != '\0' &&
        (filter.states = tool_state_bits(filter_text)) == 0)
        return false;
    if (newest > STATUS_SCAN_MAX)
        filter.after_id = newest - STATUS_SCAN_MAX;
    x402_buf_text(out, "{\"payments\":[");
    if (!ledger_view_payments(status->view, &filter, add_row, &list))
        out->full = true;
    x402_buf_text(out, "]}");
    return true;
}

/* -- one -- */

struct one {
    struct ledger_view *view;
    struct x402_buf *out;
    bool found;
};

static void
add_one(void *arg, const struct pay_row *row, const char *resource)
{
    struct one *one = arg;

    one->found = true;
    if (!tool_write_whole(one->out, one->view, row, resource))
        one->out->full = true;
}

bool
status_payment(struct status *status, struct x402_buf *out, int64_t id)
{
    struct ledger_filter filter = {.id = id, .after_id = id - 1, .limit = 1};
    struct one one = {status->view, out, false};

    x402_buf_text(out, "{\"payment\":");
    if (!ledger_view_payments(status->view, &filter, add_one, &one))
        out->full = true;
    x402_buf_char(out, '}');
    return one.found;
}

/* -- Lightning -- */

static void
add_invoice(void *arg, const struct ledger_view_invoice *invoice)
{
    struct list *list = arg;

    x402_buf_text(list->out, list->any ? "," : "");
    (void)tool_write_invoice(list->out, NULL, invoice);
    list->any = true;
}

void
status_invoices(struct status *status, struct x402_buf *out)
{
    struct ledger_filter filter = {
        .limit = STATUS_ROWS_MAX,
        .after_id = ledger_view_newest_invoice(status->view) - STATUS_SCAN_MAX};
    struct list list = {out, false};

    x402_buf_text(out, "{\"invoices\":[");
    if (!ledger_view_invoices(status->view, &filter, add_invoice, &list))
        out->full = true;
    x402_buf_text(out, "]}");
}

static void
add_one_invoice(void *arg, const struct ledger_view_invoice *invoice)
{
    struct one *one = arg;

    one->found = true;
    if (!tool_write_invoice(one->out, one->view, invoice))
        one->out->full = true;
}

bool
status_invoice(struct status *status, struct x402_buf *out, int64_t id)
{
    struct ledger_filter filter = {.id = id, .after_id = id - 1, .limit = 1};
    struct one one = {status->view, out, false};

    x402_buf_text(out, "{\"invoice\":");
    if (!ledger_view_invoices(status->view, &filter, add_one_invoice, &one))
        out->full = true;
    x402_buf_char(out, '}');
    return one.found;
}
