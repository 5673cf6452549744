// SPDX-License-Identifier: Apache-2.0
// The daemon's JSON-RPC against servers that lie, stall and break off: an
// answer that cannot be trusted is "unknown", never a result.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { program } from './programs.mjs';

const CHAIN = 84532;
const open = [];
after(() => open.forEach((server) => { server.closeAllConnections(); server.close(); }));

/** A server that answers with script(questions, response); counts requests. */
async function node(port, script) {
  const seen = { bodies: [], paths: [], sockets: new Set() };
  const server = createServer((request, response) => {
    const chunks = [];
    seen.sockets.add(request.socket);
    seen.paths.push(request.url);
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks));
      seen.bodies.push(body);
      script([body].flat(), response, Array.isArray(body));
    });
  });
  open.push(server);
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  return seen;
}

const json = (response, value, status = 200) => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(typeof value === 'string' ? value : JSON.stringify(value));
};
const answer = (q, result) => ({ jsonrpc: '2.0', id: q.id, result });
/** What a healthy node says; `over` replaces the answer to eth_blockNumber. */
const healthy = (over = (q) => answer(q, '0x10'), chain = CHAIN) => (questions, response) =>
  json(response, questions.map((q) => q.method === 'eth_chainId'
    ? answer(q, `0x${chain.toString(16)}`) : over(q)));

function ask(urls, { calls = ['eth_blockNumber', '[]'], timeout = 600, rounds = 1 } = {}) {
  return new Promise((done) => {
    const child = spawn(program('rpc_tool'),
      [timeout, CHAIN, rounds, urls.join(','), ...calls].map(String));
    const out = [], log = [];
    child.stdout.on('data', (chunk) => out.push(chunk));
    child.stderr.on('data', (chunk) => log.push(chunk));
    child.on('close', (code) => done({
      code, lines: Buffer.concat(out).toString().trim().split('\n'), log: Buffer.concat(log).toString(),
    }));
  });
}
const url = (port) => `http://127.0.0.1:${port}/v3/SECRETKEY?k=SECRETKEY`;

const lies = [
  ['not JSON', (q, r) => r.end('nonsense')],
  ['HTML', (q, r) => { r.writeHead(200, { 'content-type': 'text/html' }); r.end('<html>login</html>'); }],
  ['truncated JSON', (q, r) => r.end(JSON.stringify(q.map((x) => answer(x, '0x1'))).slice(0, -5))],
  ['shorter than its Content-Length', (q, r) => {
    const text = JSON.stringify(q.map((x) => answer(x, '0x1')));
    r.writeHead(200, { 'content-length': text.length + 10 });
    r.write(text);
    setTimeout(() => r.destroy(), 20);
  }],
  ['empty', (q, r) => r.end()],
  ['429', (q, r) => json(r, q.map((x) => answer(x, '0x1')), 429)],
  ['500 with a good body', (q, r) => json(r, q.map((x) => answer(x, '0x1')), 500)],
  ['204', (q, r) => { r.writeHead(204); r.end(); }],
  ['a redirect', (q, r) => { r.writeHead(308, { location: 'http://127.0.0.1:15610/' }); r.end(); }],
  ['a foreign id', healthy((q) => ({ ...answer(q, '0x1'), id: q.id + 1000 }))],
  ['an id as text', healthy((q) => ({ ...answer(q, '0x1'), id: String(q.id) }))],
  ['one id twice', (q, r) => json(r, q.flatMap((x) =>
    [answer(x, x.method === 'eth_chainId' ? '0x14a34' : '0x1'), answer(x, '0x2')]))],
  ['another question answered as well', (q, r) => json(r, [...q.map((x) =>
    answer(x, x.method === 'eth_chainId' ? '0x14a34' : '0x1')), answer({ id: 999999 }, '0x2')])],
  ['an answer missing', (q, r) => json(r, q.filter((x) => x.method === 'eth_chainId').map((x) => answer(x, '0x14a34')))],
  ['result and error', healthy((q) => ({ ...answer(q, '0x1'), error: { code: 1, message: 'x' } }))],
  ['neither result nor error', healthy((q) => ({ jsonrpc: '2.0', id: q.id }))],
  ['a member twice', (q, r) => json(r, `[${q.map((x) =>
    `{"jsonrpc":"2.0","id":${x.id},"result":"0x14a34","result":"0x1"}`).join()}]`)],
  ['one error for the batch', (q, r) => json(r, { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'batch' } })],
  ['throttled', healthy((q) => ({ jsonrpc: '2.0', id: q.id, error: { code: -32005, message: 'limit' } }))],
  ['9 MiB', (q, r) => {
    r.writeHead(200);
    const timer = setInterval(() => r.write('x'.repeat(1 << 20)), 2);
    r.on('close', () => clearInterval(timer));
  }],
  ['deeply nested', (q, r) => r.end('['.repeat(100000) + ']'.repeat(100000))],
  ['nothing for a long time', () => {}],
  ['a slow drip', (q, r) => {
    const timer = setInterval(() => r.write(' '), 20);
    r.on('close', () => clearInterval(timer));
  }],
  ['the wrong chain', healthy(undefined, 1)],
  ['an empty chain id', healthy((q) => answer(q, '0x1'), '')],
];

