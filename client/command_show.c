/* SPDX-License-Identifier: Apache-2.0 */
/* x402 show: what a URL asks for, and whether its documents agree. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit.h"
#include "command.h"
#include "exit.h"
#include "money.h"
#include "record.h"
#include "show.h"

static const char help[] =
    "x402 show [options] URL - what a URL asks for; nothing is paid\n"
    "\n"
    "Shows every way to pay, and checks what the site says about it: whether\n"
    "the wires of its 402 agree with each other, and its documents\n"
    "(/openapi.json, /.well-known/x402.json, /.well-known/x402) with the 402.\n"
    "\n"
    "  -X, --request METHOD    ask with another method than GET\n"
    "      --upstream URL      what the gateway passes to: can it be reached\n"
    "                          without the gateway?  On this machine: by its\n"
    "                          other addresses than loopback (up to 8 times)\n"
    "      --json              for scripts\n"
    "      --cacert FILE       trust these authorities instead\n"
    "  -k, --insecure          for this machine's own addresses only\n"
    "      --no-private        never connect to addresses inside networks\n"
    "  -v, --verbose\n"
    "\n"
    "exit codes: 0 agrees, 1 something is wrong, 2 usage, others as curl\n"
    "\n"
    "examples:\n"
    "  x402 show https://api.example.com/report\n"
    "  x402 show -X POST https://api.example.com/v1/chat/completions\n"
    "  x402 show --json https://api.example.com/report | jq .checks\n";

enum { EXIT_WRONG = 1 };

static const char *
verdict_name(enum audit_verdict verdict)
{
    switch (verdict) {
    case AUDIT_GOOD:
        return "ok";
    case AUDIT_WARNING:
        return "warning";
    case AUDIT_BAD:
        return "wrong";
    }
    return "?";
}

/* -- for people -- */

static void
print_choice(const struct x402_choice *choice)
{
    const struct x402_requirement *offer = &choice->requirement;
    const struct x402_network *network =
        x402_network_by_id(offer->asset->chain_id);
    char price[MONEY_TEXT_MAX], payee[X402_ADDRESS_TEXT_LEN + 1];

    money_format_asset(price, &offer->amount, offer->asset);
    x402_address_format(payee, &offer->pay_to);
    printf("  %s on %s (%s) to %s\n", price, network->label, network->caip2,
           payee);
}

static void
print_text(const struct audit *audit)
{
    printf("%s %s: HTTP %ld\n", audit->options->method,
           audit->options->url.text, audit->status);
    if (audit->status != 402)
        printf("  nothing is asked for\n");
    for (size_t i = 0; i < audit->choices_len; i++)
        print_choice(&audit->choices[i]);
    for (size_t i = 0; i < audit->findings_len; i++)
        printf("  %-8s %-24s %s\n", verdict_name(audit->finding[i].verdict),
               audit->finding[i].what, audit->finding[i].text);
}

/* -- for scripts -- */

static json_t *
choice_json(const struct x402_choice *choice)
{
    const struct x402_requirement *offer = &choice->requirement;
    char price[MONEY_TEXT_MAX], payee[X402_ADDRESS_TEXT_LEN + 1];
    char amount[X402_AMOUNT_TEXT_MAX + 1];

    money_format_asset(price, &offer->amount, offer->asset);
    x402_address_format(payee, &offer->pay_to);
    (void)x402_amount_format(amount, &offer->amount);
    return json_pack(
        "{s:s,s:s,s:s,s:s,s:s,s:I,s:s}", "wire", record_wire_name(choice->wire),
        "network", x402_network_by_id(offer->asset->chain_id)->caip2, "asset",
        offer->asset->address_text, "amount", amount, "price", price,
        "maxTimeoutSeconds", (json_int_t)offer->timeout_s, "payTo", payee);
}

