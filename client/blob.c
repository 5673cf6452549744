/* SPDX-License-Identifier: Apache-2.0 */
/* Growing memory with a maximum. */
#include <stdlib.h>
#include <string.h>

#include "blob.h"

struct blob
blob_max(size_t max)
{
    return (struct blob){NULL, 0, 0, max};
}

static bool
grow(struct blob *blob, size_t need)
{
    size_t cap = blob->cap == 0 ? 1024 : blob->cap;
    char *at;

    while (cap < need)
        cap *= 2;
    at = realloc(blob->at, cap);
    if (at == NULL)
        return false;
    blob->at = at;
    blob->cap = cap;
    return true;
}

bool
blob_add(struct blob *blob, const void *bytes, size_t len)
{
    if (len > blob->max - blob->len)
        return false;
    if (blob->len + len + 1 > blob->cap && !grow(blob, blob->len + len + 1))
        return false;
    if (len > 0)
        memcpy(blob->at + blob->len, bytes, len);
    blob->len += len;
    blob->at[blob->len] = '\0';
    return true;
}

void
blob_clear(struct blob *blob)
{
    blob->len = 0;
    if (blob->at != NULL)
        blob->at[0] = '\0';
}

void
blob_free(struct blob *blob)
{
    free(blob->at);
    *blob = blob_max(blob->max);
}

struct x402_span
blob_span(const struct blob *blob)
{
    return (struct x402_span){blob->at, blob->len};
}
