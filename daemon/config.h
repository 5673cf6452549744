/* SPDX-License-Identifier: Apache-2.0 */
/* x402d's configuration: one YAML file, read once, checked completely, then
 * constant. */
#ifndef X402D_CONFIG_H
#define X402D_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <x402/network.h>
#include <x402/amount.h>
#include <x402/bolt11.h>

#include "net/guard.h"

#define CONFIG_RPC_MAX 4
#define CONFIG_NETWORKS_MAX 8
#define CONFIG_PAYEES_MAX 256
#define CONFIG_SIGNERS_MAX 8
#define CONFIG_HOSTS_MAX 16
#define CONFIG_API_KEYS_MAX 64
#define CONFIG_API_KEY_PAYEES_MAX 64
#define CONFIG_API_KEY_ASSETS_MAX 16
#define CONFIG_API_KEY_NAME_MAX 32
#define CONFIG_FACTORIES_MAX 16
#define CONFIG_BAZAAR_ALLOW_MAX 16
#define CONFIG_RANGES_MAX 16

/** Where a signer's private key comes from: a Web3 Secret Storage v3 file with
 * its password file, or a 0600 file with 64 hex digits.  Never the command
 * line, never the environment. */
struct config_key {
    const char *key_file;      /* raw; NULL when keystore is set */
    const char *keystore_file; /* v3 */
    const char *password_file;
};

/** Somebody else's facilitator, in place of signers of our own. */
struct config_facilitator {
    const char *url;      /* without a slash at its end; NULL: none */
    const char *key_file; /* 0600, its text goes along as a bearer token */
    const char *ca_file;  /* PEM; NULL: the system's */
    unsigned verify_ms;   /* 10000 */
    unsigned settle_ms;   /* 60000 */
    bool has_verifier;    /* its attestations are required */
    struct x402_address verifier;
    /* its name may resolve to these although they are private */
    struct guard_range inside[CONFIG_RANGES_MAX + 2];
    size_t inside_len;
};

struct config_network {
    const struct x402_network *network;
    struct config_facilitator facilitator;
    const char *rpc[CONFIG_RPC_MAX]; /* http(s) URLs, in order of preference */
    size_t rpc_len;                  /* none only with a facilitator */
    struct config_key signer[CONFIG_SIGNERS_MAX]; /* none: cannot settle */
    size_t signer_len;
    unsigned rpc_timeout_ms; /* 10000 */
    unsigned rpc_rate;       /* calls a second to each endpoint; 0: no bound */
    unsigned rpc_agree;     /* endpoints that must say the same before it counts
                               as proof: 1, 2; 0: two while two are well */
    unsigned confirmations; /* depth at which a mined payment stops using
                               credit; 2 */
    unsigned batch_max;     /* payments per transaction; 100 */
    unsigned batch_wait_ms; /* a captured payment waits at most this for
                               company; 1000 */
    unsigned poll_ms;       /* receipts and head; 1000 */
    unsigned verify_reuse_ms; /* /verify need not simulate a payer's next
                                 payment to a payee for so long; 2000 */
    uint64_t max_fee_gwei;    /* per gas; 0: 500 */
    uint64_t max_fee_settlement_gwei; /* whole transaction / payments in it */
    uint64_t max_fee_day_gwei;        /* of 24 hours; 0: none */
    uint64_t gift_payer_gwei; /* gas for a payer's approval; 0: never given */
    uint64_t gift_day_gwei;   /* to all of them, in 24 hours */
    struct x402_amount
        credit_payer; /* atomic units; default 1 unit of a 6-decimals token */
    struct x402_amount credit_total; /* default 50 units */
    /* who may deploy an ERC-6492 wallet in our transactions; default nobody */
    struct x402_address factory[CONFIG_FACTORIES_MAX];
    size_t factory_len;
};

/** The Bazaar: a catalogue of what can be bought, beside the ledger. */
struct config_bazaar {
    const char *file; /* NULL: there is none */
    bool recheck;     /* what a payment says of a URL is read there again */
    /* addresses inside that may be asked for a 402 nevertheless */
    struct guard_range allow[CONFIG_BAZAAR_ALLOW_MAX];
    size_t allow_len;
    const char *register_at;       /* a Bazaar for our routes; NULL: none */
    const char *register_key_file; /* the payee's, raw, 0600 */
};

struct config_payee {
    const struct x402_network *network;
    struct x402_address address;
};

