/* SPDX-License-Identifier: Apache-2.0 */
/* A growing run of bytes with a stated maximum: everything that comes from a
 * server or a file and is kept in memory goes through one of these. */
#ifndef CLIENT_BLOB_H
#define CLIENT_BLOB_H

#include <stdbool.h>
#include <stddef.h>

#include <x402/span.h>

struct blob {
    char *at; /* NUL-terminated when not NULL */
    size_t len;
    size_t cap;
    size_t max;
};

/** An empty blob; allocates nothing yet. */
struct blob blob_max(size_t max);
/** false when it would pass max, or without memory; the blob is unchanged. */
__attribute__((warn_unused_result)) bool
blob_add(struct blob *blob, const void *bytes, size_t len);
/** Forget the content, keep the memory. */
void blob_clear(struct blob *blob);
void blob_free(struct blob *blob);
struct x402_span blob_span(const struct blob *blob);

#endif
