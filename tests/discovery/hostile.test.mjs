// SPDX-License-Identifier: Apache-2.0
// Sellers and payments that mean harm: what they say, where they point, whose
// name they use.  The cashier is a stub that finds every payment good.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { validateDiscoveryExtension } from '@x402/extensions/bazaar';
import { PAYEE, account } from '../../devnet/accounts.mjs';

import { sleep } from '../../devnet/process.mjs';
import { PROGRAMS } from '../../devnet/paths.mjs';
import { Daemon, STUB, ports, useDaemon, yaml } from '../facilitator/daemon.mjs';
import { body, post, requirementV2, stubNonce } from '../facilitator/payments.mjs';
import { base64, now, unbase64 } from '../harness/payment.mjs';

const { facilitator: port, third } = await ports(20);
const daemon = await useDaemon({
  program: STUB, port, text: yaml({ port, more: 'bazaar: {allow: [127.0.0.1], recheck: true}\nlog: debug' }),
});
const api = (path) => `${daemon.url}${path}`;
const seller = account(PAYEE);

/* ---- a seller of whatever a test wants ---- */

const hits = [];
const answers = new Map(); // path: (response) => void
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://x');
  hits.push(pathname);
  (answers.get(pathname) ?? notFound)(response, request);
});
const notFound = (response) => { response.statusCode = 404; response.end(); };
await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
after(() => server.closeAllConnections() ?? server.close());
const shop = (path) => `http://127.0.0.1:${server.address().port}${path}`;

const bazaar = (change = {}) => ({
  info: { input: { type: 'http', method: 'GET', queryParams: { city: 'Lisbon' } }, output: { type: 'json', example: { degrees: 21 } } },
  schema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: {
      input: {
        type: 'object',
        properties: { type: { type: 'string', const: 'http' }, method: { type: 'string', enum: ['GET'] }, queryParams: { type: 'object' } },
        required: ['type', 'method'],
        additionalProperties: false,
      },
      output: { type: 'object', properties: { type: { type: 'string' } }, required: ['type'] },
    },
    required: ['input'],
  },
  ...change,
});

const offer = (path, { resource = {}, accepts = [requirementV2()], extensions = { bazaar: bazaar() } } = {}) =>
  ({ x402Version: 2, error: 'pay', resource: { url: shop(path), description: 'a thing', ...resource }, accepts, extensions });

/** The path sells this from now on; in the header, or in the body where that is too small. */
function sell(path, options, { header = true } = {}) {
  const value = offer(path, options);
  answers.set(path, (response) => {
    response.statusCode = 402;
    if (header)
      response.setHeader('PAYMENT-REQUIRED', base64(value));
    response.end(header ? '{}' : JSON.stringify(value));
  });
  return shop(path);
}

const claimText = (url, payTo, expires) =>
  `List this resource in the x402 Bazaar\nURL: ${url}\nPay to: ${payTo}\nExpires: ${expires}`;

async function register(url, { by = seller, payTo = by.address, expires = now() + 600, to = daemon.url, ...more } = {}) {
  const signature = await by.signMessage({ message: claimText(url, payTo, expires) });
  return post(`${to}/register`, { url, payTo, expires, signature, ...more });
}

const listed = async (url) => (await (await fetch(api(`/discovery/resources?resource=${encodeURIComponent(url)}`))).json()).items[0];

async function until(what, ask, ms = 8000) {
  for (const end = Date.now() + ms; ;) {
    const found = await ask();
    if (found)
      return found;
    assert.ok(Date.now() < end, what);
    await sleep(50);
  }
}

/** A settled payment that says this of its resource; what /settle says of it. */
async function settle({ url, extension = bazaar(), resource = {}, requirement, payer } = {}) {
  const request = await body(2, { payer, requirement, change: { nonce: stubNonce() } });
  request.paymentPayload.resource = { url, description: 'a thing', ...resource };
  request.paymentPayload.extensions = { bazaar: extension };
  const answer = await post(api('/settle'), request);
  const header = answer.headers.get('extension-responses');
  return { success: answer.json.success, bazaar: header === null ? null : unbase64(header).bazaar };
}

/* ---- what they say ---- */

