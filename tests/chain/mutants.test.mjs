// SPDX-License-Identifier: Apache-2.0
// The chain's deliberate faults (harness/mutants.mjs).
import { mutants } from '../harness/mutants.mjs';

mutants({
  any_factory: ['chain/wallets', '^ERC-6492: who may be called'],
  payer_unchecked: ['chain/wallets', '^no chain is asked about what cannot be'],
  // what somebody else paid is paid; what the ledger could not take is told
  // again; an account nonce has one transaction; failing in a row ends
  others_pay_nothing: ['chain/settle', '^somebody else sends it first'],
  edge_forgotten: ['chain/settle', '^a ledger that cannot be written is told again: final'],
  first_blocks_all: ['chain/settle', '^payments that cannot go yet do not hide'],
  nonce_twice: ['chain/settle', '^two signers share the work'],
  breaker_off: ['chain/odd', '^a token that says yes and does nothing'],
  spent_forgotten: ['chain/odd', '^the day'],
  // what an endpoint says: of which chain, how late, and whether another agrees
  any_chain: ['chain/witness', '^a stand-in of another chain'],
  stale_head: ['chain/witness', '^one whose head stands still'],
  one_word_is_enough: ['chain/witness', '^one that forges a receipt'],
  // a payer's approval: only of Permit2, only his own, only one that can go,
  // and nothing is served on it
  approval_any_spender: ['chain/approval', '^an approval: another spender'],
  approval_any_signer: ['chain/approval', '^signed by somebody else'],
  approval_any_nonce: ['chain/approval', '^an approval: a later account nonce'],
  approval_on_credit: ['chain/approval', '^the gateway serves when'],
  // gas for it: once, no more than a payer may have, and the day ends
  gift_again: ['chain/gift', '^a payer who moves the coin away'],
  gift_any_size: ['chain/gift', '^an approval that asks for too much'],
  gift_without_end: ['chain/gift', '^the day has an end'],
  // an equal transfer is not this payment's
  adopt_any_transfer: ['chain/permit2', '^taken back before'],
  strangers_first: ['chain/simulate', '^a flood of strangers'],
  wallet_without_fees: ['chain/wallets', '^ERC-1271: the first word'],
});
