// SPDX-License-Identifier: Apache-2.0
// Faults of API keys, of /verify, of reconcile and of the status page.
import { mutants } from '../harness/mutants.mjs';

mutants({
  any_key: [['facilitator/keys', '^/settle: no key, a wrong one'], ['facilitator/keys', '^/settle: a key is for its own payees']],
  key_gas_unlimited: ['facilitator/gas', '^the last one that fits'],
  key_gas_forgotten: ['facilitator/gas', '^the same payment again'],
  shown_forever: ['facilitator/advice', '^a token that is paused: refused when'],
  settle_by_advice: ['facilitator/advice', '^a token that is paused: refused by /settle'],
  shown_any_payee: ['facilitator/advice', '^a payee or a payer that is blacklisted'],
  shown_any_payer: ['facilitator/advice', '^a payee or a payer that is blacklisted'],
  shown_unread: [['facilitator/advice', '^a nonce that was used'], ['facilitator/advice', '^money that is gone']],
  advice_unrecovered: ['facilitator/advice', '^a signature that nobody recovered'],
  status_any_host: [['pages/status', '^only for this machine']],
  foreign_unseen: ['facilitator/online', '^a payee for whom another ledger collects'],
  open_to_all: ['facilitator/config', 'the world can settle'],
  failed_call_adopted: ['facilitator/restore', '^a backup that is put back', '^forgotten Permit2 payments', '^of two calls'],
  scan_off: [['facilitator/restore', '^a backup that is put back']],
  reconcile_blind: [['facilitator/ledger', '^reconcile: rows that are gone'], ['facilitator/ledger', '^reconcile: payments that no transfer']],
});