const POLYGLOTS = [
  '"><img src=x onerror=alert(1)>', '</script><script>alert(1)</script>', 'javascript:alert(1)', '{{7*7}}', '\u2028\u2029',
  '\u001b[2J\u001b]0;owned\u0007', '\u202eexe.fdp\u202c', 'a\u200bb\ufeff', '\u0000', '\r\nSet-Cookie: a=b', '\u009b31m',
];
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;

/** Every text in a value, keys too. */
function* texts(value) {
  if (typeof value === 'string')
    yield value;
  for (const [key, member] of Object.entries(typeof value === 'object' && value !== null ? value : {})) {
    yield key;
    yield* texts(member);
  }
}

test('every field: markup stays text, nothing drives a terminal or turns the text around', async () => {
  const nasty = POLYGLOTS.filter((text) => text !== '\u0000').join(' ');
  const url = sell('/nasty', {
    resource: { description: nasty, mimeType: nasty, serviceName: nasty, tags: [nasty, 'ok', '<b>'], iconUrl: `javascript:${nasty}` },
    accepts: [requirementV2({ extra: { name: 'USDC', version: '2', [nasty]: nasty, note: nasty } }), { ...requirementV2(), scheme: nasty }, { ...requirementV2(), payTo: nasty }, { ...requirementV2(), network: nasty }],
    extensions: { bazaar: bazaar({ info: { input: { type: 'http', method: 'GET', queryParams: { [nasty]: nasty } }, output: { type: 'json', example: nasty } } }), other: nasty },
  }, { header: false });
  const { status, json } = await register(url);
  assert.equal(status, 201, JSON.stringify(json));
  const item = await listed(url);
  for (const text of texts(item))
    assert.doesNotMatch(text, UNSAFE);
  assert.deepEqual(item.tags, ['ok', '<b>']);
  for (const key of ['mimeType', 'serviceName', 'iconUrl'])
    assert.equal(item[key], undefined, key);
  assert.equal(item.accepts.length, 1);
  assert.deepEqual(Object.keys(item.extensions), ['bazaar']);
  const response = await fetch(api('/discovery/search?query=img'));
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  assert.match(await response.text(), /onerror/);
});

test('the client shows such a listing without a control character', async () => {
  const { spawnSync } = await import('node:child_process');
  for (const json of [[], ['--json']]) {
    const { status, stdout } = spawnSync(PROGRAMS.x402, ['discover', '--bazaar', daemon.url, ...json, 'img'], { encoding: 'utf8' });
    assert.equal(status, 0);
    assert.match(stdout, /onerror/);
    assert.doesNotMatch(stdout.replace(/\n/g, ''), UNSAFE);
  }
});

test('1 MB in a field, or around it, is refused or cut; what is shown stays small', async () => {
  const long = 'x'.repeat(15_000);
  const cut = sell('/long', { resource: { description: long, serviceName: long, tags: [long], iconUrl: `https://a.example/${long}` } }, { header: false });
  assert.equal((await register(cut)).status, 201);
  assert.equal((await listed(cut)).description.length, 500);
  const huge = 'x'.repeat(1_000_000);
  for (const options of [{ resource: { description: huge } }, { extensions: { bazaar: bazaar({ info: { input: { type: 'http', method: 'GET', queryParams: { huge } } } }) } }]) {
    const { status, json } = await register(sell('/huge', options, { header: false }));
    assert.equal(status, 422);
    assert.match(json.error, /larger than/);
  }
  assert.equal((await post(api('/register'), { url: `http://127.0.0.1/${huge}` })).status, 413);
  const wide = Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`member${i}`, i]));
  assert.equal((await register(sell('/wide', { extensions: { bazaar: bazaar({ info: { input: { type: 'http', method: 'GET', queryParams: wide } } }) } }, { header: false }))).status, 422);
});

test('one listing that is nested deeply does not make an answer unreadable', async () => {
  let deep = 'x';
  for (let i = 0; i < 17; i++)
    deep = { deep };
  const url = sell('/deep', { extensions: { bazaar: bazaar({ info: { input: { type: 'http', method: 'GET', queryParams: deep } } }) } });
  await register(url);
  const { spawnSync } = await import('node:child_process');
  assert.equal(spawnSync(PROGRAMS.x402, ['discover', '--bazaar', daemon.url, 'thing']).status, 0);
});

