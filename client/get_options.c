/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the command line of `x402 get`. */
#include <ctype.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "command.h"
#include "get_options.h"
#include "money.h"
#include "retry.h"

#include <x402/encode.h>

enum {
    OPT_BINARY = 256,
    OPT_BUDGET,
    OPT_CACERT,
    OPT_DRY_RUN,
    OPT_JSON,
    OPT_KEY_FILE,
    OPT_MAX_AMOUNT,
    OPT_MAX_FEE,
    OPT_MAX_SATS,
    OPT_NETWORK,
    OPT_NEW_PAYMENT,
    OPT_NO_PRIVATE,
    OPT_PASSWORD_FILE,
    OPT_PAY_TO,
    OPT_RAIL,
    OPT_RESOURCE_ORIGIN,
    OPT_RESUME,
    OPT_RETRY,
    OPT_RETRY_DELAY,
    OPT_SAT_BUDGET,
    OPT_UPTO,
    OPT_WALLET,
    OPT_WIRE,
};

static const struct option longs[] = {
    {"cacert", required_argument, NULL, OPT_CACERT},
    {"data", required_argument, NULL, 'd'},
    {"data-binary", required_argument, NULL, OPT_BINARY},
    {"fail", no_argument, NULL, 'f'},
    {"head", no_argument, NULL, 'I'},
    {"header", required_argument, NULL, 'H'},
    {"help", no_argument, NULL, 'h'},
    {"include", no_argument, NULL, 'i'},
    {"insecure", no_argument, NULL, 'k'},
    {"location", no_argument, NULL, 'L'},
    {"max-time", required_argument, NULL, 'm'},
    {"output", required_argument, NULL, 'o'},
    {"request", required_argument, NULL, 'X'},
    {"silent", no_argument, NULL, 's'},
    {"verbose", no_argument, NULL, 'v'},
    {"budget", required_argument, NULL, OPT_BUDGET},
    {"dry-run", no_argument, NULL, OPT_DRY_RUN},
    {"json", no_argument, NULL, OPT_JSON},
    {"key-file", required_argument, NULL, OPT_KEY_FILE},
    {"max-amount", required_argument, NULL, OPT_MAX_AMOUNT},
    {"max-fee", required_argument, NULL, OPT_MAX_FEE},
    {"max-sats", required_argument, NULL, OPT_MAX_SATS},
    {"network", required_argument, NULL, OPT_NETWORK},
    {"new-payment", no_argument, NULL, OPT_NEW_PAYMENT},
    {"no-private", no_argument, NULL, OPT_NO_PRIVATE},
    {"password-file", required_argument, NULL, OPT_PASSWORD_FILE},
    {"pay-to", required_argument, NULL, OPT_PAY_TO},
    {"rail", required_argument, NULL, OPT_RAIL},
    {"resource-origin", required_argument, NULL, OPT_RESOURCE_ORIGIN},
    {"resume", no_argument, NULL, OPT_RESUME},
    {"retry", required_argument, NULL, OPT_RETRY},
    {"retry-delay", required_argument, NULL, OPT_RETRY_DELAY},
    {"sat-budget", required_argument, NULL, OPT_SAT_BUDGET},
    {"upto", no_argument, NULL, OPT_UPTO},
    {"wallet", required_argument, NULL, OPT_WALLET},
    {"wire", required_argument, NULL, OPT_WIRE},
    {NULL, 0, NULL, 0}};

/* "1.5" seconds as milliseconds; no floating point. */
static bool
read_seconds(uint64_t *out_ms, const char *text)
{
    struct x402_amount ms;

    return x402_amount_parse_decimal(&ms, x402_span_of(text), 3) == X402_OK &&
           x402_amount_u64(out_ms, &ms) && *out_ms <= 86400000;
}

static bool
read_count(unsigned *out, const char *text)
{
    struct x402_amount count;
    uint64_t value;

    if (x402_amount_parse(&count, x402_span_of(text)) != X402_OK ||
        !x402_amount_u64(&value, &count) || value > 100)
        return false;
    *out = (unsigned)value;
    return true;
}

static bool
is_token(const char *text, size_t len)
{
    if (len == 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (!isalnum(c) && strchr("!#$%&'*+-.^_`|~", c) == NULL)
            return false;
    }
    return true;
}

