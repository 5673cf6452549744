/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's end of the till: the socket, the workers' connections, their
 * leases. */
#ifndef X402D_TILL_H
#define X402D_TILL_H

#include "../cashier.h"
#include "../config.h"
#include "../core.h"
#include "../lightning/lightning.h"

struct till;

/** From now on invoices are issued and claimed here. */
void till_set_lightning(struct till *till, struct lightning *lightning);

/** Bind and listen (the socket's folder must exist; a stale socket file is
 * replaced, a live one is an error).  NULL with a message on failure. */
struct till *till_open(struct core *core, const struct config *config,
                       struct cashier *cashier, struct ledger *ledger,
                       char *error, size_t error_len);
/** Stop accepting; let what is in flight end for at most grace_ms; then
 * closed(arg). */
void till_close(struct till *till, unsigned grace_ms, core_task closed,
                void *arg);
size_t till_workers(const struct till *till);

#endif
