// SPDX-License-Identifier: Apache-2.0
// x402d without a key, in front of another x402d, with a chain node that it
// only reads.  Witnesses are the node's log and the upstream's counter.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { account } from '../../devnet/accounts.mjs';
import { NETWORK } from '../../devnet/chain.mjs';
import { sleep } from '../../devnet/process.mjs';
import { unbase64 } from '../harness/payment.mjs';
import { until } from '../harness/witness.mjs';
import { Scripted, says } from './scripted.mjs';
import { settleVariants, variants } from './variants.mjs';
import { mined as allMined, canSettle, row, uses, useRemote } from './world.mjs';

const STATE = { SUBMITTED: 4, MINED: 5, FINAL: 6 };
const world = await useRemote();
const { scripted } = world;
const buy = (path, payment, wire = 'v2') => world.get(path, payment.header(wire), { timeout: 60_000 });
const mined = async (payment, limit) => {
  await allMined(world, [payment], limit);
  return row(world, payment);
};

/** Again while its first request is still held. */
async function insist(payment) {
  for (let i = 0; ; i += 1) {
    const { status } = await buy('/strict', payment);
    if (status !== 409 || i === 100)
      return status;
    await sleep(200);
  }
}

for (const wire of ['v2', 'seed000', 'seed001', 'v1']) {
  for (const path of ['/paid', '/strict']) {
    test(`${path} takes ${wire}, and the tokens move once`, async () => {
      const hits = await world.witness.hits(path);
      const payment = await world.pay(path);
      const response = await buy(path, payment, wire);
      assert.equal(response.status, 200, response.body);
      assert.equal(await world.witness.hits(path), hits + 1);
      await world.witness.settled([payment]);
      const { state, tx } = await mined(payment);
      assert.ok(state === STATE.MINED || state === STATE.FINAL);
      const receipt = await world.stack.rpc.call('eth_getTransactionReceipt', `0x${tx}`);
      assert.ok(receipt.logs.some((log) => log.topics[2] === payment.nonce));
      assert.equal(await uses(world, payment), 1);
      assert.equal((await buy(path, payment, wire)).status, 402, 'it is used up');
    });
  }
}

test('what the facilitator gets is written by us: requirements, resource, nothing of the client', async () => {
  const payment = await world.pay('/paid');
  const header = payment.header('v2');
  const sent = unbase64(header['PAYMENT-SIGNATURE']);
  Object.assign(sent, { extensions: { marker: 'from the client' }, resource: { ...sent.resource, description: 'from the client' } });
  sent.payload.marker = 'from the client';
  const response = await world.get('/paid', { 'PAYMENT-SIGNATURE': Buffer.from(JSON.stringify(sent)).toString('base64') });
  assert.equal(response.status, 200, response.body);
  await world.witness.settled([payment]);
  const calls = [...scripted.asked('/verify', payment.nonce), ...scripted.asked('/settle', payment.nonce)];
  assert.equal(calls.length, 2);
  for (const { body, json } of calls) {
    assert.doesNotMatch(body, /from the client/);
    assert.equal(json.paymentRequirements.payTo, world.stack.payTo);
    assert.equal(json.paymentRequirements.amount, '1000');
    assert.equal(json.paymentPayload.resource.url, `${world.stack.url('gateway')}/paid`);
    assert.deepEqual(json.paymentPayload.accepted, json.paymentRequirements);
  }
  assert.equal(calls[0].body, calls[1].body, 'the same payment, byte for byte');
});

test('a payer without tokens is refused by our own node, and the facilitator is not asked', async () => {
  const payment = await world.pay('/paid', { payer: account(0) });
  const response = await buy('/paid', payment);
  assert.equal(response.status, 402);
  assert.equal(response.headers['x-payment-error'], 'insufficient_funds');
  assert.equal(scripted.asked('/verify', payment.nonce).length, 0);
});

test('a facilitator that refuses at /verify: 402 with its reason, no row', async () => {
  scripted.script.verify = says({ isValid: false, invalidReason: 'invalid_exact_evm_signature' });
  const payment = await world.pay('/paid');
  const response = await buy('/paid', payment);
  scripted.honest();
  assert.equal(response.status, 402);
  assert.equal(response.headers['x-payment-error'], 'bad_signature');
  assert.equal(row(world, payment), undefined);
  assert.equal((await buy('/paid', payment)).status, 200, 'and the payment is still good');
});

