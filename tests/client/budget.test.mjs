// SPDX-License-Identifier: Apache-2.0
// A budget holds whatever happens: over processes, crashes, refusals, restarts
// and clocks.  The witness is the sum of distinct payments in servers' hands.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { USDC_BASE, deliver, entry, newUser, serve, send402, offers, shop } from './harness.mjs';
import { shim } from './shim.mjs';

const held = (server) => [...server.paid().reduce((map, { payment }) => {
  const { nonce, value } = payment.payload.authorization;
  return map.set(nonce, Number(value));
}, new Map()).values()].reduce((a, b) => a + b, 0);

test('64 processes and a budget of 1 USDC: 50 payments of 0.02', { timeout: 120_000 }, async () => {
  const user = newUser({ config: 'budget = 1.00/day\n' });
  const server = await shop({ accepts: [entry({ amount: '20000' })] });
  const ends = await Promise.all(Array.from({ length: 64 }, (_, i) => user.get([`${server.url}/${i}`])));
  const codes = ends.map(({ code }) => code);
  assert.equal(codes.filter((code) => code === 0).length, 50, JSON.stringify(codes));
  assert.equal(codes.filter((code) => code === 103).length, 14);
  assert.equal(server.nonces().size, 50);
  assert.equal(held(server), 1_000_000);
  const next = await user.get([server.url]);
  assert.equal(next.code, 103);
  assert.match(next.err, /budget/);
  assert.match((await user.run(['budget'])).out, /^1\.00\/day\n {2}1\.00 left on mainnets\n {2}0\.00 left on testnets\n$/);
});

test('64 processes, killed at random and cheated: never more than the budget', { timeout: 120_000 }, async () => {
  const user = newUser({ config: 'budget = 0.50/day\n' });
  const server = await serve((request, response, seen) => {
    if (!seen.header)
      return send402(response, offers.v2([entry({ amount: '20000' })], server.url));
    switch (seen.index % 5) {
      case 0: return response.socket.destroy();
      case 1: response.writeHead(seen.index % 2 ? 500 : 502); return response.end();
      case 2: response.writeHead(402); return response.end();
      case 3: return undefined;
      default: return deliver(response, seen);
    }
  });
  const children = Array.from({ length: 64 }, (_, i) =>
    user.start(['get', '--key-file', user.keyFile, '--retry-delay', '0.05', '--new-payment', '--max-time', '3', `${server.url}/${i}`]));
  children.forEach((child, i) => { if (i % 2) setTimeout(() => child.kill('SIGKILL'), 10 + i * 3); });
  await Promise.all(children.map(({ end }) => end));
  assert.ok(held(server) <= 500_000, String(held(server)));
  assert.ok(held(server) > 0);
  // and once more, after everything died
  for (let i = 0; i < 30; i++)
    await user.get(['--new-payment', '--retry', '0', '--max-time', '1', `${server.url}/again/${i}`]);
  assert.ok(held(server) <= 500_000, String(held(server)));
  // whoever was killed between writing a payment down and sending it has spent
  // it as far as anybody can know: the journal is full, the server may hold less
  const written = (await user.payments()).length * 20_000;
  assert.ok(written >= 480_000 && written <= 500_000, String(written));
  assert.ok(held(server) <= written, `${held(server)} held, ${written} written`);
});

test('refused payments count: a server that refuses everything holds no more than the budget', async () => {
  const user = newUser({ config: 'budget = 0.05/day\n' });
  const server = await serve((request, response) => send402(response, offers.v2([entry({ amount: '20000' })], server.url)));
  const codes = [];
  for (let i = 0; i < 4; i++)
    codes.push((await user.get([`${server.url}/${i}`])).code);
  assert.deepEqual(codes, [104, 104, 103, 103]);
  assert.equal(held(server), 40_000);
});

test('--budget is a limit beside the configured one: the tighter of both holds', async () => {
  const user = newUser({ config: 'budget = 0.03/day\n' });
  const server = await shop({ accepts: [entry({ amount: '20000' })] });
  assert.equal((await user.get(['--budget', '0.01/day', server.url])).code, 103);
  assert.equal((await user.get(['--budget', '0.02/hour', server.url])).code, 0);
  assert.equal((await user.get(['--budget', '100/day', server.url])).code, 103);
  assert.equal(held(server), 20_000);
});

