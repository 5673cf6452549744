/* SPDX-License-Identifier: Apache-2.0 */
/* Permit2's allowance by the payer's own approve() (x402/approval.h): would it
 * go through, and broadcasting it.
 *
 * The transaction is the payer's: he pays its gas (given to him where gift.h
 * says so), and he can make it void at any time with another one of the same
 * account nonce.  So nothing is given on it: such a payment is settled first,
 * and its settlement is made and signed only when the allowance is seen on the
 * chain.  Nothing has to be remembered: the ledger's row holds the approval,
 * and sending it twice is harmless. */
#ifndef X402D_APPROVE_H
#define X402D_APPROVE_H

#include "inside.h"
#include "waiting.h"

/** Will the approval that came with this payment go through?  Tells w, whose
 *  verdict is complete but for that, and calls done(arg) first. */
void approve_check(struct chain *chain, struct waiting *w,
                   const struct chain_verdict *verdict, core_task done,
                   void *arg);

/** Broadcast the row's approval, once more perhaps. */
void approve_send(struct chain *chain, const struct pay_row *row);

#endif
