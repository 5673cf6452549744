// SPDX-License-Identifier: Apache-2.0
// Between a server and the facilitator's API: questions and answers of /settle
// lost, cut, repeated.  The server asks again with the same payment, and in the
// end one transaction has moved the tokens once and every answer names it.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { account } from '../../devnet/accounts.mjs';
import { sleep } from '../../devnet/process.mjs';
import { body } from '../facilitator/payments.mjs';
import { FaultProxy, chaos, rules } from '../harness/fault-proxy.mjs';
import { http, withBody } from '../harness/frames.mjs';
import { client, inParallel } from '../harness/http.mjs';
import { checkInvariants } from '../harness/invariants.mjs';
import { useStack } from '../harness/stack.mjs';

const SEED = Number(process.env.X402_FAULT_SEED ?? Date.now() % 1_000_000);
const line = new FaultProxy({ frames: http });
const world = useStack({ yaml: { network: '    poll: 200' } }, {
  ready: async ({ stack }) => { line.target = { port: stack.ports.facilitator }; await line.start(); },
  done: () => line.close(),
});
afterEach(async () => {
  line.pass();
  await checkInvariants(world);
});

async function settleOnce(text) {
  const one = client(line.url, { connections: 1 });
  try {
    const response = await one.send('/settle', { method: 'POST', body: text, headers: { 'content-type': 'application/json' }, timeout: 1500 });
    return JSON.parse(response.body);
  } catch {
    return undefined;
  } finally {
    one.close();
  }
}

/* Asks with the same bytes until there is a word of it. */
async function settle(request) {
  const text = JSON.stringify(request);
  for (let i = 0; i < 30; i += 1) {
    const answer = await settleOnce(text);
    if (answer?.success)
      return answer;
    await sleep(50);
  }
  return undefined;
}

async function movedOnce(request, answer) {
  const { nonce } = request.paymentPayload.payload.authorization;
  const logs = (await world.witness.rpc.authorizationsUsed('0x036CbD53842c5426634e7929541eC2318f3dCF7e')).filter((log) => log.nonce === nonce);
  assert.deepEqual(logs.map(({ transaction }) => transaction), [answer.transaction]);
}

const cut = { lie: (bytes) => withBody(bytes, (text) => text.slice(0, 30)) };
for (const [way, fault] of [['ask', 'drop'], ['answer', 'drop'], ['ask', 'reset'], ['answer', 'reset'], ['ask', 'duplicate'],
  ['answer', 'duplicate'], ['ask', { truncate: 300 }], ['answer', { truncate: 60 }], ['ask', { delay: 300 }], ['answer', { delay: 2500 }],
  ['ask', cut], ['answer', cut]]) {
  test(`/settle: ${way}, ${JSON.stringify(fault)}`, async () => {
    line.seen.length = 0;
    line.script(rules({ way, fault }));
    const request = await body(2, { payer: account(3) });
    const answer = await settle(request);
    assert.ok(answer, 'there is an answer in the end');
    assert.equal(line.story().length, 1);
    await movedOnce(request, answer);
    assert.deepEqual(await settle(request), answer, 'and it stays the same');
  });
}

test('a payee changed on the way: refused, nothing moves', async () => {
  const request = await body(2, { payer: account(3) });
  const thief = account(7).address;
  const payee = request.paymentRequirements.payTo;
  for (const times of [1, Infinity]) {
    let left = times; // once: one of the two that must agree; then all of them
    line.script(rules({ way: 'ask', fault: { lie: (bytes) => withBody(bytes, (text) => text.replaceAll(payee, (word) => ((left -= 1) >= 0 ? thief : word))) } }));
    const answer = await settleOnce(JSON.stringify(request));
    assert.equal(answer.success, false);
    assert.equal(answer.transaction, '');
  }
  assert.equal(await world.witness.used(account(3), request.paymentPayload.payload.authorization.nonce), false);
});

test(`everything by chance, seed ${SEED}`, async (t) => {
  line.seen.length = 0;
  line.script(chaos(SEED, 0.3, ['reset', 'duplicate', { truncate: 70 }, { delay: 60 }, cut]));
  const requests = await Promise.all(Array.from({ length: 40 }, (_, i) => body(1 + i % 2, { payer: account(1 + i % 8) })));
  const answers = await inParallel(requests.map((request) => () => settle(request)), 8);
  t.diagnostic(`${line.story().length} faults in ${line.seen.length} messages`);
  assert.ok(line.story().length >= 10);
  for (let i = 0; i < requests.length; i += 1) {
    assert.ok(answers[i], `payment ${i} is settled`);
    await movedOnce(requests[i], answers[i]);
  }
});