/** Requests a second; a burst may hold two seconds' worth. */
struct config_rates {
    unsigned verify, settle;
};

/** An API key: what whoever sends it may ask for.  The key itself is never
 * kept, only its hash. */
struct config_api_key {
    const char *name;
    uint8_t sha256[32];
    /* whom it may collect for, on any network; none: those under payees */
    struct x402_address payee[CONFIG_API_KEY_PAYEES_MAX];
    size_t payee_len;
    const char *asset[CONFIG_API_KEY_ASSETS_MAX]; /* symbols; none: all */
    size_t asset_len;
    struct config_rates rates;
    uint64_t
        gas_gwei; /* what its settlements may cost a day (UTC); 0: no end */
};

/** Dollars for one bitcoin, in hundred-millionths (RATE_UNIT). */
struct config_rate {
    uint64_t fixed;     /* 0: not fixed */
    const char *url;    /* NULL: none; JSON by HTTP */
    const char *field;  /* in that JSON: "data.amount" */
    unsigned max_age_s; /* 120; older: there is no rate */
    unsigned every_s;   /* 30 */
};

struct config_lightning {
    const char *lnd;           /* https URL of its REST; NULL: no Lightning */
    const char *macaroon_file; /* 0600 */
    const char *cert_file;     /* tls.cert: the only one that is trusted */
    const char *secret_file;   /* ours; created at the first start */
    enum x402_ln_network network;
    unsigned timeout_ms;      /* of one call; 2000 */
    unsigned outstanding_max; /* invoices that could be paid now; 1000 */
    unsigned peer_per_minute; /* invoices for one address; 30 */
    unsigned peer_burst;      /* 10 */
    bool private_hints;       /* name private channels in the invoice */
    bool invoice_only;        /* take a payload without a preimage */
    bool admin_macaroon;      /* use one that allows more than invoices */
    struct config_rate rate;
};

struct config {
    const char *ledger_file;
    const char *till_socket; /* path; NULL: no till (facilitator only) */
    unsigned till_mode;      /* 0660 */
    const char *till_group;  /* NULL: unchanged */
    const char *http_host;   /* "127.0.0.1" */
    unsigned http_port;      /* 0: no HTTP */
    bool http_public;        /* allow a listen address that is not loopback */
    const char *http_name[CONFIG_HOSTS_MAX]; /* names a client may put into Host
                                                besides loopback's */
    size_t http_name_len;
    const char *status_host;        /* loopback */
    unsigned status_port;           /* 0: no status page */
    struct config_rates peer_rates; /* of one address, without a key */
    struct config_api_key api_key[CONFIG_API_KEYS_MAX];
    size_t api_key_len;       /* none: no key is asked for */
    unsigned settle_margin_s; /* 20 */
    const char *log_level;    /* "info" */
    struct config_network network[CONFIG_NETWORKS_MAX];
    size_t network_len;
    struct config_payee
        payee[CONFIG_PAYEES_MAX]; /* whom the gateway may collect for */
    size_t payee_len;
    struct config_lightning lightning;
    struct config_bazaar bazaar;
    const char *attestation_key_file; /* raw, 0600; NULL: nothing is attested */
    bool facilitate_smart_wallets;    /* signatures that are no EOA's go to the
                                         chain to judge */
    bool facilitate_any_payee; /* /settle for payees outside the list (loopback
                                  listeners only) */
};

/** Read and check FILE.  NULL on error: a message with file and line went to
 * `error`. Memory: everything lives until config_free. */
struct config *config_load(const char *path, char *error, size_t error_len);
void config_free(struct config *config);
/** The first setting in which `next` differs and which cannot change while the
 * daemon runs; NULL: it can be taken on as a whole. */
const char *config_needs_restart(const struct config *now,
                                 const struct config *next);
const struct config_network *config_network(const struct config *config,
                                            uint64_t chain_id);
bool config_is_factory(const struct config_network *network,
                       const struct x402_address *factory);
bool config_is_payee(const struct config *config, uint64_t chain_id,
                     const struct x402_address *payee);
/** The key's own list; without one, those under payees. */
bool config_key_has_payee(const struct config *config,
                          const struct config_api_key *key, uint64_t chain_id,
                          const struct x402_address *payee);
bool config_key_has_asset(const struct config_api_key *key,
                          const struct x402_asset *asset);

#endif
