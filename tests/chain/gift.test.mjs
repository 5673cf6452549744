// SPDX-License-Identifier: Apache-2.0
// erc20ApprovalGasSponsoring for a payer without native coin: he is given the
// gas of his approval, once, within what the operator allows; whoever takes it
// and lets the approval not through costs that much and gets nothing more.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { PAYEE, SETTLER, account } from '../../devnet/accounts.mjs';
import { CHAIN_ID, NETWORK, USDC } from '../../devnet/chain.mjs';
import { PROGRAMS } from '../../devnet/paths.mjs';
import { sleep } from '../../devnet/process.mjs';
import { approving, header, permit2, v2 } from '../harness/pay-permit2.mjs';
import { allowance, installPermit2 } from '../harness/permit2.mjs';
import { useStack } from '../harness/stack.mjs';
import { newPayer } from '../harness/token.mjs';
import { unbase64 } from '../harness/payment.mjs';
import { until } from '../harness/witness.mjs';

const GWEI = 1_000_000_000n;
// what approving() signs: 70,000 gas at 3 gwei; an eighth more is given
const GIFT = 236_251n;
const PER_PAYER = 300_000n;
const KEY = randomBytes(32).toString('hex');
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const settler = account(SETTLER).address;

const limits = (perDay, more = '') => `    approval_gas: {per_payer: ${PER_PAYER}, per_day: ${perDay}}${more}\n    poll: 100`;
const FIRST = limits(5_000_000);
const world = useStack({
  ground: installPermit2,
  conf: { routes: [
    { path: '/paid', price: '0.001' },
    { path: '/approval', price: '0.001', to: '/paid', more: ['x402_transfer_method permit2;', 'x402_gas_sponsoring erc20_approval;'] },
  ] },
  yaml: { network: FIRST, http: `  keys:\n    - {name: shop, sha256: ${sha256(KEY)}, payees: ["${account(PAYEE).address}"]}` },
});
const EXACT = {
  scheme: 'exact', network: NETWORK, amount: '2000', asset: USDC, payTo: account(PAYEE).address, maxTimeoutSeconds: 300,
  extra: { name: 'USDC', version: '2', assetTransferMethod: 'permit2' },
};

async function post(path, paymentPayload, signal) {
  const response = await fetch(`${world.stack.url('facilitator')}${path}`, {
    method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
    body: JSON.stringify({ x402Version: 2, paymentPayload, paymentRequirements: EXACT }),
    signal,
  });
  assert.equal(response.status, 200);
  return response.json();
}
const verify = (payment) => post('/verify', payment);
const settle = (payment, signal) => post('/settle', payment, signal);
const TOO_LITTLE = 'erc20_approval_insufficient_eth_for_gas';

/** Tokens, and no native coin at all. */
async function penniless() {
  const payer = await newPayer(world.stack.rpc, 10_000n);
  await world.stack.rpc.call('anvil_setBalance', payer.address, '0x0');
  return payer;
}
const pay = async (payer, options, timeout = 300) =>
  v2(EXACT, await permit2(payer, { ...EXACT, maxTimeoutSeconds: timeout }), await approving(payer, options));
const coins = async (address) => BigInt(await world.stack.rpc.call('eth_getBalance', address, 'latest'));
const gifts = (payer) => world.witness.ledger(`SELECT * FROM gift WHERE payer = x'${payer.address.slice(2)}'`);

/** Transfers of native coin to somebody, in all blocks. */
async function received(address) {
  const { rpc } = world.stack;
  const head = Number(await rpc.call('eth_blockNumber'));
  const found = [];
  for (let at = Math.max(0, head - 200); at <= head; at += 1) {
    const { transactions } = await rpc.call('eth_getBlockByNumber', `0x${at.toString(16)}`, true);
    found.push(...transactions.filter(({ to, value }) => to?.toLowerCase() === address.toLowerCase() && BigInt(value) > 0n));
  }
  return found;
}

async function reconfigure(network) {
  const file = join(world.stack.dir, 'x402d.yaml'), log = join(world.stack.dir, 'x402d.log');
  const reloads = () => readFileSync(log, 'utf8').split('"reloaded"').length;
  const had = reloads();
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(/ {4}approval_gas:[^]*poll: 100/, network));
  process.kill(world.stack.x402d.pid, 'SIGHUP');
  await until('reloaded', 10_000, async () => reloads(), (n) => n > had);
}

