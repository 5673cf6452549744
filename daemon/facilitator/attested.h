/* SPDX-License-Identifier: Apache-2.0 */
/* Attestations that were checked, by receipt and resource, until they end.
 * They spare asking again whether a payment is good, and nothing else: what is
 * released for it is decided by the ledger, and settling verifies everything
 * anew. */
#ifndef X402D_ATTESTED_H
#define X402D_ATTESTED_H

#include <stdbool.h>
#include <stdint.h>

#include <x402/span.h>

#define ATTESTED_MAX                                                           \
    8192 /* the next in a full bucket takes the oldest's place                 \
          */

struct attested;

struct attested *attested_new(void);
void attested_free(struct attested *attested);

void attested_put(struct attested *attested, const uint8_t receipt_hash[32],
                  struct x402_span resource, uint64_t valid_until_s);
bool attested_has(const struct attested *attested,
                  const uint8_t receipt_hash[32], struct x402_span resource,
                  uint64_t now_s);

#endif
