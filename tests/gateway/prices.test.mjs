// SPDX-License-Identifier: Apache-2.0
// Which price a request has: levels, nesting, kinds of location, conditions,
// several networks.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { unbase64 } from '../harness/payment.mjs';
import { NETWORK, PAY_TO, payment, priced, startGateway, startUpstream } from './harness.mjs';

let g;
let upstream;

before(async () => {
  upstream = await startUpstream();
  const to = `proxy_pass http://127.0.0.1:${upstream.port};`;
  g = await startGateway({
    http: 'map $arg_tier $tier { default 0.01; gold 0.02; none ""; }',
    server: `
      location /a/ { x402 on; x402_price 1 USDC; ${to}
        location /a/dear/ { x402_price 2 USDC; ${to} }
        location /a/free/ { x402 off; ${to}
          location /a/free/not/ { x402 on; ${to} } }
        location ~ \\.jpg$ { x402_price 3 USDC; ${to} } }
      location = /exact { x402 on; x402_price 4 USDC; ${to} }
      location ^~ /prefix { x402 on; x402_price 5 USDC; ${to} }
      location ~ ^/re/(\\d+)$ { x402 on; x402_price 6 USDC; ${to} }
      location ~* ^/case { x402 on; x402_price 7 USDC; ${to} }
      location /if { x402 on; x402_price 8 USDC; if ($arg_x = free) { x402 off; } if ($arg_x = dear) { x402_price 9 USDC; } ${to} }
      location /only-if { if ($arg_x = dear) { x402 on; x402_price 9 USDC; } ${to} }
      location /limit { x402 on; x402_price 10 USDC; limit_except GET { deny 10.0.0.1; } ${to} }
      location /tier { x402 on; x402_price $tier USDC; ${to} }
      location /captured/ { location ~ ^/captured/(?<cents>\\d+)$ { x402 on; x402_price 0.$cents USDC; ${to} } }
      location /many { x402 on; x402_price 0.5 USDC; x402_pay_to base ${PAY_TO}; x402_pay_to ${NETWORK} ${PAY_TO}; x402_pay_to polygon ${PAY_TO}; ${to} }
      location /slice { slice 100; proxy_set_header Range $slice_range; x402 on; x402_price 0.001 USDC; ${to} }
      location / { ${to} }
      ${priced('= /described', upstream, 'x402_description "caf\u00e9 \\"quoted\\" <b>"; x402_mime_type image/png; x402_facilitator_url https://f.example;')}`,
    servers: `server { listen 127.0.0.1:15198; x402 on; x402_price 11 USDC; x402_daemon unix:/nowhere; x402_base_url https://other.example:8443;
      x402_pay_to base ${PAY_TO}; root /nowhere; location /off { x402 off; ${to} } }`,
  });
});
after(async () => {
  await g.stop();
  await upstream.close();
});
beforeEach(() => {
  g.till.reset();
  upstream.hits.length = 0;
  upstream.handler = (req, res) => res.end('ok\n');
});

const offer = async (path, o) => {
  const res = await g.http.send(path, o);
  return res.status === 402 ? unbase64(res.headers['payment-required']) : res.status;
};
const USD = 1_000_000;

const TABLE = [
  ['/a/', 1 * USD], ['/a/x', 1 * USD], ['/a/dear/x', 2 * USD], ['/a/free/x', 200], ['/a/free/not/x', 1 * USD], ['/a/y.jpg', 3 * USD], ['/a/free/y.jpg', 3 * USD],
  ['/exact', 4 * USD], ['/exact?a=b', 4 * USD], ['/exactly', 200], ['/prefix', 5 * USD], ['/prefixed/x.jpg', 5 * USD], ['/re/12', 6 * USD], ['/re/x', 200],
  ['/case', 7 * USD], ['/CASE/x', 7 * USD], ['/if', 8 * USD], ['/if?x=free', 200], ['/if?x=dear', 9 * USD], ['/if?x=FREE', 8 * USD],
  ['/only-if', 200], ['/only-if?x=dear', 9 * USD],
  ['/limit', 10 * USD], ['/tier', 10_000], ['/tier?tier=gold', 20_000], ['/tier?tier=none', 500], ['/captured/25', 250_000], ['/captured/x', 404], ['/other', 200],
];

