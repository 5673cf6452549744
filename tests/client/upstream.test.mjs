// SPDX-License-Identifier: Apache-2.0
// x402 show --upstream: a server that is reached without the gateway.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { networkInterfaces } from 'node:os';
import { afterEach, test } from 'node:test';
import { entry, newUser, offers, send402, serve } from './harness.mjs';

const addresses = () => Object.values(networkInterfaces()).flat()
  .filter(({ family, address }) => family === 'IPv4' && !address.startsWith('127.')).map(({ address }) => address);

/* A namespace with loopback only gets one of the addresses for documentation. */
function outside() {
  if (addresses().length === 0)
    try {
      execFileSync('ip', ['addr', 'add', '198.51.100.7/32', 'dev', 'lo'], { stdio: 'ignore' });
    } catch {
      return undefined;
    }
  return addresses()[0];
}
const address = outside();
const skip = !address && 'this machine has no address but loopback';

const servers = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => new Promise((done) => {
  server.closeAllConnections();
  server.close(done);
}))));

/** An upstream on this address; its requests are counted. */
async function upstream(host, answer = (req, res) => res.end('the goods\n')) {
  const server = createServer((req, res) => {
    server.seen.push(`${req.method} ${req.url}`);
    answer(req, res);
  });
  server.seen = [];
  servers.push(server);
  await new Promise((done) => { server.listen(0, host, done); });
  server.url = `http://127.0.0.1:${server.address().port}`;
  return server;
}

async function show(...args) {
  const site = await serve((request, response) => send402(response, offers.v2([entry()], site.url)));
  const end = await newUser().run(['show', '--json', ...args, `${site.url}/a?b=1`]);
  assert.ok(end.out, end.err);
  const report = JSON.parse(end.out);
  return { code: end.code, err: end.err, checks: report.checks.filter(({ what }) => what === 'upstream') };
}

test('on every address: wrong, and the path that is sold is what was asked for', { skip }, async () => {
  const server = await upstream('0.0.0.0');
  const { code, checks } = await show('--upstream', server.url);
  assert.equal(code, 1);
  const mine = checks.find(({ text }) => text.includes(address));
  assert.equal(mine.verdict, 'wrong', JSON.stringify(checks));
  assert.match(mine.text, /answers HTTP 200 without a payment: let it listen on 127\.0\.0\.1/);
  assert.ok(server.seen.length >= 1 && server.seen.every((line) => line === 'GET /a?b=1'), server.seen.join());
});

test('on loopback only: nobody answers there', { skip }, async () => {
  const server = await upstream('127.0.0.1');
  const { checks } = await show('--upstream', server.url);
  assert.ok(checks.length >= 1);
  assert.deepEqual(checks.filter(({ verdict }) => verdict !== 'ok'), []);
  assert.deepEqual(server.seen, []);
});

test('one that is named by its address; with a path of its own; that refuses; that asks for a payment', { skip }, async () => {
  const open = await upstream('0.0.0.0');
  const port = open.address().port;
  assert.equal((await show('--upstream', `http://${address}:${port}/inside?x`)).checks[0].verdict, 'wrong');
  assert.deepEqual(open.seen, ['GET /inside?x']);
  for (const [status, verdict] of [[403, 'warning'], [500, 'warning'], [402, 'ok'], [302, 'wrong']]) {
    const server = await upstream('0.0.0.0', (req, res) => res.writeHead(status, { location: '/' }).end());
    const { checks } = await show('--upstream', `http://${address}:${server.address().port}`);
    assert.deepEqual(checks.map((check) => check.verdict), [verdict], String(status));
  }
});

test('several; too many; no URL', { skip }, async () => {
  const [a, b] = [await upstream('0.0.0.0'), await upstream('127.0.0.1')];
  const { code, checks } = await show('--upstream', a.url, '--upstream', b.url);
  assert.equal(code, 1);
  assert.deepEqual(new Set(checks.map(({ verdict }) => verdict)), new Set(['wrong', 'ok']));
  const run = (...args) => newUser().run(['show', ...args, 'http://127.0.0.1:1/']);
  assert.equal((await run('--upstream', 'ftp://x/')).code, 3);
  assert.equal((await run(...Array(9).fill(['--upstream', a.url]).flat())).code, 2);
});
