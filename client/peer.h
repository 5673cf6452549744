/* SPDX-License-Identifier: Apache-2.0 */
/* Which network addresses are on this machine, and which are inside networks
 * that a request from outside should not reach. */
#ifndef CLIENT_PEER_H
#define CLIENT_PEER_H

#include <stdbool.h>
#include <sys/socket.h>

bool peer_is_loopback(const struct sockaddr *address);
/** Loopback, private, link-local, carrier NAT, multicast, unspecified and
 *  other special ranges, of IPv4 and IPv6; unknown families too. */
bool peer_is_private(const struct sockaddr *address);
/** From text as libcurl reports it; NULL and "" are not loopback. */
bool peer_text_is_loopback(const char *ip);

#endif
