/* SPDX-License-Identifier: Apache-2.0 */
/* One payment's file, whatever it pays with: written and synced before the
 * payment leaves, held with a lock by the process that works on it, and only
 * ever appended to. */
#ifndef CLIENT_JOURNAL_ENTRY_H
#define CLIENT_JOURNAL_ENTRY_H

#include <stdbool.h>

#include <x402/span.h>

#include "paths.h"

struct journal_entry {
    int fd; /* -1: none */
    char path[PATHS_MAX];
};

/** Signed payments lie in this folder: it is ours, and nobody else's to read or
 *  to change.  false: errno; EPERM when it is not. */
__attribute__((warn_unused_result)) bool
journal_folder_is_private(const char *path);
__attribute__((warn_unused_result)) bool journal_folder_sync(const char *path);

/** Make the file of entry->path in `folder`, which must not be there yet: file
 *  and folder are synced when this is true; on false nothing of it is left. */
__attribute__((warn_unused_result)) bool
journal_entry_create(struct journal_entry *entry, const char *folder,
                     struct x402_span text);
/** Append durably; false: errno. */
__attribute__((warn_unused_result)) bool
journal_entry_append(const struct journal_entry *entry, struct x402_span text);
/** Read a payment's file.
 *  Out: alive  a process works on it
 *  false: errno; it may hold a payment. */
__attribute__((warn_unused_result)) bool
journal_entry_read(size_t *len, char *text, size_t cap, bool *alive,
                   const char *path);
void journal_close(struct journal_entry *entry);

#endif
