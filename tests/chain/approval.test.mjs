// SPDX-License-Identifier: Apache-2.0
// erc20ApprovalGasSponsoring: the payer's own signed approve() comes along, is
// looked at closely, broadcast, and only then is anything settled or served.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExactEvmScheme } from '@x402/evm';
import { decodePaymentResponseHeader, wrapFetchWithPaymentFromConfig } from '@x402/fetch';
import { createPublicClient, http, parseTransaction, serializeTransaction } from 'viem';
import { PAYEE, SETTLER, account } from '../../devnet/accounts.mjs';
import { NETWORK, USDC } from '../../devnet/chain.mjs';
import { unbase64 } from '../harness/payment.mjs';
import { approving, header, permit2, v2 } from '../harness/pay-permit2.mjs';
import { allowance, installPermit2 } from '../harness/permit2.mjs';
import { useStack } from '../harness/stack.mjs';
import { newPayer } from '../harness/token.mjs';
import { until } from '../harness/witness.mjs';

const routes = [
  { path: '/paid', price: '0.001' },
  { path: '/permit2', price: '0.001', to: '/paid', more: ['x402_transfer_method permit2;', 'x402_gas_sponsoring eip2612 erc20_approval;'] },
  { path: '/approval', price: '0.001', to: '/paid', more: ['x402_transfer_method permit2;', 'x402_gas_sponsoring erc20_approval;'] },
  { path: '/metered', price: '0.001', to: '/paid', more: [`x402_scheme upto ${account(SETTLER).address};`, 'x402_gas_sponsoring eip2612 erc20_approval;'] },
];
const world = useStack({ ground: installPermit2, conf: { routes } });
const other = account(3).address;
const EXACT = {
  scheme: 'exact', network: NETWORK, amount: '2000', asset: USDC, payTo: account(PAYEE).address, maxTimeoutSeconds: 300,
  extra: { name: 'USDC', version: '2', assetTransferMethod: 'permit2' },
};
const UPTO = { ...EXACT, scheme: 'upto', extra: { ...EXACT.extra, facilitatorAddress: account(SETTLER).address } };

async function post(path, paymentPayload, paymentRequirements = EXACT) {
  const response = await fetch(`${world.stack.url('facilitator')}${path}`, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ x402Version: 2, paymentPayload, paymentRequirements }),
  });
  assert.equal(response.status, 200);
  return response.json();
}
const verify = (...args) => post('/verify', ...args);
const settle = (...args) => post('/settle', ...args);

/** An account with tokens and gas and without an allowance. */
async function somebody(gas = '0x2386f26fc10000') {
  const payer = await newPayer(world.stack.rpc, 10_000n);
  await world.stack.rpc.call('anvil_setBalance', payer.address, gas);
  return payer;
}
const pay = async (payer, extensions, requirement = EXACT) => v2(requirement, await permit2(payer, requirement), extensions);

/** The transaction, signed by another one. */
async function signedBy(payer, thief) {
  const { erc20ApprovalGasSponsoring: { info } } = await approving(thief);
  return { info: { ...info, from: payer.address } };
}
/** The transaction with a signature of nobody's. */
function spoilt({ info }) {
  const { r: _r, s, yParity, ...tx } = parseTransaction(info.signedTransaction);
  return { info: { ...info, signedTransaction: serializeTransaction(tx, { r: `0x${'ff'.repeat(32)}`, s, yParity }) } };
}

