/* SPDX-License-Identifier: Apache-2.0 */
/* Slow clients: a connection may take only so long over its headers and its
 * body, however steadily its bytes drip.  libmicrohttpd's own time-out starts
 * again with each byte. */
#ifndef X402D_HTTP_SLOW_H
#define X402D_HTTP_SLOW_H

#include <stdint.h>

#define SLOW_WAIT_MS 20000 /* idle, or in the middle of the headers */
#define SLOW_BODY_MS 10000

enum slow_phase {
    SLOW_WAITING, /* for a request */
    SLOW_BODY,    /* its headers are here */
    SLOW_WORKING, /* ours to answer, or theirs to read: not measured here */
};

struct slow;
struct slow_link; /* one connection */

struct slow *slow_new(void);
void slow_free(struct slow *slow);
/** NULL when out of memory.  Threads: any. */
struct slow_link *slow_link_new(struct slow *slow, int fd, uint64_t now_ms);
void slow_link_free(struct slow *slow, struct slow_link *link);
void slow_link_phase(struct slow *slow, struct slow_link *link,
                     enum slow_phase phase, uint64_t now_ms);
/** Shut the sockets of those that are over their time. */
void slow_sweep(struct slow *slow, uint64_t now_ms);

#endif
