// SPDX-License-Identifier: Apache-2.0
// The server answers a paid request with an error of its own.  That is an
// answer; the payment is not charged by the protocol, and is used again.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { deliver, entry, newUser, offers, send402, serve, shop, until } from './harness.mjs';

const fails = (response, status = 500, headers = {}) => { response.writeHead(status, headers); response.end('it broke'); };

/** A shop that fails as long as `.broken`, for an amount that may change. */
async function weak() {
  const server = await serve((request, response, seen) => {
    if (!seen.header)
      return send402(response, offers.v2([entry({ amount: server.amount })], `${server.url}${seen.url}`));
    return server.broken ? server.broken(response) : deliver(response, seen);
  });
  return Object.assign(server, { amount: '1000', broken: fails });
}
const states = async (user) => (await user.payments()).map(({ state }) => state);

/** As if the payment had been made so many seconds earlier. */
function age(user, seconds) {
  for (const file of user.files()) {
    const [first, ...rest] = readFileSync(file, 'utf8').split('\n');
    const record = JSON.parse(first);
    record.created -= seconds;
    record.validBefore -= seconds;
    record.boot = Math.max(0, record.boot - seconds);
    record.bootId = 'another';
    writeFileSync(file, [JSON.stringify(record), ...rest].join('\n'));
  }
}

test('500 prints the body, exits 0, and is one paid request', async () => {
  const user = newUser();
  const server = await weak();
  const end = await user.get([server.url]);
  assert.equal(end.code, 0, end.err);
  assert.equal(end.out, 'it broke');
  assert.equal(server.paid().length, 1);
  const lines = end.err.split('\n').filter((line) => /error/.test(line));
  assert.equal(lines.length, 1, end.err);
  const [{ validBefore }] = await user.payments();
  const time = new Date(validBefore * 1000).toISOString().replace('.000', '');
  assert.match(lines[0], /HTTP 500.*not charged.*--resume/);
  assert.ok(lines[0].includes(time), lines[0]);
  assert.match((await user.run(['payments'])).out, / failed /);
});

test('500 with -f: 22, no body, one line', async () => {
  const user = newUser();
  const server = await weak();
  const end = await user.get(['-f', server.url]);
  assert.equal(end.code, 22, end.err);
  assert.equal(end.out, '');
  assert.equal(server.paid().length, 1);
  assert.match(end.err, /HTTP 500.*--resume/);
  assert.deepEqual(await states(user), ['failed']);
});

for (const again of [[], ['--resume']]) {
  test(`500, and the next run (${again.join('') || 'as it is'}) gets the answer for the same payment`, async () => {
    const user = newUser();
    const server = await weak();
    assert.equal((await user.report([server.url])).outcome, 'failed');
    server.broken = undefined;
    const end = await user.report([...again, server.url]);
    assert.equal(end.exit, 0, end.err);
    assert.equal(end.body, '{"answer":42}');
    assert.equal(end.payment.resumed, true);
    assert.equal(server.texts().size, 1);
    assert.deepEqual(await states(user), ['done']);
    assert.equal((await user.get([server.url])).code, 0); // and the way is free again
    assert.equal(server.nonces().size, 2);
  });
}

test('500 again and again: the same payment, counted once', async () => {
  const user = newUser({ config: 'budget = 0.0015/day\n' });
  const server = await weak();
  for (let i = 0; i < 8; i++)
    assert.equal((await user.get([server.url])).code, 0);
  assert.equal(server.paid().length, 8);
  assert.equal(server.texts().size, 1);
  assert.equal((await user.get([`${server.url}/other`])).code, 103); // what failed is still spent
  assert.equal(server.nonces().size, 1);
});

test('release_limit in a later run closes the payment; the one after signs another', async () => {
  const user = newUser();
  const server = await weak();
  assert.equal((await user.get([server.url])).code, 0);
  server.broken = (response) => fails(response, 402, { 'x-payment-error': 'release_limit' });
  const end = await user.report([server.url]);
  assert.equal(end.exit, 104, end.err);
  assert.match(end.reason, /release_limit/);
  assert.equal(server.nonces().size, 1);
  assert.deepEqual(await states(user), ['refused']);
  server.broken = undefined;
  assert.equal((await user.get([server.url])).code, 0);
  assert.equal(server.nonces().size, 2);
});

