// SPDX-License-Identifier: Apache-2.0
// The catalogue: filled by settled payments, both through our gateway and
// through an official server on our facilitator, and read by the official
// client.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HTTPFacilitatorClient } from '@x402/core/server';
import { ExactEvmScheme as ExactEvmClient } from '@x402/evm';
import { ExactEvmScheme as ExactEvmServer } from '@x402/evm/exact/server';
import { paymentMiddleware, x402ResourceServer } from '@x402/express';
import { bazaarResourceServerExtension, declareDiscoveryExtension, withBazaar } from '@x402/extensions/bazaar';
import { wrapFetchWithPaymentFromConfig } from '@x402/fetch';
import express from 'express';
import { account } from '../../devnet/accounts.mjs';
import { NETWORK, USDC } from '../../devnet/chain.mjs';
import { sleep } from '../../devnet/process.mjs';
import { unbase64 } from '../harness/payment.mjs';
import { useStack } from '../harness/stack.mjs';
import { fitsList, fitsResource, fitsSearch } from './shape.mjs';

const world = useStack({ yaml: { bazaar: true } }, { ready: openShop, done: () => shop?.close() });
const buy = (index) => wrapFetchWithPaymentFromConfig(fetch, {
  schemes: [{ network: NETWORK, client: new ExactEvmClient(account(index)) }],
});
const api = (path) => `${world.stack.url('facilitator')}${path}`;
const shopUrl = (path) => `http://127.0.0.1:${shop.address().port}${path}`;
const client = () => withBazaar(new HTTPFacilitatorClient({ url: world.stack.url('facilitator') }));
const responses = []; // what /settle said beside its answer
let shop;

async function openShop({ stack }) {
  const facilitator = new HTTPFacilitatorClient({ url: stack.url('facilitator') });
  const resources = new x402ResourceServer(facilitator).register(NETWORK, new ExactEvmServer());
  resources.registerExtension(bazaarResourceServerExtension);
  const accepts = { scheme: 'exact', price: '$0.002', network: NETWORK, payTo: stack.payTo };
  const app = express();
  app.use(paymentMiddleware({
    'GET /weather/[city]': {
      accepts,
      description: 'Tomorrow\'s weather for any city',
      serviceName: 'Cloudspotter',
      tags: ['weather', 'forecast'],
      extensions: declareDiscoveryExtension({ output: { example: { degrees: 21 } } }),
    },
    'POST /translate': {
      accepts,
      description: 'Translates a text',
      extensions: declareDiscoveryExtension({
        bodyType: 'json', input: { text: 'hello' },
        inputSchema: { properties: { text: { type: 'string' } }, required: ['text'] },
        output: { example: { text: 'bonjour' } },
      }),
    },
    'GET /plain': { accepts, description: 'Without the extension' },
  }, resources));
  app.use((request, response) => response.json({ good: true }));
  await new Promise((resolve) => { shop = app.listen(0, '127.0.0.1', resolve); });
}

async function until(what, ask, ms = 10_000) {
  const end = Date.now() + ms;
  for (;;) {
    const found = await ask();
    if (found)
      return found;
    assert.ok(Date.now() < end, `${what} within ${ms / 1000} s`);
    await sleep(100);
  }
}

const listed = (resource) => async () => {
  const { items } = await client().extensions.bazaar.listResources({ limit: 100 });
  return items.find((item) => item.resource === resource);
};

test('/supported names the extension', async () => {
  assert.ok((await (await fetch(api('/supported'))).json()).extensions.includes('bazaar'));
});

test('nothing is listed before it was paid for', async () => {
  const { items, pagination, x402Version } = await client().extensions.bazaar.listResources();
  assert.deepEqual(items, []);
  assert.deepEqual(pagination, { limit: 20, offset: 0, total: 0 });
  assert.equal(x402Version, 2);
});

test('a route of the gateway appears within 10 s of its first settled payment', async () => {
  const url = `${world.stack.url('gateway')}/paid`;
  const offer = unbase64((await fetch(url)).headers.get('payment-required'));
  assert.equal((await buy(3)(url)).status, 200);
  const item = await until('the listing', listed(url));
  assert.deepEqual(item.accepts[0].amount, offer.accepts[0].amount);
  assert.equal(item.accepts[0].payTo, offer.accepts[0].payTo);
  assert.equal(item.accepts[0].asset, USDC);
  assert.equal(item.type, 'http');
  assert.equal(item.description, 'An answer in JSON');
  assert.equal(item.verified, true);
  assert.deepEqual(item.extensions.bazaar, offer.extensions.bazaar);
  assert.ok(Date.now() - Date.parse(item.lastUpdated) < 60_000);
});

