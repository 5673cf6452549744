// SPDX-License-Identifier: Apache-2.0
// The payment has left and something goes wrong.  Whatever the server does,
// it holds one payment in the end, and the exit code says what is known.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { base64, deliver, entry, newUser, offers, receipt, send402, shop, sleep, until } from './harness.mjs';

const status = (code, headers = {}, body = '') => (response) => { response.writeHead(code, headers); response.end(body); };
const hangUp = (response) => response.socket.destroy();
const half = (response) => response.socket.end('HTTP/1.1 200 OK\r\nServer: ngi');
const never = () => {};
const cut = (response) => {
  response.writeHead(200, { 'content-length': '1000' });
  response.write('{"ans');
  setTimeout(() => response.socket.destroy(), 50);
};

/** Pays `steps[i]` for the i-th paid request; the last one goes on for ever. */
const script = (...steps) => {
  let i = 0;
  return shop({ afterwards: (...args) => steps[Math.min(i++, steps.length - 1)](...args) });
};
const good = (response, seen) => deliver(response, seen);

const later = { 'retry-after': '0' };
for (const [what, steps, code, sends, state] of [
  ['clean', [good], 0, 1, 'done'],
  ['hang-up, then good', [hangUp, good], 0, 2, 'done'],
  ['half a header, then good', [half, good], 0, 2, 'done'],
  ['500: an answer', [status(500), good], 0, 1, 'failed'],
  ['500 with Retry-After, then good', [status(500, later), good], 0, 2, 'done'],
  ['507 with a date to retry after, then good', [status(507, { 'retry-after': new Date(0).toUTCString() }), good], 0, 2, 'done'],
  ['408, then good', [status(408), good], 0, 2, 'done'],
  ['502 503 504, then good', [status(502), status(503), status(504), good], 0, 4, 'done'],
  ['409 in progress, then good', [status(409, { ...later, 'x-payment-error': 'in_progress' }), good], 0, 2, 'done'],
  ['503 pending ten times, then good', [...Array(10).fill(status(503, { ...later, 'x-payment-error': 'settlement_pending' })), good], 0, 11, 'done'],
  ['429, then good', [status(429, later), good], 0, 2, 'done'],
  ['402 at once', [status(402)], 104, 1, 'refused'],
  ['400 malformed', [status(400, { 'x-payment-error': 'malformed' })], 104, 1, 'refused'],
  ['hang-up for ever', [hangUp], 105, 4, 'unknown'],
  ['503 for ever', [status(503, later)], 105, 21, 'unknown'],
  ['504 for ever', [status(504)], 105, 4, 'unknown'],
  ['500 with a receipt of success', [(response, seen) => { response.writeHead(500, { 'payment-response': receipt(seen.payment) }); response.end(); }], 105, 1, 'unknown'],
  ['hang-up, then 500: it may have been taken the first time', [hangUp, status(500)], 105, 2, 'unknown'],
  ['429, then 500: the first one was not worked on', [status(429, later), status(500)], 0, 2, 'failed'],
  ['402 release_limit', [status(402, { 'x-payment-error': 'release_limit' })], 104, 1, 'refused'],
  ['503, then 402 release_limit: not charged', [status(503, later), status(402, { 'x-payment-error': 'release_limit' })], 104, 2, 'refused'],
  ['409 for ever', [status(409)], 105, 21, 'unknown'],
  ['hang-up, then 402: it may have been taken the first time', [hangUp, status(402, { 'x-payment-error': 'replayed' })], 105, 2, 'unknown'],
  ['503, then 402', [status(503), status(402)], 105, 2, 'unknown'],
  ['404 after the payment', [status(404)], 105, 1, 'unknown'],
  ['400 of the application', [status(400)], 105, 1, 'unknown'],
  ['501', [status(501)], 0, 1, 'failed'],
  ['412 allowance', [status(412, { 'x-payment-error': 'permit2_allowance_required' })], 104, 1, 'refused'],
  ['204', [status(204)], 0, 1, 'done'],
  ['304', [status(304)], 0, 1, 'done'],
  ['302 without -L', [status(302, { location: '/x' })], 0, 1, 'done'],
]) {
  test(`${what}: ${code}`, async () => {
    const user = newUser();
    const server = await script(...steps);
    const end = await user.report([server.url]);
    assert.equal(end.exit, code, end.err);
    assert.equal(end.code, code);
    assert.equal(server.paid().length, sends);
    assert.equal(server.texts().size, 1, 'the same bytes each time');
    assert.equal(end.payment.sends, sends);
    assert.equal(end.payment.state, state);
    assert.deepEqual((await user.payments()).map((payment) => payment.state), [state]);
  });
}

test('an answer that never comes: --max-time ends it, unknown', async () => {
  const user = newUser();
  const server = await script(never);
  const begin = Date.now();
  const end = await user.get(['--max-time', '1.5', server.url]);
  assert.equal(end.code, 105, end.err);
  assert.ok(Date.now() - begin < 5000);
  assert.equal(server.nonces().size, 1);
  assert.match(end.err, /--resume/);
});

