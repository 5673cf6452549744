// SPDX-License-Identifier: Apache-2.0
// Lightning's deliberate faults (harness/mutants.mjs): the daemon's against
// the fake node, the client's on a real network.
import { lightningPrograms } from '../../devnet/lightning.mjs';
import { mutants } from '../harness/mutants.mjs';

mutants({
  invoice_replay: ['lightning/shop', '^256 copies of one proof'],
  invoice_not_asked: ['lightning/node', '^only SETTLED releases'],
  invoice_accepted: ['lightning/node', '^only SETTLED releases'],
  invoice_stream_forgets: ['lightning/node', '^a broken stream goes on'],
  l402_unchecked: ['lightning/shop', '^malformed and foreign proofs'],
  invoice_no_cap: ['lightning/node', '^a flood of unpaid requests'],
}, { env: { X402_LIGHTNING_FLOOD: process.env.X402_LIGHTNING_FLOOD ?? '300' } });

mutants({
  ln_any_invoice: ['lightning/client', '^refused: (a dearer invoice|an invoice for another request)'],
  ln_forgets: ['lightning/client', '^(a client that is killed while it pays|after an error of the server)'],
}, { skip: !lightningPrograms() && 'there is no lnd here' });
