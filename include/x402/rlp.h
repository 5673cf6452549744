/* SPDX-License-Identifier: Apache-2.0 */
/* RLP, Ethereum's encoding of nested byte strings. Canonical forms only. */
#ifndef X402_RLP_H
#define X402_RLP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <x402/amount.h>
#include <x402/error.h>

/** Writer: items are written back to front, so that list lengths are known when
 * their header is written.  `full` like x402_buf. */
struct x402_rlp_writer {
    uint8_t *at;
    size_t start; /* bytes used are at[start..cap) */
    size_t cap;
    bool full;
};
void x402_rlp_bytes(struct x402_rlp_writer *w, const uint8_t *bytes,
                    size_t len);
void x402_rlp_u64(struct x402_rlp_writer *w, uint64_t value);
void x402_rlp_amount(struct x402_rlp_writer *w,
                     const struct x402_amount *value);
/** Close a list whose items occupy at[start..end). */
void x402_rlp_list(struct x402_rlp_writer *w, size_t end);

struct x402_rlp_item {
    bool list;
    const uint8_t *at; /* payload */
    size_t len;
};
/** Read the item at *in, advance *in and *len past it.
 *  Returns: X402_ERR_SYNTAX for truncated or non-canonical input. */
X402_MUST_CHECK enum x402_err x402_rlp_read(struct x402_rlp_item *out,
                                            const uint8_t **in, size_t *len);

#endif
