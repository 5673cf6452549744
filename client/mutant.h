/* SPDX-License-Identifier: Apache-2.0 */
/* Deliberate faults, for tests that must notice them: in builds with
 * -Dmutants=true, one that X402_MUTANT names. */
#ifndef CLIENT_MUTANT_H
#define CLIENT_MUTANT_H

#include <stdbool.h>

#ifdef X402_MUTANTS
#include <stdlib.h>
#include <string.h>

static inline bool
client_mutant(const char *name)
{
    const char *chosen = getenv("X402_MUTANT");

    return chosen != NULL && strcmp(chosen, name) == 0;
}
#else
static inline bool
client_mutant(const char *name)
{
    (void)name;
    return false;
}
#endif

#endif
