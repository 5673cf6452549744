/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file as it stands there: the shape that libcyaml checks,
 * every scalar still a string.  config_check.c gives the strings a meaning.
 * Internal to config*.c. */
#ifndef X402D_CONFIG_FILE_H
#define X402D_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

struct file_till {
    char *socket;
    char *mode;
    char *group;
};

struct file_rates {
    char *verify;
    char *settle;
};

struct file_api_key {
    char *name;
    char *sha256;
    char *file;
    char **payees;
    unsigned payees_count;
    char **assets;
    unsigned assets_count;
    struct file_rates *rates;
    char *gas;
};

struct file_http {
    char *listen;
    char *public;
    char *any_payee;
    char *smart_wallets;
    char *attestation_key;
    char **hosts;
    unsigned hosts_count;
    struct file_rates *rates;
    struct file_api_key *keys;
    unsigned keys_count;
};

struct file_payee {
    char *network;
    char *address;
};

struct file_signer {
    char *key_file;
    char *keystore;
    char *password_file;
};

struct file_asset {
    char *symbol;
    char *address;
    char *name;
    char *version;
};

struct file_credit {
    char *payer;
    char *total;
};

struct file_batch {
    char *max;
    char *wait;
};

struct file_fees {
    char *per_gas;
    char *per_payment;
    char *per_day;
};

struct file_gift {
    char *per_payer;
    char *per_day;
};

struct file_facilitator {
    char *url;
    char *key_file;
    char *ca_file;
    char *verify_timeout;
    char *settle_timeout;
    char *verifier;
    char **private_addresses;
    unsigned private_addresses_count;
};

struct file_network {
    char *network;
    struct file_facilitator *facilitator;
    char **rpc;
    unsigned rpc_count;
    char *rpc_timeout;
    char *rpc_rate;
    char *rpc_agree;
    struct file_signer *signers;
    unsigned signers_count;
    struct file_asset *assets;
    unsigned assets_count;
    struct file_credit *credit;
    struct file_batch *batch;
    struct file_fees *max_fee;
    struct file_gift *approval_gas;
    char **eip6492_factories;
    unsigned eip6492_factories_count;
    char *confirmations;
    char *poll;
    char *verify_reuse;
};

struct file_peer {
    char *per_minute;
    char *burst;
};

struct file_rate {
    char *fixed;
    char *url;
    char *field;
    char *max_age;
    char *every;
};

struct file_lightning {
    char *lnd;
    char *macaroon;
    char *cert;
    char *network;
    char *secret;
    char *timeout;
    char *outstanding;
    struct file_peer *peer;
    struct file_rate *rate;
    char *private_channels;
    char *invoice_only;
    char *admin_macaroon;
};

struct file_bazaar {
    char *file;
    char *recheck;
    char **allow;
    unsigned allow_count;
    char *register_at;
    char *register_key;
};

/** All pointers are NULL where the file says nothing. */
struct file {
    char *ledger;
    struct file_till *till;
    struct file_http *http;
    struct file_lightning *lightning;
    struct file_bazaar *bazaar;
    char *status;
    char *log;
    char *settle_margin;
    struct file_payee *payees;
    unsigned payees_count;
    struct file_network *networks;
    unsigned networks_count;
};

/** One reading of one file: its text for look-ups of lines, and where the
 * message goes. */
struct config_reading {
    const char *path;
    const char *text;
    size_t text_len;
    char *error; /* the first complaint; later ones are dropped */
    size_t error_len;
    bool failed;
};

/** The whole file, NUL-terminated; NULL with a message.  Memory: free. */
char *config_text(const char *path, size_t *len, char *error, size_t error_len);

/** Parse the text against the schema.  NULL after a complaint.
 *  Memory: file_free. */
struct file *file_parse(struct config_reading *reading);
void file_free(struct file *file);

/** Complain about the value at `place`, such as "networks[0].credit.payer":
 * "x402d.yaml:14: networks[0].credit.payer: <message>".  A place that the file
 * does not hold gets the line of the nearest one around it.  Returns false, so
 * that a check can end with it. */
bool config_complain(struct config_reading *reading, const char *place,
                     const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** The same for a line that is known. */
bool config_complain_at(struct config_reading *reading, unsigned line,
                        const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** The line of `place` in the text, 1 when it cannot be told. */
unsigned config_line_of(struct config_reading *reading, const char *place);
/** The line of the first mapping key with this text at or after `from`, or
 * `from`. */
unsigned config_line_of_key(struct config_reading *reading, const char *key,
                            unsigned from);
/** The line at which a second YAML document begins, 0 when there is none:
 * libcyaml would not look at it. */
unsigned config_line_of_second(struct config_reading *reading);

#endif