test('a table of paths and prices', async () => {
  for (const [path, expected] of TABLE) {
    const got = await offer(path);
    assert.equal(typeof got === 'number' ? got : Number(got.accepts[0].amount), expected, path);
  }
  const post = await offer('/limit', { method: 'POST' });
  assert.equal(post.accepts[0].amount, '10000000', 'limit_except has the price of its location');
});

test('resource.url: base URL and the location\'s path; no query, no stranger\'s words', async () => {
  for (const [path, expected] of [['/a/x?q=1', '/a/'], ['/exact?q', '/exact'], ['/re/12?q', '/re/12'], ['/CASE/a%20b?q', '/CASE/a%20b'], ['/if?x=dear', '/if'], ['/captured/25', '/captured/25'], ['/tier', '/tier']])
    assert.equal((await offer(path)).resource.url, g.base + expected, path);
});

test('the method of a request stands in the seed\'s body', async () => {
  for (const method of ['GET', 'POST', 'PUT', 'FROB']) {
    const res = await g.http.send('/exact', { method });
    assert.equal(JSON.parse(res.body).accepts[0].resource.method, method);
  }
});

test('several networks: offered in order, any of them paid', async () => {
  const { accepts } = await offer('/many');
  assert.deepEqual(accepts.map((a) => a.network), ['eip155:8453', NETWORK, 'eip155:137']);
  assert.equal(accepts[0].extra.name, 'USD Coin');
  const res = await g.http.send('/many');
  assert.equal(res.headers['x-payment-chain'], 'base');
  const headers = await payment('/many', { offer: { amount: '500000' } });
  assert.equal((await g.http.send('/many', { headers })).status, 200);
  assert.equal(g.till.of('RESERVE')[0].chainId, 84532);
});

test('what an "if" prices can be paid, and the payment goes no further', async () => {
  const headers = { ...await payment('/only-if?x=dear', { offer: { amount: '9000000' } }), 'X-Payer': 'me' };
  assert.equal((await g.http.send('/only-if?x=dear', { headers })).status, 200);
  assert.deepEqual(g.till.names().slice(0, 2), ['RESERVE', 'CAPTURE']);
  assert.deepEqual(Object.keys(upstream.hits.at(-1).headers).filter((name) => /pay/.test(name)), []);
});

test('description, MIME type, facilitator', async () => {
  const res = await g.http.send('/described');
  const v2 = unbase64(res.headers['payment-required']);
  assert.equal(v2.resource.description, 'caf\u00e9 "quoted" <b>');
  assert.equal(v2.resource.mimeType, 'image/png');
  assert.equal(JSON.parse(res.body).accepts[0].facilitatorUrl, 'https://f.example');
});

test('a server that is priced as a whole', async () => {
  const { client } = await import('../harness/http.mjs');
  const http = client('http://127.0.0.1:15198');
  const res = await http.send('/whatever/x?y');
  assert.equal(res.status, 402);
  const v2 = unbase64(res.headers['payment-required']);
  assert.equal(v2.resource.url, 'https://other.example:8443/whatever/x');
  assert.equal(v2.accepts[0].amount, '11000000');
  assert.equal((await http.send('/off')).status, 200);
  http.close();
});

test('slice: the parts of a paid answer are held, and whole', async () => {
  const content = 'paid in slices '.repeat(40);
  upstream.handler = (req, res) => {
    const [, from, to] = req.headers.range.match(/bytes=(\d+)-(\d+)/).map(Number);
    const part = content.slice(from, to + 1);
    res.writeHead(206, { 'content-range': `bytes ${from}-${from + part.length - 1}/${content.length}`, 'content-length': part.length, etag: '"e"' });
    res.end(part);
  };
  const res = await g.http.send('/slice', { headers: await payment('/slice') });
  assert.equal(res.status, 200);
  assert.equal(res.body, content);
  assert.deepEqual(g.till.names().slice(0, 2), ['RESERVE', 'CAPTURE']);
  assert.equal((await g.http.send('/slice')).status, 402);
});
