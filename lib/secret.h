/* SPDX-License-Identifier: Apache-2.0 */
/* Where what came of a secret is public from now on: a signature, an address,
 * whether a key is one at all.  Only the program that looks for branches and
 * addresses that depend on a key (tests/memcheck/ctime.c) is built with
 * X402_CTIME; elsewhere this is nothing. */
#ifndef X402_SECRET_H
#define X402_SECRET_H

#ifdef X402_CTIME
#include <valgrind/memcheck.h>
#define public_now(at, len) ((void)VALGRIND_MAKE_MEM_DEFINED(at, len))
#else
#define public_now(at, len) ((void)0)
#endif

#endif
