/* SPDX-License-Identifier: Apache-2.0 */
/* EIP-1559 fees: what to offer, within what the operator allows, and by how
 * much more when a transaction is stuck.  Pure; all in wei per gas. */
#ifndef X402D_FEES_H
#define X402D_FEES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <x402/amount.h>

#define FEES_GAS_SINGLE 100000 /* a settlement of one payment, generously */

/** What the network asks for now. */
struct fees_market {
    bool known;
    struct x402_amount base; /* of the newest block */
    struct x402_amount priority;
};
/** What the operator allows. */
struct fees_caps {
    uint64_t max_fee_gwei;        /* per gas; 0: 500 */
    uint64_t max_settlement_gwei; /* whole transaction / payments; 0: none */
};
struct fees {
    struct x402_amount max_fee, max_priority;
};

/** Twice the base fee (six full blocks of rise) and the priority, less where
 *  the caps want it.  false: even the bare minimum is over a cap; wait. */
bool fees_offer(struct fees *out, const struct fees_market *market,
                const struct fees_caps *caps, uint64_t gas_limit,
                size_t payments);
/** The fees of a replacement: today's offer, and at least 1/8 more than before
 *  on both (nodes want 10 %).  false: over a cap; keep waiting. */
bool fees_bump(struct fees *out, const struct fees *before,
               const struct fees_market *market, const struct fees_caps *caps,
               uint64_t gas_limit, size_t payments);
/** gas x max_fee; false on overflow. */
bool fees_cost(struct x402_amount *out, const struct x402_amount *max_fee,
               uint64_t gas_limit);

#endif