test('quality counts settled payments and their payers, each once', async () => {
  const url = `${world.stack.url('gateway')}/paid`;
  await Promise.all([3, 3, 4].map(async (index) => assert.equal((await buy(index)(url)).status, 200)));
  const item = await until('four calls', async () => {
    const found = await listed(url)();
    return found?.quality.l30DaysTotalCalls >= 4 && found;
  });
  assert.equal(item.quality.l30DaysUniquePayers, 2);
  assert.ok(Date.now() - Date.parse(item.quality.lastCalledAt) < 60_000);
  await sleep(2500); // two more rounds: nothing is counted again
  assert.equal((await listed(url)()).quality.l30DaysTotalCalls, 4);
});

test('a resource of @x402/express is listed under its template, with what its server says', async () => {
  assert.equal((await buy(5)(shopUrl('/weather/lisbon'))).status, 200);
  const item = await until('the listing', listed(shopUrl('/weather/:city')));
  assert.equal(item.serviceName, 'Cloudspotter');
  assert.deepEqual(item.tags, ['weather', 'forecast']);
  assert.equal(item.accepts[0].amount, '2000');
  assert.equal(item.extensions.bazaar.info.input.method, 'GET');
  await until('one call', async () => (await listed(shopUrl('/weather/:city'))()).quality.l30DaysTotalCalls === 1);
  assert.equal((await buy(5)(shopUrl('/weather/porto'))).status, 200);
  await until('two calls', async () => (await listed(shopUrl('/weather/:city'))()).quality.l30DaysTotalCalls === 2);
  await until('its own 402 was read', async () => (await listed(shopUrl('/weather/:city'))()).verified);
});

test('a POST is listed as one; without the extension nothing is', async () => {
  const body = JSON.stringify({ text: 'hello' });
  const headers = { 'content-type': 'application/json' };
  assert.equal((await buy(5)(shopUrl('/translate'), { method: 'POST', headers, body })).status, 200);
  assert.equal((await buy(5)(shopUrl('/plain'))).status, 200);
  const item = await until('the listing', listed(shopUrl('/translate')));
  assert.equal(item.extensions.bazaar.info.input.method, 'POST');
  assert.equal(await listed(shopUrl('/plain'))(), undefined);
});

test('the official client searches by words and filters', async () => {
  const { search } = client().extensions.bazaar;
  const urls = async (params) => (await search(params)).resources.map((item) => item.resource);
  assert.deepEqual(await urls({ query: 'weather city' }), [shopUrl('/weather/:city')]);
  assert.deepEqual(await urls({ query: 'clouds' }), [shopUrl('/weather/:city')], 'the beginning of a word');
  assert.deepEqual(await urls({ query: 'Translates' }), [shopUrl('/translate')]);
  assert.equal((await urls({ query: '', network: NETWORK })).length, 3);
  assert.deepEqual(await urls({ query: 'weather', network: 'eip155:8453' }), []);
  assert.equal((await urls({ query: '', payTo: world.stack.payTo.toLowerCase(), scheme: 'exact' })).length, 3);
  assert.equal((await urls({ query: '', type: 'mcp' })).length, 0);
  assert.deepEqual(await urls({ query: 'zebra' }), []);
  const found = await search({ query: 'weather' });
  assert.equal(found.partialResults, false);
  assert.equal(found.x402Version, 2);
});

const json = async (path) => {
  const response = await fetch(api(path));
  return { status: response.status, ...await response.json() };
};

test('filters by price, asset and tag; pages; a merchant\'s list', async () => {
  const urls = ({ resources }) => resources.map((item) => item.resource).sort();
  assert.deepEqual(urls(await json('/discovery/search?maxUsdPrice=0.001')), [`${world.stack.url('gateway')}/paid`]);
  assert.equal(urls(await json('/discovery/search?maxUsdPrice=0.002')).length, 3);
  assert.equal(urls(await json(`/discovery/search?asset=${USDC}`)).length, 3);
  assert.deepEqual(urls(await json('/discovery/search?tags=Forecast')), [shopUrl('/weather/:city')]);
  const first = await json('/discovery/search?limit=2');
  assert.equal(first.resources.length, 2);
  assert.equal(first.partialResults, true);
  const second = await json(`/discovery/search?limit=2&cursor=${first.pagination.cursor}`);
  assert.equal(second.pagination.cursor, null);
  assert.equal(new Set([...urls(first), ...urls(second)]).size, 3);
  const page = await json('/discovery/resources?limit=1&offset=1');
  assert.equal(page.items.length, 1);
  assert.deepEqual(page.pagination, { limit: 1, offset: 1, total: 3 });
  assert.equal((await json('/discovery/resources?network=base-sepolia&limit=1')).pagination.total, 3);
  const merchant = await json(`/discovery/merchant?payTo=${world.stack.payTo}`);
  assert.equal(merchant.payTo, world.stack.payTo);
  assert.equal(merchant.resources.length, 3);
  assert.equal((await json('/discovery/merchant')).status, 400);
});

