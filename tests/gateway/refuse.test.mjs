// SPDX-License-Identifier: Apache-2.0
// Every way a payment is refused: status, headers, body; and no hit upstream.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { base64, now, unbase64 } from '../harness/payment.mjs';
import { ERR } from './fake-till.mjs';
import { payment, priced, raw, requirement, startGateway, startUpstream } from './harness.mjs';

let g;
let upstream;

before(async () => {
  upstream = await startUpstream();
  g = await startGateway({
    server: priced('= /paid', upstream) + priced('= /dear', upstream, '', '5') + priced('= /v1', upstream, 'x402_body v1;')
      + priced('= /wallets', upstream, 'x402_smart_wallets on;') + priced('= /strict', upstream, 'x402_settle before;')
      + priced('= /variable', upstream, '', '$arg_price') + 'client_max_body_size 8m;',
  });
});
after(async () => {
  await g.stop();
  await upstream.close();
});
beforeEach(() => {
  g.till.reset();
  upstream.hits.length = 0;
});

const V2 = { x402Version: 2, accepted: requirement(), payload: {} };
const MALFORMED = {
  'not base64': '%%%',
  'URL-safe base64': base64({ x402Version: 2, a: '???>>>' }).replaceAll('+', '-').replaceAll('/', '_'),
  empty: '',
  'not JSON': base64('not json'),
  'a transaction hash': `0x${'ab'.repeat(32)}`,
  'another version': base64({ ...V2, x402Version: 3 }),
  'no payload': base64({ x402Version: 2, accepted: requirement() }),
  'duplicate keys': base64('{"x402Version":2,"x402Version":2}'),
  'two in one line': `${base64(V2)}, ${base64(V2)}`,
  'too large': 'A'.repeat(16_388),
};

for (const [why, value] of Object.entries(MALFORMED)) {
  for (const name of ['PAYMENT-SIGNATURE', 'X-PAYMENT']) {
    test(`400, ${name}: ${why}`, async () => {
      const res = await g.http.send('/paid', { headers: { [name]: value } });
      assert.equal(res.status, 400);
      assert.equal(res.headers['x-payment-error'], 'malformed');
      assert.deepEqual(JSON.parse(res.body), { error: 'malformed' });
      assert.equal(res.headers['payment-required'], undefined);
      assert.equal(res.headers['cache-control'], 'no-store');
      assert.equal(upstream.hits.length, 0);
      assert.deepEqual(g.till.names(), []);
    });
  }
}

test('PAYMENT-SIGNATURE carries version 2 only', async () => {
  for (const wire of ['v1', 'seed000', 'seed001']) {
    const [value] = Object.values(await payment('/paid', { wire }));
    const res = await g.http.send('/paid', { headers: { 'PAYMENT-SIGNATURE': value } });
    assert.equal(res.status, 400, wire);
  }
});

test('more than one credential: 400, whatever they are', async () => {
  const a = await payment('/paid');
  const b = await payment('/paid', { wire: 'v1' });
  const value = (h) => Object.values(h)[0];
  for (const lines of [
    [['PAYMENT-SIGNATURE', value(a)], ['X-PAYMENT', value(b)]],
    [['PAYMENT-SIGNATURE', value(a)], ['PAYMENT-SIGNATURE', value(a)]],
    [['X-PAYMENT', value(b)], ['X-Payment', value(b)]],
    [['X-PAYMENT', value(b)], ['x-payment', '']],
    [['PAYMENT-SIGNATURE', value(a)], ['Authorization', 'L402 AGIAJE:00']],
    [['X-PAYMENT', value(b)], ['authorization', 'payment id="x"']],
  ]) {
    const text = `GET /paid HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines.map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n`;
    const res = await raw(g.port, text);
    assert.match(res.text, /^HTTP\/1\.1 400 /);
    assert.match(res.text, /X-Payment-Error: multiple_payments/);
  }
  assert.deepEqual(g.till.names(), []);
});

const REFUSED = {
  'another price': [{ offer: { amount: '999' } }, 'no_matching_offer'],
  'another payee': [{ offer: { payTo: '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A' } }, 'no_matching_offer'],
  'another value signed': [{ change: { value: '1001' } }, 'wrong_amount'],
  'another payee signed': [{ change: { to: '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A' } }, 'wrong_payee'],
  'not yet valid': [{ change: { validAfter: String(now() + 100) } }, 'not_yet_valid'],
  'valid for a year': [{ change: { validBefore: String(now() + 31_536_000) } }, 'valid_too_long'],
  'another domain': [{ domain: { name: 'USD Coin', version: '2', chainId: 84532, verifyingContract: requirement().asset } }, 'bad_signature'],
};