/* ---- info against schema: the official validator's opinion is ours ---- */

const SCHEMAS = [
  ['as it should be', bazaar(), true],
  ['a method that its schema does not list', bazaar({ info: { input: { type: 'http', method: 'DELETE' } } }), false],
  ['a member that its schema does not know', bazaar({ info: { input: { type: 'http', method: 'GET', spare: 1 } } }), false],
  ['another type', bazaar({ info: { input: { type: 'http', method: 'GET', queryParams: 'city' } } }), false],
  ['a missing member', bazaar({ info: { input: { type: 'http', method: 'GET' }, output: {} } }), false],
  ['an external $ref', bazaar({ schema: { $ref: 'http://127.0.0.1:1/schema.json' } }), false],
  ['an external $id', bazaar({ schema: { type: 'object', properties: { input: { $id: 'file:///etc/passwd' } } } }), false],
  ['a $ref that is no text', bazaar({ schema: { type: 'object', properties: { input: { $ref: 7 } } } }), false],
];

test('what the official validator refuses is not listed', async () => {
  for (const [why, extension, good] of SCHEMAS) {
    assert.equal(validateDiscoveryExtension(extension).valid, good, `official: ${why}`);
    const { success, bazaar: said } = await settle({ url: shop(`/schema-${good}`), extension });
    assert.equal(success, true, `${why}: the payment does not depend on it`);
    assert.equal(said.status, good ? 'processing' : 'rejected', why);
  }
});

test('an extension that is no object, or says what the specification forbids', async () => {
  const http = (input) => bazaar({ info: { input }, schema: { type: 'object' } });
  for (const extension of [7, 'x', [], {}, { info: {} }, http({ type: 'ftp', method: 'GET' }), http({ type: 'http' }),
    http({ type: 'http', method: 'POST' }), http({ type: 'http', method: 'GET', bodyType: 'json' }),
    http({ type: 'mcp' }), http({ type: 'mcp', toolName: 'a', inputSchema: 1 }), http({ type: 'mcp', toolName: 'a', inputSchema: {}, transport: 'smoke' })])
    assert.equal((await settle({ url: shop('/odd'), extension })).bazaar?.status ?? 'rejected', 'rejected', JSON.stringify(extension));
  assert.equal(await listed(shop('/odd')), undefined);
});

/* ---- where they point ---- */

const PRIVATE = ['http://10.0.0.1/a', 'http://192.168.1.1/', 'http://169.254.169.254/latest/meta-data', 'http://[::1]/', 'http://[fe80::1]/',
  'http://[::ffff:10.0.0.1]/', 'http://0x0a000001/', 'http://167772161/', 'http://012.0.0.1/', 'http://0/', 'http://printer/', 'http://printer.local/',
  'http://db.internal/', 'http://[64:ff9b::a00:1]/', 'https://user:pass@shop.example/', 'ftp://shop.example/', 'file:///etc/passwd',
  'gopher://127.0.0.1:6379/_INFO', 'javascript:alert(1)', 'data:text/html,x', '//shop.example', 'not a url', '', 'http://'];

test('addresses inside, other schemes and what is no URL are neither asked nor listed', async () => {
  for (const url of PRIVATE) {
    const said = (await settle({ url })).bazaar;
    assert.equal(said.status, 'rejected', url);
    if (url === '')
      continue;
    const { status } = await register(url);
    assert.equal(status, 422, url);
  }
  const { items } = await (await fetch(api('/discovery/resources?limit=100'))).json();
  assert.deepEqual(items.filter((item) => !item.resource.startsWith(shop('/'))), []);
});

test('without an allow-list 127.0.0.1 is not asked', async () => {
  const closed = await new Daemon({ program: STUB, port: third, text: yaml({ port: third, more: 'bazaar: {}' }) }).start();
  try {
    const before = hits.length;
    const { status, json } = await register(sell('/closed'), { to: closed.url });
    assert.equal(status, 422);
    assert.match(json.error, /private or local/);
    assert.equal(hits.length, before);
  } finally {
    await closed.stop();
  }
});