test('every answer is as the official schema and types have it', async () => {
  assert.equal(fitsList(await json('/discovery/resources')), 3);
  assert.equal(fitsList(await json('/discovery/resources?limit=1&offset=2')), 1);
  assert.equal(fitsSearch(await json('/discovery/search?query=')), 3);
  assert.equal(fitsSearch(await json('/discovery/search?query=weather&limit=1')), 1);
  assert.equal(fitsSearch(await json('/discovery/search?limit=2')), 2);
  (await json(`/discovery/merchant?payTo=${world.stack.payTo}`)).resources.forEach(fitsResource);
});

test('limits and offsets at their ends are answered at once', async () => {
  assert.equal((await json('/discovery/resources?limit=1000000000')).pagination.limit, 100);
  assert.deepEqual((await json('/discovery/resources?offset=9223372036854775808')).items, []);
  for (const bad of ['limit=-1', 'limit=1e3', 'offset=x', 'limit=', `payTo=${'a'.repeat(200)}`])
    assert.equal((await json(`/discovery/resources?${bad}`)).status, 400, bad);
  assert.equal((await json(`/discovery/search?query=${'a'.repeat(401)}`)).status, 400);
  assert.equal((await json('/discovery/search?maxUsdPrice=-1')).status, 400);
});

test('no query is part of the query language', async () => {
  const nasty = ['"', '""', 'a" OR "b', 'terms : z', 'NEAR(a b)', 'a*b', '{url} : a', '^a', 'a AND', 'NOT', '-', '(', ')',
    '\'; DROP TABLE listing; --', '%00', '\u0000', 'weather" AND terms : "x', ':', '+', '\\', 'ü"ö'];
  for (const query of nasty) {
    const { status, resources } = await json(`/discovery/search?query=${encodeURIComponent(query)}`);
    assert.equal(status, 200, query);
    assert.ok(Array.isArray(resources), query);
  }
  const log = world.stack.x402d.log;
  const { readFileSync } = await import('node:fs');
  assert.doesNotMatch(readFileSync(log, 'utf8'), /bazaar_file/);
});

test('/settle says what became of the extension', async () => {
  const header = await settleDirectly({ url: shopUrl('/weather/faro') });
  assert.deepEqual(header, { bazaar: { status: 'processing' } });
  const bad = await settleDirectly({ url: shopUrl('/weather/faro'), info: { input: { type: 'http', method: 'BREW' } } });
  assert.equal(bad.bazaar.status, 'rejected');
  assert.match(bad.bazaar.rejectedReason, /method/);
  assert.equal(await settleDirectly({ url: shopUrl('/weather/faro'), info: null }), null);
});

/** A payment by hand, straight to /settle; what EXTENSION-RESPONSES says. */
async function settleDirectly({ url, info = { input: { type: 'http', method: 'GET' } } }) {
  const { pay } = await import('../harness/payment.mjs');
  const offer = unbase64((await fetch(shopUrl('/plain'))).headers.get('payment-required'));
  const { authorization, signature } = await pay(account(6), offer);
  const accepted = offer.accepts[0];
  const response = await fetch(api('/settle'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      x402Version: 2,
      paymentPayload: {
        x402Version: 2, accepted, payload: { authorization, signature }, resource: { url },
        ...(info && { extensions: { bazaar: { info, schema: { type: 'object' } } } }),
      },
      paymentRequirements: accepted,
    }),
  });
  assert.equal((await response.json()).success, true);
  const header = response.headers.get('extension-responses');
  responses.push(header);
  return header && unbase64(header);
}

test('what it costs now comes from the resource itself, and only for what is listed', async () => {
  const url = `${world.stack.url('gateway')}/paid`;
  const live = await json(`/discovery/live?resource=${encodeURIComponent(url)}`);
  assert.equal(live.live, true);
  assert.equal(live.accepts[0].amount, '1000');
  const other = `${world.stack.url('rpc')}/`;
  assert.equal((await json(`/discovery/live?resource=${encodeURIComponent(other)}`)).status, 404);
});
