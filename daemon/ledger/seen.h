/* SPDX-License-Identifier: Apache-2.0 */
/* Which payments the ledger may know: a Bloom filter of their keys.  "No" is
 * certain, "perhaps" is for the table to say.  Nearly every payment that comes
 * is new, and so is spared a look-up. */
#ifndef X402D_LEDGER_SEEN_H
#define X402D_LEDGER_SEEN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <x402/address.h>

struct seen {
    _Atomic uint64_t *words;
    size_t len; /* a power of two */
    uint64_t seed[2];
};

/** Room for `rows`, and as many again, or a million. */
void seen_init(struct seen *seen, uint64_t rows);
void seen_free(struct seen *seen);
/** Before the row's commit.  Threads: writer. */
void seen_add(struct seen *seen, const struct x402_address *payer,
              const uint8_t nonce[32]);
/** false: there is no row with this payer and nonce. */
bool seen_perhaps(const struct seen *seen, const struct x402_address *payer,
                  const uint8_t nonce[32]);

#endif
