/* SPDX-License-Identifier: Apache-2.0 */
/* Failpoints and mutants: how tests see that a crash loses nothing and that
 * they themselves can fail.  Compiled in only with -Dmutants=true; a normal
 * build has neither the code nor the environment variables.
 *
 *     X402D_DIE_AT=name:N   SIGKILL to ourselves at the N-th pass of the point
 *     X402_MUTANT=name      switch one deliberate fault on */
#ifndef X402D_FAILPOINT_H
#define X402D_FAILPOINT_H

#include "../lib/mutant.h"

#ifdef X402_MUTANTS
/** Die here when the environment says so.  Threads: any. */
void failpoint(const char *name);
#else
#define failpoint(name) ((void)0)
#endif

#endif
