/* SPDX-License-Identifier: Apache-2.0 */
/* GET /api/payments, GET /api/payment: the newest ones, and all of one. */
#include "../tools/tools.h"
#include "inside.h"

#define TXS_MAX 16

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
    struct x402_buf *out;
    bool found;
    int64_t batch;
};

static void
add_one(void *arg, const struct pay_row *row, const char *resource)
{
    struct one *one = arg;

    one->found = true;
    one->batch = row->batch_id;
    x402_buf_text(one->out, "{\"payment\":");
    tool_write_json(one->out, row, resource);
}

static void
add_txs(struct status *status, struct x402_buf *out, int64_t batch)
{
    struct ledger_view_tx tx[TXS_MAX];
    size_t len =
        batch == 0 ? 0 : ledger_view_txs(status->view, batch, tx, TXS_MAX);

    x402_buf_text(out, ",\"transactions\":[");
    for (size_t i = 0; i < len; i++) {
        x402_buf_text(out, i > 0 ? ",{\"hash\":\"" : "{\"hash\":\"");
        x402_buf_hex(out, tx[i].hash, 32);
        status_amount(out, "\",\"maxFeeWei\":", &tx[i].max_fee);
        status_number(out, ",\"createdMs\":", tx[i].created_ms);
        x402_buf_char(out, '}');
    }
    x402_buf_char(out, ']');
}

bool
status_payment(struct status *status, struct x402_buf *out, int64_t id)
{
    struct ledger_filter filter = {.id = id, .after_id = id - 1, .limit = 1};
    struct one one = {out, false, 0};

    if (!ledger_view_payments(status->view, &filter, add_one, &one))
        out->full = true;
    if (!one.found)
        return false;
    add_txs(status, out, one.batch);
    x402_buf_char(out, '}');
    return true;
}
