/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration's facilitators: where a network's payments are verified and
 * settled by somebody else.  The URL stands here and nowhere else: it is never
 * taken from a request, and what it answers sends us nowhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_check.h"

/* "127.0.0.1.example.com" is no loopback address: the host ends there. */
static bool
is_loopback_host(const char *host)
{
    size_t len = strcspn(host, "/?#");
    size_t name = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");

    if (name > len)
        return false;
    return (name == 9 && strncmp(host, "localhost", 9) == 0) ||
           (name == 5 && strncmp(host, "[::1]", 5) == 0) ||
           (strncmp(host, "127.", 4) == 0 &&
            strspn(host, "0123456789.") == name);
}

bool
config_is_plain_remote(const char *url)
{
    return strncmp(url, "http://", 7) == 0 && !is_loopback_host(url + 7);
}

static bool
take_url(const struct config_checking_network *n, const char *text)
{
    char place[CONFIG_PLACE_MAX], url[1024 + 1];
    size_t len = strlen(text);

    config_place(place, n, ".facilitator.url");
    if (!config_is_url(text) || strpbrk(text, "?#@") != NULL)
        return config_complain(n->c->reading, place,
                               "write the facilitator's URL, beginning "
                               "https://, without user, query or fragment; a "
                               "key belongs into facilitator.key_file");
    if (config_is_plain_remote(text))
        return config_complain(
            n->c->reading, place,
            "plain http to another machine: whoever is on "
            "the way can lie about payments; write https://");
    while (len > 0 && text[len - 1] == '/')
        len--;
    snprintf(url, sizeof(url), "%.*s", (int)len, text);
    n->out->facilitator.url = config_keep(n->c, url);
    return n->out->facilitator.url != NULL ||
           config_complain(n->c->reading, place, "out of memory");
}

static bool
take_file(const struct config_checking_network *n, const char *tail,
          const char *text, const char **out)
{
    char place[CONFIG_PLACE_MAX];

    return text == NULL ||
           config_take_path(n->c, config_place(place, n, "%s", tail), text,
                            out);
}

static bool
take_times(const struct config_checking_network *n)
{
    const struct file_facilitator *in = n->in->facilitator;
    struct config_facilitator *out = &n->out->facilitator;
    char place[CONFIG_PLACE_MAX];

    out->verify_ms = 10000;
    out->settle_ms = 60000;
    return config_take_unsigned(
               n->c, config_place(place, n, ".facilitator.verify_timeout"),
               in->verify_timeout, 500, 30000, &out->verify_ms) &&
           config_take_unsigned(
               n->c, config_place(place, n, ".facilitator.settle_timeout"),
               in->settle_timeout, 500, 180000, &out->settle_ms);
}

static void
add_range(struct config_facilitator *out, const char *text)
{
    if (guard_range_parse(&out->inside[out->inside_len], text))
        out->inside_len++;
}

/** An address in the URL, and "localhost", are meant as they stand there. */
static void
take_literal(struct config_facilitator *out)
{
    const char *host = strstr(out->url, "://") + 3;
    bool bracket = *host == '[';
    char text[GUARD_ADDRESS_MAX];

    host += bracket;
    snprintf(text, sizeof(text), "%.*s",
             (int)strcspn(host, bracket ? "]" : ":/"), host);
    if (strcmp(text, "localhost") != 0) {
        add_range(out, text);
        return;
    }
    add_range(out, "127.0.0.0/8");
    add_range(out, "::1");
}

static bool
take_ranges(const struct config_checking_network *n)
{
    const struct file_facilitator *in = n->in->facilitator;
    struct config_facilitator *out = &n->out->facilitator;
    char place[CONFIG_PLACE_MAX];

    take_literal(out);
    for (unsigned i = 0; i < in->private_addresses_count; i++) {
        if (!guard_range_parse(&out->inside[out->inside_len],
                               in->private_addresses[i]))
            return config_complain(
                n->c->reading,
                config_place(place, n, ".facilitator.private_addresses[%u]", i),
                "write an address or a range of them, such as 10.1.2.3, "
                "10.0.0.0/8 or \"fd12:3456::/32\"");
        out->inside_len++;
    }
    return true;
}

bool
config_check_facilitator(const struct config_checking_network *n)
{
    const struct file_facilitator *in = n->in->facilitator;
    struct config_facilitator *out = &n->out->facilitator;
    char place[CONFIG_PLACE_MAX];

    if (in == NULL)
        return true;
    if (n->out->signer_len != 0)
        return config_complain(n->c->reading,
                               config_place(place, n, ".facilitator"),
                               "signers and a facilitator: write one of them; "
                               "with both nobody could tell who settles");
    out->has_verifier = in->verifier != NULL;
    return take_url(n, in->url) &&
           take_file(n, ".facilitator.key_file", in->key_file,
                     &out->key_file) &&
           take_file(n, ".facilitator.ca_file", in->ca_file, &out->ca_file) &&
           take_times(n) && take_ranges(n) &&
           (in->verifier == NULL ||
            config_take_address(n->c,
                                config_place(place, n, ".facilitator.verifier"),
                                in->verifier, &out->verifier));
}
