/* SPDX-License-Identifier: Apache-2.0 */
/* Budgets: reading, writing and the one comparison. */
#include <stdio.h>
#include <string.h>

#include "budget.h"

#include "mutant.h"
#include "money.h"

static const struct {
    const char *name;
    uint64_t seconds;
} windows[] = {{"hour", 3600}, {"day", 24 * 3600}, {"week", 7 * 24 * 3600}};

enum { WINDOWS = sizeof(windows) / sizeof(windows[0]) };

enum x402_err
budget_parse(struct budget *out, struct x402_span text)
{
    struct budget budget = {.set = true};
    const char *slash;
    struct x402_span amount, window;
    enum x402_err err;

    if (x402_span_eq(text, x402_span_of("none"))) {
        *out = (struct budget){.set = false};
        return X402_OK;
    }
    slash = text.len == 0 ? NULL : memchr(text.at, '/', text.len);
    if (slash == NULL)
        return X402_ERR_SYNTAX;
    amount = (struct x402_span){text.at, (size_t)(slash - text.at)};
    window = (struct x402_span){slash + 1, text.len - amount.len - 1};
    err = money_parse(&budget.limit, amount);
    if (err != X402_OK)
        return err;
    for (size_t i = 0; i < WINDOWS; i++) {
        if (x402_span_eq(window, x402_span_of(windows[i].name)))
            budget.window_s = windows[i].seconds;
    }
    if (budget.window_s == 0)
        return X402_ERR_SYNTAX;
    *out = budget;
    return X402_OK;
}

void
budget_format(char out[BUDGET_TEXT_MAX], const struct budget *budget)
{
    char amount[MONEY_TEXT_MAX];
    const char *name = "?";

    if (!budget->set) {
        memcpy(out, "none", 5);
        return;
    }
    for (size_t i = 0; i < WINDOWS; i++) {
        if (windows[i].seconds == budget->window_s)
            name = windows[i].name;
    }
    money_format(amount, &budget->limit);
    (void)snprintf(out, BUDGET_TEXT_MAX, "%.100s/%s", amount, name);
}

bool
budget_allows(const struct budget *budget, const struct x402_amount *spent,
              const struct x402_amount *price)
{
    struct x402_amount sum;

    if (!budget->set || client_mutant("budget_any"))
        return true;
    return x402_amount_add(&sum, spent, price) &&
           x402_amount_cmp(&sum, &budget->limit) <= 0;
}
