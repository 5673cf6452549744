/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of x402d ledger: one set of options for all of its commands.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <x402/encode.h>
#include <x402/network.h>

#include "tools.h"

#define DEFAULT_CONFIG "/etc/x402d/x402d.yaml"

int
tool_misused(const char *format, ...)
{
    va_list args;

    fputs("x402d ledger: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs("\nTry: x402d ledger --help\n", stderr);
    return TOOL_USAGE;
}

/* -- values -- */

/** "90m", "24h", "7d": so long ago. */
static bool
read_ago(uint64_t *out_ms, const char *text)
{
    static const struct {
        char unit;
        uint64_t ms;
    } units[] = {{'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    uint64_t now_ms = core_now_ms();

    if (end == text || *end == '\0' || end[1] != '\0' || n > 100000 ||
        text[0] == '-' || text[0] == '+')
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (*end == units[i].unit && n * units[i].ms <= now_ms) {
            *out_ms = now_ms - n * units[i].ms;
            return true;
        }
    }
    return false;
}

/** "2026-11-21" or "2026-11-21T10:00:00Z" */
static bool
read_date(uint64_t *out_ms, const char *text)
{
    static const char *const formats[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"};

    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct tm tm;
        const char *end;
        time_t seconds;

        memset(&tm, 0, sizeof(tm));
        end = strptime(text, formats[i], &tm);
        seconds = timegm(&tm);
        if (end != NULL && *end == '\0' && seconds >= 0) {
            *out_ms = (uint64_t)seconds * 1000;
            return true;
        }
    }
    return false;
}

static bool
read_time(uint64_t *out_ms, const char *name, const char *text)
{
    if (read_ago(out_ms, text) || read_date(out_ms, text))
        return true;
    tool_misused("--%s %.60s: write a day (2026-11-21), a time "
                 "(2026-11-21T10:00:00Z), or how long ago (90m, 24h, 7d)",
                 name, text);
    return false;
}

static bool
read_number(uint64_t *out, const char *name, const char *text)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);
    if (text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0)
        return true;
    tool_misused("--%s %.60s: write a whole number", name, text);
    return false;
}

static bool
read_address(struct x402_address *out, const char *name, const char *text)
{
    if (x402_address_parse(out, x402_span_of(text)) == X402_OK)
        return true;
    tool_misused("--%s %.60s: write an address, 0x and 40 hex digits", name,
                 text);
    return false;
}

static bool
read_states(unsigned *out, const char *text)
{
    char name[16];

    while (*text != '\0') {
        size_t len = strcspn(text, ",");

        snprintf(name, sizeof(name), "%.*s", (int)len, text);
        if (len >= sizeof(name) || tool_state_bits(name) == 0) {
            tool_misused("--state %.60s: write reserved, released, captured, "
                         "submitted, mined, final, failed, or unsettled "
                         "(captured and submitted); several with commas",
                         text);
            return false;
        }
        *out |= tool_state_bits(name);
        text += len;
        text += *text == ',';
    }
    return true;
}

static bool
read_network(struct tool_options *out, const char *text)
{
    out->network = x402_network_by_any(x402_span_of(text));
    if (out->network == NULL) {
        tool_misused("--network %.60s: not a network we know", text);
        return false;
    }
    out->filter.chain_id = out->network->chain_id;
    return true;
}

/* -- the options -- */

enum {
    OPT_CONFIG = 256,
    OPT_LEDGER,
    OPT_STATE,
    OPT_NETWORK,
    OPT_PAYEE,
    OPT_PAYER,
    OPT_SINCE,
    OPT_UNTIL,
    OPT_LIMIT,
    OPT_FROM,
    OPT_TO,
    OPT_CSV,
    OPT_JSON,
};

static const struct option longs[] = {
    {"config", required_argument, NULL, OPT_CONFIG},
    {"ledger", required_argument, NULL, OPT_LEDGER},
    {"state", required_argument, NULL, OPT_STATE},
    {"network", required_argument, NULL, OPT_NETWORK},
    {"payee", required_argument, NULL, OPT_PAYEE},
    {"payer", required_argument, NULL, OPT_PAYER},
    {"since", required_argument, NULL, OPT_SINCE},
    {"until", required_argument, NULL, OPT_UNTIL},
    {"limit", required_argument, NULL, OPT_LIMIT},
    {"from-block", required_argument, NULL, OPT_FROM},
    {"to-block", required_argument, NULL, OPT_TO},
    {"csv", no_argument, NULL, OPT_CSV},
    {"json", no_argument, NULL, OPT_JSON},
    {NULL, 0, NULL, 0},
};

struct reading {
    struct tool_options *out;
    const char *config_file;
};

static bool
take(struct reading *r, int option)
{
    struct tool_options *out = r->out;

    switch (option) {
    case OPT_CONFIG:
        r->config_file = optarg;
        return true;
    case OPT_LEDGER:
        out->ledger_file = optarg;
        return true;
    case OPT_STATE:
        return read_states(&out->filter.states, optarg);
    case OPT_NETWORK:
        return read_network(out, optarg);
    case OPT_PAYEE:
        out->filter.payee = &out->payee;
        return read_address(&out->payee, "payee", optarg);
    case OPT_PAYER:
        out->filter.payer = &out->payer;
        return read_address(&out->payer, "payer", optarg);
    case OPT_SINCE:
        return read_time(&out->filter.since_ms, "since", optarg);
    case OPT_UNTIL:
        return read_time(&out->filter.until_ms, "until", optarg);
    case OPT_LIMIT:
        return read_number(&out->filter.limit, "limit", optarg);
    case OPT_FROM:
        out->has_from = true;
        return read_number(&out->from_block, "from-block", optarg);
    case OPT_TO:
        out->has_to = true;
        return read_number(&out->to_block, "to-block", optarg);
    case OPT_CSV:
    case OPT_JSON:
        out->format = option == OPT_CSV ? TOOL_CSV : TOOL_JSON;
        out->has_format = true;
        return true;
    }
    tool_misused("see above");
    return false;
}

static bool
load_config(struct reading *r)
{
    struct tool_options *out = r->out;
    char error[1024];

    if (out->ledger_file != NULL && r->config_file == NULL)
        return true;
    if (out->ledger_file != NULL) {
        tool_misused("write either --config or --ledger");
        return false;
    }
    out->config =
        config_load(r->config_file != NULL ? r->config_file : DEFAULT_CONFIG,
                    error, sizeof(error));
    if (out->config == NULL) {
        fprintf(stderr, "x402d: %s\n", error);
        return false;
    }
    out->ledger_file = out->config->ledger_file;
    return true;
}

bool
tool_options_read(struct tool_options *out, int argc, char **argv)
{
    struct reading r = {out, NULL};
    int option;

    memset(out, 0, sizeof(*out));
    optind = 0; /* anew: main has looked at the line before */
    while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (!take(&r, option))
            return false;
    }
    if (argc - optind > 1) {
        tool_misused("one thing at a time");
        return false;
    }
    if (argc - optind == 1)
        out->subject = argv[optind];
    return load_config(&r);
}

void
tool_options_free(struct tool_options *options)
{
    config_free(options->config);
}

struct ledger_view *
tool_open(const struct tool_options *options, bool to_change)
{
    char error[1024];
    struct ledger_view *view =
        ledger_view_open(options->ledger_file, to_change, error, sizeof(error));

    if (view == NULL)
        fprintf(stderr, "x402d: %s\n", error);
    return view;
}
