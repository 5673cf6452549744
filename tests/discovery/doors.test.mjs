// SPDX-License-Identifier: Apache-2.0
// The doors that the Bazaar and the status page add: how often they may be
// knocked at, and what is said when there is too much to do.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, connect } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { PAYEE, account } from '../../devnet/accounts.mjs';
import { sleep } from '../../devnet/process.mjs';
import { Daemon, STUB, X402D, ports, useDaemon, yaml } from '../facilitator/daemon.mjs';
import { sql } from '../harness/ledger.mjs';
import { until } from '../harness/witness.mjs';

const KEY = 'a-key-of-these-tests-0123456789';
const { facilitator: port, third, fourth } = await ports(24);
const daemon = await useDaemon({ program: STUB, port, text: yaml({
  port,
  http: `any_payee: true, keys: [{name: slow, sha256: ${createHash('sha256').update(KEY).digest('hex')}, rates: {verify: 3, settle: 1}}]`,
  more: 'bazaar: {allow: [127.0.0.1]}',
}) });

/* Takes connections and never says a word. */
const silent = createServer((socket) => socket.on('error', () => {}).resume());
silent.listen(0, '127.0.0.1');
await once(silent, 'listening');
after(() => silent.close());

async function claim() {
  const url = `http://127.0.0.1:${silent.address().port}/x`;
  const expires = Math.floor(Date.now() / 1000) + 600;
  const payTo = account(PAYEE).address;
  const message = `List this resource in the x402 Bazaar\nURL: ${url}\nPay to: ${payTo}\nExpires: ${expires}`;
  return JSON.stringify({ url, payTo, expires, signature: await account(PAYEE).signMessage({ message }) });
}
const register = (body, { to = daemon.url, headers = {} } = {}) =>
  fetch(`${to}/register`, { method: 'POST', body, headers: { 'Content-Type': 'application/json', ...headers } });
const key = { Authorization: `Bearer ${KEY}` };

for (const [path, ask] of [
  ['/discovery/resources', () => fetch(`${daemon.url}/discovery/resources`, { headers: key })],
  ['/discovery/search', () => fetch(`${daemon.url}/discovery/search?query=a`, { headers: key })],
  ['/discovery/merchant', () => fetch(`${daemon.url}/discovery/merchant?payTo=0x0`, { headers: key })],
  ['/discovery/live', () => fetch(`${daemon.url}/discovery/live?resource=http://x.example/`, { headers: key })],
  ['/register', () => register('{}', { headers: key })],
]) {
  test(`${path}: some of many at once, and the others may come back later`, async () => {
    await sleep(2200); // all share the key's: it is full again
    const answers = await Promise.all(Array.from({ length: 60 }, ask));
    const refused = answers.filter(({ status }) => status === 429);
    assert.ok(refused.length > 0 && refused.length < answers.length, answers.map(({ status }) => status).join(' '));
    for (const { headers } of refused)
      assert.ok(Number(headers.get('retry-after')) >= 1);
    await Promise.all(answers.map((one) => one.arrayBuffer()));
    const wait = Math.max(...refused.map(({ headers }) => Number(headers.get('retry-after'))));
    await until('it may come back', 20_000, async () => (await ask()).status, (status) => status !== 429);
    assert.ok(wait < 60, String(wait));
  });
}

test('a contract\'s signature: told that contracts are listed by payments', async () => {
  await sleep(2200);
  const response = await register(JSON.stringify({ ...JSON.parse(await claim()), signature: `0x${'11'.repeat(96)}` }), { headers: key });
  assert.equal(response.status, 400);
  assert.match(await response.text(), /contracts cannot register, payments list them/);
});

test('more registrations than can be looked at are 503, and nobody else waits for them', async () => {
  const busy = await new Daemon({ program: STUB, port: third, text: yaml({ port: third, more: 'bazaar: {allow: [127.0.0.1]}' }) }).start();
  const body = await claim();
  const statuses = [];
  const all = Array.from({ length: 90 }, () => register(body, { to: busy.url })
    .then(({ status, headers }) => { statuses.push([status, headers.get('retry-after')]); }, () => statuses.push(['cut off'])));
  await until('some are refused', 20_000, () => statuses, ({ length }) => length >= 20);
  assert.deepEqual([...new Set(statuses.map(([status]) => status))].filter((status) => ![503, 422].includes(status)), []);
  assert.ok(statuses.some(([status]) => status === 503));
  for (const path of ['/discovery/resources', '/discovery/search?query=a', '/health', '/bazaar'])
    assert.equal((await fetch(`${busy.url}${path}`)).status, 200, path);
  await busy.stop();
  await Promise.all(all);
  assert.equal(statuses.length, 90, 'everybody was told, or cut off, when it stopped');
});

test('the status page: 32 connections, a ledger that cannot be read', async () => {
  const real = await new Daemon({ program: X402D, port: third, text: yaml({ port: third, more: `status: 127.0.0.1:${fourth}` }) }).start();
  const page = (path) => fetch(`http://127.0.0.1:${fourth}${path}`, { headers: { Connection: 'close' }, signal: AbortSignal.timeout(5000) });
  const held = [];
  for (let i = 0; i < 40; i += 1) {
    const socket = connect({ host: '127.0.0.1', port: fourth });
    socket.on('error', () => {});
    socket.write('GET / HTTP/1.1\r\n');
    held.push(socket);
  }
  await Promise.all(held.map((socket) => until('connected', 20_000, () => socket.connecting, (still) => !still)));
  await sleep(500); // accepted, those that are
  await assert.rejects(page('/api/overview'), 'no room: it waits');
  held.forEach((socket) => socket.destroy());
  await until('room again', 20_000, () => page('/api/overview').then(({ status }) => status, () => 0), (status) => status === 200);

  const ledger = join(real.dir, 'ledger.db');
  sql(ledger, 'ALTER TABLE event RENAME TO gone', 'ALTER TABLE invoice RENAME TO away');
  assert.equal((await page('/api/invoices')).status, 503);
  assert.equal((await page('/api/payments')).status, 200);
  sql(ledger, 'ALTER TABLE away RENAME TO invoice', 'ALTER TABLE gone RENAME TO event');
  assert.equal((await page('/api/invoices')).status, 200);
  await real.stop();
});
