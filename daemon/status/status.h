/* SPDX-License-Identifier: Apache-2.0 */
/* The operator's status page: what came in, what is under way, what is wrong.
 *
 * A listener of its own, on loopback only: the facilitator's may stand behind
 * somebody's proxy.  Its thread reads the ledger through a connection that only
 * reads (ledger/view.h), so that a slow page holds nobody up; what only the
 * core knows (chains, credit) the core writes down for it once a second, while
 * somebody looks. */
#ifndef X402D_STATUS_H
#define X402D_STATUS_H

#include "../cashier.h"
#include "../config.h"
#include "../core.h"

struct status;

/** Listen on config->status_host:status_port on a thread of its own.  NULL with
 * a message on failure. */
struct status *status_open(struct core *core, const struct config *config,
                           struct cashier *cashier, struct ledger *ledger,
                           char *error, size_t error_len);
/** From now on; the old one may go. */
void status_reconfigure(struct status *status, const struct config *config);
/** Cut off whoever looks, and join the thread. */
void status_close(struct status *status);
/** After the loop is gone. */
void status_free(struct status *status);

#endif
