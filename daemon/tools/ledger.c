/* SPDX-License-Identifier: Apache-2.0 */
/* x402d ledger: its commands, but for reconcile. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <x402/encode.h>
#include <x402/network.h>

#include "tools.h"

#define LIST_LIMIT 100

static const char help[] =
    "x402d ledger COMMAND [options]: look into the ledger, also beside a "
    "running daemon\n"
    "\n"
    "  list               payments, newest first (100, or --limit N)\n"
    "  show WHAT          all of one payment, with its history: its number, "
    "nonce,\n"
    "                     transaction, or the payment hash of an invoice\n"
    "  export             all payments, oldest first, as CSV (or --json)\n"
    "  credit             who owes what, losses, who is settled first\n"
    "  clear PAYER        forgive a payer after a loss: settled after the "
    "response again\n"
    "  reconcile          the ledger against the chain: every transfer to our "
    "payees has\n"
    "                     a payment, every settled payment its transfer\n"
    "\n"
    "  --config FILE      the daemon's (/etc/x402d/x402d.yaml)\n"
    "  --ledger FILE      the ledger alone, without a configuration\n"
    "  --state NAMES      reserved,released,captured,submitted,mined,final,"
    "failed;\n"
    "                     unsettled = captured,submitted\n"
    "  --network NAME     base, eip155:8453, ...\n"
    "  --payee ADDRESS    --payer ADDRESS\n"
    "  --since TIME       --until TIME   of creation: 2026-11-21, "
    "2026-11-21T10:00:00Z, 24h\n"
    "  --from-block N     --to-block N   for reconcile\n"
    "  --csv, --json      JSON is one object a line\n"
    "\n"
    "Exit codes: 0 good; 1 not found, or reconcile found a difference; 2 "
    "misused;\n"
    "3 it could not be told.\n"
    "\n"
    "Examples:\n"
    "  x402d ledger list --state unsettled\n"
    "  x402d ledger list --payer 0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC "
    "--since 24h\n"
    "  x402d ledger export --state final --since 2026-11-01 --until 2026-12-01 "
    ">november.csv\n"
    "  x402d ledger reconcile && echo every payment is where it should be\n";

/* -- list, export -- */

static void
print_row(void *arg, const struct pay_row *row, const char *resource)
{
    switch (*(const enum tool_format *)arg) {
    case TOOL_TEXT:
        tool_print_text(row, resource);
        return;
    case TOOL_CSV:
        tool_print_csv(row, resource);
        return;
    case TOOL_JSON:
        tool_print_json(row, resource);
        return;
    }
}

static int
print_rows(const struct tool_options *options,
           const struct ledger_filter *filter, enum tool_format format)
{
    struct ledger_view *view = tool_open(options, false);
    bool good;

    if (view == NULL)
        return TOOL_UNKNOWN;
    if (format == TOOL_CSV)
        tool_print_csv_head();
    good = ledger_view_payments(view, filter, print_row, &format) &&
           fflush(stdout) == 0;
    if (!good)
        fprintf(stderr, "x402d: %s: cannot be read or written to the end\n",
                options->ledger_file);
    ledger_view_close(view);
    return good ? TOOL_GOOD : TOOL_UNKNOWN;
}

int
tool_list(const struct tool_options *options)
{
    struct ledger_filter filter = options->filter;

    filter.newest_first = true;
    if (filter.limit == 0)
        filter.limit = LIST_LIMIT;
    return print_rows(options, &filter, options->format);
}

int
tool_export(const struct tool_options *options)
{
    return print_rows(options, &options->filter,
                      options->has_format ? options->format : TOOL_CSV);
}

/* -- credit -- */

struct credit {
    const struct tool_options *options;
    unsigned rows;
};

static void
print_debt_json(const struct ledger_debt *debt, const char *network)
{
    char payer[X402_ADDRESS_TEXT_LEN + 1], asset[X402_ADDRESS_TEXT_LEN + 1];
    char unsettled[X402_AMOUNT_TEXT_MAX + 1], lost[X402_AMOUNT_TEXT_MAX + 1];
    char when[TOOL_WHEN_MAX];

    x402_address_format(payer, &debt->payer);
    x402_address_format(asset, &debt->asset);
    x402_amount_format(unsettled, &debt->unsettled);
    x402_amount_format(lost, &debt->lost);
    tool_when(when, debt->oldest_ms);
    printf("{\"network\":\"%s\",\"asset\":\"%s\",\"payer\":\"%s\","
           "\"payments\":%" PRIu64 ",\"unsettled\":\"%s\",\"oldest\":%s%s%s,"
           "\"lost\":\"%s\",\"settleFirst\":%s}\n",
           network, asset, payer, debt->payments, unsettled,
           debt->oldest_ms != 0 ? "\"" : "",
           debt->oldest_ms != 0 ? when : "null",
           debt->oldest_ms != 0 ? "\"" : "", lost,
           debt->settle_first ? "true" : "false");
}