test('a budget per host', async () => {
  const user = newUser({ config: 'host-budget = 0.03/day\n' });
  const one = await shop({ accepts: [entry({ amount: '20000' })] });
  const two = await shop({ accepts: [entry({ amount: '20000' })] });
  assert.deepEqual([(await user.get([one.url])).code, (await user.get([one.url])).code, (await user.get([two.url])).code], [0, 103, 0]);
});

test('mainnets and testnets count apart', async () => {
  const user = newUser({ config: 'budget = 0.03/day\n' });
  const test_ = await shop({ accepts: [entry({ amount: '20000' })] });
  const main = await shop({ accepts: [entry({ amount: '20000', network: 'eip155:8453', asset: USDC_BASE })] });
  assert.deepEqual([
    (await user.get([test_.url])).code, (await user.get([main.url])).code,
    (await user.get([test_.url])).code, (await user.get([main.url])).code,
  ], [0, 0, 103, 103]);
});

test('a wall clock that is set forward, or back, frees nothing', async () => {
  const user = newUser({ config: 'budget = 0.03/day\n' });
  const server = await shop({ accepts: [entry({ amount: '20000' })] });
  assert.equal((await user.get([server.url])).code, 0);
  for (const shift of [2 * 86400, 30 * 86400, 400 * 86400, -86400, -400 * 86400])
    assert.equal((await user.get([server.url], { env: shim({ SHIM_TIME: String(shift) }) })).code, 103, String(shift));
  assert.equal(held(server), 20_000);
});

test('the window rolls', async () => {
  const user = newUser({ config: 'budget = 0.03/day\n' });
  const server = await shop({ accepts: [entry({ amount: '20000' })] });
  assert.equal((await user.get([server.url])).code, 0);
  const [file] = user.files();
  const age = (seconds) => {
    const [first, ...rest] = readFileSync(file, 'utf8').split('\n');
    const record = JSON.parse(first);
    writeFileSync(file, [JSON.stringify({ ...record, created: record.created - seconds, bootId: 'another' }), ...rest].join('\n'));
  };
  age(86400 - 60);
  assert.equal((await user.get([server.url])).code, 103);
  age(120);
  assert.equal((await user.get([server.url])).code, 0);
});

test('x402 budget sets the configuration and leaves the rest of it alone', async () => {
  const user = newUser({ config: '# mine\nmax-amount = 0.50\nbudget = 1.00/day\nnetworks = base-sepolia\n' });
  assert.equal((await user.run(['budget', '2.50/week'])).code, 0);
  const text = readFileSync(join(user.home, '.config', 'x402', 'config'), 'utf8');
  assert.equal(text, '# mine\nmax-amount = 0.50\nbudget = 2.50/week\nnetworks = base-sepolia\n');
  assert.match((await user.run(['budget'])).out, /^2\.50\/week\n/);
  for (const wrong of ['1', '1/month', '-1/day', '1.0.0/day', '/day', '1e3/day', ''])
    assert.equal((await user.run(['budget', wrong])).code, 2, wrong);
  assert.equal((await user.run(['budget', 'none'])).code, 0);
  assert.equal((await user.run(['budget'])).out, 'none\n');
  const fresh = newUser();
  assert.match((await fresh.run(['budget'])).out, /^10\.00\/day\n/);
  assert.equal((await fresh.run(['budget', '1.00/hour'])).code, 0);
  assert.match((await fresh.run(['budget'])).out, /^1\.00\/hour\n/);
});

test('a configuration that others could have written is refused', async () => {
  const user = newUser({ config: 'budget = 1.00/day\n' });
  const { chmodSync } = await import('node:fs');
  chmodSync(join(user.home, '.config', 'x402', 'config'), 0o666);
  const server = await shop();
  assert.equal((await user.get([server.url])).code, 2);
  assert.equal(server.requests.length, 0);
});