/* one thing is wrong, and the reason is 2.27's name for it */
const STEPS = [
  ['nothing', {}, undefined],
  ['from', { claim: { from: other } }, 'erc20_approval_from_mismatch'],
  ['asset', { claim: { asset: other } }, 'erc20_approval_asset_mismatch'],
  ['spender', { claim: { spender: other } }, 'erc20_approval_spender_not_permit2'],
  ['an amount that is no number', { claim: { amount: '-1' } }, 'invalid_erc20_approval_extension_format'],
  ['a transaction that is no hex', { claim: { signedTransaction: 'approve' } }, 'invalid_erc20_approval_extension_format'],
  ['a transaction that is none', { claim: { signedTransaction: '0x02c0' } }, 'erc20_approval_tx_parse_failed'],
  ['a transaction of type 0', { change: { type: 'legacy', gasPrice: 3_000_000_000n, maxFeePerGas: undefined, maxPriorityFeePerGas: undefined } }, 'erc20_approval_tx_parse_failed'],
  ['a transaction too long', { change: { data: `0x${'00'.repeat(600)}` } }, 'invalid_erc20_approval_extension_format'],
  ['another chain', { change: { chainId: 8453 } }, 'erc20_approval_tx_parse_failed'],
  ['another target', { change: { to: other } }, 'erc20_approval_tx_wrong_target'],
  ['another function', { change: { data: '0xa9059cbb' } }, 'erc20_approval_tx_wrong_selector'],
  ['another spender', { spender: other }, 'erc20_approval_tx_wrong_spender'],
  ['more calldata', { more: '00' }, 'erc20_approval_tx_invalid_calldata'],
  ['ether along', { change: { value: 1n } }, 'erc20_approval_tx_invalid_calldata'],
  ['less than the payment', { amount: 1999n }, 'erc20_approval_tx_invalid_calldata'],
  ['another amount than it says', { claim: { amount: '5000' } }, 'erc20_approval_tx_invalid_calldata'],
  ['a later account nonce', { nonce: 1 }, 'erc20_approval_broadcast_failed'],
  ['a fee below the base fee', { change: { maxFeePerGas: 1n, maxPriorityFeePerGas: 1n } }, 'erc20_approval_broadcast_failed'],
  ['too little gas to be sent', { change: { gas: 22_000n } }, 'erc20_approval_broadcast_failed'],
  ['too little gas for approve()', { change: { gas: 30_000n } }, 'erc20_approval_broadcast_failed'],
];

for (const [what, options, reason] of STEPS) {
  test(`an approval: ${what}: ${reason ?? 'valid'}`, async () => {
    const payer = await somebody();
    let extensions = await approving(payer, options);
    if (options.more) {
      const { data } = parseTransaction(extensions.erc20ApprovalGasSponsoring.info.signedTransaction);
      extensions = await approving(payer, { change: { data: data + options.more } });
    }
    const answer = await verify(await pay(payer, extensions));
    assert.equal(answer.invalidReason, reason);
    assert.equal(answer.isValid, reason === undefined);
    assert.equal(await allowance(world.stack.rpc, payer.address), 0n, '/verify sends nothing');
  });
}

test('signed by somebody else, or by nobody', async () => {
  const payer = await somebody();
  const foreign = { erc20ApprovalGasSponsoring: await signedBy(payer, await somebody()) };
  assert.equal((await verify(await pay(payer, foreign))).invalidReason, 'erc20_approval_tx_signer_mismatch');
  const { erc20ApprovalGasSponsoring } = await approving(payer);
  const broken = { erc20ApprovalGasSponsoring: spoilt(erc20ApprovalGasSponsoring) };
  assert.equal((await verify(await pay(payer, broken))).invalidReason, 'erc20_approval_tx_invalid_signature');
});

test('a payer without the gas for it', async () => {
  const payer = await somebody('0x1');
  const payment = await pay(payer, await approving(payer));
  assert.equal((await verify(payment)).invalidReason, 'erc20_approval_insufficient_eth_for_gas');
  assert.equal((await settle(payment)).errorReason, 'erc20_approval_insufficient_eth_for_gas');
});

test('an incomplete extension is none', async () => {
  const payer = await somebody();
  const extensions = await approving(payer, { claim: { signedTransaction: '' } });
  assert.equal((await verify(await pay(payer, extensions))).invalidReason, 'permit2_allowance_required');
});

test('/settle broadcasts it, then settles; the second payment needs none', async () => {
  const payer = await somebody();
  const had = await world.witness.payee();
  const payment = await pay(payer, await approving(payer));
  const answers = await Promise.all([settle(payment), settle(payment)]);
  assert.deepEqual([...new Set(answers.map((a) => a.success))], [true], JSON.stringify(answers));
  assert.equal(new Set(answers.map((a) => a.transaction)).size, 1);
  assert.equal(await world.witness.payee() - had, 2000n);
  assert.ok(await allowance(world.stack.rpc, payer.address) > 0n);
  assert.equal(Number(await world.stack.rpc.call('eth_getTransactionCount', payer.address, 'latest')), 1);
  // the same approval again is of no use, and of no harm
  assert.equal((await settle(await pay(payer, await approving(payer)))).success, true);
});

test('upto: good at /verify for the most, and settled for the amount that is asked', async () => {
  const payer = await somebody();
  const payment = await pay(payer, await approving(payer), UPTO);
  assert.deepEqual(await verify(payment, UPTO), { isValid: true, payer: payer.address });
  const answer = await settle(payment, { ...UPTO, amount: '700' });
  assert.equal(answer.success, true, JSON.stringify(answer));
  assert.equal(answer.amount, '700');
});

