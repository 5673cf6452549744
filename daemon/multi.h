/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl's multi interface on the core's loop: libcurl tells which sockets and
 * which timeout it waits for; libuv watches them and calls back.  Nothing here
 * blocks except name resolution, which libcurl does on a thread of its own. */
#ifndef X402D_MULTI_H
#define X402D_MULTI_H

#include <curl/curl.h>
#include <uv.h>

struct multi;

/** A transfer ended: `private` is the easy handle's CURLOPT_PRIVATE.  It may
 * remove and clean up that handle, and add others. */
typedef void (*multi_ended)(void *private, CURLcode code);

/** Aborts when out of memory. */
struct multi *multi_new(uv_loop_t *loop, multi_ended ended);
/** All handles must have been removed.  Closes the kept connections, then calls
 * closed(arg). */
void multi_close(struct multi *multi, void (*closed)(void *arg), void *arg);
void multi_add(struct multi *multi, CURL *easy);
void multi_remove(struct multi *multi, CURL *easy);

/** A handle with what every request of the daemon has: http and https only, no
 * redirects, no proxy from the environment, TLS verified.  The timeout is of
 * the whole transfer; 0: none. */
CURL *multi_easy(const char *url, unsigned timeout_ms);

#endif
