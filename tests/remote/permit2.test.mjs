// SPDX-License-Identifier: Apache-2.0
// Permit2 and upto through another facilitator: verified before, settled after
// for what was taken, and proven by the call of the transaction, because no log
// names the nonce.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { account } from '../../devnet/accounts.mjs';
import { PROGRAMS } from '../../devnet/paths.mjs';
import { sleep } from '../../devnet/process.mjs';
import { header, permit2 } from '../harness/pay-permit2.mjs';
import { approve, installPermit2, nonceUsed } from '../harness/permit2.mjs';
import { unbase64 } from '../harness/payment.mjs';
import { newPayer } from '../harness/token.mjs';
import { until } from '../harness/witness.mjs';
import { says } from './scripted.mjs';
import { canSettle, useRemote } from './world.mjs';

const THEIRS = account(8).address; // settles for the facilitator
const [SUBMITTED, MINED] = [4, 5];
const payer = account(5);
const routes = [
  { path: '/paid', price: '0.001' },
  { path: '/permit2', price: '0.001', to: '/paid', more: ['x402_transfer_method permit2;'] },
  { path: '/strict', price: '0.001', to: '/paid', more: ['x402_transfer_method permit2;', 'x402_settle before;'] },
  { path: '/metered', price: '0.02', more: [`x402_scheme upto ${THEIRS};`] },
  { path: '/stranger', price: '0.02', to: '/metered', more: [`x402_scheme upto ${account(3).address};`] },
];
const world = await useRemote({
  conf: { routes },
  ground: async (rpc) => {
    await installPermit2(rpc);
    await approve(rpc, payer.address);
  },
});
const { scripted } = world;

async function sign(path, who = payer) {
  const { accepts: [accepted] } = unbase64((await world.get(path)).headers['payment-required']);
  return { accepted, payload: await permit2(who, accepted) };
}
const send = (path, { accepted, payload }) => world.get(path, header(accepted, payload), { timeout: 60_000 });
const nonceOf = ({ payload }) => payload.permit2Authorization.nonce;
const row = (payment) => world.witness.ledger(`SELECT state, tx, charge FROM payment WHERE nonce = x'${BigInt(nonceOf(payment)).toString(16).padStart(64, '0')}'`)[0];
const settled = (payment) => until('settled', 20_000, async () => { await sleep(200); return row(payment); }, (r) => r?.state >= MINED && r.state <= 6);
const used = (payment) => nonceUsed(world.stack.rpc, payer.address, nonceOf(payment));

for (const path of ['/permit2', '/strict'])
  test(`${path}: verified, served and settled by the other one, once`, async () => {
    await canSettle(world);
    const had = await world.witness.payee();
    const payment = await sign(path);
    const response = await send(path, payment);
    assert.equal(response.status, 200, response.body);
    const { tx } = await settled(payment);
    const { transactions: _, ...receipt } = await world.stack.rpc.call('eth_getTransactionReceipt', `0x${tx}`);
    assert.equal(receipt.from, THEIRS.toLowerCase());
    assert.equal(await world.witness.payee() - had, 1000n);
    assert.ok(await used(payment));
    assert.equal(scripted.asked('/settle', nonceOf(payment)).length, 1);
  });

test('upto: the most is verified, what the upstream says is settled', async () => {
  await canSettle(world);
  const had = await world.witness.payee();
  const payment = await sign('/metered');
  const response = await send('/metered?say={"amount":"1858"}', payment);
  assert.equal(response.status, 200, response.body);
  await settled(payment);
  assert.equal(await world.witness.payee() - had, 1858n);
  const [verify] = scripted.asked('/verify', nonceOf(payment)), [settle] = scripted.asked('/settle', nonceOf(payment));
  assert.deepEqual([verify, settle].map(({ json }) => [json.paymentRequirements.scheme, json.paymentRequirements.amount, json.paymentPayload.accepted.amount]),
    [['upto', '20000', '20000'], ['upto', '1858', '20000']]);
  assert.equal(settle.json.paymentRequirements.extra.facilitatorAddress, THEIRS);
});

test('upto: of nothing nothing is settled', async () => {
  const had = await world.witness.payee();
  const payment = await sign('/metered');
  assert.equal((await send('/metered?say={"amount":"0"}', payment)).status, 200);
  await sleep(1500);
  assert.equal(scripted.asked('/settle', nonceOf(payment)).length, 0);
  assert.equal(await world.witness.payee(), had);
});

test('upto for an account that the facilitator does not list: refused, nobody is asked', async () => {
  const payment = await sign('/stranger');
  const response = await send('/stranger', payment);
  assert.equal(response.status, 402);
  assert.equal(scripted.asked('/verify', nonceOf(payment)).length, 0);
});

test('without an allowance: 412, and the other one is not asked', async () => {
  const payment = await sign('/permit2', await newPayer(world.stack.rpc, 10_000n));
  assert.equal((await send('/permit2', payment)).status, 412);
  assert.equal(scripted.asked('/verify', nonceOf(payment)).length, 0);
});

test('"settled" by the transaction of another payment of the same amount is not believed', { timeout: 60_000 }, async () => {
  await canSettle(world);
  const first = await sign('/permit2');
  assert.equal((await send('/permit2', first)).status, 200);
  const { tx } = await settled(first);
  const had = await world.witness.payee();
  const second = await sign('/permit2');
  scripted.script.settle = says({ success: true, transaction: `0x${tx}`, network: 'eip155:84532', payer: payer.address });
  assert.equal((await send('/permit2', second)).status, 200, 'on credit');
  await until('asked twice', 20_000, () => scripted.asked('/settle', nonceOf(second)).length, (n) => n >= 2);
  assert.equal(row(second).state, SUBMITTED);
  scripted.honest();
  assert.notEqual((await settled(second)).tx, tx);
  assert.equal(await world.witness.payee() - had, 1000n);
});

test('settled, and the answer lost: found by the call, not settled again', { timeout: 60_000 }, async () => {
  await canSettle(world);
  const other = await sign('/permit2'); // an equal transfer of the same payer
  assert.equal((await send('/permit2', other)).status, 200);
  await settled(other);
  for (const path of ['/permit2', '/metered']) {
    const had = await world.witness.payee();
    scripted.script.settle = async (response, call) => {
      await scripted.forward(call);
      response.destroy();
    };
    const payment = await sign(path);
    assert.equal((await send(path === '/metered' ? '/metered?say={"amount":"1000"}' : path, payment)).status, 200);
    await settled(payment);
    scripted.honest();
    assert.equal(await world.witness.payee() - had, 1000n, path);
  }
});

test('beside them EIP-3009 is sold as ever', async () => {
  const payment = await world.pay('/paid');
  assert.equal((await world.get('/paid', payment.header('v2'))).status, 200);
});

test('x402d check says whose account upto needs', () => {
  const { stdout } = spawnSync(PROGRAMS.x402d, ['check', join(world.stack.dir, 'x402d.yaml')], { encoding: 'utf8' });
  assert.match(stdout, /^note: eip155:84532: settled by another facilitator: x402_scheme upto names an account of its own/m);
});
