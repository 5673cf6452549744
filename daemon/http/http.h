/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's HTTP: the facilitator's API and the operator's pages.  One file
 * per URL.
 *
 * libmicrohttpd's own threads, one for each processor up to four, read
 * requests, decode payments and recover signatures; the core thread asks ledger
 * and chain. A request that waits for the core is suspended and costs no
 * thread. */
#ifndef X402D_HTTP_H
#define X402D_HTTP_H

#include "../cashier.h"
#include "../config.h"
#include "../core.h"
#include "../lightning/lightning.h"

struct bazaar; /* may be NULL: there is none */
struct http;

/** Listen on config->http_host:http_port on threads of its own.  NULL with a
 * message on failure. */
struct http *http_open(struct core *core, const struct config *config,
                       struct cashier *cashier, struct ledger *ledger,
                       struct bazaar *bazaar, char *error, size_t error_len);
/** Once, before the loop runs; NULL: there is no Lightning. */
void http_set_lightning(struct http *http, struct lightning *lightning);
/** From now on.  What is under way keeps the old one, which must live on. */
void http_reconfigure(struct http *http, const struct config *config);
/** Stop accepting; what is in flight goes on, further requests on open
 * connections get 503.  Call again, or close, any time later. */
void http_drain(struct http *http);
/** Requests that were begun and not completely answered. */
size_t http_in_flight(const struct http *http);
/** Answer whatever still waits for the core with 503, and join the threads.
 * Answers of the cashier that come later find nobody and are dropped. */
void http_close(struct http *http);
/** After the cashier and the loop are gone: free the rest. */
void http_free(struct http *http);

#endif
