// SPDX-License-Identifier: Apache-2.0
// The main path: an offer without the daemon, a payment in each wire, the
// receipt, and what the till hears of it.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { unbase64 } from '../harness/payment.mjs';
import { NETWORK, PAY_TO, USDC, payer, payment, priced, startGateway, startUpstream } from './harness.mjs';

let g;
let upstream;

before(async () => {
  upstream = await startUpstream();
  g = await startGateway({ server: priced('= /paid', upstream) + priced('/v1', upstream, 'x402_body v1;')
    + priced('= /lightning', upstream, 'x402_lightning on; x402_lightning_price 1 sat;') });
});
after(async () => {
  await g.stop();
  await upstream.close();
});
beforeEach(() => {
  g.till.reset();
  upstream.hits.length = 0;
  upstream.handler = (req, res) => res.end('content\n');
});

test('without a payment: 402 with offers in every wire, and nobody else hears of it', async () => {
  const res = await g.http.send('/paid');
  assert.equal(res.status, 402);
  assert.equal(res.headers['content-type'], 'application/json');
  assert.equal(res.headers['cache-control'], 'no-store');
  const v2 = unbase64(res.headers['payment-required']);
  assert.equal(v2.x402Version, 2);
  assert.equal(v2.resource.url, `${g.base}/paid`);
  assert.deepEqual(v2.accepts, [{
    scheme: 'exact', network: NETWORK, amount: '1000', asset: USDC, payTo: PAY_TO, maxTimeoutSeconds: 300,
    extra: { name: 'USDC', version: '2' },
  }]);
  const seed = JSON.parse(res.body);
  assert.equal(seed.x402Version, 2);
  assert.equal(seed.accepts[0].maxAmountRequired, '1000');
  assert.equal(seed.accepts[0].resource.method, 'GET');
  assert.equal(res.headers['x-payment-required'], '0.0010');
  assert.equal(res.headers['x-payment-currency'], 'USDC');
  assert.equal(res.headers['x-payment-chain'], 'base-sepolia');
  assert.equal(res.headers['x-pay-to'], PAY_TO);
  assert.equal(res.headers['x-payment-error'], undefined);
  assert.deepEqual(g.till.names(), []);
  assert.equal(upstream.hits.length, 0);
});

test('x402_body v1 changes the body and nothing else', async () => {
  const res = await g.http.send('/v1');
  const body = JSON.parse(res.body);
  assert.equal(body.x402Version, 1);
  assert.equal(body.accepts[0].network, 'base-sepolia');
  assert.equal(unbase64(res.headers['payment-required']).x402Version, 2);
});

for (const wire of ['v2', 'v1', 'seed000', 'seed001']) {
  test(`${wire}: reserved, proxied, captured, answered with a receipt`, async () => {
    const res = await g.http.send('/paid', { headers: await payment('/paid', { wire, base: g.base }) });
    assert.equal(res.status, 200, `${res.status} ${res.body}`);
    assert.equal(res.body, 'content\n');
    const receipt = unbase64(res.headers[wire === 'v2' ? 'payment-response' : 'x-payment-response']);
    assert.equal(receipt.success, true);
    assert.equal(receipt.transaction, '');
    assert.equal(receipt.payer, payer.address);
    assert.equal(receipt.network, wire === 'v1' ? 'base-sepolia' : NETWORK);
    assert.equal(res.headers['cache-control'], 'private, no-store');
    await g.till.wait('DONE');
    assert.deepEqual(g.till.names(), ['RESERVE', 'CAPTURE', 'STARTED', 'DONE']);
    assert.equal(g.till.of('DONE')[0].end, 'complete');
    const reserve = g.till.of('RESERVE')[0];
    assert.equal(reserve.value, 1000n);
    assert.equal(reserve.to, PAY_TO.toLowerCase());
    assert.equal(reserve.resource, `${g.base}/paid`);
    assert.equal(reserve.flags, 0);
    assert.equal(g.till.of('CAPTURE')[0].rid, reserve.rid);
    assert.equal(upstream.hits.length, 1);
  });
}

test('a client may echo extensions of any shape, beside Lightning too', async () => {
  const { 'PAYMENT-SIGNATURE': plain } = await payment('/lightning');
  const nested = (levels) => (levels ? { properties: nested(levels - 1) } : {});
  for (const [levels, status] of [[18, 200], [40, 400]]) {
    const text = JSON.stringify({ ...unbase64(plain), extensions: { bazaar: { schema: nested(levels) } } });
    const res = await g.http.send('/lightning', { headers: { 'PAYMENT-SIGNATURE': Buffer.from(text).toString('base64') } });
    assert.equal(res.status, status, `${levels} levels: ${res.headers['x-payment-error']}`);
  }
});

test('upstream 500: released, and the payment is not charged', async () => {
  upstream.handler = (req, res) => { res.statusCode = 500; res.end('broken\n'); };
  const res = await g.http.send('/paid', { headers: await payment('/paid') });
  assert.equal(res.status, 500);
  assert.equal(res.body, 'broken\n');
  assert.equal(res.headers['payment-response'], undefined);
  assert.deepEqual(g.till.names(), ['RESERVE', 'RELEASE']);
  assert.equal(g.till.frames.find(({ name }) => name === 'RELEASE').status, 500);
});