test('an answer that cannot be trusted is unknown', async (t) => {
  let port = 15611;
  for (const [why, script] of lies) {
    const mine = port++;
    await t.test(why, async () => {
      await node(mine, script);
      const { lines, log, code } = await ask([url(mine)]);
      assert.equal(code, 0);
      assert.deepEqual(lines, ['unknown']);
      assert.doesNotMatch(log, /SECRETKEY/);
      assert.match(log, new RegExp(`127.0.0.1:${mine}`));
    });
  }
});

test('the next endpoint is asked, and the bad one rests', async () => {
  await node(15640, (q, r) => json(r, 'nonsense'));
  const good = await node(15641, healthy());
  const { lines } = await ask([url(15640), url(15641)], { rounds: 5 });
  assert.deepEqual(lines, Array(5).fill('result "0x10"'));
  assert.equal(good.bodies.length, 5);
});

test('a node of another chain is passed over', async () => {
  await node(15642, healthy((q) => answer(q, '0xbad'), 1));
  await node(15643, healthy());
  const { lines } = await ask([url(15642), url(15643)], { rounds: 2 });
  assert.deepEqual(lines, Array(2).fill('result "0x10"'));
});

test('a contract\'s words in an error are read, whatever bytes they hold', async () => {
  const said = 'execution reverted: custom error \u0000\u0000';
  await node(15646, healthy((q) => ({ jsonrpc: '2.0', id: q.id, error: { code: 3, message: said, data: '0x' } })));
  const { lines, log } = await ask([url(15646)]);
  assert.deepEqual(lines, ['error 3 execution reverted: custom error']);
  assert.doesNotMatch(log, /rpc_endpoint_down/);
});

test('nobody listens', async () => {
  const { lines } = await ask(['http://127.0.0.1:15698']);
  assert.deepEqual(lines, ['unknown']);
});

test('one connection, the chain id asked once', async () => {
  const seen = await node(15644, (q, r, batch) => {
    const answers = q.map((x) => answer(x, x.method === 'eth_chainId' ? '0x14a34' : '0x10'));
    json(r, batch ? answers : answers[0]);
  });
  await ask([url(15644)], { rounds: 20 });
  assert.equal(seen.sockets.size, 1);
  assert.equal(seen.bodies.length, 20);
  assert.equal(seen.bodies.flat().filter((q) => q.method === 'eth_chainId').length, 1);
  assert.equal(seen.paths[0], '/v3/SECRETKEY?k=SECRETKEY');
});

test('a batch in another order, with an error among results', async () => {
  await node(15645, (q, r) => json(r, q.map((x) => x.method === 'eth_chainId' ? answer(x, '0x14a34')
    : x.method === 'two' ? { jsonrpc: '2.0', id: x.id, error: { code: 3, message: 'execution reverted', data: '0x' } }
      : answer(x, x.method === 'three' ? null : x.method)).reverse()));
  const { lines } = await ask([url(15645)], { calls: ['one', '[]', 'two', '[1]', 'three', '[]', 'four', '[{}]'] });
  assert.deepEqual(lines, ['result "one"', 'error 3 execution reverted', 'result null', 'result "four"']);
});

test('429 with Retry-After: left alone for so long, others are asked', async () => {
  const busy = await node(15650, (q, r) => {
    r.writeHead(429, { 'retry-after': '30' });
    r.end();
  });
  const good = await node(15651, healthy());
  const { lines } = await ask([url(15650), url(15651)], { rounds: 6 });
  assert.deepEqual(lines, Array(6).fill('result "0x10"'));
  assert.deepEqual([busy.bodies.length, good.bodies.length], [1, 6]);
  // nobody else: no knocking either
  const before = busy.bodies.length;
  const begin = Date.now();
  const alone = await ask([url(15650)], { rounds: 4 });
  assert.deepEqual(alone.lines, Array(4).fill('unknown'));
  assert.equal(busy.bodies.length - before, 1);
  assert.ok(Date.now() - begin < 3000);
});

test('a rate: calls a second, per endpoint; what exceeds it goes to the next, or waits', async () => {
  const first = await node(15652, healthy());
  const second = await node(15653, healthy());
  const run = (urls, options) => {
    process.env.RPC_RATE = '10';
    return ask(urls, options).finally(() => { delete process.env.RPC_RATE; });
  };
  const spread = await run([url(15652), url(15653)], { rounds: 16 });
  assert.deepEqual(spread.lines, Array(16).fill('result "0x10"'));
  assert.ok(first.bodies.flat().length <= 14 && second.bodies.length > 0, `${first.bodies.flat().length}`);
  const begin = Date.now();
  const waits = await run([url(15652)], { rounds: 25, timeout: 2000 });
  assert.deepEqual(waits.lines, Array(25).fill('result "0x10"'));
  assert.ok(Date.now() - begin > 1200, `25 calls at 10 a second took ${Date.now() - begin} ms`);
});