test('a payer without any native coin: given the gas, approved, settled', async () => {
  const payer = await penniless();
  const had = await world.witness.payee();
  const payment = await pay(payer);
  assert.deepEqual(await verify(payment), { isValid: true, payer: payer.address });
  assert.equal(await coins(payer.address), 0n, '/verify gives nothing');
  const answers = await Promise.all([settle(payment), settle(payment)]);
  assert.deepEqual(answers.map(({ success }) => success), [true, true], JSON.stringify(answers));
  assert.equal(new Set(answers.map(({ transaction }) => transaction)).size, 1);
  assert.equal(await world.witness.payee() - had, 2000n);
  assert.ok(await allowance(world.stack.rpc, payer.address) > 0n);
  const given = await received(payer.address);
  assert.deepEqual(given.map(({ from, value, input }) => [from, BigInt(value), input]), [[settler.toLowerCase(), GIFT * GWEI, '0x']]);
  assert.equal(gifts(payer).length, 1);
  assert.equal(BigInt(gifts(payer)[0].gwei), GIFT);
});

test('only what is missing is given, and nothing to whom nothing is missing', async () => {
  const some = await penniless(), enough = await penniless();
  await world.stack.rpc.call('anvil_setBalance', some.address, `0x${(100_000n * GWEI).toString(16)}`);
  await world.stack.rpc.call('anvil_setBalance', enough.address, `0x${(210_000n * GWEI).toString(16)}`);
  assert.equal((await settle(await pay(some))).success, true);
  assert.equal((await settle(await pay(enough))).success, true);
  assert.equal(BigInt(gifts(some)[0].gwei), GIFT - 100_000n);
  assert.deepEqual(await received(enough.address), []);
});

test('through the gateway: served when the tokens have moved', async () => {
  const payer = await penniless();
  const { accepts: [accepted] } = unbase64((await world.get('/approval')).headers['payment-required']);
  const had = await world.witness.payee();
  const response = await world.get('/approval', header(accepted, await permit2(payer, accepted), await approving(payer)));
  assert.equal(response.status, 200);
  assert.equal(await world.witness.payee() - had, 1000n);
  assert.equal((await received(payer.address)).length, 1);
});

test('an approval that asks for too much, ends too soon, or cannot go is given nothing', async () => {
  for (const [what, options, reason, timeout] of [
    ['gas for more than a payer may have', { change: { gas: 100_000n } }, TOO_LITTLE],
    ['an end before it could be settled', {}, TOO_LITTLE, 15],
    ['a later account nonce', { nonce: 1 }, 'erc20_approval_broadcast_failed'],
    ['too little gas for approve()', { change: { gas: 30_000n } }, 'erc20_approval_broadcast_failed'],
  ]) {
    const payer = await penniless();
    const payment = await pay(payer, options, timeout);
    assert.equal((await verify(payment)).invalidReason, reason, what);
    assert.equal((await settle(payment)).errorReason, reason, what);
    assert.equal(await coins(payer.address), 0n, what);
    assert.deepEqual(gifts(payer), [], what);
  }
});

test('an API key is charged for it', async () => {
  const used = async () => Number(/^x402_key_gas_gwei{key="shop"} (\d+)$/m.exec(await (await fetch(`${world.stack.url('facilitator')}/metrics`,
    { headers: { authorization: `Bearer ${KEY}` } })).text())[1]);
  const rich = await penniless(), poor = await penniless();
  await world.stack.rpc.call('anvil_setBalance', rich.address, '0x2386f26fc10000');
  const before = await used();
  assert.equal((await settle(await pay(rich))).success, true);
  const plain = await used() - before;
  assert.equal((await settle(await pay(poor))).success, true);
  assert.ok(await used() - before - plain >= plain + Number(GIFT), `${plain}`);
});

