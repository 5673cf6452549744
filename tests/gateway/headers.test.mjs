// SPDX-License-Identifier: Apache-2.0
// Headers: what ends at the gateway, what it adds, what browsers may read.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { promisify } from 'node:util';
import { ERR } from './fake-till.mjs';
import { payer, payment, priced, raw, sleep, startGateway, startUpstream } from './harness.mjs';

const run = promisify(execFile);

let g;
let upstream;

before(async () => {
  upstream = await startUpstream();
  const to = `proxy_pass http://127.0.0.1:${upstream.port}`;
  g = await startGateway({
    http: 'underscores_in_headers on; proxy_cache_path /tmp/x402-cache-$pid keys_zone=c:1m;'.replace('$pid', process.pid),
    server: priced('= /paid', upstream)
      + priced('= /observed', upstream).replace('x402 on', 'x402 observe')
      + priced('= /named', upstream, 'proxy_set_header X-Payer $x402_payer; proxy_set_header X-Status $x402_status;')
      + priced('= /auth', upstream, 'auth_request /check;')
      + priced('= /mirrored', upstream, 'mirror /shadow;')
      + priced('= /cached', upstream, 'proxy_cache c; proxy_cache_valid 200 1m;')
      + priced('= /plain', upstream, 'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;')
      + priced('= /socket', upstream, 'x402_upgrade on; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;')
      + `
      location = /check { internal; ${to}/check; }
      location = /shadow { internal; ${to}/shadow; }
      location /free { ${to}; }
      location = /browser { x402 on; x402_price 0.001 USDC; ${to}; }`,
  });
});
after(async () => {
  await g.stop();
  await upstream.close();
  await run('rm', ['-rf', `/tmp/x402-cache-${process.pid}`]);
});
beforeEach(() => {
  g.till.reset();
  upstream.hits.length = 0;
  upstream.handler = (req, res) => res.end('content\n');
});

const OURS = {
  'PAYMENT-RESPONSE': 'x', 'PAYMENT-REQUIRED': 'x', 'X-PAYMENT-RESPONSE': 'x', 'X-Payment-Error': 'x', 'X-Payment-Verified': '1',
  'X-Pay-To': 'x', 'X-Payer': 'x', x_payer: 'x', 'X_Payment-Verified': '1', 'X402-Payer': 'x', 'X-X402-Status': 'paid',
  'X-HTTP-Method-Override': 'DELETE', 'X-Method-Override': 'DELETE', 'X-HTTP-Method': 'DELETE', x_payment: 'x', payment_signature: 'x',
};
const KEPT = { 'X-Custom': 'kept', 'X-Pay': 'kept', 'Payment-Method': 'kept', Authorization: 'Bearer kept', 'X-Paymen': 'kept', X: 'kept' };

test('payment headers, copies of ours and overrides do not reach the upstream, however many headers there are', async () => {
  for (const path of ['/paid', '/observed']) {
    for (const many of [0, 60]) {
      upstream.hits.length = 0;
      const headers = { ...KEPT, ...OURS, ...await payment(path) };
      for (let i = 0; i < many; i += 1)
        headers[`H-${i}`] = `v${i}`;
      const res = await g.http.send(path, { headers });
      assert.equal(res.status, 200);
      const got = upstream.hits[0].headers;
      for (const name of [...Object.keys(OURS), 'payment-signature', 'x-payment'])
        assert.equal(got[name.toLowerCase()], undefined, `${path}: ${name}`);
      for (const name of Object.keys(KEPT))
        assert.match(got[name.toLowerCase()], /kept/);
      for (let i = 0; i < many; i += 1)
        assert.equal(got[`h-${i}`], `v${i}`);
    }
  }
});

test('where nothing is priced they pass: the upstream may have a gateway of its own', async () => {
  await g.http.send('/free', { headers: { 'X-PAYMENT': 'abc' } });
  assert.equal(upstream.hits[0].headers['x-payment'], 'abc');
});

test('the upstream learns who paid from variables, not from the client', async () => {
  await g.http.send('/named', { headers: { 'X-Payer': 'evil', ...await payment('/named') } });
  assert.equal(upstream.hits[0].headers['x-payer'], payer.address);
  assert.equal(upstream.hits[0].headers['x-status'], 'reserved');
});

test('neither an auth server nor a mirror sees a payment', async () => {
  await g.http.send('/auth', { headers: await payment('/auth') });
  await g.http.send('/mirrored', { method: 'POST', body: 'x', headers: await payment('/mirrored') });
  await sleep(50);
  assert.deepEqual(upstream.hits.map((hit) => hit.url).sort(), ['/auth', '/check', '/mirrored', '/shadow']);
  for (const hit of upstream.hits)
    assert.ok(!JSON.stringify(hit.headers).toLowerCase().includes('payment'), hit.url);
});

