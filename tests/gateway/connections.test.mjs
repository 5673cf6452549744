// SPDX-License-Identifier: Apache-2.0
// Connections: bodies that nobody reads, pipelining, clients that leave at any
// moment, payments that must not leak into a neighbour's request.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { connect as connect2 } from 'node:http2';
import { after, before, beforeEach, test } from 'node:test';
import { ERR } from './fake-till.mjs';
import { payment, priced, raw, sleep, startGateway, startUpstream } from './harness.mjs';

const ROUNDS = Number(process.env.X402_ABORT_ROUNDS ?? 12);
let g;
let upstream;

before(async () => {
  upstream = await startUpstream();
  g = await startGateway({
    server: priced('= /paid', upstream, 'client_max_body_size 64m;')
      + `location = /free { proxy_pass http://127.0.0.1:${upstream.port}; } location = /stub { stub_status; }`,
  });
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

const lines = (headers) => Object.entries(headers).map(([k, v]) => `${k}: ${v}\r\n`).join('');
const post = (path, body, headers = {}) => `POST ${path} HTTP/1.1\r\nHost: x\r\n${lines(headers)}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const chunked = (path, body, headers = {}) => `POST ${path} HTTP/1.1\r\nHost: x\r\n${lines(headers)}Transfer-Encoding: chunked\r\n\r\n${
  body && `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n`}0\r\n\r\n`;
const last = 'GET /free HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
const statuses = (text) => (text.match(/HTTP\/1\.1 \d{3} /g) ?? []).map((s) => Number(s.slice(9, 12)));

test('the next request after a 402 or 400 is read right, whatever body came before', async () => {
  const smuggled = 'GET /paid?smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
  for (const make of [post, chunked]) {
    for (const body of ['', 'a', smuggled, 'x'.repeat(20_000), smuggled.repeat(5000)]) {
      for (const [headers, status] of [[{}, 402], [{ 'X-PAYMENT': 'x' }, 400]]) {
        upstream.hits.length = 0;
        const { text } = await raw(g.port, make('/paid', body, headers) + last);
        const got = statuses(text);
        assert.equal(got[0], status);
        if (status === 402 || got.length > 1)
          assert.deepEqual(got, [status, 200], `${make.name} ${body.length}`);
        assert.ok(!upstream.hits.some((hit) => hit.url.includes('paid')));
      }
    }
  }
});

test('pipelined: paid, unpaid, paid, each on its own', async () => {
  const a = await payment('/paid');
  const b = await payment('/paid');
  for (const make of [post, chunked]) {
    const { text } = await raw(g.port, make('/paid', 'one', a) + make('/paid', 'two') + make('/paid', 'three', b) + make('/paid', 'four') + last);
    assert.deepEqual(statuses(text), [200, 402, 200, 402, 200]);
    assert.equal(upstream.hits.filter((hit) => hit.url === '/paid').length, 2);
    upstream.hits.length = 0;
  }
});

test('a payment is for one request of a connection', async () => {
  for (let i = 0; i < 3; i += 1) {
    assert.equal((await g.http.send('/paid', { headers: await payment('/paid') })).status, 200);
    assert.equal((await g.http.send('/paid')).status, 402);
  }
});

test('Expect: 100-continue: an unpaid body is not asked for, a paid one is', async () => {
  const head = (headers) => `POST /paid HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n${lines(headers)}\r\n`;
  const unpaid = await raw(g.port, head({}), { until: (t) => t.includes('\r\n\r\n'), limit: 1000 });
  unpaid.socket.destroy();
  assert.match(unpaid.text, /^HTTP\/1\.1 402/);
  const paid = await raw(g.port, head(await payment('/paid')), { until: (t) => t.includes('100 Continue'), limit: 1000 });
  paid.socket.write('hello');
  await sleep(100);
  paid.socket.destroy();
  assert.equal(upstream.hits.length, 1);
});

test('a large unpaid upload is not read to its end before the answer', async () => {
  const socket = connect(g.port, '127.0.0.1');
  let text = '';
  let sent = 0;
  socket.on('error', () => {});
  const done = new Promise((resolve) => { socket.on('data', (d) => { text += d; resolve(); }); });
  socket.write('POST /paid HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n');
  const timer = setInterval(() => { sent += 1000; socket.write('x'.repeat(1000)); }, 5);
  await done;
  clearInterval(timer);
  socket.destroy();
  assert.match(text, /^HTTP\/1\.1 402/);
  assert.ok(sent < 1_000_000);
});

test('a large paid upload: in a file, hashed in pieces, whole at the upstream', { timeout: 30_000 }, async () => {
  let size = 0;
  upstream.handler = (req, res, body) => { size = body.length; res.end('ok'); };
  const body = Buffer.alloc(20_000_000, 'x402 body ');
  const big = g.http.send('/paid', { method: 'POST', body, headers: await payment('/paid') });
  assert.equal((await big).status, 200);
  assert.equal(size, body.length);
  assert.equal((await g.http.send('/paid', { method: 'POST', body: Buffer.alloc(70_000_000), headers: await payment('/paid') }).catch(() => ({ status: 413 }))).status, 413);
  assert.equal(g.till.of('RESERVE').length, 1);
});

async function stub() {
  const res = await g.http.send('/stub');
  const [, active] = res.body.match(/Active connections: (\d+)/);
  return Number(active);
}

test('clients that leave at any moment: nothing leaks, each payment has its end', { timeout: 20_000 * ROUNDS }, async () => {
  const pool = await Promise.all(Array.from({ length: 60 }, () => payment('/paid')));
  g.till.script.RESERVE = async () => { await sleep(Math.random() * 20); return {}; };
  g.till.script.CAPTURE = async () => { await sleep(Math.random() * 20); return {}; };
  g.till.script.RELEASE = async () => { await sleep(Math.random() * 20); return {}; };
  upstream.handler = async (req, res) => {
    await sleep(Math.random() * 20);
    res.statusCode = Math.random() < 0.2 ? 500 : 200;
    res.write('x'.repeat(Math.floor(Math.random() * 100_000)));
    await sleep(Math.random() * 10);
    res.end();
  };
  const one = (i) => new Promise((resolve) => {
    const socket = connect(g.port, '127.0.0.1');
    const wait = Math.random() * 300;
    socket.on('error', () => {});
    socket.once('close', resolve);
    socket.write(i % 3 ? `GET /paid HTTP/1.1\r\nHost: x\r\n${lines(pool[i % pool.length])}\r\n` : post('/paid', 'x'.repeat(i * 10), pool[i % pool.length]));
    socket.on('data', () => {});
    setTimeout(() => (i % 2 ? socket.resetAndDestroy() : socket.destroy()), wait);
  });
  for (let round = 0; round < ROUNDS; round += 1)
    await Promise.all(Array.from({ length: 100 }, (_, i) => one(i)));
  await sleep(500);
  const rids = g.till.of('RESERVE').map((f) => f.rid).filter(Boolean);
  assert.ok(rids.length > 300, `${rids.length} reserved`);
  const kinds = {};
  for (const rid of rids) {
    const story = g.till.names(rid).slice(1).join(' ');
    kinds[story] = (kinds[story] ?? 0) + 1;
  }
  assert.deepEqual(Object.keys(kinds).filter((k) => !['RELEASE', 'CAPTURE DONE', 'CAPTURE STARTED DONE'].includes(k)), [], JSON.stringify(kinds));
  assert.ok(kinds.RELEASE > 0 && kinds['CAPTURE DONE'] > 0 && kinds['CAPTURE STARTED DONE'] > 0, JSON.stringify(kinds));
  g.http.close();
  assert.ok(await stub() <= 3, 'connections are left');
});

test('HTTP/2 streams that are reset at any moment', { timeout: 20_000 * ROUNDS }, async () => {
  const pool = await Promise.all(Array.from({ length: 30 }, () => payment('/paid')));
  g.till.script.RESERVE = async () => { await sleep(Math.random() * 20); return {}; };
  g.till.script.CAPTURE = async () => { await sleep(Math.random() * 20); return { err: Math.random() < 0.1 ? ERR.EXPIRED : 0 }; };
  upstream.handler = async (req, res) => {
    await sleep(Math.random() * 20);
    res.write('x'.repeat(Math.floor(Math.random() * 100_000)));
    await sleep(Math.random() * 10);
    res.end();
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    const session = connect2(g.h2);
    session.on('error', () => {});
    const streams = Array.from({ length: 60 }, (_, i) => new Promise((resolve) => {
      const stream = session.request({ ':path': '/paid', ...pool[i % pool.length] });
      stream.on('error', () => {});
      stream.on('data', () => {});
      stream.once('close', resolve);
      stream.end();
      setTimeout(() => stream.close(8), Math.random() * 60);
    }));
    if (round % 2)
      setTimeout(() => session.destroy(), 40);
    await Promise.all(streams);
    session.destroy();
  }
  await sleep(500);
  const reserved = g.till.of('RESERVE').filter((f) => f.rid).map((f) => f.rid);
  const ended = new Set(g.till.frames.filter((f) => f.name === 'RELEASE' || f.name === 'CAPTURE').map((f) => f.rid));
  assert.deepEqual(reserved.filter((rid) => !ended.has(rid)), []);
});

test('more at once than the till takes: 503, and all goes on afterwards', { timeout: 60_000 }, async () => {
  const headers = await payment('/paid');
  const held = [];
  g.till.script.RESERVE = () => new Promise((resolve) => { held.push(resolve); });
  const sockets = [];
  const results = { text: '' };
  for (let i = 0; i < 1100; i += 1) {
    const socket = connect(g.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.on('data', (d) => { results.text += d.toString('latin1').slice(0, 12); });
    socket.write(`GET /paid?${i} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${lines(headers)}\r\n`);
    sockets.push(socket);
  }
  while (!results.text.includes('503'))
    await sleep(20);
  await sleep(300);
  assert.equal(results.text.match(/503/g).length, 1100 - 1024);
  assert.equal(held.length, 1024);
  for (const resolve of held)
    resolve({ err: ERR.IN_PROGRESS });
  while ((results.text.match(/HTTP/g) ?? []).length < 1100)
    await sleep(20);
  assert.equal(results.text.match(/409/g).length, 1024);
  for (const socket of sockets)
    socket.destroy();
  g.till.script = {};
  assert.equal((await g.http.send('/paid', { headers: await payment('/paid') })).status, 200);
});
