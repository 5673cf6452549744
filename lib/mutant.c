/* SPDX-License-Identifier: Apache-2.0 */
/* See mutant.h. */
#include "mutant.h"

#ifdef X402_MUTANTS

#include <stdlib.h>
#include <string.h>

bool
x402_mutant(const char *name)
{
    const char *on = getenv("X402_MUTANT");

    return on != NULL && strcmp(on, name) == 0;
}

#else

typedef int x402_mutants_are_off; /* ISO C: a file declares something */

#endif