static bool
print_json(const struct audit *audit)
{
    json_t *offers = json_array(), *checks = json_array(), *root;
    bool ok = offers != NULL && checks != NULL;

    for (size_t i = 0; ok && i < audit->choices_len; i++)
        ok =
            json_array_append_new(offers, choice_json(&audit->choices[i])) == 0;
    for (size_t i = 0; ok && i < audit->findings_len; i++)
        ok = json_array_append_new(
                 checks, json_pack("{s:s,s:s,s:s}", "verdict",
                                   verdict_name(audit->finding[i].verdict),
                                   "what", audit->finding[i].what, "text",
                                   audit->finding[i].text)) == 0;
    root = json_pack("{s:s,s:s,s:I,s:b,s:o,s:o}", "url",
                     audit->options->url.text, "method", audit->options->method,
                     "status", (json_int_t)audit->status, "good",
                     audit_is_good(audit), "offers", offers, "checks", checks);
    ok = ok && root != NULL && json_dumpf(root, stdout, JSON_COMPACT) == 0 &&
         putchar('\n') != EOF;
    json_decref(root);
    return ok;
}

/* -- the command -- */

static int
run(const struct audit_options *options, const struct say *say, bool json)
{
    struct audit *audit = malloc(sizeof(*audit));
    bool written = true;
    int code;

    if (audit == NULL) {
        say_error("no memory");
        return CLIENT_EXIT_USAGE;
    }
    audit_run(audit, options, say);
    code = audit->failed != 0     ? audit->failed
           : audit_is_good(audit) ? CLIENT_EXIT_OK
                                  : EXIT_WRONG;
    if (audit->failed != 0)
        say_error("%s", audit->error);
    else if (json)
        written = print_json(audit);
    else
        print_text(audit);
    audit_free(audit);
    free(audit);
    if (!written || fflush(stdout) != 0)
        return CLIENT_EXIT_WRITE;
    return code;
}

static bool
is_method(const char *text)
{
    size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    return len > 0 && len < 16 && text[len] == '\0';
}

static enum url_err
add_upstream(struct audit_options *options, const char *text)
{
    enum url_err err =
        url_parse(&options->upstream[options->upstream_len], text);

    if (err == URL_OK)
        options->upstream_len++;
    else
        say_error("%.200s: %s", text, url_err_text(err));
    return err;
}

int
command_show(int argc, char **argv)
{
    static const struct option longs[] = {
        {"cacert", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {"insecure", no_argument, NULL, 'k'},
        {"json", no_argument, NULL, 'j'},
        {"no-private", no_argument, NULL, 'p'},
        {"request", required_argument, NULL, 'X'},
        {"upstream", required_argument, NULL, 'u'},
        {"verbose", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0}};
    static struct audit_options options;
    struct say say = {.tty = isatty(STDERR_FILENO) == 1};
    bool json = false;
    int option, index = -1;
    enum url_err err;

    memset(&options, 0, sizeof(options));
    options.method = "GET";
    optind = 0;
    while ((option = getopt_long(argc, argv, "hkvX:", longs, &index)) != -1) {
        if (option == '?' ||
            (index >= 0 && !command_is_exact(argv, longs[index].name)) ||
            (option == 'X' && !is_method(optarg)) ||
            (option == 'u' && options.upstream_len == AUDIT_UPSTREAMS_MAX))
            return command_misused("show");
        index = -1;
        if (option == 'h') {
            fputs(help, stdout);
            return CLIENT_EXIT_OK;
        }
        if (option == 'c')
            options.cacert = optarg;
        if (option == 'X')
            options.method = optarg;
        if (option == 'u' && add_upstream(&options, optarg) != URL_OK)
            return CLIENT_EXIT_URL;
        options.insecure = options.insecure || option == 'k';
        options.no_private = options.no_private || option == 'p';
        say.verbose = say.verbose || option == 'v';
        json = json || option == 'j';
    }
    if (optind + 1 != argc)
        return command_misused("show");
    err = url_parse(&options.url, argv[optind]);
    if (err != URL_OK) {
        say_error("%.200s: %s", argv[optind], url_err_text(err));
        return CLIENT_EXIT_URL;
    }
    return run(&options, &say, json);
}
