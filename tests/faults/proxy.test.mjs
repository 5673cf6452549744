// SPDX-License-Identifier: Apache-2.0
// The fault proxy itself: each fault is what the other side sees, and one seed
// gives one schedule.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer as createSocketServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { TYPE, frame } from '../gateway/fake-till.mjs';
import { FaultProxy, chaos, rules } from '../harness/fault-proxy.mjs';
import { http, till, withBody } from '../harness/frames.mjs';
import { client } from '../harness/http.mjs';

const bodies = [];
const server = createServer((request, response) => {
  let body = '';
  request.on('data', (data) => { body += data; });
  request.on('end', () => {
    bodies.push(body);
    if (request.url === '/chunks') {
      response.write('{"a":');
      response.end('1}');
    } else {
      response.end(`{"echo":"${body}"}`);
    }
  });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const proxy = await new FaultProxy({ frames: http, target: { port: server.address().port } }).start();
after(async () => {
  await proxy.close();
  server.closeAllConnections();
  server.close();
});

async function say(text, path = '/') {
  const one = client(proxy.url, { connections: 1 });
  try {
    return (await one.send(path, { method: 'POST', body: text, timeout: 300 })).body;
  } catch (error) {
    return error.code ?? error.message;
  } finally {
    one.close();
  }
}

/* [fault, way, what the client sees, how often the server was asked] */
const FAULTS = [
  [undefined, 'ask', '{"echo":"x"}', 1],
  ['drop', 'ask', /no answer/, 0],
  ['drop', 'answer', /no answer/, 1],
  [{ delay: 100 }, 'ask', '{"echo":"x"}', 1],
  [{ delay: 100 }, 'answer', '{"echo":"x"}', 1],
  [{ truncate: 20 }, 'ask', /ECONNRESET|socket hang up/, 0],
  [{ truncate: 20 }, 'answer', /ECONNRESET|aborted|socket hang up|HPE/, 1],
  ['duplicate', 'ask', '{"echo":"x"}', 2],
  ['reset', 'ask', 'ECONNRESET', 0],
  ['reset', 'answer', 'ECONNRESET', 1],
  [{ lie: (bytes) => withBody(bytes, () => 'another') }, 'ask', '{"echo":"another"}', 1],
  [{ lie: (bytes) => withBody(bytes, () => '[]') }, 'answer', '[]', 1],
];

for (const [fault, way, sees, asked] of FAULTS) {
  test(`HTTP: ${way}, ${JSON.stringify(fault) ?? 'nothing'}`, async () => {
    bodies.length = 0;
    proxy.seen.length = 0;
    proxy.script(rules({ way, fault }));
    const began = Date.now();
    const seen = await say('x');
    if (sees instanceof RegExp)
      assert.match(seen, sees);
    else
      assert.equal(seen, sees);
    if (fault?.delay)
      assert.ok(Date.now() - began >= 95);
    assert.equal(bodies.length, asked);
    assert.equal(proxy.story().length, fault === undefined ? 0 : 1);
  });
}

test('HTTP: chunks are one message; a rule holds as often as it says', async () => {
  proxy.script(rules({ way: 'answer', kind: '200 POST /chunks', fault: 'reset', times: 2 }));
  assert.deepEqual([await say('', '/chunks'), await say('', '/'), await say('', '/chunks'), await say('', '/chunks')],
    ['ECONNRESET', '{"echo":""}', 'ECONNRESET', '{"a":1}']);
});

test('the till: frames, by name, also when they come in pieces', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'x402-proxy-'));
  const got = [];
  const daemon = createSocketServer((socket) => socket.on('data', (data) => got.push(data)));
  await new Promise((resolve) => daemon.listen(join(dir, 'd'), resolve));
  const tap = await new FaultProxy({ frames: till, listen: join(dir, 't'), target: { path: join(dir, 'd') } }).start();
  tap.script(rules({ kind: 'PING', n: 2, fault: 'drop' }, { kind: 'DONE', fault: 'duplicate' }));
  const worker = connect(join(dir, 't'));
  const bytes = Buffer.concat([frame(TYPE.PING, 1n), frame(TYPE.PING, 2n), frame(TYPE.DONE, 3n, Buffer.alloc(17)), frame(TYPE.PING, 4n)]);
  for (const byte of bytes) {
    worker.write(Buffer.of(byte));
    await new Promise(setImmediate);
  }
  for (let i = 0; i < 100 && tap.seen.length < 4; i += 1)
    await new Promise((resolve) => { setTimeout(resolve, 10); });
  await new Promise((resolve) => { setTimeout(resolve, 50); });
  assert.deepEqual(tap.seen.map(({ kind, n, way, connection }) => `${connection} ${way} ${n} ${kind}`),
    ['1 ask 1 PING', '1 ask 2 PING', '1 ask 3 DONE', '1 ask 4 PING']);
  assert.deepEqual(tap.story(), ['1/ask 2 PING: drop', '1/ask 3 DONE: duplicate']);
  const done = frame(TYPE.DONE, 3n, Buffer.alloc(17));
  assert.deepEqual(Buffer.concat(got), Buffer.concat([frame(TYPE.PING, 1n), done, done, frame(TYPE.PING, 4n)]));
  await tap.close();
  daemon.close();
  worker.destroy();
  rmSync(dir, { recursive: true });
});

test('one seed, one schedule; another seed, another one', () => {
  const list = (seed) => {
    const script = chaos(seed, 0.3, ['drop', 'reset', 'duplicate']);
    return Array.from({ length: 300 }, (_, i) => script({ connection: 1 + i % 7, way: i % 2 ? 'ask' : 'answer', n: i }) ?? '-').join();
  };
  assert.equal(list(1), list(1));
  assert.notEqual(list(1), list(2));
  const faults = list(3).split(',').filter((fault) => fault !== '-');
  assert.ok(faults.length > 60 && faults.length < 120, `${faults.length} of 300`);
  assert.equal(new Set(faults).size, 3);
});
