/* SPDX-License-Identifier: Apache-2.0 */
/* Canonical JSON (RFC 8785, JCS): the one text of a value, for hashes and
 * signatures over it. */
#ifndef X402_JCS_H
#define X402_JCS_H

#include <stdbool.h>

#include <jansson.h>

#include <x402/buf.h>
#include <x402/error.h>

/** Members of one object at the most. */
#define X402_JCS_MEMBERS_MAX 256

/** Write a value as RFC 8785 wants it: no white space, members in the order of
 *  their names' UTF-16 code units, the shortest escapes.
 *
 *  Numbers are integers of at most 2^53-1 in magnitude.  Others are refused:
 *  fractions and exponents do not occur in what we hash, and beyond 2^53 two
 *  different integers would have one text.
 *
 *  In:      value  as x402_json_load gives it: valid UTF-8, no NUL in names
 *  Out:     buf    the text is appended; incomplete on error
 *  Returns: X402_OK
 *           X402_ERR_RANGE      a number outside these bounds
 *           X402_ERR_TOO_LARGE  more than X402_JCS_MEMBERS_MAX members, nested
 *                               deeper than X402_JSON_DEPTH_MAX, or buf is full
 *  Memory:  allocates nothing; up to 2 KiB of stack for each level.
 *  Threads: any. */
X402_MUST_CHECK enum x402_err x402_jcs_write(struct x402_buf *buf,
                                             const json_t *value);

/** Does the member name a come before b?  NUL-terminated UTF-8. */
bool x402_jcs_before(const char *a, const char *b);

#endif
