/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's threads, and how work passes between them.
 *
 *     core     one libuv loop: the till, the cashier, the chain, the settler.
 *              Thinks.
 *     writer   one thread inside the ledger: SQLite, one commit for all that
 *              waits.  Writes.
 *     http     libmicrohttpd's threads: the facilitator's API.  Parse, recover
 *              signatures.
 *
 * Everything in daemon/ belongs to the core thread unless its header says
 * otherwise.  Other threads hand work over with core_post. */
#ifndef X402D_CORE_H
#define X402D_CORE_H

#include <stdint.h>
#include <uv.h>

struct core;

typedef void (*core_task)(void *arg);

/** One per process.  Aborts when out of memory. */
struct core *core_new(void);
void core_free(struct core *core);
uv_loop_t *core_loop(struct core *core);
/** Run task(arg) on the core thread, in order of posting.  Threads: any. */
void core_post(struct core *core, core_task task, void *arg);

/** Wall clock, milliseconds since 1970.  Threads: any. */
uint64_t core_now_ms(void);
/** Fill with random bytes (getrandom); aborts when the system gives none.
 * Threads: any. */
void core_random(void *out, size_t len);

#endif
