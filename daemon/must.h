/* SPDX-License-Identifier: Apache-2.0 */
#ifndef X402D_MUST_H
#define X402D_MUST_H

#include <stdlib.h>

/** What was allocated.  Without memory the daemon ends; the next start reads
 * the ledger. */
static inline void *
must(void *memory)
{
    if (memory == NULL)
        abort();
    return memory;
}

#endif
