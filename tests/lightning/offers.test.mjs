// SPDX-License-Identifier: Apache-2.0
// What an operator can switch on: prices converted at a live rate, payloads
// without a preimage; HTTP/2; what /health and /metrics say of all that.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { connect } from 'node:http2';
import { after, before, test } from 'node:test';
import { until } from '../harness/witness.mjs';
import { challenges, invoiceOnly, proofs, useShop } from './shop.mjs';

/* dollars for one bitcoin, as some exchange answers */
let quote = () => JSON.stringify({ data: { base: 'BTC', amount: '50000.00' } });
const source = createServer((req, res) => res.end(quote()));
await new Promise((resolve) => source.listen(0, '127.0.0.1', resolve));
after(() => { source.closeAllConnections(); source.close(); });
const dollars = (amount) => { quote = () => JSON.stringify({ data: { amount } }); };

const shop = useShop({ lightning: `  invoice_only: true
  rate: {url: "http://127.0.0.1:${source.address().port}/price", field: data.amount, max_age: 2, every: 1}` });
before(() => shop.start(), { timeout: 60_000 });

const sat = async () => (await shop.ask('/usd')).entry?.amount;
const page = async (path) => {
  const response = await fetch(`http://127.0.0.1:${shop.ports.facilitator}${path}`);
  return response.text();
};

test('a price in dollars is converted at the live rate; what was offered stays good', async () => {
  await until('2 sat', 5000, sat, (amount) => amount === '2000'); // 0.001 USDC at 50,000
  const old = await shop.ask('/usd?old');
  dollars(99999.5);
  await until('2 sat, rounded up', 5000, sat, (amount) => amount === '2000');
  dollars('100000');
  await until('1 sat', 5000, sat, (amount) => amount === '1000');
  const preimage = shop.lnd.pay(old.entry.extra.invoice);
  const paid = await shop.get('/usd?old', proofs.lnbtc(old, preimage));
  assert.equal(paid.status, 200);
  const next = await shop.ask('/usd?new');
  const cheap = proofs.lnbtc(next, shop.lnd.pay(next.entry.extra.invoice));
  assert.equal((await shop.get('/usd?new', cheap)).status, 200);
});

test('a stale rate takes Lightning out of the offer, where it is needed, until there is a new one', async () => {
  for (const [why, bad] of [['not JSON', () => 'sorry'], ['no number', () => '{"data":{"amount":"soon"}}'],
    ['nothing', () => '{"data":{"amount":"0"}}'], ['less', () => '{"data":{"amount":"-5"}}']]) {
    quote = bad;
    await until(`${why}: none`, 6000, sat, (amount) => amount === undefined);
    assert.ok((await shop.ask('/ln')).entry, 'a price in satoshis needs no rate');
    assert.equal((await shop.ask('/usd')).offer.accepts.length, 1);
    dollars('50000');
    await until('again', 6000, sat, (amount) => amount === '2000');
  }
});

test('an invoice alone is taken where the daemon is told so: paid, once, for its request', async () => {
  const asked = await shop.ask('/ln?alone');
  const hits = shop.hits.length;
  assert.equal((await shop.get('/ln?alone', invoiceOnly(asked))).headers['x-payment-error'], 'not_paid');
  shop.lnd.pay(asked.entry.extra.invoice);
  const other = await shop.ask('/ln?other');
  for (const [path, headers] of [['/ln?other', invoiceOnly(asked)], ['/ln?alone', invoiceOnly(asked, { invoice: other.entry.extra.invoice })],
    ['/ln?other', invoiceOnly(other)]])
    assert.ok((await shop.get(path, headers)).status >= 400, path);
  assert.equal(shop.hits.length, hits);
  assert.equal((await shop.get('/ln?alone', invoiceOnly(asked))).status, 200);
  assert.equal((await shop.get('/ln?alone', invoiceOnly(asked))).headers['x-payment-error'], 'replayed');
  assert.equal(shop.hits.length, hits + 1);
});

test('a delivery that breaks off: the proof is good for a second run, and no third', async () => {
  const path = '/ln?broken';
  const asked = await shop.ask(path);
  const proof = proofs.lnbtc(asked, shop.lnd.pay(asked.entry.extra.invoice));
  const hits = shop.hits.length;
  shop.answer = (req, res) => {
    res.writeHead(200, { 'content-length': '100000' });
    res.write('x'.repeat(1000));
    setTimeout(() => res.destroy(), 100);
  };
  await shop.get(path, proof).catch(() => {});
  shop.answer = (req, res) => res.end('whole\n');
  const again = await until('the second run', 5000, () => shop.get(path, proof), ({ status }) => status === 200);
  assert.equal(again.body, 'whole\n');
  assert.equal((await shop.get(path, proof)).headers['x-payment-error'], 'replayed');
  assert.equal(shop.hits.length, hits + 2);
});

test('over HTTP/2: the same 402, and the paid answer', async () => {
  const session = connect(`http://127.0.0.1:${shop.ports.h2}`);
  after(() => session.close());
  const get = (path, headers = {}) => new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path, ...headers });
    let head, body = '';
    stream.on('response', (h) => { head = h; });
    stream.on('data', (chunk) => { body += chunk; });
    stream.on('end', () => resolve({ status: head[':status'], headers: head, body }));
    stream.on('error', reject);
  });
  for (const dialect of ['lnbtc', 'l402', 'mpp']) {
    const path = `/ln?h2=${dialect}`;
    const response = await get(path);
    assert.equal(response.status, 402);
    const offer = JSON.parse(Buffer.from(response.headers['payment-required'], 'base64'));
    const asked = { offer, entry: offer.accepts[1], ...challenges(response) };
    assert.equal(asked.l402.invoice, asked.entry.extra.invoice);
    const proof = Object.fromEntries(Object.entries(proofs[dialect](asked, shop.lnd.pay(asked.entry.extra.invoice)))
      .map(([name, value]) => [name.toLowerCase(), value]));
    const paid = await get(path, proof);
    assert.deepEqual([paid.status, paid.body], [200, 'whole\n'], dialect);
    assert.ok(paid.headers['payment-response']);
    assert.equal((await get(path, proof)).status, 402);
  }
});

test('/health and /metrics say how Lightning is', async () => {
  const lightning = async () => JSON.parse(await page('/health')).lightning;
  assert.equal((await lightning()).ready, true);
  assert.match(await page('/metrics'), /^x402_lightning_ready 1$/m);
  const outstanding = (await lightning()).outstanding;
  assert.ok(outstanding > 0);
  assert.equal(await shop.metric('x402_invoices_outstanding'), outstanding);
  await shop.ask('/ln?one-more');
  assert.equal((await lightning()).outstanding, outstanding + 1);
  shop.lnd.serverState = 'LOCKED';
  await until('not ready', 6000, lightning, ({ ready }) => !ready);
  assert.match((await lightning()).reason, /locked/);
  assert.match(await page('/metrics'), /^x402_lightning_ready 0$/m);
  shop.lnd.serverState = 'SERVER_ACTIVE';
  await until('ready', 6000, lightning, ({ ready }) => ready);
  assert.doesNotMatch(await page('/supported'), /lnbtc/); // its /settle is not the API's to do
});
