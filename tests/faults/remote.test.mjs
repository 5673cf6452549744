// SPDX-License-Identifier: Apache-2.0
// Between x402d and the facilitator that settles for it: questions and answers
// of /verify and /settle lost, late, cut, repeated, reset, falsified.  What is
// not known stays unknown, the same payment is asked for again, and nobody pays
// twice.  What a facilitator says of a settlement is believed when the chain
// says so too.
import assert from 'node:assert/strict';
import { after, afterEach, test } from 'node:test';
import { account } from '../../devnet/accounts.mjs';
import { NETWORK } from '../../devnet/chain.mjs';
import { sleep } from '../../devnet/process.mjs';
import { Buyer } from '../harness/crowd.mjs';
import { FaultProxy, chaos, rules } from '../harness/fault-proxy.mjs';
import { http, withBody } from '../harness/frames.mjs';
import { inParallel } from '../harness/http.mjs';
import { until } from '../harness/witness.mjs';
import { says } from '../remote/scripted.mjs';
import { canSettle, mined, row, uses, useRemote } from '../remote/world.mjs';

const SEED = Number(process.env.X402_FAULT_SEED ?? Date.now() % 1_000_000);
const SUBMITTED = 4;
const TIMEOUTS = { verify: 500, settle: 1000 };
const line = await new FaultProxy({ frames: http }).start();
const world = await useRemote({
  timeouts: TIMEOUTS,
  url: (scripted) => { line.target = { port: scripted.port }; return line.url; },
});
const { scripted } = world;
after(() => line.close());
afterEach(() => line.pass());

const VERIFY = 'POST /verify';
const SETTLE = 'POST /settle';
const hits = (path) => world.witness.hits(path);
const buyer = (payment, path) => new Buyer({ http: world.http, payment, path });

const body = (change) => ({ lie: (bytes) => withBody(bytes, change) });
const json = (change) => body((text) => JSON.stringify(change(JSON.parse(text))));
const cut = body((text) => text.slice(0, -9));
const late = (timeout) => ({ delay: timeout + 400 });

/* [way, fault] */
const FAULTS = (timeout) => ({
  'lost on its way': ['ask', 'reset'],
  'acted upon, the answer lost': ['answer', 'reset'],
  'swallowed': ['ask', 'drop'],
  'the answer swallowed': ['answer', 'drop'],
  'asked twice': ['ask', 'duplicate'],
  'answered twice': ['answer', 'duplicate'],
  'half a question': ['ask', { truncate: 300 }],
  'half an answer': ['answer', { truncate: 90 }],
  'half the JSON of the question': ['ask', cut],
  'half the JSON of the answer': ['answer', cut],
  'slow': ['answer', { delay: 150 }],
  'the answer too late': ['answer', late(timeout)],
  'the question too late': ['ask', late(timeout)],
});
const answer = (kind) => new RegExp(`^200 ${kind}$`);
const kindOf = (way, kind) => (way === 'ask' ? kind : answer(kind));

/* Delivered once, moved once, and every question about it was the same. */
async function paidOnce(payment, path, before) {
  await mined(world, [payment]);
  assert.equal(await uses(world, payment), 1);
  assert.equal(await hits(path), before + 1);
  const asked = ['/verify', '/settle'].flatMap((at) => scripted.asked(at, payment.nonce));
  assert.equal(new Set(asked.map((call) => call.body)).size, 1, 'always the same payment');
}

for (const [what, [way, fault]] of Object.entries(FAULTS(TIMEOUTS.settle))) {
  test(`/settle: ${what}`, { timeout: 60_000 }, async () => {
    await canSettle(world);
    const before = await hits('/strict');
    const payment = await world.pay('/strict');
    line.seen.length = 0;
    line.script(rules({ way, kind: kindOf(way, SETTLE), fault }));
    const one = await buyer(payment, '/strict').insist();
    assert.equal(one.final, 200, one.story());
    assert.equal(line.story().length, 1, 'it did happen');
    await paidOnce(payment, '/strict', before);
    assert.equal((await world.get('/strict', payment.header('v2'))).status, 402, 'it is used up');
  });
}

