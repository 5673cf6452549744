/* SPDX-License-Identifier: Apache-2.0 */
/* Invoices for people and for programs. */
#include <inttypes.h>

#include <x402/encode.h>

#include "tools.h"

static const char *
state_text(const struct ledger_view_invoice *invoice)
{
    switch (invoice->state) {
    case INVOICE_ISSUED:
        return "issued";
    case INVOICE_PAID:
        return "paid";
    case INVOICE_RESERVED:
        return "reserved";
    case INVOICE_FINAL:
        return "final";
    case INVOICE_LAPSED:
        return "lapsed";
    }
    return "?";
}

static const char *
hold_text(enum invoice_hold hold)
{
    static const char *const text[] = {
        "", "open", "to_settle", "to_cancel", "settled", "cancelled", "lost"};

    return (unsigned)hold < sizeof(text) / sizeof(text[0]) ? text[hold] : "?";
}

/** "21.5 sat" */
static void
sats(char out[TOOL_MONEY_MAX], struct x402_msat amount)
{
    struct x402_amount value = x402_amount_of(amount.value);
    size_t len = x402_amount_format_decimal(out, &value, 3, 0);

    snprintf(out + len, TOOL_MONEY_MAX - len, " sat");
}

void
tool_print_invoice(const struct ledger_view_invoice *invoice)
{
    char hash[2 * 32 + 3], money[TOOL_MONEY_MAX], when[TOOL_WHEN_MAX];

    x402_hex_encode(hash, invoice->payment_hash, 32);
    printf("%-13s ln%" PRId64 "\n", "invoice", invoice->id);
    printf("%-13s %s\n", "state", state_text(invoice));
    if (invoice->hold != HOLD_NONE)
        printf("%-13s %s\n", "hold", hold_text(invoice->hold));
    printf("%-13s %s\n", "payment hash", hash);
    sats(money, invoice->amount);
    printf("%-13s %s\n", "amount", money);
    sats(money, invoice->paid);
    printf("%-13s %s\n", "paid", money);
    tool_when(when, invoice->expires_s * 1000);
    printf("%-13s %s\n", "expires", when);
    printf("%-13s %u charged, %u released\n", "runs", invoice->runs,
           invoice->releases);
    printf("%-13s ", "resource");
    tool_print_clean(invoice->resource);
    putchar('\n');
}

bool
tool_write_invoice(struct x402_buf *out, struct ledger_view *view,
                   const struct ledger_view_invoice *invoice)
{
    char money[TOOL_MONEY_MAX];
    bool good = true;

    tool_add_number(out, "{\"invoice\":", (uint64_t)invoice->id);
    tool_add_text(out, ",\"state\":", state_text(invoice));
    tool_add_text(out, ",\"hold\":", hold_text(invoice->hold));
    x402_buf_text(out, ",\"paymentHash\":\"");
    x402_buf_hex(out, invoice->payment_hash, 32);
    tool_add_number(out, "\",\"amountMsat\":", invoice->amount.value);
    tool_add_number(out, ",\"paidMsat\":", invoice->paid.value);
    sats(money, invoice->paid.value != 0 ? invoice->paid : invoice->amount);
    tool_add_text(out, ",\"money\":", money);
    tool_add_when(out, ",\"expires\":", invoice->expires_s * 1000);
    tool_add_number(out, ",\"runs\":", invoice->runs);
    tool_add_number(out, ",\"releases\":", invoice->releases);
    x402_buf_text(out, invoice->open ? ",\"open\":true" : ",\"open\":false");
    tool_add_text(out, ",\"resource\":", invoice->resource);
    tool_add_when(out, ",\"created\":", invoice->created_ms);
    tool_add_when(out, ",\"changed\":", invoice->updated_ms);
    if (view != NULL) {
        x402_buf_text(out, ",\"history\":");
        good = tool_write_history(out, view, LEDGER_INVOICE, invoice->id);
    }
    x402_buf_char(out, '}');
    return good;
}