test('the body of the last error reaches the output', async () => {
  const user = newUser();
  const server = await script(status(502, {}, 'first'), status(502, {}, 'second'), status(502, {}, 'third'), status(502, {}, 'last'));
  const end = await user.get([server.url]);
  assert.equal(end.code, 105);
  assert.equal(end.out, 'last');
});

test('an answer that breaks off: paid, not sent again on its own, and --resume gets it', async () => {
  const user = newUser();
  const server = await script(cut, good);
  const end = await user.get([server.url]);
  assert.equal(end.code, 18, end.err);
  assert.equal(end.out, '{"ans');
  assert.equal(server.paid().length, 1);
  assert.match(end.err, /paid, but the answer broke off/);
  assert.equal((await user.payments())[0].state, 'accepted');
  const again = await user.get(['--resume', server.url]);
  assert.equal(again.code, 0, again.err);
  assert.equal(again.out, '{"answer":42}');
  assert.equal(server.nonces().size, 1);
});

test('an output that fails after the payment: 23, paid', async () => {
  const user = newUser();
  const server = await script(good);
  const end = await user.get(['-o', '/dev/full', server.url]);
  assert.equal(end.code, 23);
  assert.equal(server.paid().length, 1);
  assert.equal((await user.payments())[0].state, 'accepted');
});

test('an output that cannot be opened fails before the payment', async () => {
  const user = newUser();
  const server = await script(good);
  const end = await user.get(['-o', '/no/such/folder/out', server.url]);
  assert.equal(end.code, 23);
  assert.equal(server.paid().length, 0);
});

test('--retry 0 sends once', async () => {
  const user = newUser();
  for (const step of [hangUp, status(502), status(500, later), status(409, later), status(503, later)]) {
    const server = await script(step);
    assert.equal((await user.get(['--retry', '0', server.url])).code, 105);
    assert.equal(server.paid().length, 1);
  }
});

test('Retry-After is waited for', async () => {
  const user = newUser();
  const server = await script(status(503, { 'retry-after': '2' }), good);
  const begin = Date.now();
  assert.equal((await user.get([server.url])).code, 0);
  assert.ok(Date.now() - begin >= 2000);
});

test('Retry-After of a year, or of nonsense, does not hang', async () => {
  const user = newUser();
  const year = await script(status(503, { 'retry-after': '31536000' }));
  const begin = Date.now();
  // 60 s is the most that is waited for, and the payment would be over by then
  assert.equal((await user.get([year.url])).code, 105);
  const odd = await script(status(503, { 'retry-after': '-1, soon' }), good);
  assert.equal((await user.get([odd.url])).code, 0);
  assert.ok(Date.now() - begin < 5000);
});

test('nothing is sent when the authorization is about to expire', async () => {
  const user = newUser();
  let sent = 0;
  const server = await shop({
    accepts: [entry({ maxTimeoutSeconds: 8 })],
    afterwards: (response) => { sent++; setTimeout(() => { response.writeHead(503, later); response.end(); }, sent === 1 ? 2500 : 0); },
  });
  assert.equal((await user.get([server.url])).code, 105);
  assert.equal(server.paid().length, 1);
});

test('the connection breaks before the first answer: nothing was signed', async () => {
  const user = newUser();
  const server = await shop();
  await server.close();
  assert.equal((await user.get([server.url])).code, 7);
  assert.deepEqual(user.files(), []);
});

test('a slow stream is passed on as it comes, and is done at its end', async () => {
  const user = newUser();
  const server = await shop({
    afterwards: async (response, seen) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'payment-response': receipt(seen.payment) });
      for (let i = 0; i < 4; i++) {
        response.write(`data: ${i}\n\n`);
        await sleep(200);
      }
      response.end();
    },
  });
  const child = user.start(['get', '--key-file', user.keyFile, server.url]);
  const seen = [];
  child.stdout.on('data', (data) => seen.push([Date.now(), String(data)]));
  await until('the first event', () => seen.length > 0);
  assert.equal(child.exitCode, null);
  assert.equal((await user.payments())[0].alive, true);
  assert.equal((await child.end).code, 0);
  assert.ok(seen.at(-1)[0] - seen[0][0] > 300);
  assert.equal((await user.payments())[0].state, 'done');
});

test('official servers answer a failed settlement with 402 and a receipt: refused, with the reason', async () => {
  const user = newUser();
  const server = await shop({
    afterwards: (response) => send402(response, {
      headers: { 'payment-response': base64({ success: false, errorReason: 'invalid_exact_evm_nonce_already_used', transaction: '', network: 'eip155:84532' }) },
      body: '{}',
    }),
  });
  const end = await user.report([server.url]);
  assert.equal(end.exit, 104);
  assert.match(end.reason, /invalid_exact_evm_nonce_already_used/);
});

test('a second offer inside a 503 is not looked at', async () => {
  const user = newUser();
  const server = await shop({
    afterwards: (response) => {
      const offer = offers.v2([entry({ amount: '1' })], 'http://127.0.0.1/');
      response.writeHead(503, offer.headers);
      response.end();
    },
  });
  assert.equal((await user.get(['--retry', '1', server.url])).code, 105);
  assert.equal(server.nonces().size, 1);
});
