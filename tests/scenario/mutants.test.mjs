// SPDX-License-Identifier: Apache-2.0
// Every deliberate fault and the cheapest test that notices it.  Which threat
// each stands for: docs/tests.md.
import { mutants } from '../harness/mutants.mjs';

mutants({
  // the protocol's library
  high_s: 'unit/test_wycheproof',
  recover_zero: 'unit/test_eip3009',
  any_signer: 'unit/test_eip3009',
  domain_any_chain: 'unit/test_eip712',
  sha3_padding: 'unit/test_keccak',
  rlp_zeros: 'unit/test_rlp',
  call_misshaped: 'unit/test_abi',
  amount_zeros: 'unit/test_amount',
  amount_wraps: 'unit/test_amount',
  json_duplicates: 'unit/test_json',
  base64_bits: 'unit/test_encode',
  fingerprint_method: 'unit/test_fingerprint',
  fingerprint_target: 'unit/test_fingerprint',
  match_any_network: 'unit/test_payment_match',
  match_any_asset: 'unit/test_payment_mutation',
  match_any_payee: 'unit/test_payment_match',
  match_any_amount: 'unit/test_payment_match',
  match_any_offer: 'unit/test_payment_mutation',
  match_any_domain: 'unit/test_payment_mutation',
  sign_unchecked: 'unit/test_signer',
  version_any: 'unit/test_payment',
  match_too_early: 'unit/test_payment_match',
  match_too_late: 'unit/test_payment_match',

  // the daemon: who may collect, what the chain said, credit
  worker_payee: 'unit/test_cashier',
  chain_unasked: 'unit/test_cashier',
  wallets_on_credit: ['scenario/wallets', '^a wallet that says yes to a call'],
  settler_poor: 'unit/test_cashier',
  settle_other_terms: 'unit/test_cashier_facilitate',
  settle_for_anybody: 'unit/test_cashier_facilitate',
  credit_off: 'unit/test_ledger_settle',
  due_any_order: 'unit/test_ledger_settle',
  // A31: overdraft of the allowance; C18: the second look refuses to sign it
  allowance_off: ['interop/permit2-gateway', '^payments at once: never more than the allowance'],
  upto_takes_all: ['interop/permit2-gateway', '^upto: the upstream says what it costs'],

  // the ledger
  no_unique: 'unit/test_ledger',
  any_resource: 'unit/test_ledger',
  release_often: 'unit/test_ledger',
  redeem_often: 'unit/test_ledger',
  capture_late: 'unit/test_ledger',
  capture_before_commit: 'unit/test_ledger',
  hold_ignored: 'unit/test_ledger',
  no_history: 'unit/test_ledger_history',
  lock_off: 'unit/test_ledger_open',
  fence_off: 'unit/test_ledger_open',
  sync_off: 'unit/test_ledger_crash 30 power',
  log_late: 'unit/test_ledger_crash 30 power',
  sync_error_ignored: 'unit/test_ledger_crash 30 sync',
  full_is_done: 'unit/test_ledger_crash 30 full',

  // tools: whose payment it is, and what is charged in vain
  mcp_promise: 'unit/test_mcp',
  mcp_headers: ['gateway/mcp', '^nothing of the client'],
  mcp_too_large: ['gateway/mcp', '^more than 1 MiB'],
  mcp_origin: ['gateway/mcp', '^refused over HTTP'],

  // the chain
  transfer_unchecked: 'unit/test_chain_receipt',
  status_ignored: 'unit/test_chain_receipt',
  null_is_failed: 'unit/test_chain_step',
  reorg_ignored: 'unit/test_chain_step',
  silence_is_proof: 'unit/test_chain_step',
  final_at_once: 'unit/test_chain_step',
  fee_uncapped: 'unit/test_chain_fees',
  fees_uncapped: 'unit/test_chain_fees',
  plan_any_company: 'unit/test_chain_plan',
  rpc_any_id: ['chain/rpc', '^an answer that cannot be trusted'],

  domain_unchecked: ['chain/simulate', '^a token with another domain'],

  // the gateway
  options_free: ['gateway/headers', '^CORS: any other OPTIONS'],
  upgrade_kept: ['gateway/headers', '^an upgrade is not one unless'],
  answer_public: ['gateway/headers', '^a paid response is private'],
  price_zero: ['gateway/refuse', '^a price from a variable'],
  till_any_frame: ['gateway/till', '^the daemon sends (another version|HTTP)'],
  capture_skipped: ['gateway/paid', '^v2: reserved'],
  hold_off: ['gateway/hold', '^held, then whole: /buffered'],
  error_page: ['gateway/redirects', '^error_page =200'],
  redirect: ['gateway/redirects', '^X-Accel-Redirect'],
  subrequest: ['gateway/redirects', '^subrequests never'],
  abort_free: ['gateway/hold', '^the client leaves while the upstream works'],
  satisfy_any: ['gateway/conf', '^refused: satisfy any'],
  path_odd: ['gateway/paths', '^no spelling gets past the price: merged'],
  path_loose: ['gateway/paths', '^no spelling gets past the price: merged'],
  strip_off: ['gateway/headers', '^payment headers, copies'],
  credentials: ['gateway/refuse', '^more than one credential'],
  verify_off: ['gateway/refuse', '^a signature that is not'],
  body: ['gateway/refuse', '^what a payment is bound to'],
  body_left: ['gateway/connections', '^the next request after a 402 or 400'],
  error_charged: ['gateway/paid', '^upstream 500'],
  broken_is_whole: ['gateway/hold', '^the upstream breaks off later'],
});
