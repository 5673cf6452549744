// SPDX-License-Identifier: Apache-2.0
// Hold invoices: the payer is charged when the upstream has succeeded, and not
// when it has not, whatever stops in between.  The oracles are the node's
// invoices and the upstream's counter.
import assert from 'node:assert/strict';
import { before, beforeEach, test } from 'node:test';
import { until } from '../harness/witness.mjs';
import { invoiceOnly, proofs, sleep, useShop } from './shop.mjs';

const TIMEOUT = 7; // s
const shop = useShop({ timeout: TIMEOUT, server: 'x402_settle_margin 1;' }, { allowed: /hold_invoice_lost/ });
before(() => shop.start(), { timeout: 60_000 });
beforeEach(() => {
  shop.lnd.reset();
  shop.answer = (req, res) => res.end('content\n');
});

const becomes = (invoice, state, ms = 5000) => until(state, ms, async () => invoice.state, (now) => now === state);

async function held(path, options) {
  const asked = await shop.ask(path);
  assert.equal(asked.entry.extra.paymentFlow, 'authorization');
  return { asked, invoice: shop.lnd.hold(asked.entry.extra.invoice, options), proof: invoiceOnly(asked) };
}

test('the offer: a hold invoice, and no dialect that wants a preimage', async () => {
  const { hold, add } = shop.lnd.counts;
  const asked = await shop.ask('/hold?offer');
  assert.deepEqual([shop.lnd.counts.hold, shop.lnd.counts.add], [hold + 1, add]);
  assert.deepEqual([asked.l402, asked.mpp], [undefined, undefined]);
  assert.equal(asked.entry.amount, '21000');
  assert.equal(shop.lnd.byRequest(asked.entry.extra.invoice).description_hash,
    Buffer.from(asked.entry.extra.requestHash, 'hex').toString('base64'));
});

test('not before it is paid; then one answer, and the money', async () => {
  const asked = await shop.ask('/hold?paid');
  const hits = shop.hits.length;
  const early = await shop.get('/hold?paid', invoiceOnly(asked));
  assert.deepEqual([early.status, early.headers['x-payment-error']], [402, 'not_paid']);
  assert.equal(shop.hits.length, hits);
  const invoice = shop.lnd.hold(asked.entry.extra.invoice);
  const paid = await shop.get('/hold?paid', invoiceOnly(asked));
  assert.deepEqual([paid.status, paid.body], [200, 'content\n']);
  await becomes(invoice, 'SETTLED');
  assert.equal((await shop.get('/hold?paid', invoiceOnly(asked))).headers['x-payment-error'], 'replayed');
  assert.equal(shop.hits.length, hits + 1);
  assert.equal(shop.lnd.counts.cancel, 0);
});

test('while the upstream works the node is not told anything', async () => {
  const { invoice, proof } = await held('/hold?slow');
  shop.answer = (req, res) => setTimeout(() => res.end('slow\n'), 1500);
  const going = shop.get('/hold?slow', proof);
  await sleep(1200);
  assert.deepEqual([invoice.state, shop.lnd.counts.settle, shop.lnd.counts.cancel], ['ACCEPTED', 0, 0]);
  assert.equal((await going).body, 'slow\n');
  await becomes(invoice, 'SETTLED');
});

test('the upstream fails: the money goes back, and the invoice buys nothing any more', async () => {
  const { invoice, proof } = await held('/hold?fails');
  shop.answer = (req, res) => { res.statusCode = 500; res.end('no\n'); };
  assert.equal((await shop.get('/hold?fails', proof)).status, 500);
  await becomes(invoice, 'CANCELED');
  shop.answer = (req, res) => res.end('content\n');
  const again = await shop.get('/hold?fails', proof);
  assert.deepEqual([again.status, again.headers['x-payment-error']], [402, 'expired']);
  assert.equal(shop.lnd.counts.settle, 0);
});

test('paid, and nobody comes for it: the money goes back, by a start of the daemon at the latest', async () => {
  const { invoice } = await held('/hold?left');
  await shop.restartDaemon();
  await sleep(2500);
  assert.deepEqual([invoice.state, shop.lnd.counts.cancel], ['ACCEPTED', 0]); // there is time
  await sleep(1000 * TIMEOUT - 2500);
  await shop.restartDaemon();
  await becomes(invoice, 'CANCELED');
});

