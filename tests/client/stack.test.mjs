// SPDX-License-Identifier: Apache-2.0
// The client against the real thing: nginx, x402d and a chain.  The witnesses
// are the node's balances and the upstream's counter.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { account, privateKey } from '../../devnet/accounts.mjs';
import { useStack } from '../harness/stack.mjs';
import { newUser, sleep, until } from './harness.mjs';

const world = useStack();
let next = 1;

/** A user with a rich account of his own. */
function rich(config = `networks = base-sepolia\nrpc.base-sepolia = ${world.stack.url('rpc')}\n`) {
  const index = 1 + (next++ % 8);
  const user = newUser({ key: privateKey(index), config });
  return Object.assign(user, { address: account(index).address });
}
const url = (path) => `${world.stack.url('gateway')}${path}`;

/** Runs, and says what it cost on the chain once all is settled. */
async function cost(user, run) {
  const before = await world.witness.balance(user.address);
  const end = await run();
  const settled = end.payment?.state === 'done';
  if (settled)
    await world.witness.settled([{ nonce: end.payment.nonce }]);
  return { ...end, spent: before - await world.witness.balance(user.address) };
}

for (const wire of ['v2', 'seed000', 'seed001']) {
  test(`/paid by ${wire}: the tokens move`, async () => {
    const user = rich();
    const end = await cost(user, () => user.report(['--wire', wire, url('/paid')]));
    assert.equal(end.exit, 0, end.err);
    assert.equal(JSON.parse(end.body).answer, 42);
    assert.equal(end.serverReceipt.success, true);
    assert.equal(end.serverReceipt.payer, user.address);
    assert.equal(end.spent, 1000n);
  });
}

test('/paid-v1 by v1', async () => {
  const user = rich();
  const end = await cost(user, () => user.report(['--wire', 'v1', url('/paid-v1')]));
  assert.equal(end.exit, 0, end.err);
  assert.equal(end.payment.wire, 'v1');
  assert.equal(end.spent, 1000n);
});

test('a chat completion, by POST', async () => {
  const user = rich();
  const end = await cost(user, () => user.report(
    ['-H', 'Content-Type: application/json', '-d', '{"model":"m","messages":[]}', url('/v1/chat/completions')]));
  assert.equal(end.exit, 0, end.err);
  assert.equal(end.payment.price, '0.000495');
  assert.equal(end.spent, 495n);
});

test('/free/ is free', async () => {
  const user = rich();
  const end = await user.report([url('/free/')]);
  assert.equal(end.outcome, 'free');
  assert.deepEqual(user.files(), []);
});

test('/dear is above the cap; with a higher one it is bought', async () => {
  const user = rich();
  const refused = await user.report([url('/dear')]);
  assert.equal(refused.exit, 101);
  assert.match(refused.reason, /5 USDC/);
  const end = await cost(user, () => user.report(['--max-amount', '5', url('/dear')]));
  assert.equal(end.exit, 0, end.err);
  assert.equal(end.spent, 5_000_000n);
});

test('/flaky: 500, and the next run buys the answer with the same payment; charged once', async () => {
  const user = rich();
  const flaky = url(`/flaky?client=${Date.now()}`);
  const failed = await cost(user, () => user.report([flaky]));
  assert.equal(failed.exit, 0, failed.err);
  assert.equal(failed.status, 500);
  assert.equal(failed.outcome, 'failed');
  assert.equal(failed.payment.sends, 1);
  const end = await cost(user, () => user.report([flaky]));
  assert.equal(end.exit, 0, end.err);
  assert.equal(end.status, 200);
  assert.equal(end.payment.nonce, failed.payment.nonce);
  assert.equal(failed.spent + end.spent, 1000n);
  assert.equal((await user.payments()).length, 1);
});

test('/fail: the error is the answer, run after run with one payment, until the seller gives it up; nothing is charged', async () => {
  const user = rich();
  const before = await world.witness.balance(user.address);
  const first = await user.report([url('/fail')]);
  assert.deepEqual([first.exit, first.status, first.outcome, first.payment.sends], [0, 500, 'failed', 1], first.err);
  assert.notEqual(first.body, '');
  let end;
  for (let i = 0; i < 10 && (end = await user.report([url('/fail')])).exit === 0; i++)
    assert.equal(end.payment.nonce, first.payment.nonce);
  assert.equal(end.exit, 104, end.err);
  assert.match(end.reason, /release_limit/);
  assert.equal(end.payment.nonce, first.payment.nonce);
  assert.deepEqual((await user.payments()).map(({ state }) => state), ['refused']);
  await sleep(2000); // longer than a settlement takes
  assert.equal(await world.witness.used(user.address, first.payment.nonce), false);
  assert.equal(await world.witness.balance(user.address), before);
  const anew = await user.report([url('/fail')]);
  assert.equal(anew.exit, 0, anew.err);
  assert.notEqual(anew.payment.nonce, first.payment.nonce);
});

test('/strict: settled before the answer', async () => {
  const user = rich();
  const end = await cost(user, () => user.report([url('/strict')]));
  assert.equal(end.exit, 0, end.err);
  assert.equal(end.spent, 1000n);
});

test('/big arrives whole, /stream as it comes', async () => {
  const user = rich();
  const out = join(user.home, 'big');
  assert.equal((await user.get(['-o', out, url('/big')])).code, 0);
  const bytes = readFileSync(out);
  assert.equal(bytes.length, 67_108_864);
  const child = user.start(['get', '--key-file', user.keyFile, url('/stream')]);
  const times = [];
  child.stdout.on('data', () => times.push(Date.now()));
  const end = await child.end;
  assert.equal(end.code, 0, end.err);
  assert.match(end.out, /^data:/m);
  assert.ok(times.at(-1) - times[0] > 3000);
});

test('killed with the payment at the upstream: --resume buys the answer for it, or says that it was used', async () => {
  const user = rich();
  const child = user.start(['get', '--key-file', user.keyFile, url('/stream')]);
  let got = '';
  child.stdout.on('data', (data) => { got += data; });
  await until('an event', () => got.length > 0);
  child.kill('SIGKILL');
  await child.end;
  assert.deepEqual((await user.payments()).map(({ state }) => state), ['accepted']);
  const end = await user.report(['--resume', '--retry', '0', url('/stream')]);
  // a client that leaves earns no second run: the gateway says that it was used
  assert.equal(end.exit, 105, end.err);
  assert.equal(end.payment.resumed, true);
  assert.equal((await user.payments()).length, 1);
});

test('32 processes at once: each its own payment, every one settled', async () => {
  const user = rich();
  const before = await world.witness.balance(user.address);
  const ends = await Promise.all(Array.from({ length: 32 }, (_, i) => user.report([url(`/paid?p=${i}`)])));
  assert.deepEqual(ends.map(({ exit }) => exit).filter((exit) => exit !== 0), []);
  await world.witness.settled(ends.map(({ payment }) => payment));
  assert.equal(before - await world.witness.balance(user.address), 32_000n);
});

test('no funds: said by the server, and a code of its own', async () => {
  const user = newUser({ key: `0x${'77'.repeat(32)}` });
  const end = await user.report([url('/paid')]);
  assert.equal(end.exit, 103, end.err);
});

test('wallet balance asks the chain', async () => {
  const user = rich();
  const end = await user.run(['wallet', 'balance', '--key-file', user.keyFile, '--json']);
  assert.equal(end.code, 0, end.err);
  assert.equal(BigInt(JSON.parse(end.out).amount), await world.witness.balance(user.address));
});