static bool
add_header(struct get_options *out, const char *text)
{
    static const char *const ours[] = {"payment-signature", "x-payment"};
    size_t name = strcspn(text, ":;");

    if (out->fetch.headers_len == FETCH_HEADERS_MAX ||
        strpbrk(text, "\r\n") != NULL || !is_token(text, name) ||
        text[name] == '\0')
        return false;
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        /* a request that carries a payment already must not get a second */
        if (strlen(ours[i]) == name && strncasecmp(text, ours[i], name) == 0)
            return false;
    }
    out->headers[out->fetch.headers_len++] = text;
    return true;
}

static bool
read_wire(enum x402_wire *out, const char *text)
{
    static const struct {
        const char *name;
        enum x402_wire wire;
    } names[] = {{"v2", X402_WIRE_V2},
                 {"v1", X402_WIRE_V1},
                 {"seed000", X402_WIRE_SEED000},
                 {"seed001", X402_WIRE_SEED001}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(text, names[i].name) == 0) {
            *out = names[i].wire;
            return true;
        }
    }
    return false;
}

static bool
set_method(struct get_options *out, const char *text)
{
    size_t len = strlen(text);

    if (len >= sizeof(out->method) || !is_token(text, len))
        return false;
    memcpy(out->method, text, len + 1);
    return true;
}

static bool
set_retry(struct fetch_options *fetch, const char *text)
{
    if (!read_count(&fetch->retry.failures, text))
        return false;
    if (fetch->retry.failures == 0)
        fetch->retry.waits = 0;
    return true;
}

static bool
set_rail(struct fetch_options *fetch, const char *text)
{
    fetch->lightning = strcmp(text, "lightning") == 0;
    return fetch->lightning || strcmp(text, "usdc") == 0;
}

/* An address of the one rail or a node of the other. */
static bool
set_payee(struct fetch_options *fetch, const char *text)
{
    struct x402_span span = x402_span_of(text);

    if (x402_hex_decode_bare(fetch->ln.payee, X402_NODE_LEN, span) == X402_OK)
        return fetch->ln.pin_payee = true;
    fetch->policy.pin_payee = true;
    return x402_address_parse_checked(&fetch->policy.payee, span) == X402_OK;
}

/* The options about satoshis. */
static bool
apply_lightning(struct fetch_options *fetch, int option, const char *text)
{
    struct x402_span span = x402_span_of(text);

    switch (option) {
    case OPT_MAX_FEE:
        return x402_msat_parse_price(&fetch->ln.max_fee, span) == X402_OK;
    case OPT_MAX_SATS:
        return x402_msat_parse_price(&fetch->ln.max, span) == X402_OK;
    case OPT_RAIL:
        return set_rail(fetch, text);
    case OPT_SAT_BUDGET:
        return ln_budget_parse(&fetch->ln.budget[1], span) == X402_OK;
    default:
        return false;
    }
}

/* The options about money. */
static bool
apply_money(struct get_options *out, int option, const char *text)
{
    struct fetch_options *fetch = &out->fetch;
    struct url url;

    switch (option) {
    case OPT_BUDGET:
        return budget_parse(&fetch->limits.budget[1], x402_span_of(text)) ==
               X402_OK;
    case OPT_MAX_AMOUNT:
        return money_parse(&fetch->policy.max, x402_span_of(text)) == X402_OK;
    case OPT_NETWORK:
        return config_parse_networks(fetch->policy.networks,
                                     &fetch->policy.networks_len,
                                     x402_span_of(text));
    case OPT_PAY_TO:
        return set_payee(fetch, text);
    case OPT_RESOURCE_ORIGIN:
        fetch->policy.resource_origin = text;
        return url_parse(&url, text) == URL_OK;
    case OPT_WIRE:
        return read_wire(&fetch->policy.wire, text);
    case OPT_RETRY:
        return set_retry(fetch, text);
    case OPT_RETRY_DELAY:
        return read_seconds(&fetch->retry.delay_ms, text);
    default:
        return apply_lightning(fetch, option, text);
    }
}

/* Options without an argument. */
static bool
apply_flag(struct get_options *out, int option)
{
    struct fetch_options *fetch = &out->fetch;

    switch (option) {
    case 'f':
        return fetch->fail = true;
    case 'h':
        return out->help = true;
    case 'I':
        return out->include = set_method(out, "HEAD");
    case 'i':
        return out->include = true;
    case 'k':
        return fetch->insecure = true;
    case 'L':
        return fetch->follow = true;
    case 's':
        return out->say.quiet = true;
    case 'v':
        return out->say.verbose = true;
    case OPT_DRY_RUN:
        return fetch->dry_run = true;
    case OPT_UPTO:
        return fetch->policy.upto = true;
    case OPT_JSON:
        return out->json = true;
    case OPT_NEW_PAYMENT:
        fetch->limits.earlier = PAY_EARLIER_IGNORE;
        return true;
    case OPT_NO_PRIVATE:
        return fetch->no_private = true;
    case OPT_RESUME:
        fetch->limits.earlier = PAY_EARLIER_RESUME;
        return true;
    default:
        return false;
    }
}

