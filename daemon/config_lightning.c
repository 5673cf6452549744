/* SPDX-License-Identifier: Apache-2.0 */
/* The lightning section: one LND node, its limits, what a bitcoin costs. */
#include <stdio.h>
#include <string.h>

#include "config_check.h"

#define RATE_DECIMALS 8

static bool
take_text(struct config_checking *c, const char *place, const char *text,
          const char **out)
{
    *out = config_keep(c, text);
    return *out != NULL || config_complain(c->reading, place, "out of memory");
}

/* Scheme, host and port: paths are ours to add. */
static bool
take_lnd(struct config_checking *c, const char *text)
{
    const char *host = text + strlen("https://");

    if (strncmp(text, "https://", 8) != 0 || *host == '\0' ||
        strpbrk(host, "/?#@ \t") != NULL)
        return config_complain(c->reading, "lightning.lnd",
                               "\"%.80s\": write where LND's REST listens, "
                               "such as https://127.0.0.1:8080",
                               text);
    return take_text(c, "lightning.lnd", text, &c->config->lightning.lnd);
}

static bool
take_network(struct config_checking *c, const char *text)
{
    enum x402_ln_network *out = &c->config->lightning.network;

    if (x402_ln_by_name(out, x402_span_of(text)) == X402_OK &&
        x402_ln_caip2(*out) != NULL)
        return true;
    return config_complain(c->reading, "lightning.network",
                           "\"%.40s\": write mainnet, testnet or regtest",
                           text);
}

/* Beside the ledger: whoever keeps one must keep the other. */
static bool
take_secret(struct config_checking *c, const char *text)
{
    char beside[4096];

    if (text != NULL)
        return config_take_path(c, "lightning.secret", text,
                                &c->config->lightning.secret_file);
    snprintf(beside, sizeof(beside), "%.4000s.lightning",
             c->config->ledger_file);
    return config_take_path(c, "lightning", beside,
                            &c->config->lightning.secret_file);
}

static bool
take_numbers(struct config_checking *c, const struct file_lightning *in)
{
    struct config_lightning *out = &c->config->lightning;
    const struct file_peer none = {NULL, NULL};
    const struct file_peer *peer = in->peer != NULL ? in->peer : &none;

    out->timeout_ms = 2000;
    out->outstanding_max = 1000;
    out->peer_per_minute = 30;
    out->peer_burst = 10;
    return config_take_unsigned(c, "lightning.timeout", in->timeout, 100, 10000,
                                &out->timeout_ms) &&
           config_take_unsigned(c, "lightning.outstanding", in->outstanding, 1,
                                100000, &out->outstanding_max) &&
           config_take_unsigned(c, "lightning.peer.per_minute",
                                peer->per_minute, 1, 60000,
                                &out->peer_per_minute) &&
           config_take_unsigned(c, "lightning.peer.burst", peer->burst, 1,
                                100000, &out->peer_burst);
}

static bool
take_switches(struct config_checking *c, const struct file_lightning *in)
{
    struct config_lightning *out = &c->config->lightning;

    return config_take_bool(c, "lightning.private_channels",
                            in->private_channels, &out->private_hints) &&
           config_take_bool(c, "lightning.invoice_only", in->invoice_only,
                            &out->invoice_only) &&
           config_take_bool(c, "lightning.admin_macaroon", in->admin_macaroon,
                            &out->admin_macaroon);
}

/* -- rate -- */

static bool
take_fixed(struct config_checking *c, const char *text)
{
    struct x402_amount amount;

    if (x402_amount_parse_decimal(&amount, x402_span_of(text), RATE_DECIMALS) ==
            X402_OK &&
        x402_amount_u64(&c->config->lightning.rate.fixed, &amount) &&
        c->config->lightning.rate.fixed > 0)
        return true;
    return config_complain(c->reading, "lightning.rate.fixed",
                           "\"%.40s\": write dollars for one bitcoin, such as "
                           "60000",
                           text);
}

static bool
take_source(struct config_checking *c, const struct file_rate *in)
{
    struct config_rate *out = &c->config->lightning.rate;

    out->max_age_s = 120;
    out->every_s = 30;
    if (strncmp(in->url, "https://", 8) != 0 &&
        strncmp(in->url, "http://", 7) != 0)
        return config_complain(c->reading, "lightning.rate.url",
                               "write an http or https URL");
    if (in->field == NULL)
        return config_complain(c->reading, "lightning.rate",
                               "a url needs a field: where in the JSON the "
                               "price stands, such as data.amount");
    if (!take_text(c, "lightning.rate.url", in->url, &out->url) ||
        !take_text(c, "lightning.rate.field", in->field, &out->field) ||
        !config_take_unsigned(c, "lightning.rate.max_age", in->max_age, 1,
                              86400, &out->max_age_s) ||
        !config_take_unsigned(c, "lightning.rate.every", in->every, 1, 3600,
                              &out->every_s))
        return false;
    if (out->every_s < out->max_age_s)
        return true;
    return config_complain(c->reading, "lightning.rate",
                           "max_age must be longer than every, or the rate is "
                           "stale most of the time");
}

static bool
take_rate(struct config_checking *c, const struct file_rate *in)
{
    if (in == NULL)
        return true;
    if ((in->fixed == NULL) == (in->url == NULL))
        return config_complain(c->reading, "lightning.rate",
                               "write either fixed or url");
    return in->fixed != NULL ? take_fixed(c, in->fixed) : take_source(c, in);
}

bool
config_check_lightning(struct config_checking *c)
{
    const struct file_lightning *in = c->file->lightning;
    struct config_lightning *out = &c->config->lightning;

    if (in == NULL)
        return true;
    if (c->config->till_socket == NULL)
        return config_complain(c->reading, "lightning",
                               "lightning needs a till: only the gateway "
                               "offers invoices");
    return take_lnd(c, in->lnd) && take_network(c, in->network) &&
           config_take_path(c, "lightning.macaroon", in->macaroon,
                            &out->macaroon_file) &&
           config_take_path(c, "lightning.cert", in->cert, &out->cert_file) &&
           take_secret(c, in->secret) && take_numbers(c, in) &&
           take_switches(c, in) && take_rate(c, in->rate);
}
