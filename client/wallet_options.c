/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the options of the wallet commands. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "wallet_options.h"

static const struct option longs[] = {
    {"from", required_argument, NULL, 'f'},
    {"json", no_argument, NULL, 'j'},
    {"key-file", required_argument, NULL, 'k'},
    {"network", required_argument, NULL, 'n'},
    {"password-file", required_argument, NULL, 'p'},
    {"rpc", required_argument, NULL, 'r'},
    {"scrypt-n", required_argument, NULL, 's'},
    {"wallet", required_argument, NULL, 'w'},
    {NULL, 0, NULL, 0}};

static bool
is_allowed(const char *allowed, const char *name)
{
    size_t len = strlen(name);
    const char *at = allowed;

    while ((at = strstr(at, name)) != NULL) {
        if ((at == allowed || at[-1] == ' ') &&
            (at[len] == ' ' || at[len] == '\0'))
            return true;
        at += len;
    }
    return false;
}

static bool
read_cost(uint64_t *out, const char *text)
{
    struct x402_amount n;

    return x402_amount_parse(&n, x402_span_of(text)) == X402_OK &&
           x402_amount_u64(out, &n);
}

static bool
apply(struct wallet_options *out, int option, const char *text)
{
    switch (option) {
    case 'f':
        out->from = text;
        return true;
    case 'j':
        return out->json = true;
    case 'k':
    case 'w':
        out->source.file = text;
        return true;
    case 'n':
        out->network = x402_network_by_any(x402_span_of(text));
        return out->network != NULL;
    case 'p':
        out->source.password_file = text;
        return true;
    case 'r':
        out->rpc = text;
        return true;
    case 's':
        return read_cost(&out->scrypt_n, text);
    default:
        return false;
    }
}

bool
wallet_options_read(struct wallet_options *out, const char *allowed, int argc,
                    char **argv)
{
    int option, index = -1;

    memset(out, 0, sizeof(*out));
    out->scrypt_n = KEYSTORE_SCRYPT_N;
    if (!command_config(&out->config))
        return false;
    optind = 0;
    while ((option = getopt_long(argc, argv, "", longs, &index)) != -1) {
        if (option == '?' || !command_is_exact(argv, longs[index].name) ||
            !is_allowed(allowed, longs[index].name)) {
            if (option != '?')
                say_error("--%s is no option here", longs[index].name);
            (void)command_misused("wallet");
            return false;
        }
        if (!apply(out, option, optarg)) {
            say_error("'%.100s' is no value for --%s", optarg,
                      longs[index].name);
            return false;
        }
    }
    if (optind != argc) {
        /* might be a key: it is not repeated */
        say_error("too many arguments");
        return false;
    }
    out->source.file = command_wallet_file(out->source.file, &out->config);
    return true;
}
