/* SPDX-License-Identifier: Apache-2.0 */
/* x402 payments: what the journal holds. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "command.h"
#include "exit.h"
#include "journal.h"
#include "ln_pay.h"
#include "money.h"

static const char help[] =
    "x402 payments [--all] [--json] [--check [--rpc URL]]\n"
    "\n"
    "Lists the payments of the last days, newest first (--all: every one),\n"
    "those by Lightning after the others.\n"
    "\n"
    "  signed    written down; it may have been sent, the run has not ended\n"
    "  accepted  the server took it; the answer did not come completely\n"
    "  done      the answer came completely\n"
    "  refused   the server says that it did not take it\n"
    "  failed    the server reported an error; by the protocol not charged:\n"
    "            the same x402 get sends the same payment while it is valid\n"
    "  unknown   sent, and its outcome is open: x402 get --resume\n"
    "  void      proven by the chain: expired and never used\n"
    "\n"
    "  --check   asks the network's node (configured as 'rpc.base = URL')\n"
    "            whether expired payments are void; those count as spent no\n"
    "            more\n";

struct list {
    bool json;
};

static void
print_json(const struct record *record, const char *path, bool alive)
{
    char memory[32 * 1024];
    struct x402_buf out = x402_buf_on(memory, sizeof(memory));
    struct x402_span line;

    record_encode(&out, record);
    line = x402_buf_span(&out);
    if (out.full || line.len < 2)
        return;
    /* the record's own line, and what is not in it */
    printf("%.*s,\"state\":\"%s\",\"status\":%ld,\"alive\":%s,\"file\":",
           (int)line.len - 2, line.at, record_state_name(record->state),
           record->status, alive ? "true" : "false");
    out = x402_buf_on(memory, sizeof(memory));
    x402_buf_json(&out, x402_span_of(path));
    printf("%.*s}\n", (int)out.len, out.at);
}

static void
print_line(const struct record *record, bool alive)
{
    const struct x402_asset *asset =
        x402_asset_by_address(record->chain_id, &record->asset);
    const struct x402_network *network = x402_network_by_id(record->chain_id);
    char when[RECORD_WHEN_MAX], price[MONEY_TEXT_MAX] = "?";
    char payee[X402_ADDRESS_TEXT_LEN + 1], url[256];

    record_when(when, record->created.wall_s);
    if (asset != NULL)
        money_format_asset(price, &record->auth.value, asset);
    x402_address_format(payee, &record->auth.to);
    (void)terminal_clean(url, sizeof(url), x402_span_of(record->url));
    printf("%s  %-8s  %s  %s  %s  %s %s\n", when,
           alive ? "running" : record_state_name(record->state), price,
           network == NULL ? "?" : network->label, payee, record->method, url);
}

static bool
visit(void *owner, const struct journal_seen *seen)
{
    const struct list *list = owner;

    if (list->json)
        print_json(seen->record, seen->path, seen->alive);
    else
        print_line(seen->record, seen->alive);
    return true;
}

static void
print_lightning(const struct ln_seen *seen)
{
    const struct ln_record *record = seen->record;
    char when[RECORD_WHEN_MAX], price[LN_BUDGET_TEXT_MAX], url[256];
    char payee[2 * X402_NODE_LEN + 1] = "";
    struct x402_buf buf = x402_buf_on(payee, sizeof(payee) - 1);

    record_when(when, record->created.wall_s);
    ln_money_format(price, record->amount);
    x402_buf_hex_bare(&buf, record->payee, X402_NODE_LEN);
    (void)terminal_clean(url, sizeof(url), x402_span_of(record->url));
    printf("%s  %-8s  %s  Lightning %s  %s  %s %s\n", when,
           seen->alive ? "running" : record_state_name(record->state), price,
           x402_ln_name(record->network), payee, record->method, url);
}

/* Without the preimage: who has it can ask for the answer. */
static void
print_lightning_json(const struct ln_seen *seen)
{
    static char memory[RECORD_TEXT_MAX];
    struct x402_buf out = x402_buf_on(memory, sizeof(memory));
    struct x402_span line;

    ln_record_encode(&out, seen->record);
    line = x402_buf_span(&out);
    if (out.full || line.len < 2)
        return;
    printf("%.*s,\"state\":\"%s\",\"paid\":%s,\"alive\":%s,\"file\":",
           (int)line.len - 2, line.at, record_state_name(seen->record->state),
           seen->record->has_preimage ? "true" : "false",
           seen->alive ? "true" : "false");
    out = x402_buf_on(memory, sizeof(memory));
    x402_buf_json(&out, x402_span_of(seen->path));
    printf("%.*s}\n", (int)out.len, out.at);
}

static bool
visit_lightning(void *owner, const struct ln_seen *seen)
{
    const struct list *list = owner;

    if (list->json)
        print_lightning_json(seen);
    else
        print_lightning(seen);
    return true;
}

static int
broken(const struct journal *journal)
{
    say_error("the journal %s: %s", journal->folder, strerror(errno));
    return CLIENT_EXIT_STATE;
}

static int
list_all(bool all, bool json)
{
    struct list list = {json};
    char lightning[PATHS_MAX];
    struct journal journal;
    bool ok;

    if (!journal_open(&journal) || !ln_journal_open(lightning) ||
        !journal_lock(&journal))
        return broken(&journal);
    ok = journal_scan(&journal, all, visit, &list) &&
         ln_journal_scan(lightning, all, visit_lightning, &list);
    journal_unlock(&journal);
    return ok ? CLIENT_EXIT_OK : broken(&journal);
}

static int
check(const char *rpc)
{
    struct config *config = malloc(sizeof(*config));
    struct journal journal;
    int code = CLIENT_EXIT_USAGE;

    if (config != NULL && command_config(config)) {
        if (!journal_open(&journal))
            code = broken(&journal);
        else
            code = check_payments(&journal, config, rpc);
    }
    free(config);
    return code;
}

int
command_payments(int argc, char **argv)
{
    static const struct option longs[] = {{"all", no_argument, NULL, 'a'},
                                          {"check", no_argument, NULL, 'c'},
                                          {"help", no_argument, NULL, 'h'},
                                          {"json", no_argument, NULL, 'j'},
                                          {"rpc", required_argument, NULL, 'r'},
                                          {NULL, 0, NULL, 0}};
    bool all = false, json = false, checks = false, helps = false;
    const char *rpc = NULL;
    int option, index = -1;

    optind = 0;
    while ((option = getopt_long(argc, argv, "h", longs, &index)) != -1) {
        if (option == '?' ||
            (index >= 0 && !command_is_exact(argv, longs[index].name)))
            return command_misused("payments");
        index = -1;
        all = all || option == 'a';
        checks = checks || option == 'c';
        helps = helps || option == 'h';
        json = json || option == 'j';
        if (option == 'r')
            rpc = optarg;
    }
    if (helps) {
        fputs(help, stdout);
        return CLIENT_EXIT_OK;
    }
    if (optind != argc || (rpc != NULL && !checks))
        return command_misused("payments");
    return checks ? check(rpc) : list_all(all, json);
}