/* Late, and all is well; otherwise nothing is known of the payment, so nothing
 * is served, and nothing stays behind. */
const HARMLESS = ['asked twice', 'answered twice', 'slow'];
for (const [what, [way, fault]] of Object.entries(FAULTS(TIMEOUTS.verify))) {
  test(`/verify: ${what}`, { timeout: 60_000 }, async () => {
    await canSettle(world);
    const before = await hits('/paid');
    const payment = await world.pay('/paid');
    line.seen.length = 0;
    line.script(rules({ way, kind: kindOf(way, VERIFY), fault }));
    const first = await world.get('/paid', payment.header('v2'));
    assert.equal(line.story().length, 1, 'it did happen');
    if (HARMLESS.includes(what)) {
      assert.equal(first.status, 200, first.body);
    } else {
      assert.equal(first.status, 503, first.body);
      assert.equal(first.headers['x-payment-error'], 'verifier_unavailable');
      assert.equal(row(world, payment), undefined);
      assert.equal(await hits('/paid'), before);
      await canSettle(world);
      assert.equal((await world.get('/paid', payment.header('v2'))).status, 200);
    }
    await paidOnce(payment, '/paid', before);
  });
}

test('as long as no answer comes it is unknown: neither served, nor failed, nor to be paid anew', { timeout: 60_000 }, async () => {
  const before = await hits('/strict');
  const payment = await world.pay('/strict');
  line.script(rules({ way: 'ask', kind: SETTLE, times: Infinity, fault: 'drop' }));
  line.seen.length = 0;
  const waiting = buyer(payment, '/strict').insist();
  await until('asked again', 20_000, () => line.story().length, (times) => times >= 2);
  assert.equal(row(world, payment).state, SUBMITTED);
  const second = await world.get('/strict', payment.header('v2'));
  assert.ok([409, 503].includes(second.status), second.status);
  assert.equal(second.headers['payment-required'], undefined, 'no offer');
  assert.equal(await hits('/strict'), before);
  line.pass();
  assert.equal((await waiting).final, 200);
  await paidOnce(payment, '/strict', before);
});

/* The facilitator is told something else and refuses; what comes back is a lie. */
const other = json((question) => {
  question.paymentPayload.payload.signature = `0x${'11'.repeat(64)}1b`;
  return question;
});
const LIES = {
  'a yes and a transaction that does not exist': () => `0x${'ab'.repeat(32)}`,
  'a yes and the transaction of an older payment': (older) => `0x${row(world, older).tx}`,
};
for (const [what, transaction] of Object.entries(LIES)) {
  test(`/settle: ${what}: not believed`, { timeout: 60_000 }, async () => {
    await canSettle(world);
    const older = await world.pay('/strict');
    assert.equal((await buyer(older, '/strict').insist()).final, 200);
    await mined(world, [older]);
    const before = await hits('/strict');
    const payment = await world.pay('/strict');
    const yes = body(() => JSON.stringify({ success: true, network: NETWORK, transaction: transaction(older), payer: world.payer.address }));
    line.script(rules({ way: 'ask', kind: SETTLE, times: Infinity, fault: other }, { way: 'answer', kind: /POST .settle/, times: Infinity, fault: yes }));
    line.seen.length = 0;
    const waiting = buyer(payment, '/strict').insist();
    await until('lied to', 20_000, () => line.story().length, (times) => times >= 2);
    await sleep(700);
    assert.equal(row(world, payment).state, SUBMITTED);
    assert.equal(await hits('/strict'), before);
    assert.equal(await uses(world, payment), 0);
    line.pass();
    assert.equal((await waiting).final, 200);
    await mined(world, [payment]);
    assert.equal(await uses(world, payment), 1);
    assert.equal(await hits('/strict'), before + 1);
  });
}

