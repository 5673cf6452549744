// SPDX-License-Identifier: Apache-2.0
// The journal: written before the payment leaves, and what an interrupted run
// is continued from.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { deliver, newUser, offers, entry, send402, serve, shop, until, unbase64 } from './harness.mjs';
import { shim } from './shim.mjs';

/** A shop that holds the first paid request back until it is told. */
async function holding() {
  let first = true;
  const server = await shop({
    afterwards: (response, seen) => {
      if (!first)
        return deliver(response, seen);
      first = false;
      server.release = () => deliver(response, seen);
    },
  });
  return server;
}

/** A run that is killed while its payment is with the server. */
async function killed(user, server, args = []) {
  const child = user.start(['get', '--key-file', user.keyFile, ...args, server.url]);
  await until('the payment', () => server.paid().length > 0);
  child.kill('SIGKILL');
  await child.end;
}

test('when the payment arrives it is in the journal, with the same bytes', async () => {
  const user = newUser();
  let found;
  const server = await shop({
    afterwards: (response, seen) => {
      found = user.files().map((file) => JSON.parse(readFileSync(file, 'utf8').split('\n')[0]));
      deliver(response, seen);
    },
  });
  assert.equal((await user.get([server.url])).code, 0);
  assert.equal(found.length, 1);
  assert.equal(found[0].header, server.paid()[0].header.text);
  assert.equal(found[0].nonce, unbase64(found[0].header).payload.authorization.nonce);
});

test('killed with the payment out: the next run stops, --resume sends the same bytes', async () => {
  const user = newUser();
  const server = await holding();
  await killed(user, server);
  assert.equal((await user.payments())[0].state, 'signed');

  const stopped = await user.get([server.url]);
  assert.equal(stopped.code, 106, stopped.err);
  assert.match(stopped.err, /--resume/);
  assert.equal(server.nonces().size, 1);

  const resumed = await user.report(['--resume', server.url]);
  assert.equal(resumed.exit, 0, resumed.err);
  assert.equal(resumed.payment.resumed, true);
  assert.equal(resumed.body, '{"answer":42}');
  assert.equal(server.texts().size, 1);
  assert.deepEqual((await user.payments()).map(({ state }) => state), ['done']);

  assert.equal((await user.get([server.url])).code, 0); // and the way is free again
  assert.equal(server.nonces().size, 2);
});

test('--new-payment signs another one in spite of it', async () => {
  const user = newUser();
  const server = await holding();
  await killed(user, server);
  assert.equal((await user.get(['--new-payment', server.url])).code, 0);
  assert.equal(server.nonces().size, 2);
});

test('--resume with nothing to resume is an ordinary run', async () => {
  const user = newUser();
  const server = await shop();
  assert.equal((await user.get(['--resume', server.url])).code, 0);
  assert.equal((await user.get(['--resume', server.url])).code, 0);
  assert.equal(server.nonces().size, 2);
});

test('an outcome that stays unknown blocks the same request, and only that', async () => {
  const user = newUser();
  let broken = true;
  const server = await shop({
    afterwards: (response, seen) => { if (broken) response.socket.destroy(); else deliver(response, seen); },
  });
  assert.equal((await user.get(['--retry', '0', `${server.url}/a`])).code, 105);
  broken = false;
  assert.equal((await user.get([`${server.url}/a`])).code, 106);
  assert.equal((await user.get([`${server.url}/a`, '-d', 'x'])).code, 0);
  assert.equal((await user.get([`${server.url}/a`, '-X', 'DELETE'])).code, 0);
  assert.equal((await user.get([`${server.url}/b`])).code, 0);
  const other = join(user.home, 'other');
  writeFileSync(other, '22'.repeat(32), { mode: 0o600 });
  assert.equal((await user.run(['get', '--key-file', other, `${server.url}/a`])).code, 0);
  const resumed = await user.get(['--resume', `${server.url}/a`]);
  assert.equal(resumed.code, 0, resumed.err);
  assert.equal((await user.get([`${server.url}/a`])).code, 0);
});

test('a run that is alive is nobody\'s to resume', async () => {
  const user = newUser();
  const server = await holding();
  const first = user.start(['get', '--key-file', user.keyFile, server.url]);
  await until('the payment', () => server.paid().length > 0);
  const [payment] = await user.payments();
  assert.equal(payment.alive, true);
  assert.match((await user.run(['payments'])).out, /running/);
  for (const args of [[], ['--resume']])
    assert.equal((await user.get([...args, server.url])).code, 0);
  assert.equal(server.nonces().size, 3);
  server.release();
  assert.equal((await first.end).code, 0);
});

