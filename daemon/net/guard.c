/* SPDX-License-Identifier: Apache-2.0 */
/* See guard.h.  The ranges: IANA's IPv4 and IPv6 Special-Purpose Address
 * Registries (RFC 6890), what is not "globally reachable" there, and multicast.
 * Of IPv6 only 2000::/3 is given to hosts on the Internet; the table lists the
 * exceptions inside it. */
#include "guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../lib/mutant.h"
#include "../log.h"

#define MAPPED 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
#define V4(a, b, c, d, bits)                                                   \
    {                                                                          \
        {MAPPED, a, b, c, d}, 96 + (bits)                                      \
    }

static const struct guard_range inside[] = {
    V4(0, 0, 0, 0, 8),              /* this network */
    V4(10, 0, 0, 0, 8),             /* private */
    V4(100, 64, 0, 0, 10),          /* carriers' NAT */
    V4(127, 0, 0, 0, 8),            /* loopback */
    V4(169, 254, 0, 0, 16),         /* link-local; 169.254.169.254 */
    V4(172, 16, 0, 0, 12),          /* private */
    V4(192, 0, 0, 0, 24),           /* protocol assignments */
    V4(192, 0, 2, 0, 24),           /* documentation */
    V4(192, 88, 99, 0, 24),         /* 6to4 relays */
    V4(192, 168, 0, 0, 16),         /* private */
    V4(198, 18, 0, 0, 15),          /* benchmarks */
    V4(198, 51, 100, 0, 24),        /* documentation */
    V4(203, 0, 113, 0, 24),         /* documentation */
    V4(224, 0, 0, 0, 4),            /* multicast */
    V4(240, 0, 0, 0, 4),            /* reserved, broadcast */
    {{0x20, 0x01}, 23},             /* protocol assignments, Teredo */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x20, 0x02}, 16},             /* 6to4: an IPv4 address inside */
    {{0x3f, 0xff}, 20},             /* documentation */
};

static const struct guard_range mapped = {{MAPPED}, 96};
static const struct guard_range global = {{0x20}, 3};
/* RFC 6052: an IPv6-only host reaches IPv4 through these */
static const struct guard_range nat64 = {{0x00, 0x64, 0xff, 0x9b}, 96};

static bool
is_in(const struct guard_range *range, const uint8_t at[16])
{
    size_t whole = range->bits / 8;
    unsigned rest = range->bits % 8;

    if (memcmp(range->first, at, whole) != 0)
        return false;
    return rest == 0 || (range->first[whole] ^ at[whole]) >> (8 - rest) == 0;
}

static bool
is_in_any(const struct guard_range *ranges, size_t len, const uint8_t at[16])
{
    for (size_t i = 0; i < len; i++) {
        if (is_in(&ranges[i], at))
            return true;
    }
    return false;
}

/** In the one form: IPv4 mapped, also out of NAT64. */
static bool
take(uint8_t out[16], const struct sockaddr *address)
{
    memcpy(out, mapped.first, 16);
    if (address->sa_family == AF_INET) {
        memcpy(out + 12, &((const struct sockaddr_in *)address)->sin_addr, 4);
        return true;
    }
    if (address->sa_family != AF_INET6)
        return false;
    memcpy(out, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
    if (is_in(&nat64, out))
        memcpy(out, mapped.first, 12);
    return true;
}

bool
guard_allows(const struct guard *guard, const struct sockaddr *address)
{
    uint8_t at[16];

    if (!take(at, address))
        return false;
    if (mutant("address_unguarded") ||
        is_in_any(guard->allow, guard->allow_len, at))
        return true;
    return (is_in(&mapped, at) || is_in(&global, at)) &&
           !is_in_any(inside, sizeof inside / sizeof inside[0], at);
}

/* -- text -- */

static bool
take_text(struct guard_range *out, const char *text)
{
    memcpy(out->first, mapped.first, 16);
    out->bits = 128;
    return inet_pton(AF_INET, text, out->first + 12) == 1 ||
           inet_pton(AF_INET6, text, out->first) == 1;
}

/** "8" of "10.0.0.0/8"; no sign, no space, no zero in front. */
static bool
take_bits(unsigned *out, const char *text, unsigned most)
{
    size_t len = strlen(text);

    if (len == 0 || len > 3 || strspn(text, "0123456789") != len ||
        (len > 1 && text[0] == '0'))
        return false;
    *out = (unsigned)strtoul(text, NULL, 10);
    return *out <= most;
}

static bool
is_first(const struct guard_range *range)
{
    for (unsigned bit = range->bits; bit < 128; bit++) {
        if ((range->first[bit / 8] & (0x80u >> bit % 8)) != 0)
            return false;
    }
    return true;
}

bool
guard_range_parse(struct guard_range *out, const char *text)
{
    char address[GUARD_ADDRESS_MAX];
    const char *slash = strchr(text, '/');
    size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
    struct guard_range range;
    unsigned before, bits;

    if (len >= sizeof address)
        return false;
    memcpy(address, text, len);
    address[len] = '\0';
    if (!take_text(&range, address))
        return false;
    before = strchr(address, ':') == NULL ? 96 : 0;
    if (slash != NULL) {
        if (!take_bits(&bits, slash + 1, 128 - before))
            return false;
        range.bits = before + bits;
    }
    if (!is_first(&range))
        return false;
    *out = range;
    return true;
}

/* -- libcurl asks -- */

static void
say(struct guard *guard, const struct sockaddr *address, bool allowed)
{
    char text[GUARD_ADDRESS_MAX] = "";
    const void *at = NULL;

    if (address->sa_family == AF_INET)
        at = &((const struct sockaddr_in *)address)->sin_addr;
    else if (address->sa_family == AF_INET6)
        at = &((const struct sockaddr_in6 *)address)->sin6_addr;
    if (at != NULL)
        inet_ntop(address->sa_family, at, text, sizeof text);
    if (strcmp(text, guard->last) == 0)
        return; /* once for each change, not for each try */
    memcpy(guard->last, text, sizeof text);
    log_event(allowed ? LOG_INFO : LOG_ERROR,
              allowed ? "address" : "address_refused", "of", guard->what,
              "address", text, NULL);
}

static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct guard *guard = arg;
    bool allowed =
        purpose == CURLSOCKTYPE_IPCXN && guard_allows(guard, &address->addr);

    say(guard, &address->addr, allowed);
    if (!allowed)
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC,
                  address->protocol);
}

void
guard_watch(struct guard *guard, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, guard);
}
