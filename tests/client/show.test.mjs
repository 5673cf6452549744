// SPDX-License-Identifier: Apache-2.0
// x402 show: what a URL asks for, and a site that contradicts itself is told so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROUTES } from '../../devnet/gateway.mjs';
import { useStack } from '../harness/stack.mjs';
import { PAYEE, THIEF, USDC, entry, newUser, offers, send402, serve } from './harness.mjs';

const world = useStack();
const show = async (args, more) => {
  const end = await newUser().run(['show', '--json', ...args], more);
  return { ...end, ...(end.out ? JSON.parse(end.out) : {}) };
};
const wrong = (report) => report.checks.filter(({ verdict }) => verdict === 'wrong').map(({ what, text }) => `${what} ${text}`);

test('every route of our own gateway agrees with itself', async () => {
  for (const { path, price } of ROUTES) {
    const method = path.startsWith('/v1/') ? 'POST' : 'GET';
    const report = await show(['-X', method, `${world.stack.url('gateway')}${path}?q=1`]);
    assert.equal(report.code, 0, report.err);
    assert.equal(report.status, 402);
    assert.equal(report.good, true);
    assert.equal(Number(report.offers[0].price.split(' ')[0]), Number(price), path);
    assert.deepEqual(report.checks.filter(({ verdict }) => verdict !== 'ok'), [], path);
    assert.equal(report.checks.length, 9);
  }
});

test('for people: the price first, one line for each check', async () => {
  const { code, out } = await newUser().run(['show', `${world.stack.url('gateway')}/paid`]);
  assert.equal(code, 0);
  assert.match(out, /^GET http:\S+\/paid: HTTP 402\n {2}0\.001 USDC on Base Sepolia \(eip155:84532\) to 0x/);
  assert.match(out, /\n {2}ok {7}\/openapi\.json {12}lists it at this price\n/);
});

test('nothing to pay, nobody there, no URL', async () => {
  const free = await show([`${world.stack.url('gateway')}/free/x`]);
  assert.equal(free.code, 0);
  assert.deepEqual(free.offers, []);
  assert.equal((await show(['http://127.0.0.1:1/'])).code, 7); // as curl: cannot connect
  assert.equal((await show(['ftp://x.example/'])).code, 3);
  for (const args of [[], ['a', 'b'], ['--jso', 'x'], ['-X', 'get', 'x']])
    assert.equal((await newUser().run(['show', ...args])).code, 2, args.join(' '));
  assert.match((await newUser().run(['show', '--help'])).out, /examples:/);
});

const tool = (url, change) => ({ name: 'a', _meta: { 'x402/url': url, 'x402/accepts': [entry(change)] } });

/* A site with one route and its documents, each of which a test can change. */
async function site(change = {}) {
  const server = await serve((request, response, seen) => {
    const url = `${server.url}/a`;
    const documents = {
      '/openapi.json': { paths: { '/a': { get: { 'x-payment-info': { price: { mode: 'fixed', amount: '0.001' } } } } } },
      '/.well-known/x402.json': { resources: [{ url, accepts: [entry()] }] },
      '/.well-known/x402': { version: 1, resources: [url] },
      '/.well-known/mcp.json': { name: 'example/a', remotes: [{ type: 'streamable-http', url: `${server.url}/mcp` }] },
      '/mcp': { jsonrpc: '2.0', id: 1, result: { tools: [tool(url)] } },
      ...change.documents?.(url),
    };
    if (seen.url in documents) {
      const text = documents[seen.url];
      response.writeHead(text === undefined ? 404 : 200);
      return response.end(typeof text === 'string' ? text : JSON.stringify(text));
    }
    const v2 = offers.v2([entry(change.v2)], change.resource ?? url);
    const body = offers.seed000([entry(change.body)], url);
    const plain = offers.seed001([entry(change.plain)]);
    return send402(response, { headers: { ...v2.headers, ...plain.headers, ...change.headers }, body: body.body });
  });
  return `${server.url}/a`;
}

