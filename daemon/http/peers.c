/* SPDX-License-Identifier: Apache-2.0 */
/* See peers.h.  Sets of eight; an attacker who does not know the salt cannot
 * aim at one. */
#include "peers.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "../core.h"

#define WAYS 8
#define SETS 1024

struct peers {
    uint64_t salt;
    struct peer at[SETS][WAYS];
};

struct peers *
peers_new(void)
{
    struct peers *peers = calloc(1, sizeof(*peers));

    if (peers != NULL)
        core_random(&peers->salt, sizeof(peers->salt));
    return peers;
}

void
peers_free(struct peers *peers)
{
    free(peers);
}

/** The first half of an IPv6 address; IPv4 becomes 0xffff and its 32 bits,
 * which no routed IPv6 network begins with. */
static bool
network_of(uint8_t out[8], const struct sockaddr *address)
{
    struct sockaddr_in6 v6;
    struct sockaddr_in v4;

    memset(out, 0, 8);
    if (address->sa_family == AF_INET6) {
        memcpy(&v6, address, sizeof(v6));
        if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
            memcpy(out, v6.sin6_addr.s6_addr, 8);
            return true;
        }
        memcpy(out + 4, v6.sin6_addr.s6_addr + 12, 4);
    } else if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof(v4));
        memcpy(out + 4, &v4.sin_addr, 4);
    } else {
        return false;
    }
    memset(out, 0xff, 4);
    return true;
}

bool
peers_is_loopback(const struct sockaddr *address)
{
    uint8_t network[8];
    struct sockaddr_in6 v6;

    if (!network_of(network, address))
        return false;
    if (network[0] == 0xff)
        return network[4] == 127;
    memcpy(&v6, address, sizeof(v6));
    return IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

static size_t
set_of(const struct peers *peers, const uint8_t network[8])
{
    uint64_t hash;

    /* splitmix64's finish */
    memcpy(&hash, network, sizeof(hash));
    hash ^= peers->salt;
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
    return (hash ^ (hash >> 31)) % SETS;
}

struct peer *
peers_find(struct peers *peers, const struct sockaddr *address, uint64_t now_us)
{
    uint8_t network[8];
    struct peer *set, *oldest;

    if (!network_of(network, address))
        return NULL;
    set = peers->at[set_of(peers, network)];
    oldest = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].used && memcmp(set[i].network, network, 8) == 0) {
            set[i].seen_us = now_us;
            return &set[i];
        }
        if (set[i].seen_us < oldest->seen_us)
            oldest = &set[i];
    }
    memset(oldest, 0, sizeof(*oldest));
    memcpy(oldest->network, network, 8);
    oldest->used = true;
    oldest->seen_us = now_us;
    return oldest;
}
