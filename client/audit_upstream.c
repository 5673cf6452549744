/* SPDX-License-Identifier: Apache-2.0 */
/* Is the upstream reached only by way of the gateway?  A gateway on this
 * machine passes to 127.0.0.1, but the server there may listen on every
 * address, and whoever knows the port pays nothing. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "audit.h"
#include "mutant.h"
#include "peer.h"

enum { PATIENCE_MS = 5000, ADDRESSES_MAX = 16 };

/* -- where it could be reached -- */

/* With a path of its own it is asked for that; else for the path that is sold,
 * as proxy_pass without a path does. */
static const char *
path_of(const struct audit *audit, const struct url *upstream)
{
    struct x402_span own = audit_path(upstream);

    if (own.len > 1)
        return own.at;
    own = audit_path(&audit->options->url);
    return own.at;
}

static bool
url_at(struct url *out, const struct audit *audit, const struct url *upstream,
       const char *origin)
{
    char text[X402_URL_MAX];
    int len =
        snprintf(text, sizeof(text), "%s%s", origin, path_of(audit, upstream));

    return len > 0 && (size_t)len < sizeof(text) &&
           url_parse(out, text) == URL_OK;
}

/* The upstream at one of this machine's addresses; false: it is none that
 * others reach us by. */
static bool
origin_at(char out[URL_ORIGIN_MAX], const struct url *upstream,
          const struct ifaddrs *item)
{
    const struct sockaddr *address = item->ifa_addr;
    socklen_t len = sizeof(struct sockaddr_in);
    char text[INET6_ADDRSTRLEN + IF_NAMESIZE + 1];

    if (address == NULL || (item->ifa_flags & IFF_UP) == 0 ||
        (address->sa_family != AF_INET && address->sa_family != AF_INET6) ||
        peer_is_loopback(address))
        return false;
    if (address->sa_family == AF_INET6)
        len = sizeof(struct sockaddr_in6);
    if (getnameinfo(address, len, text, sizeof(text), NULL, 0,
                    NI_NUMERICHOST) != 0 ||
        strchr(text, '%') != NULL) /* link-local */
        return false;
    (void)snprintf(out, URL_ORIGIN_MAX,
                   address->sa_family == AF_INET6 ? "%s://[%s]%s" : "%s://%s%s",
                   upstream->https ? "https" : "http", text,
                   strrchr(upstream->origin, ':'));
    return true;
}

/* -- asking -- */

static enum exchange_sink
on_head(void *owner, const struct exchange_answer *answer)
{
    (void)owner;
    (void)answer;
    return EXCHANGE_DROP;
}

static const struct exchange_answer *
ask(struct audit *audit, const struct url *url)
{
    static const struct exchange_events events = {on_head, NULL, NULL};
    struct exchange_request request = {
        .url = url,
        .method = audit->options->method,
        .cacert = audit->options->cacert,
        .insecure = audit->options->insecure,
        .no_private = audit->options->no_private,
        .max_ms = PATIENCE_MS,
        .silence_s = PATIENCE_MS / 1000,
    };

    return exchange_run(audit->exchange, &request, &events);
}

static bool
is_nobody(const struct exchange_answer *answer)
{
    return answer->code == CURLE_COULDNT_CONNECT ||
           answer->code == CURLE_COULDNT_RESOLVE_HOST ||
           (answer->code == CURLE_OPERATION_TIMEDOUT && answer->status == 0);
}

static void
judge(struct audit *audit, const struct url *url)
{
    static const char what[] = "upstream";
    const struct exchange_answer *answer = ask(audit, url);
    char where[120];

    (void)snprintf(where, sizeof(where), "%.100s", url->origin);
    if (answer->blocked)
        audit_note(audit, AUDIT_WARNING, what, "%s: not asked (--no-private)",
                   where);
    else if (is_nobody(answer) || client_mutant("upstream_open"))
        audit_note(audit, AUDIT_GOOD, what, "%s: nobody answers there", where);
    else if (answer->status == 402)
        audit_note(audit, AUDIT_GOOD, what, "%s: asks for a payment too",
                   where);
    else if (answer->status != 0 && answer->status < 400)
        audit_note(audit, AUDIT_BAD, what,
                   "%s answers HTTP %ld without a payment: let it listen on "
                   "127.0.0.1 or a unix socket, or close the port",
                   where, answer->status);
    else
        audit_note(audit, AUDIT_WARNING, what,
                   "%s can be reached without the gateway (%s)", where,
                   answer->status == 0 ? "no HTTP answer" : "an HTTP error");
}

/* -- from this machine's other addresses -- */

static void
from_outside(struct audit *audit, const struct url *upstream)
{
    struct ifaddrs *all = NULL;
    char origin[URL_ORIGIN_MAX];
    size_t n = 0;
    struct url url;

    if (getifaddrs(&all) != 0)
        all = NULL;
    for (const struct ifaddrs *at = all; at != NULL && n < ADDRESSES_MAX;
         at = at->ifa_next) {
        if (!origin_at(origin, upstream, at) ||
            !url_at(&url, audit, upstream, origin))
            continue;
        judge(audit, &url);
        n++;
    }
    if (all != NULL)
        freeifaddrs(all);
    if (n == 0)
        audit_note(audit, AUDIT_WARNING, "upstream",
                   "%.100s: this machine has no address but loopback; ask from "
                   "another one",
                   upstream->origin);
}

void
audit_upstreams(struct audit *audit)
{
    for (size_t i = 0; i < audit->options->upstream_len; i++) {
        const struct url *upstream = &audit->options->upstream[i];
        struct url url;

        if (upstream->loopback)
            from_outside(audit, upstream);
        else if (url_at(&url, audit, upstream, upstream->origin))
            judge(audit, &url);
    }
}
