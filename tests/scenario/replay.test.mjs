// SPDX-License-Identifier: Apache-2.0
// One authorization buys one answer, however often, in whatever dress and from
// however many connections it comes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { client, tally } from '../harness/http.mjs';
import { base64, unbase64 } from '../harness/payment.mjs';
import { useStack } from '../harness/stack.mjs';

const world = useStack();

async function race(path, headers) {
  const http = client(world.stack.url('gateway'), { connections: headers.length });
  // connections first, so that the requests really meet
  await Promise.all(headers.map(() => http.send('/free/warm')));
  const responses = await Promise.all(headers.map((header) => http.send(path, { headers: header })));
  http.close();
  return responses;
}

function oneWinner(responses) {
  const counts = tally(responses);
  const { 200: won, 409: working, 402: used, ...others } = counts;
  assert.deepEqual(others, {}, JSON.stringify(counts));
  assert.equal(won, 1, JSON.stringify(counts));
  assert.equal((working ?? 0) + (used ?? 0), responses.length - 1);
  for (const { status, headers } of responses) {
    if (status === 409) {
      assert.equal(headers['x-payment-error'], 'in_progress');
      assert.equal(headers['retry-after'], '1');
      assert.equal('payment-required' in headers, false, 'no offer: nobody shall sign again');
    }
    if (status === 402)
      assert.ok('payment-required' in headers, 'a 402 carries the offer');
  }
}

for (const path of ['/paid', '/strict']) {
  test(`one payment sent 256 times at once to ${path}`, async () => {
    const { witness } = world;
    const hits = await witness.hits(path);
    const payee = await witness.payee();
    const payment = await world.pay(path);
    oneWinner(await race(path, Array.from({ length: 256 }, () => payment.header('v2'))));
    assert.equal(await witness.hits(path), hits + 1);
    await witness.settled([payment]);
    assert.equal(await witness.payee() - payee, 1000n);
  });
}

/* The same authorization, dressed differently. */
function dresses(payment, offer) {
  const [accepted] = offer.accepts;
  const { authorization, signature } = payment;
  const upper = (hex) => `0x${hex.slice(2).toUpperCase()}`;
  const lowV = `${signature.slice(0, -2)}${signature.endsWith('1b') ? '00' : '01'}`;
  const turned = Object.fromEntries(Object.entries(authorization).reverse());
  const v2 = (a, s) => ({ 'PAYMENT-SIGNATURE': base64({ x402Version: 2, accepted, payload: { signature: s, authorization: a } }) });
  return [
    payment.header('v2'), payment.header('seed000'), payment.header('seed001'), payment.header('v1'),
    v2(turned, signature),
    v2(authorization, lowV),
    v2(authorization, upper(signature)),
    v2({ ...authorization, nonce: upper(authorization.nonce) }, signature),
    v2({ ...authorization, from: authorization.from.toLowerCase() }, signature),
    { 'PAYMENT-SIGNATURE': Object.values(payment.header('v2'))[0].replace(/=+$/, '') },
  ];
}

test('one authorization in ten dresses, ten times each, at once', async () => {
  const { witness } = world;
  const hits = await witness.hits('/paid');
  const offer = await world.offer('/paid');
  const payment = await world.pay('/paid');
  const headers = dresses(payment, offer);
  oneWinner(await race('/paid', Array.from({ length: 100 }, (_, i) => headers[i % headers.length])));
  assert.equal(await witness.hits('/paid'), hits + 1);
});

test('every dress buys by itself: none of the hundred lost for its looks', async () => {
  const offer = await world.offer('/paid');
  for (let i = 0; i < dresses(await world.pay('/paid'), offer).length; i += 1) {
    const headers = dresses(await world.pay('/paid'), offer)[i];
    assert.equal((await world.get('/paid', headers)).status, 200, `dress ${i}`);
  }
});

test('the same header on another route of the same price: 402', async () => {
  const { witness } = world;
  const payment = await world.pay('/paid');
  assert.equal((await world.get('/paid', payment.header('v2'))).status, 200);
  const hits = await witness.hits('/paid-v1');
  const other = await world.get('/paid-v1', payment.header('v2'));
  assert.equal(other.status, 402);
  assert.match(other.headers['x-payment-error'], /^(resource_mismatch|replayed)$/);
  assert.equal(await witness.hits('/paid-v1'), hits);
});

test('bound to the first request: another query, method or body is another request', async () => {
  const { witness } = world;
  // released by the upstream's 500, so the payment itself is still good
  const payment = await world.pay('/flaky?bound=1');
  assert.equal((await world.get('/flaky?bound=1', payment.header('v2'))).status, 500);
  const hits = await witness.hits('/flaky');
  for (const [path, more] of [['/flaky?bound=2'], ['/flaky'], ['/paid'], ['/flaky?bound=1', { method: 'POST', body: 'x' }]]) {
    const response = await world.get(path, payment.header('v2'), more);
    assert.equal(response.status, 402, path);
    assert.equal(response.headers['x-payment-error'], 'resource_mismatch');
  }
  assert.equal(await witness.hits('/flaky'), hits);
  assert.equal((await world.get('/flaky?bound=1', payment.header('v2'))).status, 200);
});

test('replayed after settlement, and after a restart of both programs', async () => {
  const { stack, witness } = world;
  const payment = await world.pay('/paid');
  assert.equal((await world.get('/paid', payment.header('v2'))).status, 200);
  await witness.settled([payment]);
  const hits = await witness.hits('/paid');
  const refused = async (when) => {
    const response = await world.get('/paid', payment.header('v2'));
    assert.equal(response.status, 402, when);
    assert.equal(response.headers['x-payment-error'], 'replayed', when);
  };
  await refused('after settlement');
  for (const name of ['x402d', 'nginx']) {
    const restarted = new Promise((resolve) => { stack.once('restart', resolve); });
    process.kill(stack[name].pid, 'SIGTERM');
    await restarted;
    await stack.backAgain(name);
  }
  world.http.close();
  world.http = client(stack.url('gateway'));
  // until the worker has its till connection again it answers 503, never 200
  for (let tries = 0; tries < 100; tries += 1) {
    const { status } = await world.get('/paid', payment.header('v2'));
    if (status === 402)
      break;
    assert.equal(status, 503);
  }
  await refused('after restarts');
  assert.equal(await witness.hits('/paid'), hits);
});

test('more than one credential in a request: 400', async () => {
  const hits = await world.witness.hits('/paid');
  const a = await world.pay('/paid');
  const b = await world.pay('/paid');
  const response = await world.get('/paid', { ...a.header('v2'), ...b.header('v1') });
  assert.equal(response.status, 400);
  assert.ok(response.headers['x-payment-error']);
  assert.equal(await world.witness.hits('/paid'), hits);
  assert.equal(unbase64(Object.values(a.header('v2'))[0]).x402Version, 2);
});