test('a redirect is not followed', async () => {
  sell('/inside');
  for (const status of [301, 302, 303, 307, 308]) {
    answers.set('/moved', (response) => { response.writeHead(status, { location: shop('/inside') }); response.end(); });
    hits.length = 0;
    const answer = await register(shop('/moved'));
    assert.equal(answer.status, 422);
    assert.deepEqual(hits, ['/moved'], String(status));
  }
});

test('an answer without an end, or without a beginning, costs seconds and no more', async () => {
  answers.set('/endless', (response) => {
    response.statusCode = 402;
    const timer = setInterval(() => response.write('x'.repeat(65536)), 5);
    response.on('close', () => clearInterval(timer));
  });
  answers.set('/silent', () => {});
  answers.set('/drip', (response) => {
    response.statusCode = 402;
    const timer = setInterval(() => response.write(' '), 50);
    response.on('close', () => clearInterval(timer));
  });
  for (const path of ['/endless', '/silent', '/drip']) {
    const begin = Date.now();
    assert.equal((await register(shop(path))).status, 422, path);
    assert.ok(Date.now() - begin < 7000, path);
  }
});

test('what is no offer is said to be none', async () => {
  const cases = [
    [(r) => r.end('free'), /answers 200/],
    [(r) => { r.statusCode = 402; r.end('<html>'); }, /no offer/],
    [(r) => { r.statusCode = 402; r.setHeader('PAYMENT-REQUIRED', '!!!'); r.end(); }, /no offer/],
    [(r) => { r.statusCode = 402; r.end('{"x402Version":2,"accepts":[]}'); }, /accepts/],
    [(r) => { r.statusCode = 402; r.end('{"x402Version":9,"accepts":[]}'); }, /x402Version/],
    [(r) => r.destroy(), /cannot be reached/],
  ];
  for (const [answer, why] of cases) {
    answers.set('/odd-402', answer);
    const { status, json } = await register(shop('/odd-402'));
    assert.equal(status, 422);
    assert.match(json.error, why);
  }
});

/* ---- whose it is ---- */

test('only the payee lists a resource by hand, and only as it was signed', async () => {
  const url = sell('/mine');
  const expires = now() + 600;
  const other = account(7);
  assert.match((await register(url, { by: other })).json.error, /somebody else/);
  const stolen = await seller.signMessage({ message: claimText(sell('/yours'), seller.address, expires) });
  const bad = [
    { payTo: seller.address, expires, signature: stolen },
    { payTo: seller.address, expires: expires + 1, signature: await seller.signMessage({ message: claimText(url, seller.address, expires) }) },
    { payTo: seller.address, expires, signature: await other.signMessage({ message: claimText(url, seller.address, expires) }) },
    { payTo: seller.address, expires, signature: '0x' }, { payTo: seller.address, expires }, {}, { payTo: 7 },
  ];
  for (const claim of bad)
    assert.equal((await post(api('/register'), { url, ...claim })).status, 400, JSON.stringify(claim));
  for (const at of [now() - 1, now() + 90_000])
    assert.match((await register(url, { expires: at })).json.error, /expires/);
  for (const text of ['', '[]', '{', '"x"', '{"url":1}'])
    assert.equal((await post(api('/register'), text)).status, 400);
  assert.equal(await listed(url), undefined);
  assert.equal((await register(url)).status, 201);
  assert.equal((await register(url)).status, 200, 'again: refreshed');
});

test('a payment does not take over a listing, and what the URL itself says counts', async () => {
  const url = sell('/owned');
  assert.equal((await register(url)).status, 201);
  const thief = account(8).address;
  const said = await settle({ url, resource: { description: 'now mine' }, requirement: { payTo: thief } });
  assert.equal(said.bazaar.status, 'processing');
  await sleep(300);
  const item = await listed(url);
  assert.equal(item.description, 'a thing');
  assert.equal(item.accepts[0].payTo, seller.address);
});

test('a payment to oneself for somebody else\'s URL does not stay listed', async () => {
  const url = sell('/target');
  hits.length = 0;
  await settle({ url, requirement: { payTo: account(8).address } });
  await until('it was asked for its own 402', () => hits.includes('/target'));
  await until('the listing is gone', async () => (await listed(url)) === undefined);
});

