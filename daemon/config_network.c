/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration's networks and payees, checked against the table of
 * libx402: a network that is not in it cannot be paid on. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <x402/address.h>
#include <x402/network.h>

#include "config_check.h"

const char *
config_place(char out[CONFIG_PLACE_MAX],
             const struct config_checking_network *n, const char *tail, ...)
{
    va_list args;
    int used = snprintf(out, CONFIG_PLACE_MAX, "networks[%u]", n->index);

    va_start(args, tail);
    vsnprintf(out + used, CONFIG_PLACE_MAX - (size_t)used, tail, args);
    va_end(args);
    return out;
}

static const struct x402_network *
take_network(struct config_checking *c, const char *place, const char *text)
{
    const struct x402_network *network =
        x402_network_by_any(x402_span_of(text));

    if (network == NULL)
        config_complain(c->reading, place,
                        "\"%.80s\" is not a network we know; write its CAIP-2 "
                        "id, such as eip155:8453 (Base) or eip155:84532 (Base "
                        "Sepolia)",
                        text);
    return network;
}

bool
config_take_address(struct config_checking *c, const char *place,
                    const char *text, struct x402_address *out)
{
    enum x402_err err = x402_address_parse_checked(out, x402_span_of(text));
    struct x402_address lower;

    if (err == X402_OK && !x402_address_is_zero(out))
        return true;
    if (err == X402_OK)
        return config_complain(c->reading, place,
                               "the zero address: what is sent there is lost");
    if (x402_address_parse(&lower, x402_span_of(text)) == X402_OK)
        return config_complain(
            c->reading, place,
            "\"%.80s\" has a wrong checksum (EIP-55): a digit is wrong or "
            "missing; copy it again",
            text);
    return config_complain(c->reading, place,
                           "\"%.80s\" is not an address; write 0x and 40 hex "
                           "digits, in quotes",
                           text);
}

/* -- rpc -- */

/** http(s)://something, printable.  Its text is never shown: it may hold an
 * API key. */
bool
config_is_url(const char *text)
{
    size_t scheme = strncmp(text, "https://", 8) == 0  ? 8
                    : strncmp(text, "http://", 7) == 0 ? 7
                                                       : 0;

    if (scheme == 0 || strchr("/:?#@", text[scheme]) != NULL)
        return false;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~' || strchr("\"<>\\^`{|}", *at) != NULL)
            return false;
    }
    return true;
}

static bool
check_rpc(const struct config_checking_network *n)
{
    char place[CONFIG_PLACE_MAX];

    if (n->in->rpc_count == 0 && n->in->facilitator == NULL)
        return config_complain(n->c->reading, config_place(place, n, ".rpc"),
                               "write rpc, the node's URL; only a network with "
                               "a facilitator can do without");
    for (unsigned i = 0; i < n->in->rpc_count; i++) {
        config_place(place, n, ".rpc[%u]", i);
        if (!config_is_url(n->in->rpc[i]))
            return config_complain(n->c->reading, place,
                                   "write the node's URL, beginning http:// or "
                                   "https://");
        n->out->rpc[i] = config_keep(n->c, n->in->rpc[i]);
        if (n->out->rpc[i] == NULL)
            return config_complain(n->c->reading, place, "out of memory");
        n->out->rpc_len = i + 1;
    }
    return true;
}

/* -- signers -- */

static bool
is_same_key(const struct config_key *a, const struct config_key *b)
{
    const char *x = a->key_file != NULL ? a->key_file : a->keystore_file;
    const char *y = b->key_file != NULL ? b->key_file : b->keystore_file;

    return strcmp(x, y) == 0;
}

static bool
take_signer(const struct config_checking_network *n, const char *place,
            const struct file_signer *in, struct config_key *out)
{
    bool raw = in->key_file != NULL && in->keystore == NULL &&
               in->password_file == NULL;
    bool v3 = in->key_file == NULL && in->keystore != NULL &&
              in->password_file != NULL;

    if (!raw && !v3)
        return config_complain(n->c->reading, place,
                               "write either key_file, or keystore and "
                               "password_file");
    if (raw)
        return config_take_path(n->c, place, in->key_file, &out->key_file);
    return config_take_path(n->c, place, in->keystore, &out->keystore_file) &&
           config_take_path(n->c, place, in->password_file,
                            &out->password_file);
}

static bool
check_signers(const struct config_checking_network *n)
{
    char place[CONFIG_PLACE_MAX];

    for (unsigned i = 0; i < n->in->signers_count; i++) {
        struct config_key *out = &n->out->signer[i];

        config_place(place, n, ".signers[%u]", i);
        if (!take_signer(n, place, &n->in->signers[i], out))
            return false;
        for (unsigned k = 0; k < i; k++) {
            if (is_same_key(&n->out->signer[k], out))
                return config_complain(n->c->reading, place,
                                       "the same key twice: each signer needs "
                                       "a key of its own");
        }
        n->out->signer_len = i + 1;
    }
    return true;
}

/* -- numbers -- */