test('an error of the upstream is not charged, and the facilitator is never told to settle', async () => {
  const payment = await world.pay('/fail');
  assert.equal((await buy('/fail', payment)).status, 500);
  assert.equal(scripted.asked('/settle', payment.nonce).length, 0);
  assert.equal(await uses(world, payment), 0);
});

test('/verify says neither yes nor no: 503, nothing served, nothing kept', async () => {
  const hits = await world.witness.hits('/paid');
  const kinds = Object.entries(variants({ isValid: true, payer: world.payer.address }, 'isValid'));
  const byNonce = new Map();
  scripted.script.verify = (response, call) => byNonce.get(call.nonce)(response, call);
  const payments = await Promise.all(kinds.map(async ([why, play]) => {
    const payment = await world.pay('/paid');
    byNonce.set(payment.nonce, play);
    return { why, payment };
  }));
  const answers = [];
  for (const { why, payment } of payments) { // one by one: a broken answer makes the next wait for /supported
    await canSettle(world);
    answers.push([why, await buy('/paid', payment), payment]);
  }
  scripted.honest();
  assert.ok(answers.length >= 30);
  for (const [why, { status, headers }, payment] of answers) {
    assert.equal(status, 503, why);
    assert.equal(headers['x-payment-error'], 'verifier_unavailable', why);
    assert.ok(scripted.asked('/verify', payment.nonce).length === 1, why);
    assert.equal(row(world, payment), undefined, why);
  }
  assert.equal(await world.witness.hits('/paid'), hits);
  assert.equal((await buy('/paid', payments[0].payment)).status, 200, 'the same payment, once it can be verified');
});

test('/settle lies in every way: nobody is served for it, nobody pays twice, the same payment settles at last', { timeout: 150_000 }, async () => {
  const old = await world.pay('/strict'); // an older payment of the same amount
  assert.equal((await buy('/strict', old)).status, 200);
  const { tx } = await mined(old);
  const hits = await world.witness.hits('/strict');
  const yes = { success: true, network: NETWORK, transaction: `0x${'cd'.repeat(32)}`, payer: world.payer.address };
  const kinds = Object.entries({
    ...variants(yes, 'success'),
    ...settleVariants(yes),
    'a made-up transaction': says(yes),
    'the transaction of an older payment': says({ ...yes, transaction: `0x${tx}` }),
  });
  assert.ok(kinds.length >= 40);
  const byNonce = new Map();
  scripted.script.settle = (response, call) => byNonce.get(call.nonce)(response, call);
  const payments = await Promise.all(kinds.map(async ([why, play]) => {
    const payment = await world.pay('/strict');
    byNonce.set(payment.nonce, play);
    return { why, payment };
  }));
  // five seconds are enough to be served wrongly (that a request which waits
  // gets its 503 after 30 s stands in word.test.mjs)
  const answers = await Promise.allSettled(payments.map(({ payment }) => world.get('/strict', payment.header('v2'), { timeout: 5000 })));
  for (const [i, { value }] of answers.entries()) {
    const { why, payment } = payments[i];
    assert.equal(value?.status, undefined, `${why}: ${value?.body}`);
    assert.equal(row(world, payment).state, STATE.SUBMITTED, why);
  }
  const used = await world.witness.usedCounts();
  assert.deepEqual(payments.filter(({ payment }) => used.has(payment.nonce)), []);
  assert.equal(await world.witness.hits('/strict'), hits);
  scripted.honest();
  await allMined(world, payments.map(({ payment }) => payment), 70_000);
  for (const { why, payment } of payments) {
    assert.equal(await insist(payment), 200, `${why}: the same payment buys it`);
    const bodies = new Set(scripted.asked('/settle', payment.nonce).map(({ body }) => body));
    assert.equal(bodies.size, 1, `${why}: always the same payment`);
  }
  const once = await world.witness.usedCounts();
  assert.deepEqual(payments.filter(({ payment }) => once.get(payment.nonce) !== 1), []);
  assert.equal(await world.witness.hits('/strict'), hits + payments.length);
});