for (const [why, [o, token]] of Object.entries(REFUSED)) {
  test(`402: ${why}`, async () => {
    const res = await g.http.send('/paid', { headers: await payment('/paid', o) });
    assert.equal(res.status, 402);
    assert.equal(res.headers['x-payment-error'], token);
    const offer = unbase64(res.headers['payment-required']);
    assert.equal(offer.accepts[0].amount, '1000');
    assert.notEqual(offer.error, 'Payment required to access this resource');
    assert.equal(JSON.parse(res.body).error, offer.error);
    assert.equal(res.headers['x-payment-required'], '0.0010');
    assert.equal(upstream.hits.length, 0);
    assert.deepEqual(g.till.names(), [], 'the daemon is not asked');
  });
}

test('a signature that is not the payer\'s', async () => {
  const headers = await payment('/paid', { wire: 'v1' });
  const object = unbase64(headers['X-PAYMENT']);
  object.payload.authorization.from = '0x5CbDd86a2FA8Dc4bDdd8a8f69dBa48572EeC07FB';
  const send = () => g.http.send(path, { headers: { 'X-PAYMENT': base64(object) } });
  let path = '/paid';
  assert.equal((await send()).headers['x-payment-error'], 'bad_signature');
  assert.deepEqual(g.till.names(), []);
  path = '/wallets'; // there the chain decides
  assert.equal((await send()).status, 200);
  assert.equal(g.till.of('RESERVE')[0].flags, 4);
});

test('valid in all but time: looked up, and refused when nothing is there to redeem', async () => {
  g.till.script.RESERVE = () => ({ err: ERR.EXPIRED });
  const headers = await payment('/paid', { change: { validAfter: '0', validBefore: String(now() - 100) } });
  const res = await g.http.send('/paid', { headers });
  assert.equal(res.status, 402);
  assert.equal(res.headers['x-payment-error'], 'expired');
  assert.equal(g.till.of('RESERVE')[0].flags, 2);
  g.till.script.RESERVE = () => ({ redeemed: true, settled: true, transaction: `0x${'cd'.repeat(32)}` });
  const again = await g.http.send('/paid', { headers });
  assert.equal(again.status, 200);
  assert.equal(unbase64(again.headers['payment-response']).transaction, `0x${'cd'.repeat(32)}`);
});

test('expired and badly signed: not even looked up', async () => {
  const headers = await payment('/paid', { change: { validAfter: '0', validBefore: String(now() - 100) }, domain: { name: 'X', version: '2', chainId: 84532, verifyingContract: requirement().asset } });
  assert.equal((await g.http.send('/paid', { headers })).headers['x-payment-error'], 'bad_signature');
  assert.deepEqual(g.till.names(), []);
});

test('too little time left to settle counts as expired', async () => {
  g.till.script.RESERVE = () => ({ err: ERR.EXPIRED });
  const headers = await payment('/paid', { change: { validBefore: String(now() + 22) } });
  assert.equal((await g.http.send('/paid', { headers })).status, 402);
  assert.equal(g.till.of('RESERVE')[0].flags, 2);
});

const ANSWERS = [
  ['REPLAYED', 402, 'replayed'], ['RESOURCE', 402, 'resource_mismatch'], ['FUNDS', 402, 'insufficient_funds'],
  ['RELEASE_LIMIT', 402, 'release_limit'], ['IN_PROGRESS', 409, 'in_progress', '1'], ['PENDING', 503, 'settlement_pending', '2'],
  ['UNAVAILABLE', 503, 'verifier_unavailable', '2'], ['BUSY', 503, 'busy', '2'], ['RATE', 429, 'rate_limited', '10'], ['FEES', 503, 'fees_too_high', '2'],
];
for (const [name, status, token, retry] of ANSWERS) {
  test(`the daemon says ${name}: ${status}`, async () => {
    g.till.script.RESERVE = () => ({ err: ERR[name] });
    const res = await g.http.send('/paid', { headers: await payment('/paid') });
    assert.equal(res.status, status);
    assert.equal(res.headers['x-payment-error'], token);
    assert.equal(res.headers['retry-after'], retry);
    assert.equal(Boolean(res.headers['payment-required']), status === 402, 'an offer with 402 only');
    assert.equal(Boolean(res.headers['x-payment-required']), status === 402);
    assert.equal(upstream.hits.length, 0);
    assert.deepEqual(g.till.names(), ['RESERVE']);
  });
}

test('settle-first: asked for, the transaction is in the receipt; pending names it', async () => {
  g.till.script.RESERVE = () => ({ settled: true, transaction: `0x${'cd'.repeat(32)}` });
  const res = await g.http.send('/strict', { headers: await payment('/strict') });
  assert.equal(g.till.of('RESERVE')[0].flags, 1);
  assert.equal(unbase64(res.headers['payment-response']).transaction, `0x${'cd'.repeat(32)}`);
  g.till.script.RESERVE = () => ({ err: ERR.PENDING, transaction: `0x${'ef'.repeat(32)}` });
  const pending = await g.http.send('/strict', { headers: await payment('/strict') });
  assert.equal(pending.status, 503);
  assert.deepEqual(JSON.parse(pending.body), { error: 'settlement_pending', transaction: `0x${'ef'.repeat(32)}` });
});

