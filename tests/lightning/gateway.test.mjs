// SPDX-License-Identifier: Apache-2.0
// The paid request over the gateway, with real nodes at both ends: 402, pay,
// 200, the seller's node shows the invoice settled; replay; an upstream that
// fails; a node and a daemon that are killed.  The oracles are the seller's
// node and the upstream's counter.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { LIGHTNING_ROUTES, LN_NETWORK, clientConfig, eventually, lightningYaml } from '../../devnet/lightning.mjs';
import { ROUTES } from '../../devnet/gateway.mjs';
import { newUser } from '../client/harness.mjs';
import { complaints, newStack } from '../harness/stack.mjs';
import { startNetwork, stopNetwork } from './network.mjs';
import { decode } from './tool.mjs';

const HELD = LIGHTNING_ROUTES.map(({ path, more, ...route }) => ({
  ...route, path: `/held${path}`, more: [...more, 'x402_lightning_dialects hold;'] }));

let network;
let stack;
before(async () => {
  network = await startNetwork();
  stack = await newStack({
    yaml: { more: `${lightningYaml(network.seller)}\n  peer: {per_minute: 6000, burst: 1000}` },
    conf: { routes: [...ROUTES, ...LIGHTNING_ROUTES, ...HELD] },
  });
  await offered('/paid-ln');
}, { timeout: 240_000 });
after(async () => {
  await stack?.stop();
  await stopNetwork();
  if (stack)
    assert.deepEqual(complaints(stack.dir), []);
});

const get = async (path, headers = {}) => {
  const response = await fetch(stack.url('gateway') + path, { headers });
  return { status: response.status, headers: response.headers, body: await response.text() };
};

/** A 402: its offer and challenges; entry is undefined without Lightning. */
async function ask(path) {
  const { status, headers } = await get(path);
  const offer = JSON.parse(Buffer.from(headers.get('payment-required'), 'base64'));
  const challenge = (scheme) => {
    const at = headers.get('www-authenticate')?.split(/, (?=(?:L402|Payment) )/).find((line) => line.startsWith(scheme));
    return at && Object.fromEntries([...at.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value]));
  };
  return { status, offer, entry: offer.accepts.find(({ network: name }) => name === LN_NETWORK),
    l402: challenge('L402'), mpp: challenge('Payment') };
}

const offered = (path) => eventually('Lightning is offered', async () => {
  const asked = await ask(path);
  assert.ok(asked.entry, JSON.stringify(asked.offer.accepts));
  return asked;
}, 30_000);

const proof = {
  lnbtc: ({ offer, entry }, preimage) => ({ 'payment-signature': Buffer.from(JSON.stringify({
    x402Version: 2, resource: offer.resource, accepted: entry, payload: { preimage } })).toString('base64') }),
  l402: ({ l402 }, preimage) => ({ authorization: `L402 ${l402.macaroon}:${preimage}` }),
  mpp: ({ mpp }, preimage) => ({ authorization: `Payment ${Buffer.from(JSON.stringify({
    challenge: mpp, payload: { preimage } })).toString('base64url')}` }),
};

const alone = ({ offer, entry }) => ({ 'payment-signature': Buffer.from(JSON.stringify({
  x402Version: 2, resource: offer.resource, accepted: entry, payload: { invoice: entry.extra.invoice } })).toString('base64') });

async function pay({ entry }) {
  const paid = await network.payer.pay(entry.extra.invoice);
  assert.equal(paid.status, 'SUCCEEDED', paid.failure_reason);
  return paid;
}

const hits = async (path) => (await (await fetch(`${stack.url('upstream')}/__hits`)).json())[path] ?? 0;

for (const dialect of ['lnbtc', 'l402', 'mpp']) {
  test(`${dialect}: 402, pay, 200, and no second answer`, async () => {
    const path = `/paid-ln?by=${dialect}`;
    const before = await hits('/paid');
    const asked = await ask(path);
    assert.equal(asked.status, 402);
    assert.equal(asked.offer.accepts[0].network, 'eip155:84532');
    assert.equal(asked.entry.payTo, network.seller.node);
    const { payment_preimage: preimage, payment_hash: hash } = await pay(asked);
    const invoice = await network.seller.invoice(hash);
    assert.deepEqual([invoice.state, invoice.amt_paid_msat], ['SETTLED', '21000']);
    const bought = await get(path, proof[dialect](asked, preimage));
    assert.equal(bought.status, 200, bought.body);
    assert.equal(JSON.parse(bought.body).answer, 42);
    assert.equal(await hits('/paid') - before, 1);
    for (const again of ['lnbtc', 'l402', 'mpp'])
      assert.equal((await get(path, proof[again](asked, preimage))).status, 402, again);
    assert.equal(await hits('/paid') - before, 1);
  });
}

test('what was not paid is not answered, and what was paid buys no other request', async () => {
  const before = await hits('/paid');
  const asked = await ask('/paid-ln?a');
  assert.equal((await get('/paid-ln?a', proof.lnbtc(asked, '00'.repeat(32)))).status, 402);
  const { payment_preimage: preimage } = await pay(asked);
  assert.equal((await get('/paid-ln?b', proof.lnbtc(asked, preimage))).status, 402);
  assert.equal(await hits('/paid'), before);
  assert.equal((await get('/paid-ln?a', proof.lnbtc(asked, preimage))).status, 200);
});

