/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration's general part: ledger, till, HTTP, log.  What is unsafe is
 * refused here, so that the rest of the daemon need not ask. */
#include "config_check.h"

#include "failpoint.h"

#include <arpa/inet.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

/** struct config and the strings in it, freed together. */
struct config_text {
    struct config_text *next;
    char at[];
};
struct config_store {
    struct config config; /* first: config_free gets its address */
    struct config_text *texts;
};

const char *
config_keep(struct config_checking *c, const char *text)
{
    struct config_store *store = (struct config_store *)c->config;
    size_t size = strlen(text) + 1;
    struct config_text *kept = malloc(sizeof(*kept) + size);

    if (kept == NULL)
        return NULL;
    memcpy(kept->at, text, size);
    kept->next = store->texts;
    store->texts = kept;
    return kept->at;
}

void
config_free(struct config *config)
{
    struct config_store *store = (struct config_store *)config;

    if (store == NULL)
        return;
    while (store->texts != NULL) {
        struct config_text *next = store->texts->next;

        free(store->texts);
        store->texts = next;
    }
    free(store);
}

static bool
keep_text(struct config_checking *c, const char *place, const char *text,
          const char **out)
{
    *out = config_keep(c, text);
    if (*out == NULL)
        return config_complain(c->reading, place, "out of memory");
    return true;
}

/* -- till -- */

static bool
take_mode(struct config_checking *c, const char *text)
{
    char *end;
    unsigned long mode;

    if (text == NULL)
        return true;
    mode = strtoul(text, &end, 8);
    if (text[0] != '0' || strlen(text) != 4 || *end != '\0' || mode > 0777)
        return config_complain(c->reading, "till.mode",
                               "\"%.40s\": write an octal mode in quotes, such "
                               "as \"0660\"",
                               text);
    if ((mode & 07) != 0)
        return config_complain(c->reading, "till.mode",
                               "\"%s\" lets every user of this machine spend "
                               "payments; write \"0660\" and give the socket "
                               "to nginx's group",
                               text);
    c->config->till_mode = (unsigned)mode;
    return true;
}

static bool
check_till(struct config_checking *c)
{
    const struct file_till *till = c->file->till;

    c->config->till_mode = 0660;
    if (till == NULL)
        return true;
    if (!config_take_path(c, "till.socket", till->socket,
                          &c->config->till_socket) ||
        !take_mode(c, till->mode))
        return false;
    if (strlen(c->config->till_socket) >=
        sizeof(((struct sockaddr_un *)NULL)->sun_path))
        return config_complain(c->reading, "till.socket",
                               "%s is too long: a Unix socket's path has at "
                               "most 107 characters",
                               c->config->till_socket);
    if (till->group == NULL)
        return true;
    if (getgrnam(till->group) == NULL)
        return config_complain(c->reading, "till.group",
                               "no group \"%s\" on this machine; Debian's "
                               "nginx runs as www-data",
                               till->group);
    return keep_text(c, "till.group", till->group, &c->config->till_group);
}

/* -- http -- */

