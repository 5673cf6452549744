/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of payments: a file per payment in a folder per day, written and
 * synced before the payment leaves.  It is what budgets are counted from and
 * what an interrupted run is continued from.
 *
 *     <state>/lock                              taken to decide and sign
 *     <state>/payments/2026-01-31/<time>-<nonce>.json
 *
 * While a process works on a payment it holds a lock on the payment's file; a
 * file without one belongs to a process that has ended. */
#ifndef CLIENT_JOURNAL_H
#define CLIENT_JOURNAL_H

#include <stdbool.h>

#include "journal_entry.h"
#include "paths.h"
#include "record.h"

/* More payments than this within the newest days are not counted but refused.
 */
#define JOURNAL_SCAN_MAX 200000
/* Scans look at least this far back, and at as many folders whatever their
 * date says: a clock that was set forward hides nothing. */
#define JOURNAL_SCAN_DAYS 9

struct journal {
    char folder[PATHS_MAX]; /* .../x402/payments */
    int lock_fd;            /* -1: not locked */
    char lock_path[PATHS_MAX];
};

/** Make the folders when they are missing.
 *  false: errno; EPERM when they are not ours alone. */
__attribute__((warn_unused_result)) bool journal_open(struct journal *journal);
/** Wait for the lock that serialises deciding and signing. */
__attribute__((warn_unused_result)) bool journal_lock(struct journal *journal);
void journal_unlock(struct journal *journal);

/** Write a payment durably: file and folders are synced when this is true.
 *  On false nothing of it is left and nothing may be sent. */
__attribute__((warn_unused_result)) bool
journal_create(struct journal *journal, struct journal_entry *entry,
               const struct record *record);
/** Take over the file of a process that has ended; false: it is still alive,
 *  or errno. */
__attribute__((warn_unused_result)) bool
journal_adopt(struct journal_entry *entry, const char *path);
/** Append a state durably; false: errno. */
__attribute__((warn_unused_result)) bool
journal_mark(struct journal_entry *entry, enum record_state state, long status);

/** What a scan shows: a record, where it is, and whether a process that is
 *  still alive works on it.  false ends the scan. */
struct journal_seen {
    const struct record *record;
    const char *path;
    bool alive;
};
typedef bool journal_visit(void *owner, const struct journal_seen *seen);

/** Visit payments, newest days first (all: every one there is).  The caller
 *  holds journal_lock: the look at a file's lock would disturb its owner else.
 *  false: errno; EOVERFLOW past JOURNAL_SCAN_MAX. */
__attribute__((warn_unused_result)) bool
journal_scan(const struct journal *journal, bool all, journal_visit *visit,
             void *owner);

#endif
