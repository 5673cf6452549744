/* SPDX-License-Identifier: Apache-2.0 */
/* "Fund the Client's wallet with enough native gas token if the Client lacks
 * sufficient funds" (extension erc20ApprovalGasSponsoring), where the operator
 * allows it (approval_gas).
 *
 * The specification wants funding, approval and settlement in one bundle; no
 * ordinary node takes bundles.  They go one after the other, each when the one
 * before is on the chain, and nothing holds the payer to his approval in
 * between: ledger/gift.h bounds what that can cost. */
#ifndef X402D_GIFT_H
#define X402D_GIFT_H

#include <x402/approval.h>

#include "job.h"

/** Might this payer have what his approval lacks?  X402_OK: out->gift_gwei, or
 * out->waits_gift, says what he gets; X402_ERR_APPROVAL_GAS: he gets nothing.
 * Everything else about the approval was found good. */
enum x402_err gift_check(const struct chain *chain, const struct chain_ask *ask,
                         const struct x402_approval *approval,
                         const struct x402_amount *balance,
                         struct chain_verdict *out);

/** Sign, store and send it; not now, when the signer is busy: the next look at
 *  the payment tries again. */
void gift_give(struct settler *settler, struct signer *signer,
               const struct pay_row *row, uint64_t gwei);

/** What a gift of so much may cost in all, at these fees: in gwei. */
uint64_t gift_cost_gwei(uint64_t gwei, const struct fees *fees);

#endif
