// SPDX-License-Identifier: Apache-2.0
// What became of a payment is known by proof alone: not while the node cannot
// be asked, and not from the facilitator that came second.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { account, privateKey } from '../../devnet/accounts.mjs';
import { NETWORK } from '../../devnet/chain.mjs';
import { sleep } from '../../devnet/process.mjs';
import { FaultProxy } from '../harness/fault-proxy.mjs';
import { http } from '../harness/frames.mjs';
import { now } from '../harness/payment.mjs';
import { until } from '../harness/witness.mjs';
import { says } from './scripted.mjs';
import { canSettle, mined, ourFacilitator, row, uses, useRemote } from './world.mjs';

const STATE = { SUBMITTED: 4, FAILED: 7 };
const node = new FaultProxy({ frames: http });
const world = await useRemote({ between: { rpc: node }, conf: { server: 'x402_settle_margin 3;' } });
const { scripted } = world;
const buy = (path, payment) => world.get(path, payment.header('v2'), { timeout: 60_000 });

test('two facilitators settle one payment: one transfer, both name it, it counts once', { timeout: 60_000 }, async (t) => {
  const second = await ourFacilitator(world.stack.url('rpc'), {}, (dir) =>
    writeFileSync(join(dir, 'signer.key'), `${privateKey(7).slice(2)}\n`, { mode: 0o600 })); // another account
  t.after(() => second.stop());
  await until('the second is ready', 10_000, async () => (await fetch(`${second.url}/health`)).status, (status) => status === 200);
  const answers = new Map(); // nonce: what each of the two said at last
  const insist = async (url, call) => {
    for (let i = 0; ; i += 1) {
      const response = await fetch(`${url}/settle`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: call.body });
      const answer = await response.json();
      if (answer.success || i === 20)
        return answer;
      await sleep(200);
    }
  };
  scripted.script.settle = async (response, call) => {
    const both = await Promise.all([scripted.to, second.url].map((url) => insist(url, call)));
    answers.set(call.nonce, both);
    says(both[Math.floor(Math.random() * 2)])(response);
  };
  const payments = await Promise.all(Array.from({ length: 12 }, (_, i) => world.pay('/paid', { payer: account(1 + i % 6) })));
  const had = await world.witness.payee();
  const bought = await Promise.all(payments.map((payment) => buy('/paid', payment)));
  assert.deepEqual(bought.filter(({ status }) => status !== 200), []);
  await mined(world, payments, 30_000);
  await until('both have answered', 20_000, () => answers.size, (size) => size === payments.length);
  scripted.honest();
  for (const payment of payments) {
    const { tx } = row(world, payment);
    assert.equal(await uses(world, payment), 1);
    for (const answer of answers.get(payment.nonce))
      assert.deepEqual([answer.success, answer.transaction], [true, `0x${tx}`]);
  }
  assert.equal(await world.witness.payee() - had, 12_000n);
});

test('the node cannot be asked: unknown, however long ago it ended, and FAILED by proof once it can', { timeout: 150_000 }, async () => {
  await canSettle(world);
  const hits = await world.witness.hits('/strict');
  const mute = ({ way, kind }) => (way === 'ask' && /eth_call|eth_getLogs|eth_getTransactionReceipt/.test(kind) ? 'reset' : undefined);
  scripted.script.settle = (response) => {
    node.script(mute);
    says({ success: false, errorReason: 'insufficient_funds', transaction: '', network: NETWORK })(response);
  };
  const payment = await world.pay('/strict', { change: { validBefore: String(now() + 14) } });
  const ends = Number(payment.authorization.validBefore);
  const answer = buy('/strict', payment);
  await until('submitted', 10_000, () => row(world, payment)?.state, (state) => state === STATE.SUBMITTED);
  for (let mined = false; now() < ends + 8; mined ||= now() > ends) {
    await sleep(500);
    assert.equal(row(world, payment).state, STATE.SUBMITTED);
    if (!mined && now() > ends)
      await world.stack.rpc.mine(80); // the proof is there, but cannot be read
  }
  const { status, headers } = await answer;
  assert.equal(status, 503);
  assert.equal(headers['x-payment-error'], 'settlement_pending');
  assert.equal(headers['payment-required'], undefined, 'nobody is asked to sign another one');
  node.pass();
  await until('FAILED', 60_000, () => row(world, payment).state, (state) => state === STATE.FAILED);
  scripted.honest();
  assert.equal(await uses(world, payment), 0);
  assert.equal(await world.witness.hits('/strict'), hits);
});
