// SPDX-License-Identifier: Apache-2.0
// Lightning's deliberate faults (harness/mutants.mjs), against fake nodes.
import { mutants } from '../harness/mutants.mjs';

mutants({
  invoice_replay: ['lightning/shop', '^256 copies of one proof'],
  invoice_not_asked: ['lightning/node', '^only SETTLED releases'],
  invoice_accepted: ['lightning/node', '^only SETTLED releases'],
  invoice_stream_forgets: ['lightning/node', '^a broken stream goes on'],
  l402_unchecked: ['lightning/shop', '^malformed and foreign proofs'],
  invoice_no_cap: ['lightning/node', '^a flood of unpaid requests'],
  // the client
  ln_any_invoice: ['lightning/payer', '^an invoice that is not the offer'],
  ln_forgets: ['lightning/payer', '^the stream breaks off and LND does not know it'],
  ln_void_early: ['lightning/payer', '^the stream breaks off and LND does not know it'],
  ln_held_spent: ['lightning/payer', '^held: the upstream fails, the money comes back'],
}, { env: { X402_LIGHTNING_FLOOD: process.env.X402_LIGHTNING_FLOOD ?? '300' } });