test('/settle: done, and a no comes back: found on the chain', { timeout: 60_000 }, async () => {
  await canSettle(world);
  const before = await hits('/strict');
  const payment = await world.pay('/strict');
  const no = json(() => ({ success: false, errorReason: 'insufficient_funds', transaction: '', network: NETWORK }));
  line.script(rules({ way: 'answer', kind: answer(SETTLE), times: Infinity, fault: no }));
  const one = await buyer(payment, '/strict').insist();
  assert.equal(one.final, 200, one.story());
  await paidOnce(payment, '/strict', before);
});

test('/settle: another payee on its way: refused there, unknown here, nothing moves', { timeout: 60_000 }, async () => {
  await canSettle(world);
  const before = await hits('/strict');
  const payment = await world.pay('/strict');
  const thief = account(7).address;
  const owned = await world.witness.balance(thief);
  const { payTo } = world.stack;
  line.script(rules({ way: 'ask', kind: SETTLE, times: Infinity, fault: body((text) => text.replaceAll(payTo, thief)) }));
  line.seen.length = 0;
  const waiting = buyer(payment, '/strict').insist();
  await until('refused', 20_000, () => line.story().length, (times) => times >= 2);
  assert.equal(row(world, payment).state, SUBMITTED);
  assert.equal(await uses(world, payment), 0);
  assert.equal(await world.witness.balance(thief), owned);
  line.pass();
  assert.equal((await waiting).final, 200);
  await mined(world, [payment]);
  assert.equal(await hits('/strict'), before + 1);
});

test('/verify: the second copy of a yes is not the answer to the next payment', { timeout: 60_000 }, async () => {
  await canSettle(world);
  const before = await hits('/paid');
  const [first, second] = [await world.pay('/fail'), await world.pay('/paid')];
  line.script(rules({ way: 'answer', kind: answer(VERIFY), fault: { again: 30 } }));
  assert.equal((await world.get('/fail', first.header('v2'))).status, 500, 'verified, and never settled');
  await sleep(100); // the copy is there, unread
  scripted.script.verify = says({ isValid: false, invalidReason: 'invalid_exact_evm_signature' });
  const response = await world.get('/paid', second.header('v2'));
  scripted.honest();
  assert.equal(response.status, 402, response.body);
  assert.equal(await hits('/paid'), before);
});

test('/verify: a yes made a no: 402 with the reason, no row, and the payment is still good', async () => {
  await canSettle(world);
  const payment = await world.pay('/paid');
  line.script(rules({ way: 'answer', kind: answer(VERIFY), fault: json(() => ({ isValid: false, invalidReason: 'invalid_exact_evm_signature' })) }));
  assert.equal((await world.get('/paid', payment.header('v2'))).status, 402);
  assert.equal(row(world, payment), undefined);
  assert.equal((await world.get('/paid', payment.header('v2'))).status, 200);
});

test(`everything by chance, seed ${SEED}`, { timeout: 150_000 }, async (t) => {
  await canSettle(world);
  line.seen.length = 0;
  line.script(chaos(SEED, 0.25, ['reset', 'duplicate', { truncate: 70 }, { delay: 60 }, { delay: 700 }, cut]));
  const paths = ['/paid', '/strict'];
  const before = await Promise.all(paths.map(hits));
  const crowd = await Promise.all(Array.from({ length: 24 }, async (_, i) =>
    buyer(await world.pay(paths[i % 2], { payer: account(1 + i % 8) }), paths[i % 2])));
  const left = inParallel(crowd.map((one) => () => one.insist()), 8);
  await Promise.race([left, sleep(30_000)]); // then it may recover
  t.diagnostic(`${line.story().length} faults in ${line.seen.length} messages`);
  assert.ok(line.story().length >= 5);
  line.pass();
  await left;
  for (const one of crowd)
    assert.equal(one.final, 200, one.story());
  const payments = crowd.map(({ payment }) => payment);
  await mined(world, payments, 60_000);
  const used = await world.witness.usedCounts();
  assert.deepEqual(payments.filter(({ nonce }) => used.get(nonce) !== 1), []);
  for (const [i, path] of paths.entries())
    assert.equal(await hits(path), before[i] + 12);
});
