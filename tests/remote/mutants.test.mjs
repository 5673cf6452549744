// SPDX-License-Identifier: Apache-2.0
// That these tests can fail (harness/mutants.mjs).
import { mutants } from '../harness/mutants.mjs';

mutants({
  facilitator_truthy: ['remote/node', '^/verify says neither'],
  lost_is_refused: ['remote/word', '^settled, then an error 504'],
  refusal_believed: ['remote/word', '^a refusal is believed'],
  claim_believed: ['remote/node', '^settled, then another transaction'],
  attestation_unchecked: ['remote/attestation', '^another receipt: 503'],
  address_unguarded: ['remote/address', '^a name that leads inside'],
  silence_is_failed: ['remote/proof', '^the node cannot be asked'],
  attested_any: ['remote/attestation', '^the same receipt for the same resource'],
  redirect_followed: ['remote/node', '^308 to another host'],
  facilitator_open: ['remote/node', '^the facilitator is down'],
  claim_any_transfer: ['remote/permit2', '^"settled" by the transaction of another'],
  facilitator_reuse: [['faults/remote', '^/verify: the second copy'], ['remote/tls', '^/verify: the second copy']],
});
