/* SPDX-License-Identifier: Apache-2.0 */
/* A set of payment ids: what is being worked on.  As large as the work: bounded
 * by the transactions being made and the inquiries under way. */
#ifndef X402D_IDSET_H
#define X402D_IDSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct idset {
    int64_t *slot; /* 0: free, -1: was used */
    size_t cap, len, used;
};

void idset_add(struct idset *set, int64_t id);
void idset_remove(struct idset *set, int64_t id);
bool idset_has(const struct idset *set, int64_t id);
/** All of them, in no order; out has room for set->len. */
void idset_list(const struct idset *set, int64_t *out);
void idset_free(struct idset *set);

#endif