test('a payer who moves the coin away first costs one gift and gets no other', async () => {
  const { rpc } = world.stack;
  const payer = await penniless();
  const had = await world.witness.payee(), purse = await coins(settler);
  const thief = account(9).address;
  const steal = await payer.signTransaction({
    type: 'eip1559', chainId: CHAIN_ID, to: thief, nonce: 0, gas: 21_000n, maxFeePerGas: 3_000_000_000n, maxPriorityFeePerGas: 1_000_000n, value: 100_000n * GWEI,
  });
  const patience = new AbortController();
  settle(await pay(payer), patience.signal).catch(() => undefined); // it never will be
  await until('given', 10_000, () => coins(payer.address), (n) => n > 0n);
  const { status } = await rpc.receipt(await rpc.call('eth_sendRawTransaction', steal));
  assert.equal(status, '0x1');
  // the account nonce is used: this approval is void, and nobody is given twice
  for (let i = 0; i < 3; i += 1) {
    const again = await pay(payer, { nonce: 1 });
    assert.equal((await verify(again)).invalidReason, TOO_LITTLE);
    assert.equal((await settle(again)).errorReason, TOO_LITTLE);
  }
  await sleep(5000); // the settler looks at the first one again
  patience.abort();
  assert.equal((await received(payer.address)).length, 1);
  assert.equal(await world.witness.payee(), had);
  assert.equal(await allowance(rpc, payer.address), 0n);
  const lost = purse - await coins(settler);
  assert.ok(lost <= (GIFT + 100_000n * 3n) * GWEI, `${lost}`);
});

test('two payments of one payer with the same approval: given once, both paid', async () => {
  const payer = await penniless();
  const answers = await Promise.all([1, 2].map(async () => settle(await pay(payer))));
  assert.deepEqual(answers.map(({ success }) => success), [true, true], JSON.stringify(answers));
  assert.equal((await received(payer.address)).length, 1);
});

const mortal = readFileSync(PROGRAMS.x402d).includes('X402D_DIE_AT');
for (const point of ['before_gift', 'after_gift', 'before_broadcast', 'broadcast_answered', 'before_approval', 'before_mined'])
  test(`killed at ${point}: paid in the end, given once`, { skip: !mortal && 'built without -Dmutants=true', timeout: 90_000 }, async () => {
    const { stack } = world;
    const payer = await penniless();
    const restarted = () => new Promise((resolve) => { stack.once('restart', resolve); });
    const answers = () => until('x402d answers', 20_000, () => fetch(`${stack.url('facilitator')}/health`).catch(() => undefined), (r) => r?.status === 200);
    stack.revive = async (name) => {
      stack.revive = undefined;
      return name === 'x402d' ? { X402D_DIE_AT: `${point}:1` } : undefined;
    };
    const first = restarted();
    stack.x402d.signalGroup('SIGKILL');
    await first;
    await answers();
    const died = restarted();
    const had = await world.witness.payee();
    const payment = await pay(payer);
    await settle(payment).catch(() => undefined);
    await died;
    await answers();
    await until('settled', 40_000, () => settle(payment).catch(() => undefined), (answer) => answer?.success === true);
    assert.equal(await world.witness.payee() - had, 2000n);
    assert.equal((await received(payer.address)).length, 1);
    assert.equal(gifts(payer).length, 1);
  });

test('over what a payment may cost, nothing is given', async () => {
  const payer = await penniless();
  await reconfigure(limits(5_000_000, '\n    max_fee: {per_payment: 230000}'));
  assert.equal((await verify(await pay(payer))).invalidReason, TOO_LITTLE);
  await reconfigure(FIRST);
  assert.equal((await verify(await pay(payer))).isValid, true);
});

test('the day has an end, however many come at once', async () => {
  const [{ given }] = world.witness.ledger('SELECT sum(gwei) AS given FROM gift');
  await reconfigure(limits(BigInt(given) + 2n * GIFT + 10n));
  const payers = [];
  for (let i = 0; i < 5; i += 1)
    payers.push(await penniless());
  const before = await coins(settler);
  const patience = new AbortController();
  const answers = payers.map(async (payer) => settle(await pay(payer), patience.signal).catch(() => undefined));
  await until('two of them paid', 30_000, async () => BigInt(world.witness.ledger(`SELECT count(*) AS n FROM payment WHERE state > 4 AND payer IN (${payers.map(({ address }) => `x'${address.slice(2)}'`)})`)[0].n), (n) => n >= 2n);
  await sleep(4000);
  patience.abort();
  await Promise.all(answers);
  const got = (await Promise.all(payers.map((payer) => received(payer.address)))).flat();
  assert.equal(got.length, 2);
  assert.ok(before - await coins(settler) > 2n * GIFT * GWEI);
  assert.equal((await verify(await pay(await penniless()))).invalidReason, TOO_LITTLE);
});

test('where it is not configured nothing is given', async () => {
  await reconfigure('    poll: 100');
  assert.equal((await verify(await pay(await penniless()))).invalidReason, TOO_LITTLE);
});
