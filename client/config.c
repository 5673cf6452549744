/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the configuration file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "config_file.h"
#include "money.h"

static bool
lightning_defaults(struct config *out)
{
    out->lnd.network = X402_LN_MAINNET;
    return x402_msat_of_sat(&out->ln.max, 1000) == X402_OK &&
           x402_msat_of_sat(&out->ln.max_fee, 10) == X402_OK &&
           ln_budget_parse(&out->ln.budget[0], x402_span_of("10000 sat/day")) ==
               X402_OK;
}

static bool
defaults(struct config *out)
{
    memset(out, 0, sizeof(*out));
    if (!paths_wallet(out->wallet))
        out->wallet[0] = '\0';
    return money_parse(&out->max_amount, x402_span_of("0.10")) == X402_OK &&
           budget_parse(&out->budget, x402_span_of("10.00/day")) == X402_OK &&
           lightning_defaults(out) &&
           config_parse_networks(out->networks, &out->networks_len,
                                 x402_span_of("base, base-sepolia"));
}

bool
config_parse_networks(const struct x402_network **out, size_t *len,
                      struct x402_span text)
{
    size_t count = 0;

    while (text.len > 0) {
        const char *comma = memchr(text.at, ',', text.len);
        size_t used = comma == NULL ? text.len : (size_t)(comma - text.at);
        const struct x402_network *network =
            x402_network_by_any(config_trim((struct x402_span){text.at, used}));

        if (network == NULL || count == POLICY_NETWORKS_MAX)
            return false;
        out[count++] = network;
        used += comma == NULL ? 0 : 1;
        text.at += used;
        text.len -= used;
    }
    *len = count;
    return count > 0;
}

static bool
set_text(char *out, size_t cap, struct x402_span value)
{
    if (value.len == 0 || value.len >= cap)
        return false;
    memcpy(out, value.at, value.len);
    out[value.len] = '\0';
    return true;
}

static bool
set_rpc(struct config *out, struct x402_span name, struct x402_span value)
{
    struct config_rpc *rpc = &out->rpc[out->rpc_len];

    if (out->rpc_len == CONFIG_RPC_MAX)
        return false;
    rpc->network = x402_network_by_any(name);
    if (rpc->network == NULL || !set_text(rpc->url, sizeof(rpc->url), value))
        return false;
    out->rpc_len++;
    return true;
}

/* What concerns Lightning; false: none of its keys, or a wrong value. */
static bool
apply_lightning(struct config *out, struct x402_span key,
                struct x402_span value)
{
    if (x402_span_eq(key, x402_span_of("lnd.url")))
        return set_text(out->lnd.url, sizeof(out->lnd.url), value);
    if (x402_span_eq(key, x402_span_of("lnd.cert")))
        return set_text(out->lnd.cert, sizeof(out->lnd.cert), value);
    if (x402_span_eq(key, x402_span_of("lnd.macaroon")))
        return set_text(out->lnd.macaroon, sizeof(out->lnd.macaroon), value);
    if (x402_span_eq(key, x402_span_of("lnd.network")))
        return x402_ln_by_name(&out->lnd.network, value) == X402_OK &&
               x402_ln_caip2(out->lnd.network) != NULL;
    if (x402_span_eq(key, x402_span_of("max-sats")))
        return x402_msat_parse_price(&out->ln.max, value) == X402_OK;
    if (x402_span_eq(key, x402_span_of("max-fee")))
        return x402_msat_parse_price(&out->ln.max_fee, value) == X402_OK;
    if (x402_span_eq(key, x402_span_of("sat-budget")))
        return ln_budget_parse(&out->ln.budget[0], value) == X402_OK;
    return false;
}

/* One line; false: unknown key or a value that does not read. */
static bool
apply(struct config *out, struct x402_span key, struct x402_span value)
{
    static const char rpc[] = "rpc.";

    if (x402_span_eq(key, x402_span_of("wallet")))
        return set_text(out->wallet, sizeof(out->wallet), value);
    if (x402_span_eq(key, x402_span_of("bazaar")))
        return set_text(out->bazaar, sizeof(out->bazaar), value);
    if (x402_span_eq(key, x402_span_of("max-amount")))
        return money_parse(&out->max_amount, value) == X402_OK;
    if (x402_span_eq(key, x402_span_of("budget")))
        return budget_parse(&out->budget, value) == X402_OK;
    if (x402_span_eq(key, x402_span_of("host-budget")))
        return budget_parse(&out->host_budget, value) == X402_OK;
    if (x402_span_eq(key, x402_span_of("networks")))
        return config_parse_networks(out->networks, &out->networks_len, value);
    if (key.len > strlen(rpc) && memcmp(key.at, rpc, strlen(rpc)) == 0)
        return set_rpc(
            out,
            (struct x402_span){key.at + strlen(rpc), key.len - strlen(rpc)},
            value);
    return apply_lightning(out, key, value);
}

static bool
read_lines(struct config *out, const char *path, struct x402_span text,
           char error[CONFIG_ERROR_MAX])
{
    struct x402_span key, value;
    unsigned number = 0;

    while (text.len > 0) {
        struct x402_span line = config_next_line(&text);
        enum config_line kind = config_split_line(&key, &value, line);

        number++;
        if (kind == CONFIG_LINE_EMPTY)
            continue;
        if (kind == CONFIG_LINE_BAD || !apply(out, key, value)) {
            (void)snprintf(error, CONFIG_ERROR_MAX,
                           "%.300s:%u: unknown key or wrong value", path,
                           number);
            return false;
        }
    }
    return true;
}

bool
config_load(struct config *out, char error[CONFIG_ERROR_MAX])
{
    static char text[CONFIG_FILE_MAX];
    char path[PATHS_MAX];
    size_t len;

    if (!defaults(out)) {
        (void)snprintf(error, CONFIG_ERROR_MAX, "the defaults do not read");
        return false;
    }
    if (!paths_config(path))
        return true; /* no HOME: options alone */
    if (!config_read_file(text, &len, path)) {
        if (errno == ENOENT)
            return true;
        (void)snprintf(error, CONFIG_ERROR_MAX, "%.300s: %s", path,
                       strerror(errno));
        return false;
    }
    return read_lines(out, path, (struct x402_span){text, len}, error);
}

const char *
config_rpc_url(const struct config *config, const struct x402_network *network)
{
    for (size_t i = 0; i < config->rpc_len; i++) {
        if (config->rpc[i].network->chain_id == network->chain_id)
            return config->rpc[i].url;
    }
    return NULL;
}
