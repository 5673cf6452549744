// SPDX-License-Identifier: Apache-2.0
// 64 connections, 2,000 distinct valid payments: 2,000 answers, every payment
// settled, none twice, none refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accounts } from '../../devnet/accounts.mjs';
import { client, inParallel, tally } from '../harness/http.mjs';
import { pay } from '../harness/payment.mjs';
import { useStack } from '../harness/stack.mjs';

const COUNT = Number(process.env.X402_LOAD_PAYMENTS ?? 2000);
const CONNECTIONS = 64;
const SETTLED_WITHIN = 60_000;
const world = useStack();

async function sellTo(payers, t) {
  const { witness, stack } = world;
  const offer = await world.offer('/paid');
  const payments = [];
  for (let i = 0; i < COUNT; i += 1)
    payments.push(await pay(payers[i % payers.length], offer));
  const hits = await witness.hits('/paid');
  const payee = await witness.payee();

  const http = client(stack.url('gateway'), { connections: CONNECTIONS });
  const start = Date.now();
  const responses = await inParallel(payments.map((payment) => () =>
    http.send('/paid', { headers: payment.header('v2') })), CONNECTIONS);
  const took = (Date.now() - start) / 1000;
  http.close();
  t.diagnostic(`${COUNT} payments in ${took.toFixed(2)} s: ${Math.round(COUNT / took)}/s (client and signatures in the same node)`);

  assert.deepEqual(tally(responses), { 200: COUNT });
  assert.equal(await witness.hits('/paid') - hits, COUNT);
  const answered = Date.now();
  await witness.settled(payments, SETTLED_WITHIN);
  t.diagnostic(`all settled ${((Date.now() - answered) / 1000).toFixed(1)} s after the last answer`);

  const used = await witness.usedCounts();
  assert.deepEqual(payments.filter(({ nonce }) => used.get(nonce) !== 1), []);
  assert.equal(await witness.payee() - payee, BigInt(COUNT) * 1000n);
}

test('eight payers', (t) => sellTo(accounts.slice(1, 9), t));
test('one payer, beyond his credit', (t) => sellTo([accounts[2]], t));

test('256 client connections at once', async () => {
  const { stack, witness } = world;
  const offer = await world.offer('/paid');
  const payments = [];
  for (let i = 0; i < 256; i += 1)
    payments.push(await pay(accounts[1 + i % 8], offer));
  const http = client(stack.url('gateway'), { connections: 256 });
  const responses = await Promise.all(payments.map((payment) =>
    http.send('/paid', { headers: payment.header('v2') })));
  http.close();
  assert.deepEqual(tally(responses), { 200: 256 });
  await witness.settled(payments, SETTLED_WITHIN);
});
