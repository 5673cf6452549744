/* SPDX-License-Identifier: Apache-2.0 */
/* x402 discover: what can be bought. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <x402/network.h>

#include "command.h"
#include "discover.h"
#include "exit.h"
#include "money.h"

static const char help[] =
    "x402 discover [options] QUERY - what can be bought; nothing is paid\n"
    "\n"
    "Asks a Bazaar (the catalogue of an x402 facilitator) for resources.  "
    "What\n"
    "it says of them was written by their sellers.  'x402 show URL' asks the\n"
    "resource itself.\n"
    "\n"
    "      --bazaar URL        which one; or 'bazaar = URL' in the "
    "configuration\n"
    "      --network NAME      only what can be paid there: base, eip155:8453\n"
    "      --max-amount 0.05   only what costs at most so many dollars\n"
    "      --limit N           at most so many, 1 to 100 (default 20)\n"
    "      --json              for scripts: the resources, one array\n"
    "      --cacert FILE       trust these authorities instead\n"
    "  -k, --insecure          for this machine's own addresses only\n"
    "      --no-private        never connect to addresses inside networks\n"
    "  -v, --verbose\n"
    "\n"
    "exit codes: 0 found, 1 nothing found, 2 usage, others as curl\n"
    "\n"
    "examples:\n"
    "  x402 discover --bazaar https://facilitator.example.com weather\n"
    "  x402 discover --network base --max-amount 0.01 translate text\n"
    "  x402 discover --json weather | jq -r '.[].resource'\n";

enum { EXIT_NOTHING = 1 };

struct command {
    struct discover_options options;
    char query[512];
    const char *bazaar;
    bool json;
    struct say say;
};

/* -- options -- */

static bool
take_network(struct command *c, const char *text)
{
    const struct x402_network *network =
        x402_network_by_any(x402_span_of(text));

    if (network == NULL) {
        say_error("--network %.64s: this client knows no such network", text);
        return false;
    }
    c->options.network = network->caip2;
    return true;
}

static bool
take_price(struct command *c, const char *text)
{
    struct x402_amount amount;

    if (x402_amount_parse_decimal(&amount, x402_span_of(text), 6) != X402_OK) {
        say_error("--max-amount %.64s: write dollars, such as 0.05", text);
        return false;
    }
    c->options.max_price = text;
    return true;
}

static bool
take_limit(struct command *c, const char *text)
{
    size_t len = strspn(text, "0123456789");

    c->options.limit = len > 0 && len < 4 && text[len] == '\0'
                           ? (unsigned)strtoul(text, NULL, 10)
                           : 0;
    if (c->options.limit >= 1 && c->options.limit <= 100)
        return true;
    say_error("--limit %.64s: write a number from 1 to 100", text);
    return false;
}

static bool
take(struct command *c, int option)
{
    switch (option) {
    case 'b':
        c->bazaar = optarg;
        return true;
    case 'n':
        return take_network(c, optarg);
    case 'm':
        return take_price(c, optarg);
    case 'l':
        return take_limit(c, optarg);
    case 'j':
        c->json = true;
        return true;
    case 'c':
        c->options.cacert = optarg;
        return true;
    case 'k':
        c->options.insecure = true;
        return true;
    case 'p':
        c->options.no_private = true;
        return true;
    default:
        c->say.verbose = true;
        return true;
    }
}

/* All words are one query. */
static bool
take_query(struct command *c, int argc, char **argv)
{
    size_t used = 0;

    for (int i = optind; i < argc; i++) {
        int len = snprintf(c->query + used, sizeof(c->query) - used, "%s%s",
                           i > optind ? " " : "", argv[i]);

        if (len < 0 || used + (size_t)len > 400) {
            say_error("the query may have 400 bytes");
            return false;
        }
        used += (size_t)len;
    }
    c->options.query = c->query;
    return true;
}

/* -- the command -- */

static int
find_bazaar(struct command *c)
{
    static struct config config; /* its texts outlive this function */
    enum url_err err;

    if (c->bazaar == NULL && !command_config(&config))
        return CLIENT_EXIT_USAGE;
    if (c->bazaar == NULL && config.bazaar[0] != '\0')
        c->bazaar = config.bazaar;
    if (c->bazaar == NULL) {
        say_error("which Bazaar? --bazaar URL, or 'bazaar = URL' in the "
                  "configuration");
        return CLIENT_EXIT_USAGE;
    }
    err = url_parse(&c->options.bazaar, c->bazaar);
    if (err == URL_OK)
        return CLIENT_EXIT_OK;
    say_error("%.200s: %s", c->bazaar, url_err_text(err));
    return CLIENT_EXIT_URL;
}

/* Everything but plain ASCII is escaped: nothing in it drives a terminal. */
static bool
print(const struct command *c, const json_t *resources)
{
    const json_t *resource;
    size_t i;

    if (c->json)
        return json_dumpf(resources, stdout,
                          JSON_COMPACT | JSON_ENSURE_ASCII) == 0 &&
               putchar('\n') != EOF;
    json_array_foreach(resources, i, resource) discover_print(resource);
    return true;
}

static int
run(struct command *c)
{
    char error[DISCOVER_ERROR_MAX];
    int code = find_bazaar(c);
    json_t *answer;
    bool written, found;

    if (code != CLIENT_EXIT_OK)
        return code;
    answer = discover(&c->options, &c->say, &code, error);
    if (answer == NULL) {
        say_error("%s", error);
        return code;
    }
    found = json_array_size(json_object_get(answer, "resources")) != 0;
    written = print(c, json_object_get(answer, "resources"));
    if (!found)
        say_note(&c->say, "nothing found");
    if (json_is_true(json_object_get(answer, "partialResults")))
        say_note(&c->say, "there is more: say it more exactly, or raise "
                          "--limit");
    json_decref(answer);
    if (!written || fflush(stdout) != 0)
        return CLIENT_EXIT_WRITE;
    return found ? CLIENT_EXIT_OK : EXIT_NOTHING;
}

int
command_discover(int argc, char **argv)
{
    static const struct option longs[] = {
        {"bazaar", required_argument, NULL, 'b'},
        {"cacert", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {"insecure", no_argument, NULL, 'k'},
        {"json", no_argument, NULL, 'j'},
        {"limit", required_argument, NULL, 'l'},
        {"max-amount", required_argument, NULL, 'm'},
        {"network", required_argument, NULL, 'n'},
        {"no-private", no_argument, NULL, 'p'},
        {"verbose", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0}};
    struct command c = {.options = {.limit = 20},
                        .say = {.tty = isatty(STDERR_FILENO) == 1}};
    int option, index = -1;

    optind = 0;
    while ((option = getopt_long(argc, argv, "hkv", longs, &index)) != -1) {
        if (option == '?' ||
            (index >= 0 && !command_is_exact(argv, longs[index].name)))
            return command_misused("discover");
        index = -1;
        if (option == 'h') {
            fputs(help, stdout);
            return CLIENT_EXIT_OK;
        }
        if (!take(&c, option))
            return CLIENT_EXIT_USAGE;
    }
    if (optind == argc)
        return command_misused("discover");
    if (!take_query(&c, argc, argv))
        return CLIENT_EXIT_USAGE;
    return run(&c);
}
