/* SPDX-License-Identifier: Apache-2.0 */
/* What a running daemon can take on, and what needs a restart: files, sockets,
 * nodes and keys were opened once. */
#include <string.h>

#include "config.h"

static bool
same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
same_signers(const struct config_network *a, const struct config_network *b)
{
    if (a->signer_len != b->signer_len)
        return false;
    for (size_t i = 0; i < a->signer_len; i++) {
        if (!same_text(a->signer[i].key_file, b->signer[i].key_file) ||
            !same_text(a->signer[i].keystore_file,
                       b->signer[i].keystore_file) ||
            !same_text(a->signer[i].password_file, b->signer[i].password_file))
            return false;
    }
    return true;
}

static bool
same_nodes(const struct config_network *a, const struct config_network *b)
{
    if (a->rpc_len != b->rpc_len || a->rpc_timeout_ms != b->rpc_timeout_ms ||
        a->rpc_rate != b->rpc_rate || a->rpc_agree != b->rpc_agree)
        return false;
    for (size_t i = 0; i < a->rpc_len; i++) {
        if (!same_text(a->rpc[i], b->rpc[i]))
            return false;
    }
    return true;
}

static bool
same_facilitator(const struct config_facilitator *a,
                 const struct config_facilitator *b)
{
    return same_text(a->url, b->url) && same_text(a->key_file, b->key_file) &&
           same_text(a->ca_file, b->ca_file) && a->verify_ms == b->verify_ms &&
           a->settle_ms == b->settle_ms && a->has_verifier == b->has_verifier &&
           x402_address_eq(&a->verifier, &b->verifier) &&
           a->inside_len == b->inside_len &&
           memcmp(a->inside, b->inside, a->inside_len * sizeof *a->inside) == 0;
}

static const char *
network_change(const struct config_network *a, const struct config_network *b)
{
    if (a->network != b->network)
        return "networks";
    if (!same_nodes(a, b))
        return "networks: rpc, rpc_timeout, rpc_rate or rpc_agree";
    if (!same_signers(a, b))
        return "networks: signers";
    if (!same_facilitator(&a->facilitator, &b->facilitator))
        return "networks: facilitator";
    return a->poll_ms == b->poll_ms ? NULL : "networks: poll";
}

static bool
same_rate(const struct config_rate *a, const struct config_rate *b)
{
    return a->fixed == b->fixed && same_text(a->url, b->url) &&
           same_text(a->field, b->field) && a->max_age_s == b->max_age_s &&
           a->every_s == b->every_s;
}

static bool
same_bazaar(const struct config_bazaar *a, const struct config_bazaar *b)
{
    return same_text(a->file, b->file) && a->recheck == b->recheck &&
           a->allow_len == b->allow_len &&
           memcmp(a->allow, b->allow, sizeof(a->allow)) == 0 &&
           same_text(a->register_at, b->register_at) &&
           same_text(a->register_key_file, b->register_key_file);
}

static bool
same_lightning(const struct config_lightning *a,
               const struct config_lightning *b)
{
    return same_text(a->lnd, b->lnd) &&
           same_text(a->macaroon_file, b->macaroon_file) &&
           same_text(a->cert_file, b->cert_file) &&
           same_text(a->secret_file, b->secret_file) &&
           a->network == b->network && a->timeout_ms == b->timeout_ms &&
           a->outstanding_max == b->outstanding_max &&
           a->peer_per_minute == b->peer_per_minute &&
           a->peer_burst == b->peer_burst &&
           a->private_hints == b->private_hints &&
           a->invoice_only == b->invoice_only &&
           a->admin_macaroon == b->admin_macaroon &&
           same_rate(&a->rate, &b->rate);
}

const char *
config_needs_restart(const struct config *a, const struct config *b)
{
    if (!same_text(a->ledger_file, b->ledger_file))
        return "ledger";
    if (!same_text(a->till_socket, b->till_socket) ||
        a->till_mode != b->till_mode ||
        !same_text(a->till_group, b->till_group))
        return "till";
    if (!same_text(a->http_host, b->http_host) || a->http_port != b->http_port)
        return "http.listen";
    if (!same_text(a->status_host, b->status_host) ||
        a->status_port != b->status_port)
        return "status";
    if (!same_lightning(&a->lightning, &b->lightning))
        return "lightning";
    if (!same_bazaar(&a->bazaar, &b->bazaar))
        return "bazaar";
    if (!same_text(a->attestation_key_file, b->attestation_key_file))
        return "http.attestation_key";
    if (a->network_len != b->network_len)
        return "networks";
    for (size_t i = 0; i < a->network_len; i++) {
        const char *what = network_change(&a->network[i], &b->network[i]);

        if (what != NULL)
            return what;
    }
    return NULL;
}