static void
print_debt(void *arg, const struct ledger_debt *debt)
{
    struct credit *credit = arg;
    const struct ledger_filter *filter = &credit->options->filter;
    const struct x402_network *network = x402_network_by_id(debt->chain_id);
    const char *name = network != NULL ? network->caip2 : "?";
    char payer[X402_ADDRESS_TEXT_LEN + 1];
    char unsettled[TOOL_MONEY_MAX], lost[TOOL_MONEY_MAX];

    if ((filter->chain_id != 0 && filter->chain_id != debt->chain_id) ||
        (filter->payer != NULL &&
         !x402_address_eq(filter->payer, &debt->payer)))
        return;
    credit->rows++;
    if (credit->options->format == TOOL_JSON) {
        print_debt_json(debt, name);
        return;
    }
    x402_address_format(payer, &debt->payer);
    tool_money(unsettled, &debt->unsettled, debt->chain_id, &debt->asset);
    tool_money(lost, &debt->lost, debt->chain_id, &debt->asset);
    printf("%s  %s  unsettled %s in %" PRIu64 " payments  lost %s%s\n", payer,
           name, unsettled, debt->payments, lost,
           debt->settle_first ? "  settled first" : "");
}

int
tool_credit(const struct tool_options *options)
{
    struct ledger_view *view = tool_open(options, false);
    struct credit credit = {options, 0};
    bool good;

    if (view == NULL)
        return TOOL_UNKNOWN;
    good = ledger_view_debts(view, print_debt, &credit);
    ledger_view_close(view);
    if (good && credit.rows == 0 && options->format == TOOL_TEXT)
        puts("nobody owes anything");
    return good ? TOOL_GOOD : TOOL_UNKNOWN;
}

/* -- clear -- */

int
tool_clear(const struct tool_options *options)
{
    struct x402_address payer;
    struct ledger_view *view;
    int changed;

    if (options->subject == NULL ||
        x402_address_parse(&payer, x402_span_of(options->subject)) != X402_OK)
        return tool_misused("clear whom?  Write a payer's address");
    view = tool_open(options, true);
    if (view == NULL)
        return TOOL_UNKNOWN;
    changed = ledger_view_clear(view, &payer, options->filter.chain_id);
    ledger_view_close(view);
    if (changed > 0) {
        printf("%s is settled after the response again (%d %s)\n",
               options->subject, changed,
               changed == 1 ? "account" : "accounts");
        return TOOL_GOOD;
    }
    fprintf(stderr, "x402d: %s\n",
            changed == 0 ? "this payer has no loss" : "the ledger is busy");
    return changed == 0 ? TOOL_BAD : TOOL_UNKNOWN;
}

/* -- x402d ledger -- */

static const struct {
    const char *name;
    int (*run)(const struct tool_options *options);
    bool takes_subject;
} commands[] = {
    {"list", tool_list, false},     {"show", tool_show, true},
    {"export", tool_export, false}, {"credit", tool_credit, false},
    {"clear", tool_clear, true},    {"reconcile", tool_reconcile, false},
};

int
tool_ledger(int argc, char **argv)
{
    struct tool_options options;
    int code = TOOL_USAGE;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            fputs(help, stdout);
            return TOOL_GOOD;
        }
    }
    for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands);
         i++) {
        if (strcmp(argv[1], commands[i].name) != 0)
            continue;
        if (tool_options_read(&options, argc - 1, argv + 1)) {
            if (options.subject != NULL && !commands[i].takes_subject)
                code = tool_misused("%s takes nothing but options", argv[1]);
            else
                code = commands[i].run(&options);
        }
        tool_options_free(&options);
        return code;
    }
    return tool_misused(argc > 1 ? "no command \"%.40s\"" : "no command%s",
                        argc > 1 ? argv[1] : "");
}
