/* SPDX-License-Identifier: Apache-2.0 */
/* x402d ledger show: all of one payment, and its history. */
#include <stdlib.h>
#include <string.h>

#include <x402/encode.h>

#include "tools.h"

struct shown {
    struct ledger_view *view;
    enum tool_format format;
    unsigned rows;
    bool good;
    char *memory; /* TOOL_WHOLE_MAX */
};

static void
print_line(struct shown *shown, struct x402_buf *out)
{
    x402_buf_char(out, '\n');
    if (out->full)
        shown->good = false;
    fwrite(out->at, 1, out->len, stdout);
}

static void
show_text(struct shown *shown, const struct pay_row *row, const char *resource)
{
    if (shown->rows != 0)
        putchar('\n');
    tool_print_whole(row, resource);
    if (!tool_print_history(shown->view, LEDGER_PAYMENT, row->id))
        shown->good = false;
}

static void
show_row(void *arg, const struct pay_row *row, const char *resource)
{
    struct shown *shown = arg;
    struct x402_buf out = x402_buf_on(shown->memory, TOOL_WHOLE_MAX);

    switch (shown->format) {
    case TOOL_TEXT:
        show_text(shown, row, resource);
        break;
    case TOOL_CSV:
        tool_print_csv(row, resource);
        break;
    case TOOL_JSON:
        if (!tool_write_whole(&out, shown->view, row, resource))
            shown->good = false;
        print_line(shown, &out);
        break;
    }
    shown->rows++;
}

static void
show_invoice(void *arg, const struct ledger_view_invoice *invoice)
{
    struct shown *shown = arg;
    struct x402_buf out = x402_buf_on(shown->memory, TOOL_WHOLE_MAX);

    shown->rows++;
    if (shown->format == TOOL_JSON) {
        if (!tool_write_invoice(&out, shown->view, invoice))
            shown->good = false;
        print_line(shown, &out);
        return;
    }
    tool_print_invoice(invoice);
    if (!tool_print_history(shown->view, LEDGER_INVOICE, invoice->id))
        shown->good = false;
}

/** A number, that of an invoice with "ln" before it, or 32 bytes of hex. */
static bool
read_subject(struct ledger_filter *filter, uint8_t hash[32], const char *text,
             bool *is_invoice)
{
    char *end;

    *is_invoice = strncmp(text, "ln", 2) == 0;
    if (x402_hex_decode(hash, 32, x402_span_of(text)) == X402_OK) {
        filter->hash32 = hash;
        return true;
    }
    filter->id = strtoll(text + (*is_invoice ? 2 : 0), &end, 10);
    return *end == '\0' && filter->id > 0;
}

static void
show_all(struct shown *shown, const struct ledger_filter *filter,
         bool is_invoice)
{
    shown->good = is_invoice ||
                  ledger_view_payments(shown->view, filter, show_row, shown);
    if (shown->good && (is_invoice || filter->hash32 != NULL))
        shown->good =
            ledger_view_invoices(shown->view, filter, show_invoice, shown);
}

int
tool_show(const struct tool_options *options)
{
    struct ledger_filter filter = options->filter;
    struct shown shown = {.format = options->format};
    uint8_t hash[32];
    bool is_invoice;

    if (options->subject == NULL ||
        !read_subject(&filter, hash, options->subject, &is_invoice))
        return tool_misused("show what?  A payment's number, its nonce, a "
                            "transaction, or the payment hash of an invoice");
    shown.view = tool_open(options, false);
    if (shown.view == NULL)
        return TOOL_UNKNOWN;
    shown.memory = malloc(TOOL_WHOLE_MAX);
    if (shown.memory == NULL)
        abort();
    show_all(&shown, &filter, is_invoice);
    free(shown.memory);
    ledger_view_close(shown.view);
    if (!shown.good || shown.rows == 0)
        fprintf(stderr, "x402d: %s\n",
                shown.good ? "no such payment" : "the ledger cannot be read");
    if (!shown.good)
        return TOOL_UNKNOWN;
    return shown.rows != 0 ? TOOL_GOOD : TOOL_BAD;
}
