/* SPDX-License-Identifier: Apache-2.0 */
/* One thread and the work that waits for it: a bounded list, in order. */
#ifndef X402D_BAZAAR_JOBS_H
#define X402D_BAZAAR_JOBS_H

#include <stdbool.h>
#include <stddef.h>

struct jobs;

/** dropped: the thread ends; only let go of what arg holds. */
typedef void (*jobs_work)(void *arg, bool dropped);

/** idle(arg) is called on the thread about every idle_ms, between jobs; NULL:
 * nothing is.  Aborts when out of memory. */
struct jobs *jobs_new(size_t max, unsigned idle_ms, void (*idle)(void *arg),
                      void *arg);
/** false: too much waits already.  Threads: any. */
bool jobs_push(struct jobs *jobs, jobs_work work, void *arg);
/** Is the thread about to end?  Threads: any. */
bool jobs_ending(struct jobs *jobs);
/** Ends after the job that is being done; the others are dropped. */
void jobs_end(struct jobs *jobs);
/** After jobs_end: waits for the thread and frees. */
void jobs_free(struct jobs *jobs);

#endif