static bool
check_numbers(const struct config_checking_network *n)
{
    const struct file_network *in = n->in;
    struct config_network *out = n->out;
    const struct {
        const char *key;
        const char *text;
        unsigned value; /* unless the file says another */
        unsigned min, max;
        unsigned *out;
    } rows[] = {
        {".rpc_timeout", in->rpc_timeout, 10000, 500, 60000,
         &out->rpc_timeout_ms},
        {".rpc_rate", in->rpc_rate, 0, 1, 100000, &out->rpc_rate},
        {".rpc_agree", in->rpc_agree, 0, 1, out->rpc_len > 1 ? 2 : 1,
         &out->rpc_agree},
        {".confirmations", in->confirmations, 2, 1, 1000, &out->confirmations},
        {".poll", in->poll, 1000, 50, 60000, &out->poll_ms},
        {".verify_reuse", in->verify_reuse, 2000, 0, 10000,
         &out->verify_reuse_ms},
        {".batch.max", in->batch ? in->batch->max : NULL, 100, 1, 500,
         &out->batch_max},
        {".batch.wait", in->batch ? in->batch->wait : NULL, 1000, 0, 60000,
         &out->batch_wait_ms},
    };
    char place[CONFIG_PLACE_MAX];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        *rows[i].out = rows[i].value;
        if (!config_take_unsigned(
                n->c, config_place(place, n, "%s", rows[i].key), rows[i].text,
                rows[i].min, rows[i].max, rows[i].out))
            return false;
    }
    return true;
}

static bool
check_fees(const struct config_checking_network *n)
{
    const struct file_fees *in = n->in->max_fee;
    char place[CONFIG_PLACE_MAX];

    n->out->max_fee_gwei = 500;
    n->out->max_fee_settlement_gwei = 0;
    return in == NULL ||
           (config_take_number(n->c, config_place(place, n, ".max_fee.per_gas"),
                               in->per_gas, 1, 1000000,
                               &n->out->max_fee_gwei) &&
            config_take_number(n->c,
                               config_place(place, n, ".max_fee.per_payment"),
                               in->per_payment, 1, 1000000000000,
                               &n->out->max_fee_settlement_gwei) &&
            config_take_number(n->c, config_place(place, n, ".max_fee.per_day"),
                               in->per_day, 1, 1000000000000,
                               &n->out->max_fee_day_gwei));
}

static bool
check_gift(const struct config_checking_network *n)
{
    const struct file_gift *in = n->in->approval_gas;
    struct config_network *out = n->out;
    char place[CONFIG_PLACE_MAX];

    if (in == NULL)
        return true;
    if (out->signer_len == 0)
        return config_complain(n->c->reading,
                               config_place(place, n, ".approval_gas"),
                               "there are no signers here to give it");
    return config_take_number(
               n->c, config_place(place, n, ".approval_gas.per_payer"),
               in->per_payer, 1, 1000000000000, &out->gift_payer_gwei) &&
           config_take_number(n->c,
                              config_place(place, n, ".approval_gas.per_day"),
                              in->per_day, out->gift_payer_gwei, 1000000000000,
                              &out->gift_day_gwei);
}

/* -- sections -- */

static bool
check_network(struct config_checking *c, unsigned index)
{
    struct config_checking_network n = {c, &c->file->networks[index],
                                        &c->config->network[index], index};
    const struct x402_network *network;
    char place[CONFIG_PLACE_MAX];

    config_place(place, &n, ".network");
    network = take_network(c, place, n.in->network);
    if (network == NULL)
        return false;
    if (config_network(c->config, network->chain_id) != NULL)
        return config_complain(c->reading, place, "%s stands here twice",
                               network->caip2);
    n.out->network = network;
    c->config->network_len = index + 1;
    return check_rpc(&n) && check_signers(&n) && config_check_facilitator(&n) &&
           config_check_assets(&n) && config_check_credit(&n) &&
           check_numbers(&n) && check_fees(&n) && check_gift(&n) &&
           config_check_factories(&n);
}

bool
config_check_networks(struct config_checking *c)
{
    for (unsigned i = 0; i < c->file->networks_count; i++) {
        if (!check_network(c, i))
            return false;
    }
    return true;
}

static bool
check_payee(struct config_checking *c, unsigned i)
{
    const struct file_payee *in = &c->file->payees[i];
    struct config_payee *out = &c->config->payee[i];
    char place[CONFIG_PLACE_MAX];

    snprintf(place, sizeof(place), "payees[%u].network", i);
    out->network = take_network(c, place, in->network);
    if (out->network == NULL)
        return false;
    if (config_network(c->config, out->network->chain_id) == NULL)
        return config_complain(c->reading, place,
                               "%s has no entry under networks",
                               out->network->caip2);
    snprintf(place, sizeof(place), "payees[%u].address", i);
    if (!config_take_address(c, place, in->address, &out->address))
        return false;
    if (x402_asset_by_address(out->network->chain_id, &out->address) != NULL)
        return config_complain(c->reading, place,
                               "this is the token's own address: what is sent "
                               "there is lost");
    if (config_is_payee(c->config, out->network->chain_id, &out->address))
        return config_complain(c->reading, place,
                               "this payee stands here "
                               "twice");
    c->config->payee_len = i + 1;
    return true;
}

bool
config_check_payees(struct config_checking *c)
{
    for (unsigned i = 0; i < c->file->payees_count; i++) {
        if (!check_payee(c, i))
            return false;
    }
    return true;
}
