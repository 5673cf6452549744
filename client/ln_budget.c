/* SPDX-License-Identifier: Apache-2.0 */
/* Budgets in satoshis. */
#include <stdio.h>
#include <string.h>

#include "ln_pay.h"

static const struct {
    const char *name;
    uint64_t seconds;
} windows[] = {{"hour", 3600}, {"day", 24 * 3600}, {"week", 7 * 24 * 3600}};

enum { WINDOWS = sizeof(windows) / sizeof(windows[0]) };

enum x402_err
ln_budget_parse(struct ln_budget *out, struct x402_span text)
{
    struct ln_budget budget = {.set = true};
    const char *slash;
    size_t len;
    enum x402_err err;

    if (x402_span_eq(text, x402_span_of("none"))) {
        *out = (struct ln_budget){.set = false};
        return X402_OK;
    }
    slash = text.len == 0 ? NULL : memchr(text.at, '/', text.len);
    if (slash == NULL)
        return X402_ERR_SYNTAX;
    len = (size_t)(slash - text.at);
    err =
        x402_msat_parse_price(&budget.limit, (struct x402_span){text.at, len});
    if (err != X402_OK)
        return err;
    for (size_t i = 0; i < WINDOWS; i++) {
        struct x402_span window = {slash + 1, text.len - len - 1};

        if (x402_span_eq(window, x402_span_of(windows[i].name)))
            budget.window_s = windows[i].seconds;
    }
    if (budget.window_s == 0)
        return X402_ERR_SYNTAX;
    *out = budget;
    return X402_OK;
}

void
ln_money_format(char out[LN_BUDGET_TEXT_MAX], struct x402_msat amount)
{
    struct x402_amount wide = x402_amount_of(amount.value);
    char digits[X402_AMOUNT_TEXT_MAX + 6];

    (void)x402_amount_format_decimal(digits, &wide, 3, 0);
    (void)snprintf(out, LN_BUDGET_TEXT_MAX, "%.40s sat", digits);
}

void
ln_budget_format(char out[LN_BUDGET_TEXT_MAX], const struct ln_budget *budget)
{
    char amount[LN_BUDGET_TEXT_MAX];
    const char *name = "?";

    if (!budget->set) {
        memcpy(out, "none", 5);
        return;
    }
    for (size_t i = 0; i < WINDOWS; i++) {
        if (windows[i].seconds == budget->window_s)
            name = windows[i].name;
    }
    ln_money_format(amount, budget->limit);
    (void)snprintf(out, LN_BUDGET_TEXT_MAX, "%.50s/%s", amount, name);
}
