// SPDX-License-Identifier: Apache-2.0
// A resource whose payments come by Lightning alone is listed too: with its
// price in bitcoin, and without the invoice that its 402 happened to bring.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { until } from '../harness/witness.mjs';
import { proofs, useShop } from '../lightning/shop.mjs';
import { fitsResource } from './shape.mjs';

const shop = useShop({ lightning: 'bazaar: {allow: [127.0.0.1]}' });
before(() => shop.start(), { timeout: 60_000 });

const listed = async (query = '') =>
  (await (await fetch(`http://127.0.0.1:${shop.ports.facilitator}/discovery/resources${query}`)).json()).items;

async function buy(path) {
  const asked = await shop.ask(path);
  const preimage = Buffer.from(shop.lnd.pay(asked.entry.extra.invoice), 'hex');
  assert.equal((await shop.get(path, proofs.lnbtc(asked, preimage))).status, 200);
}

test('listed after its first payment by Lightning', async () => {
  assert.deepEqual(await listed(), []);
  await buy('/ln');
  const [item] = await until('the listing', 30_000, listed, ({ length }) => length === 1);
  assert.equal(item.resource, `http://127.0.0.1:${shop.ports.gateway}/ln`);
  fitsResource(item);
  const at = item.accepts.findIndex(({ network }) => network.startsWith('lnbtc:'));
  assert.equal(item.prices[at], '21 sat');
  assert.equal(item.accepts[at].amount, '21000');
  assert.equal(item.accepts[at].extra.invoice, undefined);
  assert.equal(item.accepts[at].extra.requestHash, undefined);
  assert.equal(item.accepts[at].extra.paymentMethod, 'lightning');
  assert.equal((await listed(`?network=${encodeURIComponent(item.accepts[at].network)}`)).length, 1);
});

test('each is counted once, whoever paid', async () => {
  await until('the first is counted', 30_000, listed, ([item]) => item.quality.l30DaysTotalCalls === 1);
  await buy('/ln');
  await buy('/ln');
  await until('all are counted', 30_000, listed, ([item]) => item.quality.l30DaysTotalCalls === 3);
  await new Promise((resolve) => { setTimeout(resolve, 2500); });
  const [{ quality }] = await listed();
  assert.equal(quality.l30DaysTotalCalls, 3);
  assert.equal(quality.l30DaysUniquePayers, 1);
});

test('an invoice that nobody pays lists nothing', async () => {
  await shop.ask('/post');
  await new Promise((resolve) => { setTimeout(resolve, 4500); });
  assert.equal((await listed()).length, 1);
});
