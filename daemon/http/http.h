/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's HTTP: the facilitator's API and the operator's pages.  One file
 * per URL. */
#ifndef X402D_HTTP_H
#define X402D_HTTP_H

#include "../cashier.h"
#include "../config.h"
#include "../core.h"

struct http;

/** Listen on config->http_host:http_port on a thread of its own.  NULL with a
 * message on failure. */
struct http *http_open(struct core *core, const struct config *config,
                       struct cashier *cashier, struct ledger *ledger,
                       char *error, size_t error_len);
/** Stop accepting, answer what is in flight, join the thread. */
void http_close(struct http *http);

#endif
