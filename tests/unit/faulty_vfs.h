/* SPDX-License-Identifier: Apache-2.0 */
/* A disk that fails when it is told to: a VFS over SQLite's own that fails the
 * N-th call of a kind, or loses power and with it what was not synced, in whole
 * or by sectors.  Like SQLite's own test of crashes (test6.c). */
#ifndef FAULTY_VFS_H
#define FAULTY_VFS_H

#include <stdbool.h>

enum fault {
    FAULT_NONE,
    FAULT_WRITE_IO,   /* the N-th write or truncate: EIO */
    FAULT_WRITE_FULL, /* the N-th write: no space left */
    FAULT_SYNC,       /* the N-th sync: EIO, then good again, as fsync does */
    FAULT_READ,       /* the N-th read: EIO */
    FAULT_POWER,      /* at the N-th write or sync the power goes */
    FAULT_MEMORY,     /* the N-th allocation of SQLite fails */
};

/** Make it SQLite's VFS, before the first connection.  for_ever: all calls from
 * the N-th on fail.  seed: what is lost with the power. */
void faulty_install(enum fault kind, unsigned n, bool for_ever, unsigned seed);
/** Did it come to the N-th call? */
bool faulty_struck(void);

#endif
