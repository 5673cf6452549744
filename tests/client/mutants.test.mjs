// SPDX-License-Identifier: Apache-2.0
// The client's deliberate faults (harness/mutants.mjs): what it must not pay,
// not send, not forget.
import { mutants } from '../harness/mutants.mjs';

mutants({
  pays_again: ['client/hostile', '^price bait'],
  key_shared: ['client/wallet', '^mode 640 is refused'],
  price_any: ['client/hostile', '^a price of'],
  lifetime_any: ['client/hostile', '^a lifetime of'],
  resource_any: ['client/hostile', '^a 402 about somebody else'],
  nonce_repeated: ['client/hostile', '^every run draws a nonce'],
  budget_any: ['client/budget', '^refused payments count'],
  redirect_carries: ['client/redirect', 'to another origin, after the payment'],
  redirect_trusts: ['client/redirect', 'to another origin, before a payment'],
  journal_shared: ['client/journal', '^a journal that others can read'],
  journal_unsynced: ['client/journal', '^a disk that cannot sync'],
  tls_unchecked: ['client/tls', '^a certificate that is'],
  upstream_open: ['client/upstream', '^on every address'],
  plain_http: ['client/tls', '^plain http to another machine'],
});
