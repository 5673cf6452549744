/* SPDX-License-Identifier: Apache-2.0 */
/* From the strings of the file to struct config, every value checked.
 * Internal to config*.c. */
#ifndef X402D_CONFIG_CHECK_H
#define X402D_CONFIG_CHECK_H

#include "config_file.h"

/** What the checks pass around: where complaints go, and where results live. */
struct config_checking {
    struct config_reading *reading;
    const struct file *file;
    struct config *config;
};

/** NULL after a complaint. */
struct config *config_check(struct config_reading *reading,
                            const struct file *file);

/* -- one value each: false after a complaint -- */

/** A whole number of min..max; NULL text leaves *out as it is. */
bool config_take_number(struct config_checking *c, const char *place,
                        const char *text, uint64_t min, uint64_t max,
                        uint64_t *out);
bool config_take_unsigned(struct config_checking *c, const char *place,
                          const char *text, unsigned min, unsigned max,
                          unsigned *out);
/** "true" or "false", nothing else. */
bool config_take_bool(struct config_checking *c, const char *place,
                      const char *text, bool *out);
/** A copy that lives as long as the configuration; NULL when out of memory. */
const char *config_keep(struct config_checking *c, const char *text);
/** A path, absolute or relative to the file's folder, made absolute. */
bool config_take_path(struct config_checking *c, const char *place,
                      const char *text, const char **out);

/** An address with its EIP-55 checksum, not zero. */
bool config_take_address(struct config_checking *c, const char *place,
                         const char *text, struct x402_address *out);

/* -- whole sections -- */

bool config_check_networks(struct config_checking *c);
/** Needs the networks: whose tokens a key names. */
bool config_check_api_keys(struct config_checking *c);
bool config_take_rates(struct config_checking *c, const char *place,
                       const struct file_rates *in, struct config_rates *out);
bool config_check_payees(struct config_checking *c);
bool config_check_lightning(struct config_checking *c);
bool config_check_bazaar(struct config_checking *c);

/** One network while it is checked. */
struct config_checking_network {
    struct config_checking *c;
    const struct file_network *in;
    struct config_network *out;
    unsigned index;
};

#define CONFIG_PLACE_MAX 64
/** "networks[2]" + tail, for complaints.  Returns out. */
const char *config_place(char out[CONFIG_PLACE_MAX],
                         const struct config_checking_network *n,
                         const char *tail, ...)
    __attribute__((format(printf, 3, 4)));
bool config_check_assets(const struct config_checking_network *n);
bool config_check_facilitator(const struct config_checking_network *n);
/** http(s)://something, printable. */
bool config_is_url(const char *text);
/** Plain http to another machine: whoever is on the way can read and lie. */
bool config_is_plain_remote(const char *url);
bool config_check_factories(const struct config_checking_network *n);
bool config_check_credit(const struct config_checking_network *n);

#endif