test('the reason speaks the language of the body', async () => {
  const res = await g.http.send('/v1', { headers: await payment('/v1', { offer: { amount: '999' }, wire: 'v1' }) });
  const body = JSON.parse(res.body);
  assert.equal(body.x402Version, 1);
  assert.equal(body.error, 'invalid_exact_evm_payload_authorization_value');
  assert.equal(unbase64(res.headers['payment-required']).error, 'invalid_exact_evm_payload_authorization_value_mismatch');
});

test('a price from a variable: each request its own; empty, zero or nonsense is 500, never free', async () => {
  const res = await g.http.send('/variable?price=0.25');
  assert.equal(res.status, 402);
  assert.equal(unbase64(res.headers['payment-required']).accepts[0].amount, '250000');
  assert.equal(res.headers['x-payment-required'], '0.2500');
  for (const price of ['', '0', '0.0', 'abc', '-1', '1e3', '0.0000001', '1 000', '١'])
    for (const headers of [{}, await payment('/variable')]) {
      const bad = await g.http.send(`/variable?price=${encodeURIComponent(price).replace('%20', '+')}`, { headers });
      assert.equal(bad.status, 500, price);
    }
  assert.equal(upstream.hits.length, 0);
  const headers = await payment('/variable', { offer: { amount: '10' } });
  assert.equal((await g.http.send('/variable?price=0.00001', { headers })).status, 200);
  assert.equal((await g.http.send('/variable?price=0.25', { headers })).status, 402, 'not for the dearer one');
});

test('what a payment is bound to: method, target, price, body', async () => {
  const prints = async (...args) => {
    g.till.reset();
    await g.http.send(...args);
    return g.till.of('RESERVE')[0].fingerprint;
  };
  const seen = new Set();
  const cases = [
    ['/paid', {}], ['/paid?a=1', {}], ['/paid?a=2', {}], ['/paid', { method: 'POST' }], ['/paid', { method: 'POST', body: 'x' }],
    ['/paid', { method: 'POST', body: 'y' }], ['/paid', { method: 'POST', body: 'x'.repeat(3_000_000) }],
    ['/paid', { method: 'POST', body: `${'x'.repeat(2_999_999)}y` }], ['/%70aid', {}],
  ];
  for (const [path, o] of cases)
    seen.add(await prints(path, { ...o, headers: await payment('/paid') }));
  assert.equal(seen.size, cases.length);
  for (const [path, o] of cases)
    assert.ok(seen.has(await prints(path, { ...o, headers: await payment('/paid') })), 'the same again');
  g.till.reset();
  const [[name, value]] = Object.entries(await payment('/paid'));
  await raw(g.port, `POST /paid HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${name}: ${value}\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\nx\r\n0\r\n\r\n`);
  assert.ok(seen.has(g.till.of('RESERVE')[0].fingerprint), 'how a body is sent makes no difference');
});

test('no stranger\'s Host in the offer', async () => {
  for (const headers of [{ host: 'evil.example' }, { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' }]) {
    const res = await g.http.send('/paid', { headers });
    assert.ok(!JSON.stringify(unbase64(res.headers['payment-required'])).includes('evil'));
    assert.ok(!res.body.includes('evil'));
  }
});

test('every method has its price, and none reaches the upstream unpaid', async () => {
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'MKCOL', 'COPY', 'MOVE', 'LOCK', 'UNLOCK', 'PURGE', 'FROB'])
    assert.equal((await g.http.send('/paid', { method, headers: { 'X-HTTP-Method-Override': 'GET' } }).catch(() => ({ status: 'none' }))).status === 402, true, method);
  const odd = await raw(g.port, 'get /paid HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  assert.doesNotMatch(odd.text, /200 OK/);
  for (const method of ['TRACE', 'CONNECT']) {
    const refused = await raw(g.port, `${method} /paid HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    assert.match(refused.text, /^HTTP\/1\.1 40[05]/);
  }
  assert.equal(upstream.hits.length, 0);
});

test('the log knows', async () => {
  const headers = await payment('/paid');
  await g.http.send('/paid?log', { headers });
  await g.http.send('/paid?log2');
  await g.http.send('/paid?log3', { headers: { 'X-PAYMENT': 'x' } });
  const line = (query) => g.access().find((text) => text.includes(query));
  assert.match(line('?log '), / 200 x402=paid reason=- payer=0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A amount=1000 asset=0x036CbD53842c5426634e7929541eC2318f3dCF7e network=eip155:84532 id=eip155:84532:0x036cbd53842c5426634e7929541ec2318f3dcf7e:0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a:0x[0-9a-f]{64}$/);
  assert.match(line('?log2'), / 402 x402=unpaid reason=- payer=- /);
  assert.match(line('?log3'), / 400 x402=refused reason=malformed payer=- /);
  const secret = Object.values(headers)[0];
  assert.ok(!g.log().includes(secret.slice(0, 60)), 'no payment in the error log');
});