/* The money moves, and we do not hear of it. */
const lost = {
  'the connection breaks': (response) => response.destroy(),
  'an error 502': (response) => response.writeHead(502).end('bad gateway'),
  'an error 500 in JSON': says({ success: false, errorReason: 'unexpected_settle_error', transaction: '', network: NETWORK }, { status: 500 }),
  'a refusal': says({ success: false, errorReason: 'invalid_exact_evm_transaction_failed', transaction: '', network: NETWORK }),
  'no answer in time': () => {},
  'another transaction': says({ success: true, network: NETWORK, transaction: `0x${'ef'.repeat(32)}` }),
};
for (const [why, play] of Object.entries(lost)) {
  test(`settled, then ${why}: found on the chain, charged once, delivered once`, async () => {
    const hits = await world.witness.hits('/strict');
    scripted.script.settle = async (response, call) => {
      await scripted.forward(call);
      play(response, call);
    };
    const payment = await world.pay('/strict');
    const response = await buy('/strict', payment);
    scripted.honest();
    assert.equal(response.status, 200, response.body);
    assert.equal(await world.witness.hits('/strict'), hits + 1);
    assert.equal(await uses(world, payment), 1);
    assert.equal((await mined(payment)).state, STATE.MINED);
    assert.equal((await buy('/strict', payment)).status, 402);
  });
}

test('x402d dies while the facilitator settles: asked again after the restart, charged once', async () => {
  const { stack } = world;
  let told;
  const heard = new Promise((resolve) => { told = resolve; });
  scripted.script.settle = async (response, call) => {
    told();
    await scripted.forward(call);
    response.destroy();
  };
  const payment = await world.pay('/paid');
  assert.equal((await buy('/paid', payment)).status, 200);
  await heard;
  const restarted = new Promise((resolve) => { stack.once('restart', resolve); });
  process.kill(stack.x402d.pid, 'SIGKILL');
  await restarted;
  await stack.backAgain('x402d');
  scripted.honest();
  await mined(payment, 20_000);
  assert.equal(await uses(world, payment), 1);
  await canSettle(world);
});

test('the facilitator is down, flaps, comes back: paid routes 503, free ones as ever', async () => {
  const payment = await world.pay('/paid');
  for (let round = 0; round < 2; round += 1) {
    await scripted.away();
    const response = await buy('/paid', payment);
    assert.equal(response.status, 503);
    assert.equal(response.headers['x-payment-error'], 'verifier_unavailable');
    await canSettle(world, false);
    assert.equal((await buy('/paid', payment)).status, 503);
    assert.equal((await world.get('/free/x')).status, 200);
    assert.equal((await world.get('/paid')).status, 402, 'the offer needs nobody');
    await scripted.listen(scripted.port);
    await canSettle(world);
  }
  assert.equal((await buy('/paid', payment)).status, 200);
  await world.witness.settled([payment]);
});

for (const status of [301, 308]) {
  test(`${status} to another host is not followed`, async (t) => {
    const other = await Scripted.start();
    t.after(() => other.close());
    const away = (response, call) => response.writeHead(status, { location: other.url + call.url }).end();
    const payment = await world.pay('/paid');
    scripted.script = { verify: away, settle: away, supported: undefined };
    assert.equal((await buy('/paid', payment)).status, 503);
    scripted.script = { verify: undefined, settle: away, supported: undefined };
    await canSettle(world);
    assert.equal((await buy('/paid', payment)).status, 200);
    await until('told to settle', 10_000, () => scripted.asked('/settle', payment.nonce).length);
    scripted.script = { verify: away, settle: away, supported: away };
    await canSettle(world, false);
    assert.equal(other.calls.length, 0);
    scripted.honest();
    await canSettle(world);
    await mined(payment, 30_000);
    assert.equal(await uses(world, payment), 1);
  });
}

const nothingThere = {
  'another network only': says({ kinds: [{ x402Version: 2, scheme: 'exact', network: 'eip155:8453' }], extensions: [], signers: {} }),
  'another scheme only': says({ kinds: [{ x402Version: 2, scheme: 'upto', network: NETWORK }] }),
  'no kinds': says({ kinds: [] }),
  'no list': says({ kinds: 'exact' }),
  'not JSON': says('ready'),
};
test('/supported does not list our network: paid routes 503 until it does', async () => {
  const payment = await world.pay('/paid');
  for (const [why, play] of Object.entries(nothingThere)) {
    scripted.script = { verify: (response) => response.destroy(), settle: undefined, supported: play };
    assert.equal((await buy('/paid', payment)).status, 503, why);
    await canSettle(world, false);
    scripted.honest();
    await canSettle(world);
  }
  assert.equal((await buy('/paid', payment)).status, 200);
});

test('over the credit limit: settled first, not refused', async () => {
  const dear = await world.pay('/dear');
  assert.equal((await buy('/dear', dear)).status, 200);
  assert.equal(await uses(world, dear), 1);
});