static bool
is_loopback(const char *host)
{
    struct in_addr v4;

    if (inet_pton(AF_INET, host, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    return strcmp(host, "::1") == 0;
}

static bool
is_ip(const char *host)
{
    struct in6_addr out;

    return inet_pton(AF_INET, host, &out) == 1 ||
           inet_pton(AF_INET6, host, &out) == 1;
}

/** "127.0.0.1:4022", "[::1]:4022", "localhost:4022". */
static bool
take_listen(struct config_checking *c, const char *place, const char *text,
            const char **host_out, unsigned *port_out)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    size_t len = colon != NULL ? (size_t)(colon - text) : 0;
    bool bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';

    snprintf(host, sizeof(host), "%.*s", (int)(bracketed ? len - 2 : len),
             text + bracketed);
    if (strcmp(host, "localhost") == 0)
        snprintf(host, sizeof(host), "127.0.0.1");
    if (!is_ip(host) || bracketed != (strchr(host, ':') != NULL))
        return config_complain(c->reading, place,
                               "\"%.80s\": write an address and a port, such "
                               "as 127.0.0.1:4022 or \"[::1]:4022\"",
                               text);
    return config_take_unsigned(c, place, colon + 1, 1, 65535, port_out) &&
           keep_text(c, place, host, host_out);
}

static bool
take_hosts(struct config_checking *c, const struct file_http *http)
{
    for (unsigned i = 0; i < http->hosts_count; i++) {
        char place[32];

        snprintf(place, sizeof(place), "http.hosts[%u]", i);
        if (strpbrk(http->hosts[i], "/:*@ \t") != NULL)
            return config_complain(c->reading, place,
                                   "\"%.80s\": write a bare host name, without "
                                   "scheme, port or wildcard",
                                   http->hosts[i]);
        if (!keep_text(c, place, http->hosts[i], &c->config->http_name[i]))
            return false;
        c->config->http_name_len = i + 1;
    }
    return true;
}

/** Anybody who reaches /settle spends the signers' gas. */
static bool
check_exposure(struct config_checking *c)
{
    const struct config *config = c->config;

    if (is_loopback(config->http_host) || mutant("open_to_all"))
        return true;
    if (!config->http_public || c->file->http->keys_count == 0)
        return config_complain(c->reading, "http.listen",
                               "%s is not a loopback address: whoever reaches "
                               "it can spend your signers' gas; write "
                               "127.0.0.1, or http.public: true and http.keys",
                               config->http_host);
    if (config->facilitate_any_payee)
        return config_complain(c->reading, "http.any_payee",
                               "settling for any payee is for loopback "
                               "listeners only; list the payees instead");
    return true;
}

static bool
check_http(struct config_checking *c)
{
    const struct file_http *http = c->file->http;

    return http == NULL ||
           (take_listen(c, "http.listen", http->listen, &c->config->http_host,
                        &c->config->http_port) &&
            config_take_bool(c, "http.public", http->public,
                             &c->config->http_public) &&
            config_take_bool(c, "http.any_payee", http->any_payee,
                             &c->config->facilitate_any_payee) &&
            config_take_bool(c, "http.smart_wallets", http->smart_wallets,
                             &c->config->facilitate_smart_wallets) &&
            (http->attestation_key == NULL ||
             config_take_path(c, "http.attestation_key", http->attestation_key,
                              &c->config->attestation_key_file)) &&
            take_hosts(c, http) &&
            config_take_rates(c, "http.rates", http->rates,
                              &c->config->peer_rates) &&
            check_exposure(c));
}

/** It shows who paid how much: for this machine alone. */
static bool
check_status(struct config_checking *c)
{
    const char *text = c->file->status;

    if (text == NULL)
        return true;
    if (!take_listen(c, "status", text, &c->config->status_host,
                     &c->config->status_port))
        return false;
    if (!is_loopback(c->config->status_host))
        return config_complain(c->reading, "status",
                               "%s is not a loopback address: the status page "
                               "is for this machine; from elsewhere: ssh -L",
                               c->config->status_host);
    return true;
}

/* -- the rest -- */

static bool
check_log(struct config_checking *c)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    const char *text = c->file->log;

    c->config->log_level = "info";
    if (text == NULL)
        return true;
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        if (strcmp(text, levels[i]) == 0) {
            c->config->log_level = levels[i];
            return true;
        }
    }
    return config_complain(c->reading, "log",
                           "\"%.40s\": write debug, info, warn or error", text);
}

static bool
every_key_has_payees(const struct config *config)
{
    for (size_t i = 0; i < config->api_key_len; i++) {
        if (config->api_key[i].payee_len == 0)
            return false;
    }
    return config->api_key_len != 0;
}

static bool
check_purpose(struct config_checking *c)
{
    const struct config *config = c->config;

    if (config->till_socket == NULL && config->http_port == 0)
        return config_complain(c->reading, "",
                               "neither till nor http is set: nobody could "
                               "reach the daemon");
    if (config->till_socket != NULL && config->payee_len == 0)
        return config_complain(c->reading, "till",
                               "a till needs payees: the daemon collects only "
                               "for addresses that stand under payees");
    if (config->payee_len == 0 && !config->facilitate_any_payee &&
        !every_key_has_payees(config))
        return config_complain(c->reading, "http",
                               "nobody to settle for: list payees, or write "
                               "http.any_payee: true");
    return true;
}

static bool
check_all(struct config_checking *c)
{
    c->config->settle_margin_s = 20;
    c->config->peer_rates = (struct config_rates){100, 20};
    return check_log(c) &&
           config_take_path(c, "ledger", c->file->ledger,
                            &c->config->ledger_file) &&
           config_take_unsigned(c, "settle_margin", c->file->settle_margin, 6,
                                3600, &c->config->settle_margin_s) &&
           check_till(c) && check_http(c) && check_status(c) &&
           config_check_networks(c) && config_check_payees(c) &&
           config_check_api_keys(c) && config_check_lightning(c) &&
           config_check_bazaar(c) && check_purpose(c);
}

struct config *
config_check(struct config_reading *reading, const struct file *file)
{
    struct config_store *store = calloc(1, sizeof(*store));
    struct config_checking c = {reading, file, &store->config};

    if (store == NULL) {
        config_complain_at(reading, 1, "out of memory");
        return NULL;
    }
    if (check_all(&c))
        return &store->config;
    config_free(&store->config);
    return NULL;
}