test('upto at /verify: what /settle would refuse is refused', async () => {
  const [poor, late, short] = [await somebody('0x1'), await somebody(), await somebody()];
  for (const [payer, options, reason] of [
    [poor, {}, 'erc20_approval_insufficient_eth_for_gas'],
    [late, { nonce: 1 }, 'erc20_approval_broadcast_failed'],
    [short, { amount: 1999n }, 'erc20_approval_tx_invalid_calldata'],
  ]) {
    const payment = await pay(payer, await approving(payer, options), UPTO);
    assert.equal((await verify(payment, UPTO)).invalidReason, reason);
    assert.equal((await settle(payment, { ...UPTO, amount: '700' })).errorReason, reason);
  }
});

test('two of one payer at once, each with the same approval', async () => {
  const payer = await somebody();
  const extensions = await approving(payer);
  const answers = await Promise.all([1, 2].map(async () => settle(await pay(payer, extensions))));
  assert.deepEqual(answers.map((a) => a.success), [true, true], JSON.stringify(answers));
  assert.notEqual(answers[0].transaction, answers[1].transaction);
});

test('made void after /verify: nothing is settled, nothing is lost', async () => {
  const { rpc } = world.stack;
  const payer = await somebody();
  const payment = await pay(payer, await approving(payer));
  assert.equal((await verify(payment)).isValid, true);
  await rpc.call('anvil_setNonce', payer.address, '0x1');
  const answer = await settle(payment);
  assert.equal(answer.success, false);
  assert.equal(answer.errorReason, 'erc20_approval_broadcast_failed');
  assert.equal(await allowance(rpc, payer.address), 0n);
});

/* -- the gateway -- */

const offer = async (path) => unbase64((await world.get(path)).headers['payment-required']);

test('the 402 says which of the two is taken, and only where Permit2 is', async () => {
  const declared = async (path) => Object.keys((await offer(path)).extensions ?? {}).filter((name) => name.endsWith('Sponsoring'));
  assert.deepEqual(await declared('/permit2'), ['eip2612GasSponsoring', 'erc20ApprovalGasSponsoring']);
  assert.deepEqual(await declared('/metered'), ['eip2612GasSponsoring']);
  const { extensions } = await offer('/approval');
  assert.equal(extensions.erc20ApprovalGasSponsoring.info.version, '1');
  assert.ok(extensions.erc20ApprovalGasSponsoring.schema.required.includes('signedTransaction'));
  assert.deepEqual(await declared('/paid'), []);
  const supported = await (await fetch(`${world.stack.url('facilitator')}/supported`)).json();
  assert.deepEqual(supported.extensions, ['eip2612GasSponsoring', 'erc20ApprovalGasSponsoring']);
});

test('the gateway serves when the tokens have moved, not before', async () => {
  const payer = await somebody();
  const { accepts: [accepted] } = await offer('/approval');
  const had = await world.witness.payee();
  const response = await world.get('/approval', header(accepted, await permit2(payer, accepted), await approving(payer)));
  assert.equal(response.status, 200);
  assert.equal(await world.witness.payee() - had, 1000n);
});

test('upto through the gateway needs the allowance before: 412', async () => {
  const payer = await somebody();
  const { accepts: [accepted] } = await offer('/metered');
  const response = await world.get('/metered', header(accepted, await permit2(payer, accepted), await approving(payer)));
  assert.equal(response.status, 412);
});

test('the official client signs it, and is served', async () => {
  const payer = await somebody();
  const node = createPublicClient({ transport: http(world.stack.url('rpc')) });
  const signer = {
    address: payer.address,
    signTypedData: (message) => payer.signTypedData(message),
    signTransaction: (tx) => payer.signTransaction({ type: 'eip1559', ...tx }),
    readContract: (args) => node.readContract(args),
    getTransactionCount: (args) => node.getTransactionCount(args),
    estimateFeesPerGas: () => node.estimateFeesPerGas({ chain: null, type: 'eip1559' }),
  };
  const buy = wrapFetchWithPaymentFromConfig(fetch, { schemes: [{ network: 'eip155:*', client: new ExactEvmScheme(signer) }] });
  const response = await buy(`${world.stack.url('gateway')}/approval`);
  assert.equal(response.status, 200);
  const { transaction } = decodePaymentResponseHeader(response.headers.get('payment-response'));
  assert.match(transaction, /^0x[0-9a-f]{64}$/);
  await until('allowed', 5000, () => allowance(world.stack.rpc, payer.address), (n) => n > 0n);
});