test('any other 402 in a later run: unknown, and it blocks', async () => {
  const user = newUser();
  const server = await weak();
  assert.equal((await user.get([server.url])).code, 0);
  server.broken = (response) => fails(response, 402, { 'x-payment-error': 'replayed' });
  assert.equal((await user.get([server.url])).code, 105);
  assert.deepEqual(await states(user), ['unknown']);
  assert.equal((await user.get([server.url])).code, 106);
  assert.equal(server.nonces().size, 1);
});

test('killed while it is sent again: as open as a new one', async () => {
  const user = newUser();
  const server = await weak();
  assert.equal((await user.get([server.url])).code, 0);
  server.broken = () => {};
  const child = user.start(['get', '--key-file', user.keyFile, server.url]);
  await until('the payment', () => server.paid().length === 2);
  child.kill('SIGKILL');
  await child.end;
  assert.deepEqual(await states(user), ['signed']);
  assert.equal((await user.get([server.url])).code, 106);
  assert.equal(server.texts().size, 1);
});

test('a hang-up, then 500 to --resume: still unknown', async () => {
  const user = newUser();
  const server = await weak();
  server.broken = (response) => response.socket.destroy();
  assert.equal((await user.get(['--retry', '0', server.url])).code, 105);
  server.broken = fails;
  const end = await user.get(['--resume', server.url]);
  assert.equal(end.code, 105, end.err);
  assert.equal(end.out, 'it broke');
  assert.deepEqual(await states(user), ['unknown']);
});

test('expired: another payment is made; about to expire: neither', async () => {
  const user = newUser();
  const server = await weak();
  assert.equal((await user.get([server.url])).code, 0);
  age(user, 57); // of 60
  const near = await user.get([server.url]);
  assert.equal(near.code, 106, near.err);
  age(user, 4);
  assert.equal((await user.get([server.url])).code, 106, 'over, but not by the margin');
  assert.equal(server.paid().length, 1);
  age(user, 10);
  server.broken = undefined;
  assert.equal((await user.get([server.url])).code, 0);
  assert.equal(server.nonces().size, 2);
  assert.deepEqual((await states(user)).sort(), ['done', 'failed']);
});

test('another price, or another rule: the failed payment is not sent unasked, nor another signed', async () => {
  const user = newUser();
  const server = await weak();
  assert.equal((await user.get([server.url])).code, 0);
  server.broken = undefined;
  server.amount = '10';
  const end = await user.get([server.url]);
  assert.equal(end.code, 106, end.err);
  assert.match(end.err, /--resume.*--new-payment/);
  assert.equal(server.paid().length, 1);
  assert.equal((await user.get(['--new-payment', server.url])).code, 0);
  assert.equal(server.nonces().size, 2);
  assert.equal((await user.get(['--resume', server.url])).code, 0);
  assert.equal(server.nonces().size, 2);
});

test('another request, or another payer, has no part in it', async () => {
  const user = newUser();
  const server = await weak();
  assert.equal((await user.get([server.url])).code, 0);
  server.broken = undefined;
  assert.equal((await user.get([server.url, '-d', 'x'])).code, 0);
  const other = join(user.home, 'other');
  writeFileSync(other, '22'.repeat(32), { mode: 0o600 });
  assert.equal((await user.run(['get', '--key-file', other, server.url])).code, 0);
  assert.equal(server.nonces().size, 3);
});

test('a 500 that breaks off, or cannot be written: the payment failed all the same', async () => {
  const user = newUser();
  const server = await shop({
    afterwards: (response) => {
      response.writeHead(500, { 'content-length': '1000' });
      response.write('it br');
      setTimeout(() => response.socket.destroy(), 50);
    },
  });
  const cut = await user.get([server.url]);
  assert.equal(cut.code, 18, cut.err);
  assert.equal(cut.out, 'it br');
  assert.equal((await user.get(['-o', '/dev/full', server.url])).code, 23);
  assert.equal(server.texts().size, 1);
  assert.deepEqual(await states(user), ['failed']);
});
