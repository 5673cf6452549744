// SPDX-License-Identifier: Apache-2.0
// The daemon away, slow, broken or lying: priced locations close, free ones
// and offers go on, and nothing is forgotten.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { ERR, RESERVED_BYTES, TYPE, frame } from './fake-till.mjs';
import { payment, priced, sleep, startGateway, startUpstream } from './harness.mjs';

let g;
let upstream;

before(async () => {
  upstream = await startUpstream();
  g = await startGateway({ server: `${priced('= /paid', upstream)} ${priced('= /slow', upstream)} location = /free { proxy_pass http://127.0.0.1:${upstream.port}; }` });
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

const pay = async (path = '/paid', o = {}) => g.http.send(path, { ...o, headers: await payment(path) });

/** Until a payment goes through again. */
async function recovered() {
  for (let i = 0; i < 100; i += 1) {
    if ((await pay()).status === 200)
      return;
    await sleep(30);
  }
  throw new Error('the gateway did not come back');
}

test('no daemon: 503 with Retry-After on priced locations, offers and free ones go on', async () => {
  const socket = g.till;
  await socket.close();
  await sleep(50);
  const res = await pay();
  assert.equal(res.status, 503);
  assert.equal(res.headers['x-payment-error'], 'verifier_unavailable');
  assert.ok(res.headers['retry-after']);
  assert.equal(res.headers['payment-required'], undefined);
  assert.equal((await g.http.send('/paid')).status, 402);
  assert.equal((await g.http.send('/free')).status, 200);
  assert.equal(upstream.hits.length, 1);
  await sleep(2500); // the worker waits longer and longer, but not for ever
  await socket.listen();
  const begin = Date.now();
  await recovered();
  assert.ok(Date.now() - begin < 1600, `back after ${Date.now() - begin} ms`);
});

test('a worker says who it is, what it holds, and that it is ready', async () => {
  let free;
  upstream.handler = (req, res) => { free = () => res.end('late\n'); };
  const running = pay('/slow');
  const reserve = await g.till.wait('RESERVE');
  while (!free)
    await sleep(10);
  const before = g.till.frames.length;
  g.till.cut();
  await g.till.next('READY');
  const after = g.till.frames.slice(before);
  assert.deepEqual(after.map((f) => f.name), ['HELLO', 'HOLD', 'READY']);
  assert.equal(after[0].worker.length, 34);
  assert.deepEqual(after[1].rids, [reserve.rid]);
  const again = g.till.next('READY');
  g.till.cut();
  await again;
  assert.equal(new Set(g.till.of('HELLO').map((f) => f.worker)).size, 1, 'the same worker');
  free();
  assert.equal((await running).status, 200, 'a break while the upstream works costs nothing');
});

test('the connection breaks while RESERVE is open: closed, not proxied', async () => {
  g.till.script.RESERVE = (f) => { f.socket.destroy(); return null; };
  const res = await pay();
  assert.equal(res.status, 503);
  assert.equal(upstream.hits.length, 0);
  g.till.reset();
  await recovered();
});

test('the connection breaks while CAPTURE is open: asked again, answered once', async () => {
  let broken = 0;
  g.till.script.CAPTURE = (f) => { broken += 1; if (broken < 3) { f.socket.destroy(); return null; } return {}; };
  const res = await pay();
  assert.equal(res.status, 200);
  assert.equal(broken, 3);
  assert.equal(upstream.hits.length, 1);
  assert.equal(new Set(g.till.of('CAPTURE').map((f) => f.rid)).size, 1);
  for (const hold of g.till.of('HOLD'))
    assert.deepEqual(hold.rids, [g.till.of('CAPTURE')[0].rid]);
});

test('the connection breaks while RELEASE, STARTED or DONE is open', async () => {
  upstream.handler = (req, res) => { res.statusCode = 500; res.end(); };
  let broken = 0;
  const breakTwice = (f) => { broken += 1; if (broken < 3) { f.socket.destroy(); return null; } return {}; };
  g.till.script.RELEASE = breakTwice;
  assert.equal((await pay()).status, 500);
  assert.equal(broken, 3);
  upstream.handler = (req, res) => { res.write('x'); setTimeout(() => res.end(), 100); }; // two turns, two frames
  for (const name of ['STARTED', 'DONE']) {
    g.till.reset();
    broken = 0;
    g.till.script[name] = breakTwice;
    assert.equal((await pay()).status, 200);
    while (broken < 3)
      await sleep(10);
    await sleep(30);
    const before = g.till.of('HOLD').length;
    const again = g.till.next('READY');
    g.till.cut();
    await again;
    assert.equal(g.till.of('HOLD').length, before, 'nothing is held any more');
  }
});

const GARBAGE = {
  'an answer without a question': (f) => frame(TYPE.ACK, f.id + 1n, Buffer.alloc(2)),
  'an answer with another id': (f) => frame(TYPE.RESERVED, f.id + 1024n, Buffer.alloc(RESERVED_BYTES)),
  'an answer of another kind': (f) => frame(TYPE.ACK, f.id, Buffer.alloc(2)),
  'a PONG without a PING': () => frame(TYPE.PONG, 0n),
  'a question': (f) => frame(TYPE.RESERVE, f.id, Buffer.alloc(300)),
  'an unknown type': (f) => frame(99, f.id),
  'another version': (f) => { const b = frame(TYPE.RESERVED, f.id, Buffer.alloc(RESERVED_BYTES)); b[4] ^= 0x80; return b; },
  'a spare byte': (f) => frame(TYPE.RESERVED, f.id, Buffer.alloc(RESERVED_BYTES + 1)),
  'a byte too few': (f) => frame(TYPE.RESERVED, f.id, Buffer.alloc(RESERVED_BYTES - 1)),
  'an unknown error': (f) => { const b = Buffer.alloc(RESERVED_BYTES); b.writeUInt16BE(999, 0); return frame(TYPE.RESERVED, f.id, b); },
  'a length of zero': () => Buffer.alloc(4),
  'a length of 4 GB': () => Buffer.from('ffffffff', 'hex'),
  'HTTP': () => Buffer.from('HTTP/1.1 200 OK\r\n\r\n'),
  'the same answer twice': (f) => { const b = Buffer.alloc(RESERVED_BYTES); b[1] = ERR.FUNDS; const a = frame(TYPE.RESERVED, f.id, b); return Buffer.concat([a, a]); },
};
for (const [why, answer] of Object.entries(GARBAGE)) {
  test(`the daemon sends ${why}: the connection is closed, and all that waited fails`, async () => {
    let others = 0;
    g.till.script.RESERVE = (f) => { others += 1; return others < 3 ? null : answer(f); };
    const closed = g.till.next('HELLO', 8000);
    const results = await Promise.all([pay(), pay(), pay()]);
    for (const res of results)
      assert.ok(res.status === 503 || (why.startsWith('the same') && res.status === 402), `${res.status}`);
    assert.equal(upstream.hits.length, 0);
    await closed; // and opened again
    g.till.reset();
    await recovered();
  });
}

test('an answer in pieces, and many in one', async () => {
  g.till.script.RESERVE = async (f) => {
    const body = Buffer.alloc(RESERVED_BYTES);
    body.fill(0xaa, 2, 18);
    const bytes = frame(TYPE.RESERVED, f.id, body);
    for (const byte of bytes) {
      f.socket.write(Buffer.from([byte]));
      await sleep(1);
    }
    return null;
  };
  assert.equal((await pay()).status, 200);
  const queue = [];
  g.till.script.RESERVE = (f) => {
    const body = Buffer.alloc(RESERVED_BYTES);
    body.writeBigUInt64BE(f.id, 4);
    queue.push(frame(TYPE.RESERVED, f.id, body));
    if (queue.length === 40)
      f.socket.write(Buffer.concat(queue.reverse())); // and in another order
    return null;
  };
  const results = await Promise.all(Array.from({ length: 40 }, (_, i) => (async () => {
    const headers = await payment('/paid');
    const { client } = await import('../harness/http.mjs');
    const http = client(g.base);
    try {
      return await http.send(`/paid?${i}`, { headers });
    } finally {
      http.close();
    }
  })()));
  assert.deepEqual(results.map((res) => res.status), Array(40).fill(200));
});

test('a daemon that hangs is noticed by its heartbeat', { timeout: 60_000 }, async () => {
  g.till.script.mute = true;
  g.till.script.RESERVE = () => null;
  const hello = g.till.next('HELLO', 45_000);
  const begin = Date.now();
  const res = await pay();
  assert.equal(res.status, 503);
  assert.ok(Date.now() - begin < 16_500, `${Date.now() - begin} ms; three heartbeats are 15 s`);
  await hello;
});