const CONTRADICTIONS = [
  ['the body has another price', { body: { amount: '999' } }, 'body offers something else'],
  ['the plain headers name another payee', { plain: { payTo: THIEF } }, 'X-Payment headers offers something else'],
  ['the 402 sells another site', { resource: 'https://elsewhere.example/a' }, 'resource.url names another origin'],
  ['OpenAPI has another price', { documents: () => ({ '/openapi.json': { paths: { '/a': { get: { 'x-payment-info': { price: { mode: 'fixed', amount: '0.002' } } } } } } }) },
    '/openapi.json lists it at another price'],
  ['OpenAPI calls it free', { documents: () => ({ '/openapi.json': { paths: { '/a': { get: {} } } } }) }, '/openapi.json lists it without x-payment-info.price'],
  ['the manifest has another payee', { documents: (url) => ({ '/.well-known/x402.json': { resources: [{ url, accepts: [entry({ payTo: THIEF })] }] } }) },
    '/.well-known/x402.json lists it with an offer that the 402 does not make'],
  ['the tool has another price', { documents: (url) => ({ '/mcp': { result: { tools: [tool(url, { amount: '999' })] } } }) },
    'MCP endpoint has a tool for it with an offer that the 402 does not make'],
  ['so it has in an event stream', { documents: (url) => ({ '/mcp': `event: message\ndata: ${JSON.stringify({ result: { tools: [tool(url, { payTo: THIEF })] } })}\n\n` }) },
    'MCP endpoint has a tool for it with an offer that the 402 does not make'],
  ['the MCP endpoint is no URL', { documents: () => ({ '/.well-known/mcp.json': { mcp_endpoint: 'x'.repeat(9000) } }) }, '/.well-known/mcp.json names an endpoint that is no URL'],
  ['a document is no JSON', { documents: () => ({ '/openapi.json': '<html>' }) }, '/openapi.json is not well-formed JSON'],
];

test('contradictions are found, each for what it is', async () => {
  assert.deepEqual(wrong(await show([await site()])), [], 'the site by itself is in order');
  for (const [why, change, expected] of CONTRADICTIONS) {
    const report = await show([await site(change)]);
    assert.equal(report.code, 1, why);
    assert.equal(report.good, false, why);
    const found = wrong(report);
    assert.equal(found.length, 1, `${why}: ${found.join('; ')}`);
    assert.ok(found[0].startsWith(expected), `${why}: ${found[0]}`);
  }
});

test('what is only missing is a warning', async () => {
  const none = () => ({ '/mcp': { result: { tools: [] } }, '/openapi.json': undefined, '/.well-known/x402.json': undefined, '/.well-known/x402': { resources: ['nonsense', 7] } });
  const report = await show([await site({ documents: none, headers: { 'cache-control': 'max-age=60' } })]);
  assert.equal(report.code, 0);
  assert.deepEqual(report.checks.filter(({ verdict }) => verdict === 'warning').map(({ what }) => what),
    ['402', '/openapi.json', '/.well-known/x402.json', '/.well-known/x402', 'MCP endpoint']);
  const elsewhere = await show([await site({ documents: () => ({ '/.well-known/mcp.json': { mcp_endpoint: 'https://elsewhere.example/mcp' } }) })]);
  assert.match(elsewhere.checks.at(-1).text, /another origin, which is not asked/);
  const nowhere = await show([await site({ documents: () => ({ '/.well-known/mcp.json': {} }) })]);
  assert.deepEqual(nowhere.checks.at(-1), { what: '/.well-known/mcp.json', verdict: 'ok', text: 'names no MCP endpoint' });
});

test('a 402 that says nothing, and one of unknown tokens', async () => {
  const mute = await serve((request, response) => send402(response, { headers: {}, body: 'pay' }));
  assert.match(wrong(await show([mute.url]))[0], /says in no wire what to pay/);
  const odd = await serve((request, response) => send402(response, offers.v2([entry({ asset: THIEF })], 'x')));
  const report = await show([odd.url]);
  assert.deepEqual(report.offers, []);
  assert.ok(report.checks.some(({ verdict, text }) => verdict === 'warning' && /known network and token/.test(text)));
});

test('a hostile site: huge documents, escapes, endless redirects', async () => {
  const huge = await site({ documents: () => ({ '/openapi.json': `"${'x'.repeat(2 << 20)}"` }) });
  const report = await show([huge]);
  assert.ok(report.checks.some(({ what, text }) => what === '/openapi.json' && /larger than 1 MiB/.test(text)));
  const away = await serve((request, response) => { response.writeHead(302, { location: '/b' }); response.end(); });
  assert.equal((await show([away.url])).status, 302);
  const { out } = await newUser().run(['show', await site({ resource: 'https://\u001b[31mevil.example/' })]);
  assert.doesNotMatch(out, /\u001b/);
});

test('the asset is named from our own table', async () => {
  const { offers: [offer] } = await show([await site()]);
  assert.deepEqual(offer, { wire: 'v2', network: 'eip155:84532', asset: USDC, amount: '1000', price: '0.001 USDC', maxTimeoutSeconds: 60, payTo: PAYEE });
});
