// SPDX-License-Identifier: Apache-2.0
// The facilitator with Permit2: each step of the specification violated alone,
// and what others do with a payment before we could settle it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { x402ExactPermit2ProxyABI } from '@x402/evm';
import { encodeFunctionData } from 'viem';
import { PAYEE, SETTLER, account } from '../../devnet/accounts.mjs';
import { NETWORK, USDC } from '../../devnet/chain.mjs';
import { authorize, now } from '../harness/payment.mjs';
import { permit2, sponsored, v2 } from '../harness/pay-permit2.mjs';
import { EXACT_PROXY, approve, installPermit2, invalidate } from '../harness/permit2.mjs';
import { useStack } from '../harness/stack.mjs';
import { newPayer, transfer } from '../harness/token.mjs';
import { until } from '../harness/witness.mjs';

const world = useStack({ ground: installPermit2 }, {
  ready: ({ stack }) => approve(stack.rpc, payer.address),
});
const payer = account(5);
const facilitator = account(SETTLER).address;
const EXACT = {
  scheme: 'exact', network: NETWORK, amount: '2000', asset: USDC, payTo: account(PAYEE).address, maxTimeoutSeconds: 300,
  extra: { name: 'USDC', version: '2', assetTransferMethod: 'permit2' },
};
const UPTO = { ...EXACT, scheme: 'upto', extra: { ...EXACT.extra, facilitatorAddress: facilitator } };

