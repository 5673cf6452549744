/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that ask without a key, and how often they did.  A table of fixed
 * size: who asked longest ago makes room for who is new, so that no flood of
 * addresses costs memory.  An IPv6 host has its whole /64. */
#ifndef X402D_HTTP_PEERS_H
#define X402D_HTTP_PEERS_H

#include <sys/socket.h>

#include "bucket.h"

struct peers;

struct peer {
    uint8_t network[8]; /* ::ffff:0:0/96 is written as IPv4 */
    bool used;
    uint64_t seen_us;
    struct bucket verify, settle;
};

/** NULL when out of memory. */
struct peers *peers_new(void);
void peers_free(struct peers *peers);
/** The row of an address; its buckets are full when it is new.  Lives until the
 * next call.  NULL: not an Internet address. */
struct peer *peers_find(struct peers *peers, const struct sockaddr *address,
                        uint64_t now_us);
/** 127.0.0.0/8, ::1, and the former inside IPv6. */
bool peers_is_loopback(const struct sockaddr *address);

#endif
