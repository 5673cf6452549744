// SPDX-License-Identifier: Apache-2.0
// Between daemon and node: every call of a payment's life, lost, late, cut,
// twice, reset or answered falsely.  Nobody is served unpaid, nobody pays
// twice, and when the node is itself again everything comes to its end.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { accounts } from '../../devnet/accounts.mjs';
import { sleep } from '../../devnet/process.mjs';
import { Buyer } from '../harness/crowd.mjs';
import { FaultProxy, chaos, rules } from '../harness/fault-proxy.mjs';
import { http, withBody } from '../harness/frames.mjs';
import { inParallel } from '../harness/http.mjs';
import { checkInvariants } from '../harness/invariants.mjs';
import { pay } from '../harness/payment.mjs';
import { ITEMS, keepPromises } from '../harness/promises.mjs';
import { useStack } from '../harness/stack.mjs';
import { until } from '../harness/witness.mjs';

const SEED = Number(process.env.X402_FAULT_SEED ?? Date.now() % 1_000_000);
const node = new FaultProxy({ frames: http });
const world = useStack({
  conf: { server: ITEMS },
  yaml: { network: '    rpc_timeout: 1000\n    poll: 100\n    batch: {max: 100, wait: 100}' },
  between: { rpc: node },
}, { connections: 64 });

let made = 0;
async function buyer() {
  const path = `/item/${made += 1}`;
  const offer = await world.offer(path);
  const payment = await pay(accounts[1 + made % 8], { ...offer, resource: { url: `${world.stack.url('gateway')}${path}` } });
  return new Buyer({ http: world.http, payment, path });
}

const buyers = [];
afterEach(async () => {
  node.pass();
  await checkInvariants(world);
});

/* One buyer under a fault, to his end and the chain's. */
async function bought(script) {
  const one = await buyer();
  node.seen.length = 0;
  node.script(script);
  await one.insist();
  assert.equal(one.final, 200, one.story());
  assert.doesNotMatch(one.story(), /fees/, 'a node that failed once is not a fee that is too high');
  await world.witness.settled([one.payment], 60_000);
  await until('MINED', 30_000, () => world.witness.ledger(
    `select state from payment where nonce = x'${one.payment.nonce.slice(2)}'`)[0].state, (state) => state >= 5);
  buyers.push(one);
  return one;
}

const METHODS = ['eth_call', 'eth_sendRawTransaction', 'eth_getTransactionReceipt'];
const cut = (text) => text.slice(0, -7);
const lie = (change) => ({ lie: (bytes) => withBody(bytes, change) });
const json = (change) => lie((text) => {
  if (text === '')
    return text; // a refusal of the node itself, after a fault before it
  const value = JSON.parse(text);
  return JSON.stringify(Array.isArray(value) ? value.map(change) : change(value));
});

/* [way, fault] */
const FAULTS = {
  'lost on its way': ['ask', 'reset'],
  'acted upon, the answer lost': ['answer', 'reset'],
  'swallowed: no answer in time': ['ask', 'drop'],
  'asked twice': ['ask', 'duplicate'],
  'late': ['answer', { delay: 300 }],
  'half an answer': ['answer', { truncate: 90 }],
  'half the JSON': ['answer', lie(cut)],
  'another id': ['answer', json((answer) => ({ ...answer, id: 424_242 }))],
  'a page': ['answer', { lie: () => Buffer.from('HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<hr>') }],
  'too many requests': ['answer', { lie: () => Buffer.from('HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n') }],
  'another host': ['answer', { lie: () => Buffer.from('HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n') }],
  'an error instead of a result': ['answer', json(({ result: _, ...answer }) => ({ ...answer, error: { code: -32000, message: 'internal error' } }))],
  'no result': ['answer', json(({ result: _, ...answer }) => answer)],
  'null': ['answer', json((answer) => ({ ...answer, result: null }))],
};

for (const method of METHODS) {
  for (const [what, [way, fault]] of Object.entries(FAULTS)) {
    test(`${method}: ${what}`, async () => {
      await bought(rules({ way, kind: new RegExp(`\\b${method}\\b`), fault }));
      assert.ok(node.story().length >= 1, 'it did happen');
    });
  }
}

const receipts = (change) => json((answer) => (answer.result?.transactionHash
  ? { ...answer, result: change(structuredClone(answer.result)) } : answer));

/* A receipt is believed for what its logs say, and no release follows from
 * one that says failure. */
const RECEIPTS = {
  'status 0': (r) => ({ ...r, status: '0x0', logs: [] }),
  'no logs': (r) => ({ ...r, logs: [] }),
  "another token's logs": (r) => ({ ...r, logs: r.logs.map((log) => ({ ...log, address: '0x00000000000000000000000000000000000000aa' })) }),
  'another payee': (r) => ({ ...r, logs: r.logs.map((log) => ({ ...log, topics: log.topics.map((t, i) => (i === 2 ? `0x${'0'.repeat(24)}${'ab'.repeat(20)}` : t)) })) }),
  'a smaller value': (r) => ({ ...r, logs: r.logs.map((log) => (log.data.length === 66 ? { ...log, data: `0x${'1'.padStart(64, '0')}` } : log)) }),
  "another transaction's": (r) => ({ ...r, transactionHash: `0x${'ab'.repeat(32)}` }),
};

for (const [what, change] of Object.entries(RECEIPTS)) {
  test(`a receipt that lies: ${what}`, async () => {
    const one = await buyer();
    node.script(rules({ way: 'answer', kind: /eth_getTransactionReceipt/, times: 1000, fault: receipts(change) }));
    await one.insist();
    assert.equal(one.final, 200, one.story());
    await world.witness.settled([one.payment], 30_000);
    await sleep(500);
    const state = () => world.witness.ledger(`select state from payment where nonce = x'${one.payment.nonce.slice(2)}'`)[0].state;
    assert.ok([3, 4].includes(state()), `neither paid nor failed, but ${state()}`);
    node.pass();
    await until('the truth is found', 60_000, state, (now) => now >= 5 && now !== 7);
    buyers.push(one);
  });
}

test(`everything by chance, seed ${SEED}`, { timeout: 120_000 }, async (t) => {
  node.seen.length = 0;
  node.script(chaos(SEED, 0.15, ['reset', 'duplicate', { delay: 100 }, { truncate: 60 }, FAULTS['half the JSON'][1],
    FAULTS['another id'][1], FAULTS['too many requests'][1], FAULTS['an error instead of a result'][1]]));
  const crowd = await Promise.all(Array.from({ length: 40 }, buyer));
  await inParallel(crowd.map((one) => () => one.insist()), 10);
  t.diagnostic(`${node.story().length} faults in ${node.seen.length} messages`);
  assert.ok(node.story().length >= 5);
  node.pass();
  buyers.push(...crowd);
});

test('after all that: the promises', { timeout: 120_000 }, () => keepPromises(world, buyers));
