/* SPDX-License-Identifier: Apache-2.0 */
/* JSON without a tree.  What nodes answer is mostly long hex and logs in their
 * hundreds, of which a few fields are wanted: the text is checked once as a
 * whole (RFC 8259; the bytes of a string beyond ASCII are not looked at), and
 * then walked in place.  Nothing is allocated.  Pure. */
#ifndef X402D_SCAN_H
#define X402D_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include <x402/span.h>

#define SCAN_DEPTH_MAX 12 /* batch, answer, result, logs, log, topics: 6 */

/** Is it exactly one JSON value? */
bool scan_check(struct x402_span text);

/** A walk over the members of an object or the items of an array.  The text is
 *  a value that scan_check accepted, or one out of such a walk. */
struct scan {
    const char *at, *end;
    bool object;
};
/** false: it is neither an object nor an array. */
bool scan_begin(struct scan *scan, struct x402_span value);
/** The next value, and in an object its name as it stands in the text, without
 *  the quotes.  false: no more. */
bool scan_next(struct scan *scan, struct x402_span *name,
               struct x402_span *value);

/** The text of a string without escapes; false: another type, or escapes. */
bool scan_string(struct x402_span *out, struct x402_span value);
bool scan_is(struct x402_span name, const char *text);

/** One member that is wanted out of an object. */
struct scan_want {
    const char *name;
    struct x402_span value; /* out; at == NULL: it is not there */
};
/** Find members by name.  false: no object, or one of them is there twice. */
bool scan_find(struct scan_want *want, size_t len, struct x402_span object);

#endif
