// SPDX-License-Identifier: Apache-2.0
// The faults that no real node shows on demand: every invoice state, lies,
// broken streams, slow, locked, down; restarts; a flood of unpaid requests.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { before, beforeEach, test } from 'node:test';
import { PROGRAMS } from '../../devnet/paths.mjs';
import { join } from 'node:path';
import { readFileSync, writeFileSync } from 'node:fs';
import { inParallel } from '../harness/http.mjs';
import { ADMIN, MODEST } from './fake-lnd.mjs';
import { proofs, sleep, useShop } from './shop.mjs';

const FLOOD = Number(process.env.X402_LIGHTNING_FLOOD ?? 1500);
const shop = useShop();
before(() => shop.start(), { timeout: 60_000 });
beforeEach(async () => {
  shop.lnd.reset();
  await shop.offered();
});

const until = async (what, ms = 10_000) => {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(50))
    if (await what())
      return;
  throw new Error(`never: ${what}`);
};
const paidByEvents = () => shop.metric('x402_invoices_paid_total');

/** An offer, and its preimage without a payment: the node tells it. */
async function unpaid(path) {
  const asked = await shop.ask(path);
  const invoice = shop.lnd.byRequest(asked.entry.extra.invoice);
  return { asked, invoice, preimage: Buffer.from(invoice.r_preimage, 'base64') };
}

test('only SETTLED releases, whatever else a node says', async () => {
  const { asked, invoice, preimage } = await unpaid('/ln?states');
  const headers = proofs.lnbtc(asked, preimage);
  const hits = shop.hits.length;
  const rows = [
    ['open', {}, 402, 'not_paid'],
    ['held', { state: 'ACCEPTED' }, 503, 'settlement_pending'],
    ['cancelled', { state: 'CANCELED' }, 402, 'expired'],
    ['a state that nobody knows', { state: 'PAID' }, 503, 'settlement_pending'],
    ['lower case', { state: 'settled' }, 503, 'settlement_pending'],
    ['only the old field', { state: undefined, settled: true }, 503, 'settlement_pending'],
    ['a number for the amount', { state: 'SETTLED', amt_paid_msat: 21000 }, 503, 'settlement_pending'],
    ['one millisatoshi less', { state: 'SETTLED', amt_paid_msat: '20999' }, 402, 'wrong_amount'],
    ['another invoice', { state: 'SETTLED', r_hash: Buffer.alloc(32).toString('base64') }, 503, 'settlement_pending'],
  ];
  for (const [why, lie, status, reason] of rows) {
    shop.lnd.change.lookup = (answer) => ({ ...answer, ...lie });
    const refused = await shop.get('/ln?states', headers);
    assert.deepEqual([refused.status, refused.headers['x-payment-error']], [status, reason], why);
  }
  for (const [why, answer] of [['not JSON', [200, 'SETTLED']], ['an error', [500, { code: 2, message: 'no' }]],
    ['gone', [404, { code: 5, message: 'unable to locate invoice' }]], ['no answer', undefined]]) {
    shop.lnd.change.lookup = () => answer;
    const refused = await shop.get('/ln?states', headers);
    assert.deepEqual([refused.status, refused.headers['x-payment-error']], [503, 'settlement_pending'], why);
  }
  assert.equal(shop.hits.length, hits);
  delete shop.lnd.change.lookup;
  shop.lnd.pay(invoice.payment_request, { paid: 42000 });
  assert.equal((await shop.get('/ln?states', headers)).status, 200);
});

test('a proof is good without any event, by a look-up', async () => {
  shop.lnd.deaf = true;
  const asked = await shop.ask('/ln?deaf');
  const preimage = shop.lnd.pay(asked.entry.extra.invoice);
  assert.equal((await shop.get('/ln?deaf', proofs.l402(asked, preimage))).status, 200);
});

test('a broken stream goes on where it was, and nothing is missed', async () => {
  const first = await shop.ask('/ln?stream1');
  const second = await shop.ask('/ln?stream2');
  const paid = await paidByEvents();
  shop.lnd.pay(first.entry.extra.invoice);
  await until(async () => await paidByEvents() === paid + 1);
  const { settleIndex } = shop.lnd;
  shop.lnd.dropStreams();
  const preimage = shop.lnd.pay(second.entry.extra.invoice); // nobody hears it
  await until(async () => await paidByEvents() === paid + 2);
  await until(() => shop.lnd.counts.subscribe.length > 0); // a look-up may have been faster
  const { settleIndex: from, addIndex } = shop.lnd.counts.subscribe.at(-1);
  assert.equal(from, settleIndex);
  assert.ok(addIndex > 0);
  const lookups = shop.lnd.counts.lookup;
  assert.equal((await shop.get('/ln?stream2', proofs.lnbtc(second, preimage))).status, 200);
  assert.equal(shop.lnd.counts.lookup, lookups); // known already
});

test('events that do not read break the stream, and the sweep finds what they said', async () => {
  const asked = await shop.ask('/ln?sweep');
  const paid = await paidByEvents();
  shop.lnd.change.event = () => '{"result":{"state":7}}\n';
  shop.lnd.pay(asked.entry.extra.invoice);
  await until(async () => await paidByEvents() === paid + 1, 15_000);
});