test('an authorization that is long over blocks no more', async () => {
  const user = newUser();
  const server = await holding();
  await killed(user, server);
  const [file] = user.files();
  const lines = readFileSync(file, 'utf8').split('\n');
  const age = (seconds) => {
    const record = JSON.parse(lines[0]);
    record.created -= seconds;
    record.boot = Math.max(0, record.boot - seconds);
    record.bootId = 'another boot';
    record.validBefore -= seconds;
    writeFileSync(file, [JSON.stringify(record), ...lines.slice(1)].join('\n'));
  };
  age(23 * 3600);
  assert.equal((await user.get([server.url])).code, 106);
  age(25 * 3600);
  assert.equal((await user.get([server.url])).code, 0);
});

test('a torn record was never sent; a torn state leaves the one before', async () => {
  const user = newUser();
  const server = await holding();
  await killed(user, server);
  const [file] = user.files();
  const whole = readFileSync(file, 'utf8');
  writeFileSync(file, `${whole}\n{"state":"refu`);
  assert.equal((await user.payments())[0].state, 'signed');
  assert.equal((await user.report(['--resume', server.url])).exit, 0);
  assert.equal((await user.payments())[0].state, 'done');
  writeFileSync(file, whole.slice(0, whole.length / 2));
  assert.deepEqual(await user.payments(), []);
  assert.equal((await user.get([server.url])).code, 0);
});

test('a disk that cannot sync: nothing is sent', async () => {
  const user = newUser();
  const server = await shop();
  for (const what of ['file', 'folder']) {
    const end = await user.get([server.url], { env: shim({ SHIM_FSYNC: what }) });
    assert.equal(end.code, 108, end.err);
  }
  assert.equal(server.paid().length, 0);
  assert.deepEqual(user.files(), []);
  assert.equal((await user.get([server.url], { env: shim({}) })).code, 0); // the shim alone changes nothing
});

test('no randomness: nothing is signed', async () => {
  const user = newUser();
  const server = await shop();
  const end = await user.get([server.url], { env: shim({ SHIM_RANDOM: '1' }) });
  assert.equal(end.code, 107, end.err);
  assert.equal(server.paid().length, 0);
});

test('a journal that others can read is refused', async () => {
  const user = newUser();
  const server = await shop();
  mkdirSync(user.journal, { recursive: true, mode: 0o755 });
  chmodSync(user.journal, 0o755);
  const end = await user.get([server.url]);
  assert.equal(end.code, 108, end.err);
  assert.equal(server.paid().length, 0);
  chmodSync(user.journal, 0o700);
  chmodSync(dirname(user.journal), 0o770);
  assert.equal((await user.get([server.url])).code, 108);
  chmodSync(dirname(user.journal), 0o700);
  assert.equal((await user.get([server.url])).code, 0);
});

test('a place where no journal can be: nothing is sent', async () => {
  const user = newUser();
  const server = await shop();
  writeFileSync(join(user.home, 'file'), '');
  const end = await user.get([server.url], { env: { XDG_STATE_HOME: join(user.home, 'file') } });
  assert.equal(end.code, 108);
  assert.equal((await user.get([server.url], { env: { HOME: '' } })).code, 108);
  assert.equal(server.paid().length, 0);
});

test('XDG_STATE_HOME decides where it is', async () => {
  const user = newUser();
  const server = await shop();
  const state = join(user.home, 'state');
  assert.equal((await user.get([server.url], { env: { XDG_STATE_HOME: state } })).code, 0);
  assert.ok(existsSync(join(state, 'x402', 'payments')));
  assert.equal(statSync(join(state, 'x402')).mode & 0o777, 0o700);
  assert.ok(!existsSync(user.journal));
});

test('killed at any moment: what the server holds is in the journal, and is sent once more, not twice', async () => {
  const user = newUser();
  const server = await serve((request, response, seen) => {
    const answer = () => (seen.header ? deliver(response, seen) : send402(response, offers.v2([entry({ amount: '10' })], server.url)));
    setTimeout(answer, 3);
  });
  for (let i = 0; i < 60; i++) {
    const child = user.start(['get', '--key-file', user.keyFile, `${server.url}/${i}`]);
    setTimeout(() => child.kill('SIGKILL'), 2 + (i % 30));
    await child.end;
    const before = await user.payments();
    const known = new Set(before.map(({ nonce }) => nonce));
    for (const nonce of server.nonces())
      assert.ok(known.has(nonce), 'a payment that nobody wrote down');

    const end = await user.get(['--resume', `${server.url}/${i}`]);
    assert.equal(end.code, 0, end.err);
    const done = before.filter(({ url, state }) => url.endsWith(`/${i}`) && state === 'done').length;
    const given = new Set(server.paid().filter(({ url }) => url === `/${i}`).map(({ header }) => header.text)).size;
    // another one only where the run before the kill had come to its end
    assert.equal(given, done + 1);
  }
});
