/* SPDX-License-Identifier: Apache-2.0 */
/* A guard against server-side request forgery: it looks at the address that is
 * about to be connected to, after its name was resolved, and refuses what lies
 * inside (loopback, private networks, link-local with the clouds' metadata,
 * multicast, the special-purpose registries of IANA).  A name that resolves to
 * one address for a check and to another for the connection gains nothing:
 * there is no other check.  What must be reachable nevertheless is in the
 * caller's list. */
#ifndef X402D_GUARD_H
#define X402D_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <curl/curl.h>

#define GUARD_ADDRESS_MAX 46 /* INET6_ADDRSTRLEN */

/** Addresses with the same first bits.  IPv4 as ::ffff:a.b.c.d. */
struct guard_range {
    uint8_t first[16];
    unsigned bits;
};

struct guard {
    const char *what; /* for the log: whose connections these are */
    const struct guard_range *allow; /* inside, and reachable nevertheless */
    size_t allow_len;
    char last[GUARD_ADDRESS_MAX]; /* logged; empty at first */
};

/** "10.0.0.0/8", "fd12:3456::/32", or one address without a slash.
 *  Returns false for anything else, also for bits behind the slash's. */
bool guard_range_parse(struct guard_range *out, const char *text);

/** May we connect to this address?  Other families than IPv4 and IPv6: no. */
bool guard_allows(const struct guard *guard, const struct sockaddr *address);

/** Every connection that this handle opens is looked at.  A refused one is
 * CURLE_COULDNT_CONNECT, and the address is in the log.
 *  In:     easy   without a proxy (multi_easy): the guard sees whom we talk
 *                 to, and a proxy would talk to others.  Handles of one multi
 *                 share connections by name: give them the same list.
 *  Memory: guard must outlive easy. */
void guard_watch(struct guard *guard, CURL *easy);

#endif