test('the daemon is killed in between: the proof is good afterwards, once', async () => {
  const asked = await shop.ask('/ln?restart');
  const preimage = shop.lnd.pay(asked.entry.extra.invoice);
  for (const dialect of ['lnbtc', 'l402', 'mpp'])
    assert.ok(proofs[dialect](asked, preimage));
  process.kill(shop.x402d.pid, 'SIGKILL');
  await shop.x402d.exited;
  await shop.startDaemon();
  await until(async () => (await shop.get('/ln?restart', proofs.mpp(asked, preimage))).status === 200);
  await shop.restartDaemon();
  await until(async () => (await shop.get('/ln?restart', proofs.l402(asked, preimage))).status !== 503);
  for (const dialect of ['lnbtc', 'l402', 'mpp'])
    assert.equal((await shop.get('/ln?restart', proofs[dialect](asked, preimage))).headers['x-payment-error'], 'replayed');
});

test('down, locked, behind, elsewhere, slow: USDC goes on alone, then both again', async () => {
  const goneWithin = async (why, ms = 8000) => {
    await until(async () => (await shop.ask('/ln')).entry === undefined, ms);
    const { response, offer } = await shop.ask('/ln');
    assert.deepEqual([response.status, offer.accepts.length], [402, 1], why);
  };
  const rows = [
    ['locked', () => { shop.lnd.serverState = 'LOCKED'; }],
    ['behind', () => { shop.lnd.info = { synced_to_chain: false }; }],
    ['on another network', () => { shop.lnd.info = { chains: [{ network: 'mainnet' }] }; }],
    ['info of wrong types', () => { shop.lnd.info = { synced_to_chain: 'true' }; }],
    ['AddInvoice fails', () => { shop.lnd.change.add = () => [500, { code: 2, message: 'no' }]; }],
    ['an invoice for less', () => { shop.lnd.change.add = (a) => ({ ...a, payment_request: shop.lnd.foreign(1000).payment_request }); }],
  ];
  for (const [why, fault] of rows) {
    fault();
    await goneWithin(why);
    shop.lnd.reset();
    await shop.offered();
  }
  shop.lnd.delay.add = 60_000;
  const began = Date.now();
  const { response, entry } = await shop.ask('/ln');
  assert.deepEqual([response.status, entry], [402, undefined]);
  assert.ok(Date.now() - began < 6000, 'a slow node delays a 402 for a bounded time');
  shop.lnd.reset();
  await shop.offered();
  await shop.lnd.stop();
  await goneWithin('down');
  shop.lnd.renewCertificate();
  await shop.lnd.start();
  await shop.offered('/ln', 15_000); // with the new certificate, read again
});

test('a flood of unpaid requests makes a bounded number of invoices', async (t) => {
  const config = join(shop.dir, 'x402d.yaml');
  const before = readFileSync(config, 'utf8');
  writeFileSync(config, before.replace('peer: {per_minute: 60000, burst: 100000}', 'peer: {per_minute: 60, burst: 5}')
    .replace('timeout: 3000', 'timeout: 3000\n  outstanding: 300'));
  await shop.restartDaemon();
  await sleep(2500);
  const one = shop.lnd.counts.add;
  const began = Date.now();
  const single = await inParallel(Array.from({ length: FLOOD }, () => () => shop.get('/ln', { 'X-Peer': '10.0.0.1' })), 32);
  const seconds = Math.ceil((Date.now() - began) / 1000);
  assert.ok(single.every(({ status }) => status === 402));
  const made = shop.lnd.counts.add - one;
  assert.ok(made >= 1 && made <= 5 + seconds + 1, `one peer: ${made} invoices in ${seconds} s`);
  const many = shop.lnd.counts.add;
  const second = Date.now();
  const answers = await inParallel(Array.from({ length: FLOOD }, (_, i) => () =>
    shop.get('/ln', { 'X-Peer': `10.${1 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}` })), 32);
  assert.ok(answers.every(({ status }) => status === 402));
  const rest = shop.lnd.counts.add - many;
  assert.ok(rest <= 300, `everybody: ${rest} invoices`);
  const asked = await shop.metric('x402_invoices_refused_total');
  // those under way before the first refusal, of the peer and of all, then one when a wait ends
  const most = 4 * 32 + 2 * seconds + 2 * Math.ceil((Date.now() - second) / 1000);
  assert.ok(asked <= most, `the worker asked ${asked} times for nothing, and not ${most}`);
  t.diagnostic(`${2 * FLOOD} unpaid requests: ${made} invoices for one peer, ${rest} for ${FLOOD}; ${asked} questions for nothing`);
  writeFileSync(config, before);
  await shop.restartDaemon();
});

test('a macaroon that allows more, or that others can read, is refused', () => {
  const run = () => {
    try {
      return execFileSync(PROGRAMS.x402d, ['check', join(shop.dir, 'x402d.yaml')], { encoding: 'utf8', stdio: 'pipe' });
    } catch (error) {
      return error.stdout + error.stderr;
    }
  };
  assert.doesNotMatch(run(), /macaroon/);
  const mine = shop.lnd.macaroon;
  shop.lnd.useMacaroon(ADMIN);
  assert.match(run(), /error.*lightning\.macaroon.*allows/);
  shop.lnd.useMacaroon([...MODEST, 'offchain:write']);
  assert.match(run(), /it allows offchain:write/);
  writeFileSync(shop.lnd.macaroonFile, mine);
  shop.lnd.macaroon = mine;
  execFileSync('chmod', ['644', shop.lnd.macaroonFile]);
  assert.match(run(), /can be read by others/);
  execFileSync('chmod', ['600', shop.lnd.macaroonFile]);
});
