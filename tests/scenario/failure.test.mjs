// SPDX-License-Identifier: Apache-2.0
// What the upstream fails at costs nothing; what it delivers is paid once.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { account } from '../../devnet/accounts.mjs';
import { sleep } from '../../devnet/process.mjs';
import { ITEMS } from '../harness/promises.mjs';
import { useStack } from '../harness/stack.mjs';
import { until } from '../harness/witness.mjs';

const world = useStack({ conf: { server: ITEMS } });

/* A later payment of somebody else is on the chain: an earlier one would be. */
async function settlerHasPassed() {
  const payment = await world.pay('/paid', { payer: account(7) });
  assert.equal((await world.get('/paid', payment.header('v2'))).status, 200);
  await world.witness.settled([payment]);
}

test('/fail: 500 to the client, the payer keeps his money', async () => {
  const { witness } = world;
  const payer = account(3);
  const before = await witness.balance(payer.address);
  for (const wire of ['v2', 'seed000', 'seed001', 'v1']) {
    const payment = await world.pay('/fail', { payer });
    const response = await world.get('/fail', payment.header(wire));
    assert.equal(response.status, 500);
    assert.equal(JSON.parse(response.body).error, 'this route always fails');
    assert.equal('payment-response' in response.headers, false);
    await settlerHasPassed();
    assert.equal(await witness.used(payer, payment.nonce), false);
  }
  assert.equal(await witness.balance(payer.address), before);
});

test('/flaky: 500, then the same payment on the same URL buys the answer; charged once', async () => {
  const { witness } = world;
  const payer = account(4);
  const before = await witness.balance(payer.address);
  const path = '/flaky?q=once';
  const payment = await world.pay(path, { payer });
  assert.equal((await world.get(path, payment.header('v2'))).status, 500);
  const again = await world.get(path, payment.header('v2'));
  assert.equal(again.status, 200);
  assert.equal(JSON.parse(again.body).answer, 'this time it works');
  await witness.settled([payment]);
  assert.equal((await world.get(path, payment.header('v2'))).status, 402);
  await settlerHasPassed();
  assert.equal(before - await witness.balance(payer.address), 1000n);
});

test('a release has an end: the fourth try of one authorization buys nothing', async () => {
  const payment = await world.pay('/fail', { payer: account(5) });
  const statuses = [];
  for (let i = 0; i < 5; i += 1)
    statuses.push((await world.get('/fail', payment.header('v2'))).status);
  assert.deepEqual(statuses, [500, 500, 500, 402, 402]);
});

test('/stream: the first event comes at once, the last after five seconds', async () => {
  const { stack, witness } = world;
  const payment = await world.pay('/stream');
  const start = Date.now();
  const arrivals = [];
  const res = await new Promise((resolve, reject) => {
    request(`${stack.url('gateway')}/stream`, { headers: payment.header('v2') }, resolve).once('error', reject).end();
  });
  assert.equal(res.statusCode, 200);
  assert.ok(res.headers['payment-response']);
  for await (const chunk of res)
    arrivals.push([Date.now() - start, String(chunk)]);
  assert.ok(arrivals[0][0] < 1000, `first event after ${arrivals[0][0]} ms`);
  assert.ok(arrivals.at(-1)[0] > 4000, `last event after ${arrivals.at(-1)[0]} ms`);
  assert.equal(arrivals.map(([, text]) => text).join('').match(/^data: /gm).length, 10);
  await witness.settled([payment]);
});

test('/big: 67,108,864 bytes, and memory does not hold them', async () => {
  const { stack, witness } = world;
  const payment = await world.pay('/big');
  const res = await new Promise((resolve, reject) => {
    request(`${stack.url('gateway')}/big`, { headers: payment.header('v2') }, resolve).once('error', reject).end();
  });
  assert.equal(res.statusCode, 200);
  let size = 0;
  for await (const chunk of res)
    size += chunk.length;
  assert.equal(size, 67_108_864);
  await witness.settled([payment]);
});

test('the client leaves after the upstream was asked: charged, and only once', async () => {
  const { stack, witness } = world;
  const payer = account(6);
  const payment = await world.pay('/stream', { payer });
  const hits = await witness.hits('/stream');
  const req = request(`${stack.url('gateway')}/stream`, { headers: payment.header('v2') });
  req.on('error', () => {});
  req.end();
  await until('the upstream was asked', 5000, async () => await witness.hits('/stream') > hits);
  req.destroy();
  await witness.settled([payment]);
  assert.equal(await witness.hits('/stream'), hits + 1);
});

test('x402d is gone: priced routes 503, free ones 200, nothing unpaid is served', async () => {
  const { stack, witness } = world;
  const payment = await world.pay('/paid');
  const hits = await witness.hits('/paid');
  const restarted = new Promise((resolve) => { stack.once('restart', resolve); });
  process.kill(stack.x402d.pid, 'SIGSTOP');
  const hanging = world.get('/paid', payment.header('v2'), { timeout: 30_000 });
  assert.equal((await world.get('/free/thing')).status, 200);
  assert.equal((await world.get('/paid')).status, 402, 'the offer needs no daemon');
  await sleep(200);
  process.kill(stack.x402d.pid, 'SIGKILL');
  const response = await hanging;
  assert.equal(response.status, 503);
  assert.ok(response.headers['x-payment-error']);
  assert.equal('payment-required' in response.headers, false);
  assert.equal(await witness.hits('/paid'), hits);
  await restarted;
  await stack.backAgain('x402d');
  // the payment was never claimed: it still buys
  const bought = await until('the same payment buys', 40_000,
    () => world.get('/paid', payment.header('v2')), ({ status }) => status === 200);
  assert.equal(bought.status, 200);
});

test('x402d dies while the upstream works: the worker still holds the reservation', async () => {
  const { stack, witness } = world;
  const path = '/item/slow?wait=3000';
  const payment = await world.pay(path);
  const answer = world.get(path, payment.header('v2'));
  await until('the upstream works', 5000, async () => await witness.hits('/item/slow') === 1);
  const restarted = new Promise((resolve) => { stack.once('restart', resolve); });
  process.kill(stack.x402d.pid, 'SIGKILL');
  await restarted;
  assert.equal((await answer).status, 200, 'the new x402d takes the old reservation over');
  await witness.settled([payment]);
  assert.equal(await witness.hits('/item/slow'), 1);
});