test('a payment that could run out meanwhile is not taken', async () => {
  const { invoice, proof } = await held('/hold?short', { blocks: 23 });
  const hits = shop.hits.length;
  assert.equal((await shop.get('/hold?short', proof)).headers['x-payment-error'], 'settlement_pending');
  delete invoice.htlcs[0].expiry_height;
  assert.equal((await shop.get('/hold?short', proof)).headers['x-payment-error'], 'settlement_pending');
  assert.equal(shop.hits.length, hits);
});

test('the node is slow, refuses, or is gone: it is told until it has done it', async () => {
  const { invoice, proof } = await held('/hold?deaf');
  shop.lnd.change.settle = () => [500, { code: 2, message: 'not now', details: [] }];
  const settle = shop.lnd.pay; // what it does is taken back: it said no
  shop.lnd.pay = () => {};
  assert.equal((await shop.get('/hold?deaf', proof)).status, 200);
  await until('three tries', 8000, async () => shop.lnd.counts.settle, (n) => n >= 3);
  assert.equal(invoice.state, 'ACCEPTED');
  shop.lnd.pay = settle;
  delete shop.lnd.change.settle;
  await becomes(invoice, 'SETTLED');
});

test('the daemon is killed after the decision: it is carried out afterwards', async () => {
  const { invoice, proof } = await held('/hold?killed');
  const failed = await held('/hold?killed-too');
  shop.lnd.delay.settle = shop.lnd.delay.cancel = 600_000;
  assert.equal((await shop.get('/hold?killed', proof)).status, 200);
  shop.answer = (req, res) => { res.statusCode = 500; res.end('no\n'); };
  assert.equal((await shop.get('/hold?killed-too', failed.proof)).status, 500);
  process.kill(shop.x402d.pid, 'SIGKILL');
  await shop.x402d.exited;
  assert.deepEqual([invoice.state, failed.invoice.state], ['ACCEPTED', 'ACCEPTED']);
  shop.lnd.delay = {};
  await shop.startDaemon();
  await becomes(invoice, 'SETTLED', 15_000);
  await becomes(failed.invoice, 'CANCELED', 15_000);
});

test('given back by the node before it was told: counted, and said', async () => {
  const { invoice, proof } = await held('/hold?lost');
  const lost = await shop.metric('x402_hold_lost_total');
  shop.answer = (req, res) => { invoice.state = 'CANCELED'; res.end('content\n'); };
  assert.equal((await shop.get('/hold?lost', proof)).status, 200);
  await until('loss', 5000, () => shop.metric('x402_hold_lost_total'), (n) => n === lost + 1);
  assert.match(shop.log('x402d.log'), /hold_invoice_lost/);
});

test('the flows are not mixed up', async () => {
  const other = await shop.ask('/ln?flow');
  const preimage = shop.lnd.pay(other.entry.extra.invoice);
  const { asked, proof } = await held('/hold?flow');
  const hits = shop.hits.length;
  const as = (flow, asked) => ({ ...asked, entry: { ...asked.entry, extra: { ...asked.entry.extra, paymentFlow: flow } } });
  const rows = [
    ['/hold?flow', invoiceOnly(as('upfront', asked))],
    ['/hold?flow', proofs.lnbtc(as('upfront', asked), preimage)],
    ['/hold?flow', proofs.lnbtc(asked, preimage)],
    ['/ln?flow', invoiceOnly(as('authorization', other))],
    ['/ln?flow', invoiceOnly(other)],
    ['/ln?flow', proof],
    ['/hold?other', proof],
  ];
  for (const [path, headers] of rows)
    assert.equal((await shop.get(path, headers)).status, 402, path);
  assert.equal(shop.hits.length, hits);
  assert.equal((await shop.get('/hold?flow', proof)).status, 200);
});

test('the preimages stood in no log and no answer', async () => {
  assert.ok(shop.lnd.told.length >= 4);
  const asked = await shop.ask('/hold?log');
  const seen = ['x402d.log', 'nginx-error.log', 'access.log'].map((name) => shop.log(name)).join('') + JSON.stringify(asked);
  for (const preimage of shop.lnd.told)
    for (const encoding of ['hex', 'base64', 'base64url'])
      assert.equal(seen.includes(preimage.toString(encoding)), false);
});
