// SPDX-License-Identifier: Apache-2.0
// x402d without a key and without a node: everything is settled first, and the
// facilitator's plain word counts.  The tests have a node; x402d has not.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { account } from '../../devnet/accounts.mjs';
import { NETWORK } from '../../devnet/chain.mjs';
import { PROGRAMS } from '../../devnet/paths.mjs';
import { sleep } from '../../devnet/process.mjs';
import { RECEIPT, now, unbase64 } from '../harness/payment.mjs';
import { until } from '../harness/witness.mjs';
import { says } from './scripted.mjs';
import { canSettle, mined, row, uses, useRemote } from './world.mjs';

const STATE = { SUBMITTED: 4, FINAL: 6 };
const world = await useRemote({ node: false });
const { scripted } = world;
const buy = (path, payment, wire = 'v2') => world.get(path, payment.header(wire), { timeout: 60_000 });

for (const wire of ['v2', 'seed000', 'seed001', 'v1']) {
  test(`/paid takes ${wire}: settled before it is answered, FINAL on the facilitator's word`, async () => {
    const hits = await world.witness.hits('/paid');
    const payment = await world.pay('/paid');
    const response = await buy('/paid', payment, wire);
    assert.equal(response.status, 200, response.body);
    assert.equal(await uses(world, payment), 1, 'before the answer');
    assert.equal(await world.witness.hits('/paid'), hits + 1);
    const { state, tx } = row(world, payment);
    assert.equal(state, STATE.FINAL);
    const { transaction } = unbase64(response.headers[RECEIPT[wire]]);
    assert.equal(transaction, `0x${tx}`);
    const receipt = await world.stack.rpc.call('eth_getTransactionReceipt', transaction);
    assert.ok(receipt.logs.some((log) => log.topics[2] === payment.nonce));
    assert.equal((await buy('/paid', payment, wire)).status, 402, 'it is used up');
  });
}

test('payments that the facilitator put into one transaction are each settled', async () => {
  const payments = await Promise.all([1, 2, 3, 4].map((i) => world.pay('/paid', { payer: account(i) })));
  const answers = await Promise.all(payments.map((payment) => buy('/paid', payment)));
  assert.deepEqual(answers.map(({ status }) => status), [200, 200, 200, 200]);
  assert.ok(new Set(payments.map((payment) => row(world, payment).tx)).size < 4, 'they did share one');
});

test('a payer without tokens: refused by the facilitator, no row', async () => {
  const payment = await world.pay('/paid', { payer: account(0) });
  const response = await buy('/paid', payment);
  assert.equal(response.status, 402);
  assert.equal(response.headers['x-payment-error'], 'insufficient_funds');
  assert.equal(row(world, payment), undefined);
});

const lost = {
  'the connection breaks': (response) => response.destroy(),
  'an error 504': (response) => response.writeHead(504).end(),
  'a refusal': says({ success: false, errorReason: 'invalid_exact_evm_transaction_failed', transaction: '', network: NETWORK }),
  'used already': says({ success: false, errorReason: 'invalid_exact_evm_nonce_already_used', transaction: '', network: NETWORK }),
};
for (const [why, play] of Object.entries(lost)) {
  test(`settled, then ${why}: asked again with the same payment, charged once`, async () => {
    const hits = await world.witness.hits('/paid');
    let asked = 0;
    scripted.script.settle = async (response, call) => {
      const answer = await scripted.forward(call);
      asked += 1;
      if (asked === 1)
        play(response, call);
      else
        says(answer.body)(response);
    };
    const payment = await world.pay('/paid');
    const response = await buy('/paid', payment);
    scripted.honest();
    assert.equal(response.status, 200, response.body);
    assert.equal(asked, 2);
    assert.equal(new Set(scripted.asked('/settle', payment.nonce).map(({ body }) => body)).size, 1);
    assert.equal(await uses(world, payment), 1);
    assert.equal(await world.witness.hits('/paid'), hits + 1);
  });
}

test('no answer for longer than a request waits: 503 settlement_pending, and the same payment buys it', async () => {
  scripted.script.settle = () => {};
  const payment = await world.pay('/paid');
  const response = await buy('/paid', payment);
  assert.equal(response.status, 503);
  assert.equal(response.headers['x-payment-error'], 'settlement_pending');
  assert.equal(response.headers['payment-required'], undefined);
  assert.equal(row(world, payment).state, STATE.SUBMITTED);
  assert.equal((await buy('/paid', payment)).headers['x-payment-error'], 'settlement_pending');
  scripted.honest();
  await canSettle(world);
  await mined(world, [payment], 60_000);
  assert.equal((await buy('/paid', payment)).status, 200);
  assert.equal(await uses(world, payment), 1);
});

test('the transaction of an older payment is not believed', { timeout: 90_000 }, async () => {
  const old = await world.pay('/paid');
  assert.equal((await buy('/paid', old)).status, 200);
  const { tx } = row(world, old);
  const hits = await world.witness.hits('/paid');
  scripted.script.settle = says({ success: true, network: NETWORK, transaction: `0x${tx}` });
  const payment = await world.pay('/paid');
  const [{ value }] = await Promise.allSettled([world.get('/paid', payment.header('v2'), { timeout: 4000 })]);
  assert.equal(value, undefined, 'no answer within four seconds');
  assert.equal(row(world, payment).state, STATE.SUBMITTED);
  assert.equal(await world.witness.hits('/paid'), hits);
  scripted.honest();
  await mined(world, [payment], 60_000);
  assert.equal(await uses(world, payment), 1);
});

/* An hour after its end; two seconds in a build for tests. */
const patient = !readFileSync(PROGRAMS.x402d).includes('X402_MUTANT') && 'built without -Dmutants=true';
test('a refusal is believed only when the time is over', { skip: patient, timeout: 120_000 }, async () => {
  scripted.script.settle = says({ success: false, errorReason: 'insufficient_funds', transaction: '', network: NETWORK });
  const payment = await world.pay('/paid', { change: { validBefore: String(now() + 28) } });
  const answer = buy('/paid', payment);
  const states = new Set();
  await until('FAILED', 90_000, async () => {
    await sleep(500);
    const { state } = row(world, payment) ?? {};
    if (now() < Number(payment.authorization.validBefore))
      states.add(state);
    return state;
  }, (state) => state === 7);
  scripted.honest();
  assert.deepEqual([...states].filter(Boolean).sort(), [STATE.SUBMITTED], 'unknown, as long as it could be settled');
  const { status, headers } = await answer;
  assert.equal(status, 503);
  assert.equal(headers['payment-required'], undefined);
  assert.equal(await uses(world, payment), 0);
  assert.equal((await buy('/paid', payment)).status, 402, 'now another one may be signed');
  await world.stack.rpc.mine(80); // for the invariants: the final block is past its end
});

test("an upstream's error after settling first: the same payment buys the answer later", async () => {
  const payment = await world.pay('/flaky?no-node');
  assert.equal((await buy('/flaky?no-node', payment)).status, 500);
  assert.equal(await uses(world, payment), 1);
  assert.equal((await buy('/flaky?no-node', payment)).status, 200);
  assert.equal(await uses(world, payment), 1);
});

test('the facilitator is gone, comes back: 503, then as ever', async () => {
  const payment = await world.pay('/paid');
  await scripted.away();
  assert.equal((await buy('/paid', payment)).status, 503);
  await canSettle(world, false);
  assert.equal((await world.get('/free/x')).status, 200);
  await scripted.listen(scripted.port);
  await canSettle(world);
  assert.equal((await buy('/paid', payment)).status, 200);
});