test('an auth server that says no comes before the money; a mirror after it', async () => {
  upstream.handler = (req, res) => { res.statusCode = req.url === '/check' ? 403 : 200; res.end(); };
  assert.equal((await g.http.send('/auth', { headers: await payment('/auth') })).status, 403);
  assert.deepEqual(g.till.names(), []);
  upstream.hits.length = 0;
  assert.equal((await g.http.send('/mirrored')).status, 402);
  await sleep(50);
  assert.deepEqual(upstream.hits, []);
});

test('observe: never blocks, never asks, says what it saw', async () => {
  for (const [headers, expected] of [[{}, 'x402=observed_unpaid reason=-'], [await payment('/observed'), 'x402=observed reason=-'],
    [{ 'X-PAYMENT': 'x' }, 'x402=observed_refused reason=malformed'], [await payment('/observed', { offer: { amount: '1' } }), 'x402=observed_refused reason=no_matching_offer']]) {
    assert.equal((await g.http.send('/observed', { headers })).status, 200);
    assert.match(g.access().at(-1), new RegExp(`GET /observed 200 ${expected} `));
  }
  assert.deepEqual(g.till.names(), []);
});

test('a paid response is private, whatever the upstream says; an unpaid one is not touched', async () => {
  upstream.handler = (req, res) => {
    for (const [name, value] of Object.entries({ 'Cache-Control': 'public, max-age=3600', Expires: 'Fri, 01 Jan 2038 00:00:00 GMT', 'Surrogate-Control': 'max-age=1',
      'PAYMENT-RESPONSE': 'forged', 'X-PAYMENT-RESPONSE': 'forged', 'X-Payment-Error': 'forged' }))
      res.setHeader(name, value);
    res.statusCode = Number(req.headers['x-status'] ?? 200);
    res.end();
  };
  const res = await g.http.send('/paid', { headers: await payment('/paid') });
  assert.equal(res.headers['cache-control'], 'private, no-store');
  assert.equal(res.headers.expires, undefined);
  assert.equal(res.headers['surrogate-control'], undefined);
  assert.equal(res.headers['x-payment-response'], undefined);
  assert.notEqual(res.headers['payment-response'], 'forged');
  assert.equal((await g.http.send('/free')).headers['cache-control'], 'public, max-age=3600');
});

test('proxy_cache: the gate comes before the cache', async () => {
  for (let i = 0; i < 2; i += 1) {
    assert.equal((await g.http.send('/cached')).status, 402);
    const res = await g.http.send('/cached', { headers: await payment('/cached') });
    assert.equal(res.status, 200);
    assert.equal(res.body, 'content\n');
  }
  assert.equal(upstream.hits.length, 1, 'the second came from the cache');
  assert.deepEqual(g.till.names().filter((name) => name === 'CAPTURE').length, 2, 'and was paid for');
  assert.equal((await g.http.send('/cached', { headers: { Range: 'bytes=0-1' } })).status, 402);
  assert.equal((await g.http.send('/cached', { method: 'HEAD' })).status, 402);
});

test('CORS: a preflight is free, answered here, never proxied', async () => {
  const res = await g.http.send('/browser', { method: 'OPTIONS', headers: {
    Origin: 'https://app.example', 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'payment-signature, content-type' } });
  assert.equal(res.status, 204);
  assert.equal(res.headers['access-control-allow-origin'], '*');
  assert.equal(res.headers['access-control-allow-methods'], 'POST');
  assert.equal(res.headers['access-control-allow-headers'], 'payment-signature, content-type');
  assert.equal(res.headers['access-control-allow-credentials'], undefined);
  assert.equal(upstream.hits.length, 0);
  const plain = await g.http.send('/browser', { method: 'OPTIONS', headers: { Origin: 'https://app.example', 'Access-Control-Request-Method': 'GET' } });
  assert.match(plain.headers['access-control-allow-headers'], /PAYMENT-SIGNATURE, X-PAYMENT/);
  const evil = await g.http.send('/browser', { method: 'OPTIONS', headers: { Origin: 'x', 'Access-Control-Request-Method': 'GET', 'Access-Control-Request-Headers': 'a: b' } });
  assert.match(evil.headers['access-control-allow-headers'], /^PAYMENT-SIGNATURE/);
});

test('CORS: any other OPTIONS has a price', async () => {
  for (const headers of [{}, { Origin: 'https://a' }, { 'Access-Control-Request-Method': 'GET' }, { Origin: 'https://a', 'Access-Control-Request-Method': 'G T' }])
    assert.equal((await g.http.send('/browser', { method: 'OPTIONS', headers })).status, 402);
  assert.equal(upstream.hits.length, 0);
});