test('the upstream fails: the same proof buys the answer', async () => {
  const path = `/flaky-ln?${Date.now()}`;
  const asked = await ask(path);
  const { payment_preimage: preimage } = await pay(asked);
  assert.equal((await get(path, proof.lnbtc(asked, preimage))).status, 500);
  assert.equal((await get(path, proof.lnbtc(asked, preimage))).status, 200);
  assert.equal((await get(path, proof.lnbtc(asked, preimage))).status, 402);
});

test('a hold invoice: settled for an answer, given back for a failure', async () => {
  const hash = (invoice) => decode(invoice).payment_hash;
  for (const [path, status, state, end] of [['/held/paid-ln?h', 200, 'SETTLED', 'SUCCEEDED'], ['/held/flaky-ln?h', 500, 'CANCELED', 'FAILED']]) {
    const asked = await ask(path);
    const paying = network.payer.pay(asked.entry.extra.invoice);
    const answer = await eventually('the node holds it', async () => {
      const response = await get(path, alone(asked));
      assert.notEqual(response.status, 402, response.headers.get('x-payment-error'));
      return response;
    });
    assert.equal(answer.status, status, answer.body);
    assert.equal((await paying).status, end);
    assert.equal((await network.seller.invoice(hash(asked.entry.extra.invoice))).state, state);
    assert.equal((await get(path, alone(asked))).status, 402);
  }
});

test('held money is kept through kills of x402d and of LND', async () => {
  const path = '/held/paid-ln?kills';
  const asked = await ask(path);
  const paying = network.payer.pay(asked.entry.extra.invoice).catch((error) => error);
  const { payment_hash: hash } = decode(asked.entry.extra.invoice);
  await eventually('the node holds it', async () => assert.equal((await network.seller.invoice(hash)).state, 'ACCEPTED'));
  process.kill(stack.x402d.pid, 'SIGKILL');
  await eventually('x402d is back', async () => assert.equal((await get(path, alone(asked))).status, 200), 20_000);
  await network.seller.kill();
  await network.seller.start();
  await network.seller.serves();
  await network.connect();
  await network.active();
  await eventually('it is settled', async () => assert.equal((await network.seller.invoice(hash)).state, 'SETTLED'), 30_000);
  assert.equal((await paying).status, 'SUCCEEDED');
  await offered('/paid-ln?after');
});

test('our client does not pay a hold invoice: it would wait for a preimage', async () => {
  const user = newUser({ config: clientConfig(network.payer) });
  const before = (await network.payer.payments()).length;
  const refused = await user.run(['get', '--rail', 'lightning', `${stack.url('gateway')}/held/paid-ln?client`]);
  assert.notEqual(refused.code, 0);
  assert.match(refused.err, /payment_flow|hold/);
  assert.equal((await network.payer.payments()).length, before);
});

test('our client buys from our gateway', async () => {
  const user = newUser({ config: clientConfig(network.payer) });
  const buy = (path) => user.run(['get', '--rail', 'lightning', stack.url('gateway') + path]);
  const paid = await buy('/paid-ln?c=1&d=%2F');
  assert.equal(paid.code, 0, paid.err);
  assert.equal(JSON.parse(paid.out).answer, 42);
  const broken = await buy('/flaky-ln?client');
  assert.match(broken.err, /stays usable for this request/);
  const before = (await network.payer.payments()).length;
  const again = await buy('/flaky-ln?client');
  assert.equal(again.code, 0, again.err);
  assert.match(again.out, /this time it works/);
  assert.equal((await network.payer.payments()).length, before);
});

test('x402d is killed between payment and proof', async () => {
  const path = '/paid-ln?daemon';
  const asked = await ask(path);
  const { payment_preimage: preimage } = await pay(asked);
  process.kill(stack.x402d.pid, 'SIGKILL');
  await eventually('x402d is back', async () =>
    assert.equal((await get(path, proof.lnbtc(asked, preimage))).status, 200), 20_000);
  assert.equal((await get(path, proof.lnbtc(asked, preimage))).status, 402);
});

test('LND is killed between payment and proof: USDC goes on, and the proof stays good', async () => {
  const path = '/paid-ln?node';
  const asked = await ask(path);
  const { payment_preimage: preimage } = await pay(asked);
  await network.seller.kill();
  await eventually('the 402 goes without Lightning', async () => {
    const without = await ask('/paid-ln?without');
    assert.equal(without.entry, undefined);
    assert.equal(without.offer.accepts.length, 1);
  }, 20_000);
  await network.seller.start();
  await network.seller.serves();
  await network.connect();
  await network.active();
  await eventually('the proof is taken', async () =>
    assert.equal((await get(path, proof.lnbtc(asked, preimage))).status, 200), 30_000);
  assert.equal((await get(path, proof.lnbtc(asked, preimage))).status, 402);
  await offered('/paid-ln?again');
});
