/* SPDX-License-Identifier: Apache-2.0 */
/* x402 budget: show or set the rolling limit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "exit.h"
#include "money.h"
#include "pay.h"

static const char help[] =
    "x402 budget [AMOUNT/hour | AMOUNT/day | AMOUNT/week | none]\n"
    "\n"
    "Shows or sets how much may be signed within any such span of time, by "
    "all\n"
    "processes of this user together; mainnets and testnets count apart.  "
    "What\n"
    "was signed counts as spent whatever became of it; 'x402 payments "
    "--check'\n"
    "takes back what a chain proves to be void.\n"
    "\n"
    "example:\n"
    "  x402 budget 1.00/day\n";

static void
print_left(struct journal *journal, const struct budget *budget, bool testnet)
{
    char text[MONEY_TEXT_MAX];
    struct x402_amount left;

    if (!pay_budget_left(&left, journal, budget, testnet))
        return;
    money_format(text, &left);
    printf("  %s left on %s\n", text, testnet ? "testnets" : "mainnets");
}

static int
show(void)
{
    struct config *config = malloc(sizeof(*config));
    char text[BUDGET_TEXT_MAX];
    struct journal journal;
    bool ok = config != NULL && command_config(config);

    if (ok) {
        budget_format(text, &config->budget);
        printf("%s\n", text);
        if (config->budget.set && journal_open(&journal)) {
            print_left(&journal, &config->budget, false);
            print_left(&journal, &config->budget, true);
        }
    }
    free(config);
    return ok ? CLIENT_EXIT_OK : CLIENT_EXIT_USAGE;
}

static int
set(const char *text)
{
    char error[CONFIG_ERROR_MAX];
    struct budget budget;

    if (budget_parse(&budget, x402_span_of(text)) != X402_OK) {
        say_error("'%.100s' is no budget: 1.00/day, /hour, /week, or none",
                  text);
        return CLIENT_EXIT_USAGE;
    }
    if (config_set("budget", text, error))
        return CLIENT_EXIT_OK;
    say_error("%s", error);
    return CLIENT_EXIT_USAGE;
}

int
command_budget(int argc, char **argv)
{
    if (argc > 1 &&
        (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        fputs(help, stdout);
        return CLIENT_EXIT_OK;
    }
    if (argc == 1)
        return show();
    return argc == 2 ? set(argv[1]) : command_misused("budget");
}