test('CORS: a browser may read 402s, refusals and receipts', async () => {
  const origin = { Origin: 'https://app.example' };
  const readable = (res) => {
    assert.match(res.headers['access-control-expose-headers'], /PAYMENT-REQUIRED, PAYMENT-RESPONSE/);
    assert.equal(res.headers['access-control-allow-origin'], '*');
  };
  readable(await g.http.send('/browser', { headers: origin }));
  readable(await g.http.send('/browser', { headers: { ...origin, 'X-PAYMENT': 'x' } }));
  readable(await g.http.send('/browser', { headers: { ...origin, ...await payment('/browser') } }));
  g.till.script.CAPTURE = () => ({ err: ERR.EXPIRED });
  readable(await g.http.send('/browser', { headers: { ...origin, ...await payment('/browser') } }));
  const without = await g.http.send('/browser');
  assert.equal(without.headers['access-control-allow-origin'], undefined);
});

test('CORS: what the upstream decided stands, and "*" never meets credentials', async () => {
  upstream.handler = (req, res) => {
    res.setHeader('Access-Control-Allow-Origin', 'https://app.example');
    res.setHeader('Access-Control-Allow-Credentials', 'true');
    res.setHeader('Access-Control-Expose-Headers', 'X-Mine');
    res.end();
  };
  const send = async () => g.http.send('/browser', { headers: { Origin: 'https://app.example', ...await payment('/browser') } });
  const res = await send();
  assert.equal(res.headers['access-control-allow-origin'], 'https://app.example');
  assert.match(res.headers['access-control-expose-headers'], /^X-Mine, PAYMENT-REQUIRED/);
  upstream.handler = (req, r) => { r.setHeader('Access-Control-Allow-Credentials', 'true'); r.end(); };
  assert.equal((await send()).headers['access-control-allow-origin'], undefined);
});

function upgradeServer() {
  upstream.server.removeAllListeners('upgrade');
  upstream.server.on('upgrade', (req, socket) => {
    upstream.hits.push({ url: req.url, headers: req.headers, upgrade: true });
    if (req.url.includes('no'))
      return socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    socket.on('data', (data) => socket.write(`echo ${data}`));
    return socket.on('end', () => socket.end());
  });
}

const upgradeRequest = async (path) => `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${
  Object.entries(await payment(path)).map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n`;

test('an upgrade is not one unless x402_upgrade is on', async () => {
  upgradeServer();
  const { text } = await raw(g.port, await upgradeRequest('/plain'), { until: (t) => t.includes('content') });
  assert.match(text, /^HTTP\/1\.1 200/);
  assert.equal(upstream.hits[0].headers.upgrade, undefined);
  assert.deepEqual(g.till.names().slice(0, 2), ['RESERVE', 'CAPTURE']);
});

test('x402_upgrade: captured before it is proxied, then both ways', async () => {
  upgradeServer();
  g.till.script.CAPTURE = async () => { await sleep(100); assert.equal(upstream.hits.length, 0, 'proxied before it was captured'); };
  const unpaid = await raw(g.port, 'GET /socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n', { until: (t) => t.includes('\r\n\r\n') });
  assert.match(unpaid.text, /^HTTP\/1\.1 402/);
  const socket = connect(g.port, '127.0.0.1');
  let text = '';
  socket.on('data', (data) => { text += data; if (text.endsWith('\r\n\r\n')) socket.write('hello'); if (text.includes('echo hello')) socket.end(); });
  socket.write(await upgradeRequest('/socket'));
  await new Promise((resolve) => socket.once('close', resolve));
  assert.match(text, /^HTTP\/1\.1 101/);
  assert.match(text, /PAYMENT-RESPONSE/);
  assert.match(text, /echo hello/);
  await g.till.wait('DONE');
  assert.deepEqual(g.till.names(), ['RESERVE', 'CAPTURE', 'STARTED', 'DONE']);
});

test('x402_upgrade: refused by the upstream: never started, so the payment buys it again', async () => {
  upgradeServer();
  const { text } = await raw(g.port, (await upgradeRequest('/socket')).replace('/socket', '/socket?no'), { until: (t) => t.includes('\r\n\r\n') });
  assert.match(text, /^HTTP\/1\.1 400/);
  assert.doesNotMatch(text, /PAYMENT-RESPONSE/);
  const done = await g.till.wait('DONE');
  assert.deepEqual(g.till.names(), ['RESERVE', 'CAPTURE', 'DONE']);
  assert.equal(done.end, 'server');
});

test('x402_upgrade: a capture that is refused', async () => {
  upgradeServer();
  g.till.script.CAPTURE = () => ({ err: ERR.EXPIRED });
  const { text } = await raw(g.port, await upgradeRequest('/socket'), { until: (t) => t.includes('\r\n\r\n') });
  assert.match(text, /^HTTP\/1\.1 402/);
  assert.equal(upstream.hits.length, 0);
});
