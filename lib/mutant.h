/* SPDX-License-Identifier: Apache-2.0 */
/* Deliberate faults: how tests are seen to fail on broken code.  Compiled in
 * only with -Dmutants=true, and switched on one at a time by X402_MUTANT=name;
 * a normal build has neither the code nor the environment variable.  The list
 * of them is tests/mutants.mjs. */
#ifndef X402_MUTANT_H
#define X402_MUTANT_H

#include <stdbool.h>

#ifdef X402_MUTANTS
/** Is this deliberate fault switched on?  Threads: any. */
bool x402_mutant(const char *name);
#define mutant(name) x402_mutant(name)
#else
#define mutant(name) (false)
#endif

#endif