static bool
apply(struct get_options *out, int option, char *text)
{
    struct fetch_options *fetch = &out->fetch;

    if (text == NULL)
        return apply_flag(out, option);
    switch (option) {
    case 'd':
        fetch->has_body = true;
        return get_body_add(&out->body, text, false);
    case OPT_BINARY:
        fetch->has_body = true;
        return get_body_add(&out->body, text, true);
    case 'H':
        return add_header(out, text);
    case 'm':
        return read_seconds(&fetch->max_ms, text);
    case 'o':
        out->output = strcmp(text, "-") == 0 ? NULL : text;
        return true;
    case 'X':
        return set_method(out, text);
    case OPT_CACERT:
        fetch->cacert = text;
        return true;
    case OPT_KEY_FILE:
    case OPT_WALLET:
        fetch->wallet.file = text;
        return true;
    case OPT_PASSWORD_FILE:
        fetch->wallet.password_file = text;
        return true;
    default:
        return apply_money(out, option, text);
    }
}

static void
begin(struct get_options *out, const struct config *config)
{
    struct fetch_options *fetch = &out->fetch;

    memset(out, 0, sizeof(*out));
    out->body = blob_max(GET_BODY_MAX);
    out->say.tty = isatty(STDERR_FILENO);
    fetch->headers = out->headers;
    fetch->retry.failures = RETRY_FAILURES;
    fetch->retry.waits = RETRY_WAITS;
    fetch->retry.delay_ms = RETRY_DELAY_MS;
    fetch->ask = isatty(STDERR_FILENO) && isatty(STDIN_FILENO);
    fetch->policy.max = config->max_amount;
    memcpy(fetch->policy.networks, config->networks, sizeof(config->networks));
    fetch->policy.networks_len = config->networks_len;
    fetch->limits.budget[0] = config->budget;
    fetch->limits.host_budget = config->host_budget;
    fetch->ln = config->ln;
    fetch->lnd = config->lnd;
    if (config->wallet[0] != '\0')
        fetch->wallet.file = config->wallet;
}

/* What can only be said when all options are read. */
static enum client_exit
finish(struct get_options *out, const char *url)
{
    struct fetch_options *fetch = &out->fetch;
    enum url_err err = url_parse(&fetch->url, url);

    if (err != URL_OK) {
        say_error("the URL is %s", url_err_text(err));
        return CLIENT_EXIT_URL;
    }
    if (fetch->insecure && !fetch->url.loopback) {
        say_error("-k is for this machine only: who can read the payment can "
                  "take the answer");
        return CLIENT_EXIT_USAGE;
    }
    if (fetch->lightning ? fetch->policy.pin_payee : fetch->ln.pin_payee) {
        say_error("--pay-to names a payee of another rail");
        return CLIENT_EXIT_USAGE;
    }
    if (out->method[0] == '\0')
        (void)set_method(out, fetch->has_body ? "POST" : "GET");
    fetch->method = out->method;
    fetch->body = blob_span(&out->body);
    return CLIENT_EXIT_OK;
}

enum client_exit
get_options_read(struct get_options *out, const struct config *config, int argc,
                 char **argv)
{
    int option, index = -1;

    begin(out, config);
    optind = 0; /* start anew after main's own look at argv */
    while ((option = getopt_long(argc, argv, "d:fhH:iIkLm:o:svX:", longs,
                                 &index)) != -1) {
        if (option == '?' ||
            (index >= 0 && !command_is_exact(argv, longs[index].name)))
            return CLIENT_EXIT_USAGE;
        index = -1;
        if (!apply(out, option, optarg)) {
            if (option == 'd' || option == OPT_BINARY)
                return CLIENT_EXIT_READ;
            say_error("'%.200s' is no value for this option",
                      optarg == NULL ? "" : optarg);
            return CLIENT_EXIT_USAGE;
        }
    }
    if (out->help)
        return CLIENT_EXIT_OK;
    if (argc - optind != 1) {
        say_error("one URL is needed");
        return CLIENT_EXIT_USAGE;
    }
    return finish(out, argv[optind]);
}

void
get_options_free(struct get_options *options)
{
    blob_free(&options->body);
}