async function post(path, paymentPayload, paymentRequirements) {
  const response = await fetch(`${world.stack.url('facilitator')}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ x402Version: 2, paymentPayload, paymentRequirements }),
  });
  return { status: response.status, ...await response.json() };
}

const verify = (...args) => post('/verify', ...args);
const settle = (...args) => post('/settle', ...args);
const other = account(3).address;

/* one thing is wrong, and the reason is 2.27's name for it */
const STEPS = [
  ['nothing', {}, undefined],
  ['spender', { change: { spender: other } }, 'invalid_permit2_spender'],
  ['payee', { witness: { to: other } }, 'invalid_permit2_recipient_mismatch'],
  ['deadline', { change: { deadline: String(now() + 3) } }, 'permit2_deadline_expired'],
  ['validAfter', { witness: { validAfter: String(now() + 600) } }, 'permit2_not_yet_valid'],
  ['less', { change: { permitted: { token: USDC, amount: '1999' } } }, 'permit2_amount_mismatch'],
  ['more', { change: { permitted: { token: USDC, amount: '2001' } } }, 'permit2_amount_mismatch'],
  ['token', { change: { permitted: { token: other, amount: '2000' } } }, 'permit2_token_mismatch'],
  ['chain', { chainId: 8453 }, 'invalid_permit2_signature'],
  ['signer', { change: { from: other } }, 'invalid_permit2_signature'],
];

for (const requirement of [EXACT, UPTO]) {
  for (const [what, options, reason] of STEPS) {
    test(`${requirement.scheme}: ${what}: ${reason ?? 'valid'}`, async () => {
      const payment = v2(requirement, await permit2(payer, requirement, options));
      const answer = await verify(payment, requirement);
      assert.equal(answer.status, 200);
      assert.equal(answer.invalidReason, reason);
      assert.equal(answer.isValid, reason === undefined);
      // at /settle upto's amount is what shall be taken, see below
      if (reason !== undefined && !(requirement === UPTO && reason === 'permit2_amount_mismatch'))
        assert.equal((await settle(payment, requirement)).errorReason, reason);
    });
  }
}

test('upto for a facilitator that is not us', async () => {
  const payment = v2(UPTO, await permit2(payer, UPTO, { witness: { facilitator: other } }));
  assert.equal((await verify(payment, UPTO)).invalidReason, 'upto_facilitator_mismatch');
});

test('another scheme in the payload than in the requirements', async () => {
  const payment = v2(EXACT, await permit2(payer, EXACT));
  assert.equal((await verify(payment, UPTO)).isValid, false);
});

test('without an allowance, without the money: 200 with the reason', async () => {
  const poor = await newPayer(world.stack.rpc, 1000n);
  await approve(world.stack.rpc, poor.address);
  const short = v2(EXACT, await permit2(poor, EXACT));
  assert.equal((await verify(short, EXACT)).invalidReason, 'permit2_insufficient_balance');
  const rich = await newPayer(world.stack.rpc, 10_000n);
  await approve(world.stack.rpc, rich.address, 1999n);
  const unapproved = v2(EXACT, await permit2(rich, EXACT));
  assert.equal((await verify(unapproved, EXACT)).invalidReason, 'permit2_allowance_required');
});

test('a nonce taken back before', async () => {
  const payload = await permit2(payer, EXACT);
  await invalidate(world.stack.rpc, payer.address, payload.permit2Authorization.nonce);
  assert.equal((await verify(v2(EXACT, payload), EXACT)).invalidReason, 'permit2_invalid_nonce');
});

test('/settle: the same payment, the same transaction, also for two at once', async () => {
  const payment = v2(EXACT, await permit2(payer, EXACT));
  const had = await world.witness.payee();
  const answers = await Promise.all([settle(payment, EXACT), settle(payment, EXACT)]);
  answers.push(await settle(payment, EXACT));
  assert.deepEqual([...new Set(answers.map((a) => a.success))], [true], JSON.stringify(answers));
  assert.equal(new Set(answers.map((a) => a.transaction)).size, 1);
  assert.equal(await world.witness.payee() - had, 2000n);
});

test('upto: more than was signed is refused, another amount later too', async () => {
  const payment = v2(UPTO, await permit2(payer, UPTO));
  const more = await settle(payment, { ...UPTO, amount: '2001' });
  assert.equal(more.errorReason, 'invalid_upto_evm_payload_settlement_exceeds_amount');
  const part = await settle(payment, { ...UPTO, amount: '700' });
  assert.equal(part.success, true, JSON.stringify(part));
  assert.equal(part.amount, '700');
  assert.equal((await settle(payment, { ...UPTO, amount: '700' })).transaction, part.transaction);
  assert.equal((await settle(payment, { ...UPTO, amount: '701' })).success, false);
});

const PERMITS = [
  ['from', { from: other }, 'eip2612_from_mismatch'],
  ['asset', { asset: other }, 'eip2612_asset_mismatch'],
  ['spender', { spender: other }, 'eip2612_spender_not_permit2'],
  ['deadline', { deadline: String(now()) }, 'eip2612_deadline_expired'],
  ['amount', { amount: '1999' }, 'permit2_2612_amount_mismatch'],
  ['signature', { signature: '0x12' }, 'invalid_eip2612_extension_format'],
];

for (const [what, change, reason] of PERMITS) {
  test(`a permit with another ${what}: ${reason}`, async () => {
    const extensions = await sponsored(payer, { amount: '2000', change });
    const payment = v2(EXACT, await permit2(payer, EXACT), extensions);
    assert.equal((await verify(payment, EXACT)).invalidReason, reason);
  });
}

test('a permit that fails beside an allowance that is there still settles', async () => {
  const fresh = await newPayer(world.stack.rpc, 10_000n);
  await approve(world.stack.rpc, fresh.address);
  const extensions = await sponsored(fresh, { amount: '2000', nonce: '7' });
  const payment = v2(EXACT, await permit2(fresh, EXACT), extensions);
  const answer = await settle(payment, EXACT);
  assert.equal(answer.success, true, JSON.stringify(answer));
});

test('many payers settle together by Multicall3', async () => {
  const payers = [];
  for (let i = 0; i < 12; i += 1)
    payers.push(await newPayer(world.stack.rpc, 10_000n));
  for (const one of payers)
    await approve(world.stack.rpc, one.address);
  const answers = await Promise.all(payers.map(async (one) => settle(v2(EXACT, await permit2(one, EXACT)), EXACT)));
  assert.deepEqual(answers.filter((a) => !a.success), []);
  assert.ok(new Set(answers.map((a) => a.transaction)).size < 12, 'not a transaction each');
});

/* somebody else calls the proxy, which anybody may */
async function frontRun(rpc, { permit2Authorization: a, signature }) {
  const data = encodeFunctionData({
    abi: x402ExactPermit2ProxyABI,
    functionName: 'settle',
    args: [{ permitted: a.permitted, nonce: a.nonce, deadline: a.deadline }, a.from, a.witness, signature],
  });
  const hash = await rpc.call('eth_sendTransaction', { from: other, to: EXACT_PROXY, data, gas: '0x493e0' });
  assert.equal((await rpc.receipt(hash)).status, '0x1');
  return hash;
}

test('settled by somebody else first: we are paid, by that transaction', async () => {
  const { stack: { rpc } } = world;
  await settle(v2(EXACT, await permit2(payer, EXACT)), EXACT); // an equal transfer, of another payment
  const payload = await permit2(payer, EXACT);
  await rpc.call('evm_setAutomine', false); // ours waits in the pool, behind his
  try {
    const pending = settle(v2(EXACT, payload), EXACT);
    await new Promise((resolve) => { setTimeout(resolve, 1500); });
    const waiting = await rpc.call('txpool_content');
    assert.ok(waiting);
    await rpc.call('anvil_dropAllTransactions');
    await rpc.call('evm_setAutomine', true);
    const hash = await frontRun(rpc, payload);
    const answer = await pending;
    assert.equal(answer.success, true, JSON.stringify(answer));
    assert.equal(answer.transaction, hash);
  } finally {
    await rpc.call('evm_setAutomine', true);
  }
});

test('settled by somebody else before we heard of it: the same answer, his transaction', async () => {
  const { stack: { rpc } } = world;
  const [before, theirs, after] = await Promise.all([1, 2, 3].map(() => permit2(payer, EXACT)));
  await frontRun(rpc, before); // equal transfers, of other payments
  const hash = await frontRun(rpc, theirs);
  await frontRun(rpc, after);
  const had = await world.witness.payee();
  const answer = await settle(v2(EXACT, theirs), EXACT);
  assert.equal(answer.success, true, JSON.stringify(answer));
  assert.equal(answer.transaction, hash);
  assert.equal(await world.witness.payee(), had);
  assert.equal((await settle(v2(EXACT, theirs), EXACT)).transaction, hash);
});

test('taken back before we heard of it, beside an equal transfer: refused', async () => {
  const { stack: { rpc } } = world;
  const payload = await permit2(payer, EXACT);
  await frontRun(rpc, await permit2(payer, EXACT));
  await invalidate(rpc, payer.address, payload.permit2Authorization.nonce);
  const answer = await settle(v2(EXACT, payload), EXACT);
  assert.deepEqual([answer.success, answer.errorReason], [false, 'permit2_invalid_nonce']);
});

test('the money is gone between the check and the settlement: refused, not paid', async () => {
  const poor = await newPayer(world.stack.rpc, 2000n);
  await approve(world.stack.rpc, poor.address);
  const payment = v2(EXACT, await permit2(poor, EXACT));
  assert.equal((await verify(payment, EXACT)).isValid, true);
  await world.stack.rpc.call('anvil_impersonateAccount', poor.address);
  await transfer(world.stack.rpc, poor, other, 1n);
  const answer = await settle(payment, EXACT);
  assert.equal(answer.errorReason, 'permit2_insufficient_balance');
});

test('upto goes one by one, and a payment that could go with others does not wait for all of them', async () => {
  const { stack: { rpc } } = world;
  const inPool = async () => Object.keys(Object.values((await rpc.call('txpool_content')).pending)[0] ?? {}).length;
  const full = () => until('every place of the signer is taken', 10_000, inPool, (n) => n === 4);
  await rpc.call('evm_setAutomine', false);
  const many = Array.from({ length: 12 }, async () => settle(v2(UPTO, await permit2(payer, UPTO)), UPTO));
  try {
    await full();
    let answer;
    const plain = { ...EXACT, extra: { name: 'USDC', version: '2' } };
    const one = settle({ x402Version: 2, accepted: plain, payload: await authorize(account(6), plain) }, plain).then((a) => { answer = a; });
    await new Promise((resolve) => { setTimeout(resolve, 1500); });
    await rpc.mine(1);
    await full();
    await rpc.mine(1);
    await until('settled with the second block', 5000, () => answer?.success, (yes) => yes === true);
    await one;
  } finally {
    await rpc.call('evm_setAutomine', true);
    await rpc.mine(1);
  }
  for (const answer of await Promise.all(many))
    assert.equal(answer.success, true, JSON.stringify(answer));
});
