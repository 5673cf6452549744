/* SPDX-License-Identifier: Apache-2.0 */
/* See failpoint.h.  Counts passes over all threads together. */
#include "failpoint.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef X402_MUTANTS

void
failpoint(const char *name)
{
    static atomic_ulong passes;
    const char *armed = getenv("X402D_DIE_AT");
    size_t len = strlen(name);

    if (armed == NULL || strncmp(armed, name, len) != 0 || armed[len] != ':')
        return;
    if (atomic_fetch_add(&passes, 1) + 1 == strtoul(armed + len + 1, NULL, 10))
        kill(getpid(), SIGKILL);
}

#endif
