// SPDX-License-Identifier: Apache-2.0
// The paid request over the gateway, with real nodes at both ends: 402, pay,
// 200, the seller's node shows the invoice settled; replay; an upstream that
// fails; a node and a daemon that are killed.  The oracles are the seller's
// node and the upstream's counter.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { LIGHTNING_ROUTES, LN_NETWORK, clientConfig, eventually, lightningYaml } from '../../devnet/lightning.mjs';
import { ROUTES } from '../../devnet/gateway.mjs';
import { newUser } from '../client/harness.mjs';
import { complaints, newStack } from '../harness/stack.mjs';
import { startNetwork, stopNetwork } from './network.mjs';
import { decode } from './tool.mjs';

const HELD = LIGHTNING_ROUTES.map(({ path, more, ...route }) => ({
  ...route, path: `/held${path}`, more: [...more, 'x402_lightning_dialects hold;'] }));

/* An upstream that breaks off in the middle of its first answer. */
const breaking = createServer((req, res) => {
  breaking.hits += 1;
  if (breaking.hits > 1)
    return res.end('whole\n');
  res.writeHead(200, { 'content-length': '100000' }).write('x'.repeat(1000));
  return setTimeout(() => res.destroy(), 100);
});
breaking.hits = 0;

const TIMEOUT = 8; // s, of an invoice that runs out
const own = () => `
    location = /breaking-ln {
      x402 on; x402_price 0.001 USDC; x402_lightning on; x402_lightning_price 21 sat;
      proxy_buffering off; proxy_pass http://127.0.0.1:${breaking.address().port};
    }
    location = /short-ln {
      x402 on; x402_price 0.001 USDC; x402_lightning on; x402_lightning_price 21 sat;
      x402_timeout ${TIMEOUT}; x402_settle_margin 1; proxy_pass http://upstream/paid;
    }`;

let network;
let stack;
before(async () => {
  await new Promise((done) => { breaking.listen(0, '127.0.0.1', done); });
  network = await startNetwork();
  stack = await newStack({
    yaml: { more: `${lightningYaml(network.seller)}\n  peer: {per_minute: 6000, burst: 1000}` },
    conf: { routes: [...ROUTES, ...LIGHTNING_ROUTES, ...HELD], server: own() },
  });
  await offered('/paid-ln');
}, { timeout: 240_000 });
after(async () => {
  breaking.closeAllConnections();
  breaking.close();
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

test('a delivery that breaks off: the proof is good for a second run, and no third', async () => {
  const path = '/breaking-ln';
  const asked = await ask(path);
  const { payment_preimage: preimage } = await pay(asked);
  await assert.rejects(get(path, proof.lnbtc(asked, preimage)), 'not the whole body');
  const again = await eventually('the second run', async () => {
    const response = await get(path, proof.lnbtc(asked, preimage));
    assert.equal(response.status, 200, response.headers.get('x-payment-error'));
    return response;
  }, 10_000);
  assert.equal(again.body, 'whole\n');
  assert.equal((await get(path, proof.lnbtc(asked, preimage))).headers.get('x-payment-error'), 'replayed');
  assert.equal(breaking.hits, 2);
});

/* An invoice that is over is cancelled by the node, so that nothing can arrive
 * late; what arrived in time is shown when it is over. */
test('paid in time and shown late: answered; paid late: the node gives it back', { timeout: 60_000 }, async () => {
  const path = '/short-ln';
  const [asked, other] = [await ask(path), await ask(path)];
  const { payment_preimage: preimage } = await pay(asked);
  const { payment_hash, destination, cltv_expiry, payment_addr, num_msat } =
    await network.payer.call(`/v1/payreq/${other.entry.extra.invoice}`);
  await eventually('the node cancels it', async () =>
    assert.equal((await network.seller.invoice(payment_hash)).state, 'CANCELED'), 30_000);
  // not by the invoice, which the payer's own node would refuse
  const late = await network.payer.pay({ dest: Buffer.from(destination, 'hex').toString('base64'), amt_msat: num_msat,
    payment_hash: Buffer.from(payment_hash, 'hex').toString('base64'), payment_addr, final_cltv_delta: Number(cltv_expiry) });
  assert.equal(late.status, 'FAILED');
  const shown = await get(path, proof.lnbtc(asked, preimage));
  assert.equal(shown.status, 200, shown.headers.get('x-payment-error'));
  assert.equal((await get(path, proof.lnbtc(asked, preimage))).status, 402);
});

test('keysend: money that nobody asked for buys nothing', async () => {
  const path = '/paid-ln?keysend';
  const before = await hits('/paid');
  const asked = await ask(path);
  const preimage = randomBytes(32);
  const sent = await network.payer.pay({ dest: Buffer.from(network.seller.node, 'hex').toString('base64'), amt: '21', final_cltv_delta: 40,
    payment_hash: createHash('sha256').update(preimage).digest('base64'), dest_custom_records: { 5482373484: preimage.toString('base64') } });
  assert.equal(sent.status, 'SUCCEEDED', sent.failure_reason);
  assert.equal((await network.seller.invoice(sent.payment_hash)).is_keysend, true);
  for (const show of Object.values(proof))
    assert.ok([400, 401, 402].includes((await get(path, show(asked, preimage.toString('hex')))).status));
  assert.equal(await hits('/paid'), before);
  assert.equal((await network.seller.invoice(decode(asked.entry.extra.invoice).payment_hash)).state, 'OPEN');
  await offered(path); // and the daemon goes on after an event that is not its own
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

test('our client pays hold invoices: for an answer, and not for a failure', async () => {
  const user = newUser({ config: `${clientConfig(network.payer)}sat-budget = 31 sat/day\n` }); // one, with its fee
  const made = async () => new Set((await network.payer.payments()).map(({ payment_hash }) => payment_hash)).size;
  const buy = (path) => user.run(['get', '--rail', 'lightning', stack.url('gateway') + path]);
  const states = async () => (await user.payments()).map(({ state }) => state).sort();
  const before = await made();

  const broken = await buy('/held/flaky-ln?held-client');
  assert.equal(broken.code, 0, broken.err);
  assert.match(broken.err, /HTTP 500; it has given the Lightning payment back/);
  assert.deepEqual(await states(), ['void']);
  const hit = await hits('/flaky');
  const again = await buy('/held/flaky-ln?held-client');
  assert.equal(again.code, 0, again.err);
  assert.match(again.out, /this time it works/);
  assert.equal(await hits('/flaky'), hit + 1);
  assert.deepEqual(await states(), ['done', 'void']);
  assert.equal((await buy('/held/paid-ln?held-client')).code, 103, 'the one that was taken counts');
  assert.equal(await made(), before + 2);
  for (const { payment_hash, status } of (await network.payer.payments()).slice(-2)) {
    const { state } = await network.seller.invoice(payment_hash);
    assert.equal(state, status === 'SUCCEEDED' ? 'SETTLED' : 'CANCELED');
  }
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
