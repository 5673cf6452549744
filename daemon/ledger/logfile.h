/* SPDX-License-Identifier: Apache-2.0 */
/* A VFS for SQLite that hands the frames of a transaction to the system in one
 * write.  SQLite writes its write-ahead log in two calls per page, a header of
 * 24 bytes and the page; a commit of ours has some thirty pages.  Here they are
 * gathered, and written when the transaction's last frame came, when the log is
 * synced, and before anything else is done with the file: readers, and a sync,
 * find what they would find without. */
#ifndef X402D_LEDGER_LOGFILE_H
#define X402D_LEDGER_LOGFILE_H

/** Register it over SQLite's default VFS as that is now.  Its name, for
 * sqlite3_open_v2; NULL where there is no VFS.  Threads: none that opens a
 * connection meanwhile. */
const char *logfile_vfs(void);

#endif
