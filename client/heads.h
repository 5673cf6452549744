/* SPDX-License-Identifier: Apache-2.0 */
/* The header block of one answer, kept as received and looked up by name. */
#ifndef CLIENT_HEADS_H
#define CLIENT_HEADS_H

#include <stdbool.h>
#include <stddef.h>

#include <x402/span.h>

#include "blob.h"

/* One 402 with 20 offers in base64 has 20 KiB; a server that sends more than
 * this is not answered. */
#define HEADS_MAX (128 * 1024)

struct heads {
    struct blob lines; /* status line and fields, with their line ends */
};

void heads_begin(struct heads *heads);
void heads_free(struct heads *heads);
/** Add one line as libcurl delivers it; a status line starts a new block.
 *  false: larger than HEADS_MAX. */
__attribute__((warn_unused_result)) bool
heads_add(struct heads *heads, const char *line, size_t len);
/** Find a field; names compare without case, white space around the value is
 *  dropped.  Out: the first one's value, {NULL,0} when there is none.
 *  Returns how many lines have that name. */
unsigned heads_get(struct x402_span *out, const struct heads *heads,
                   const char *name);
/** The value of a field that must stand alone: {NULL,0} when it is absent or
 *  comes twice, since nobody can say which of the two would count. */
struct x402_span heads_single(const struct heads *heads, const char *name);

#endif