test('a listing by payment becomes one by its own 402', async () => {
  const url = sell('/honest', { resource: { description: 'the truth' } });
  await settle({ url: `${url}?city=Lisbon#x`, resource: { description: 'hearsay' } });
  const item = await until('it was read', async () => { const found = await listed(url); return found?.verified && found; });
  assert.equal(item.description, 'the truth');
});

test('the metadata rules of the specification, field by field', async () => {
  const icons = [['https://shop.example/i.png', true], ['http://1.2.3.4/i.png', false], ['https://localhost/i', false], ['https://u:p@shop.example/i', false],
    ['https://2130706433/i', false], ['data:image/png;base64,AA', false], ['https://[::1]/i', false]];
  for (const [iconUrl, good] of icons) {
    const url = sell('/icon', { resource: { iconUrl, serviceName: 'A shop', tags: ['a', 'A', 'b', 'c', 'd', 'e', 'f', ''] } });
    await register(url);
    const item = await listed(url);
    assert.equal(item.iconUrl, good ? iconUrl : undefined, iconUrl);
    assert.deepEqual(item.tags, ['a', 'b', 'c', 'd', 'e']);
    assert.equal(item.serviceName, 'A shop');
  }
  const templates = [['/users/:id', '/users/:id'], ['/../admin', '/t'], ['/%2e%2e/admin', '/t'], ['http://evil', '/t'], ['/a b', '/t'], ['', '/t'], ['/%252e%252e/x', '/t']];
  for (const [routeTemplate, path] of templates) {
    const url = sell('/t', { extensions: { bazaar: bazaar({ routeTemplate }) } });
    const { json } = await register(url);
    assert.equal(new URL(json.resource).pathname, path, routeTemplate);
  }
});

test('MCP tools of one URL are listed apart', async () => {
  const tool = (toolName) => bazaar({
    info: { input: { type: 'mcp', toolName, inputSchema: { type: 'object' }, description: `does ${toolName}` } }, schema: { type: 'object' },
  });
  await settle({ url: shop('/mcp'), extension: tool('add') });
  await settle({ url: shop('/mcp'), extension: tool('subtract') });
  const { items } = await until('both', async () => {
    const found = await (await fetch(api(`/discovery/resources?type=mcp`))).json();
    return found.items.length === 2 && found;
  });
  assert.deepEqual(items.map((item) => item.extensions.bazaar.info.input.toolName).sort(), ['add', 'subtract']);
  const found = await (await fetch(api('/discovery/search?query=subtract&type=mcp'))).json();
  assert.equal(found.resources.length, 1);
});

test('words of a query stay words', async () => {
  assert.equal((await register(sell('/words'))).status < 300, true);
  for (const query of ['thing"', 'thing AND', 'x" OR "thing', 'thing) OR (x', 'description : thing', 'NEAR(thing x)']) {
    const response = await fetch(api(`/discovery/search?query=${encodeURIComponent(query)}`));
    assert.equal(response.status, 200, query);
  }
  assert.doesNotMatch(daemon.logText(), /bazaar_file/);
});

test('one payee cannot fill the catalogue', async () => {
  const payTo = account(9).address;
  for (let i = 0; i < 510; i += 30)
    await Promise.all(Array.from({ length: Math.min(30, 510 - i) }, (_, k) => settle({ url: `https://flood.example/${i + k}`, requirement: { payTo } })));
  await sleep(500);
  const { pagination } = await (await fetch(api(`/discovery/merchant?payTo=${payTo}`))).json();
  assert.ok(pagination.total <= 500, String(pagination.total));
  assert.match(daemon.logText(), /this payee has too many listings/);
});

test('without a Bazaar its URLs are not there', async () => {
  const plain = await new Daemon({ program: STUB, port: third, text: yaml({ port: third }) }).start();
  try {
    for (const path of ['/discovery/resources', '/discovery/search?query=x', `/discovery/merchant?payTo=${seller.address}`, '/bazaar'])
      assert.equal((await fetch(`${plain.url}${path}`)).status, 404, path);
    assert.equal((await post(`${plain.url}/register`, {})).status, 404);
  } finally {
    await plain.stop();
  }
});
