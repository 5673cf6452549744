// SPDX-License-Identifier: Apache-2.0
// The MCP endpoint by itself: JSON-RPC and HTTP as the specification has them,
// and that a tool's call is the route's own request, with nothing of the
// client's in it but its arguments and its payment.  Whole payments, and a
// client that others wrote, are in tests/discovery/mcp.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { unbase64 } from '../harness/payment.mjs';
import { ERR } from './fake-till.mjs';
import { payment, priced, startGateway, startUpstream, testConf } from './harness.mjs';

let g;
let upstream;
const SCHEMAS = {
  search: { method: 'GET', summary: 'Search', query: { schema: { type: 'object', required: ['q'],
    properties: { q: { type: 'string' }, n: { type: 'integer' }, tag: { type: 'array', items: { type: 'string' } } } } } },
  json: { method: 'POST', body: { schema: { type: 'object', properties: { a: { type: 'number' } } } } },
  text: { method: 'POST', query: { schema: { type: 'object', properties: { lang: { type: 'string' } } } }, body: { type: 'text' } },
  form: { method: 'POST', body: { type: 'form-data', schema: { type: 'object' } } },
};

function configure(folder) {
  for (const [name, schema] of Object.entries(SCHEMAS))
    writeFileSync(join(folder.dir, `${name}.json`), JSON.stringify(schema));
  const schema = (name) => `x402_schema ${folder.dir}/${name}.json;`;
  return {
    server: priced('= /paid', upstream) + priced('= /v1/search', upstream, schema('search')) + priced('= /json', upstream, schema('json'))
      + priced('= /text', upstream, schema('text')) + priced('= /form', upstream, schema('form'))
      + priced('= /v1-search', upstream) + priced('= /', upstream) + priced('= /variable', upstream, '', '$price')
      + priced('= /secret', upstream, 'internal;') + priced('= /unbuffered', upstream, 'proxy_buffering off;')
      + `location = /file { x402 on; x402_price 0.001 USDC; sendfile on; alias ${folder.dir}/html/file.txt; }
         location = /limited { x402 on; x402_price 0.001 USDC; limit_except POST { deny all; } proxy_pass http://127.0.0.1:${upstream.port}; }
         set $seen $price;
         location = /mcp { x402_mcp on; client_body_buffer_size 1k; client_max_body_size 4m; } x402_discovery on;`,
    http: 'map $arg_price $price { default $arg_price; "" 0.001; }',
  };
}

before(async () => {
  upstream = await startUpstream();
  g = await startGateway(configure, { files: { 'file.txt': 'from a file\n' } });
});
after(async () => {
  await g.stop();
  await upstream.close();
});
beforeEach(() => {
  g.till.reset();
  upstream.hits.length = 0;
  upstream.bodies = [];
  upstream.handler = (req, res, body) => {
    upstream.bodies.push(body.toString());
    res.setHeader('Content-Type', 'application/json');
    res.end('{"answer":42}');
  };
});

async function post(body, { headers = {}, path = '/mcp', base = g } = {}) {
  const response = await base.http.send(path, {
    method: 'POST', body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
    headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream', ...headers },
  });
  return { ...response, json: response.body?.length ? JSON.parse(response.body) : undefined };
}
const rpc = (method, params, id = 1) => ({ jsonrpc: '2.0', id, method, params });
const call = (name, args, pay, headers) =>
  post(rpc('tools/call', { name, arguments: args, ...(pay && { _meta: { 'x402/payment': pay } }) }), { headers });
const pays = async (path, more) => unbase64(Object.values(await payment(path, { base: g.base, ...more }))[0]);

test('initialize: our versions are kept, any other becomes our newest', async () => {
  for (const [asked, given] of [['2025-06-18', '2025-06-18'], ['2025-11-25', '2025-11-25'], ['2024-11-05', '2025-11-25'], ['x', '2025-11-25']]) {
    const { status, json } = await post(rpc('initialize', { protocolVersion: asked, capabilities: {}, clientInfo: { name: 'x', version: '1' } }));
    assert.equal(status, 200);
    assert.equal(json.result.protocolVersion, given);
    assert.deepEqual(json.result.capabilities, { tools: {} });
    assert.equal(typeof json.result.serverInfo.name, 'string');
  }
});

test('ping, notifications, answers, ids', async () => {
  for (const id of [1, -7, 9007199254740993n, 'a "b" </script>', ''])
    assert.equal((await post(`{"jsonrpc":"2.0","method":"ping","id":${typeof id === 'bigint' ? id : JSON.stringify(id)}}`)).body.includes('"result":{}'), true);
  assert.match((await post('{"jsonrpc":"2.0","method":"ping","id":9007199254740993}')).body, /"id":9007199254740993/);
  for (const quiet of [{ jsonrpc: '2.0', method: 'notifications/initialized' }, { jsonrpc: '2.0', method: 'tools/call', params: { name: 'paid' } },
    { jsonrpc: '2.0', id: 1, result: {} }]) {
    const { status, body } = await post(quiet);
    assert.equal(status, 202);
    assert.equal(body, '');
  }
  assert.equal(upstream.hits.length, 0);
});

const REFUSED = [
  ['not JSON', '{', 400, -32700],
  ['nothing', '', 400, -32700],
  ['a key twice', '{"jsonrpc":"2.0","jsonrpc":"2.0"}', 400, -32700],
  ['deep', `${'['.repeat(40)}${']'.repeat(40)}`, 400, -32700],
  ['a batch', [rpc('ping')], 400, -32600],
  ['a text', '"ping"', 400, -32600],
  ['another jsonrpc', { ...rpc('ping'), jsonrpc: '1.0' }, 400, -32600],
  ['no method', { jsonrpc: '2.0', id: 1 }, 400, -32600],
  ['id null', rpc('ping', undefined, null), 400, -32600],
  ['id a fraction', rpc('ping', undefined, 1.5), 400, -32600],
  ['id too long', rpc('ping', undefined, 'x'.repeat(257)), 400, -32600],
  ['unknown method', rpc('resources/list'), 200, -32601],
  ['params a list', rpc('tools/call', []), 200, -32602],
  ['no name', rpc('tools/call', {}), 200, -32602],
  ['arguments a list', rpc('tools/call', { name: 'paid', arguments: [] }), 200, -32602],
  ['_meta a text', rpc('tools/call', { name: 'paid', _meta: 'x' }), 200, -32602],
  ['unknown tool', rpc('tools/call', { name: 'other' }), 200, -32602],
  ['a path as a tool', rpc('tools/call', { name: '/paid' }), 200, -32602],
  ['a required argument is missing', rpc('tools/call', { name: 'v1_search', arguments: {} }), 200, -32602],
  ['an object in a query', rpc('tools/call', { name: 'v1_search', arguments: { q: {} } }), 200, -32602],
  ['a query above 8 KiB', rpc('tools/call', { name: 'v1_search', arguments: { q: 'x'.repeat(9000) } }), 200, -32602],
  ['a text body that is none', rpc('tools/call', { name: 'text', arguments: { body: 1 } }), 200, -32602],
  ['a form that ends itself', rpc('tools/call', { name: 'form', arguments: { a: '--x402-mcp-7e1b0c5f4a93d286--' } }), 200, -32602],
  ['a form with a broken name', rpc('tools/call', { name: 'form', arguments: { 'a"\r\nX: y': '1' } }), 200, -32602],
  ['a cursor', rpc('tools/list', { cursor: 'x' }), 200, -32602],
];
for (const [why, body, status, code] of REFUSED) {
  test(`refused: ${why}`, async () => {
    const response = await post(body);
    assert.equal(response.status, status);
    assert.equal(response.json.error.code, code);
    assert.equal(response.json.jsonrpc, '2.0');
    assert.equal(upstream.hits.length, 0);
    assert.deepEqual(g.till.names(), []);
  });
}

test('refused over HTTP: method, type, version, origin, size', async () => {
  for (const method of ['GET', 'DELETE', 'PUT', 'OPTIONS']) {
    const { status, headers } = await g.http.send('/mcp', { method });
    assert.equal(status, 405, method);
    assert.equal(headers.allow, 'POST');
  }
  const ping = rpc('ping');
  assert.equal((await post(ping, { headers: { 'Content-Type': 'text/plain' } })).status, 415);
  assert.equal((await post(ping, { headers: { 'MCP-Protocol-Version': '1999-01-01' } })).status, 400);
  assert.equal((await post(ping, { headers: { 'MCP-Protocol-Version': '2025-06-18' } })).status, 200);
  assert.equal((await post(ping, { headers: { Origin: 'http://evil.example' } })).status, 403);
  assert.equal((await post(ping, { headers: { Origin: 'null' } })).status, 403);
  assert.equal((await post(ping, { headers: { Origin: g.base } })).status, 200);
  const large = JSON.stringify({ ...ping, params: { x: 'x'.repeat(1_048_600) } });
  assert.equal((await post(large)).status, 413);
  const chunked = await fetch(`${g.base}/mcp`, { method: 'POST', body: new Blob([large]).stream(), duplex: 'half', headers: { 'Content-Type': 'application/json' } });
  assert.equal(chunked.status, 413);
  assert.equal((await chunked.json()).error.code, -32600);
  assert.equal((await post({ ...ping, params: { x: 'x'.repeat(1_000_000) } })).status, 200);
});

test('tools/list: every priced route with a path, named after it, with its schema and price', async () => {
  const { tools } = (await post(rpc('tools/list'))).json.result;
  assert.deepEqual(tools.map((tool) => tool.name),
    ['paid', 'v1_search', 'json', 'text', 'form', 'v1_search_2', 'root', 'variable', 'secret', 'unbuffered', 'file', 'limited']);
  const of = (name) => tools.find((tool) => tool.name === name);
  assert.deepEqual(of('v1_search').inputSchema, SCHEMAS.search.query.schema);
  assert.equal(of('v1_search').title, 'Search');
  assert.equal(of('v1_search').annotations.readOnlyHint, true);
  assert.deepEqual(of('json').inputSchema, SCHEMAS.json.body.schema);
  assert.deepEqual(of('text').inputSchema, { type: 'object', required: ['body'],
    properties: { query: SCHEMAS.text.query.schema, body: { type: 'string' } } });
  assert.deepEqual(of('paid')._meta['x402/price'], { amount: '0.001', currency: 'USDC' });
  assert.deepEqual(of('paid')._meta['x402/accepts'], unbase64((await g.http.send('/paid')).headers['payment-required']).accepts);
  assert.match(of('paid').description, /Costs 0\.001 USDC a call/);
  assert.equal('x402/price' in of('variable')._meta, false);
});

test('numbers go on with the digits that they came with', async () => {
  const numbers = [19.99, 0.1, 123456.789, 0.30000000000000004, 1.7976931348623157e308, 12];
  for (const n of numbers) {
    await call('v1_search', { q: 'x', n }, await pays('/v1/search'));
    const sent = new URL(upstream.hits.at(-1).url, g.base).searchParams.get('n');
    assert.equal(Number(sent), n);
    assert.ok(sent.length <= String(n).length + 3, `${sent} for ${n}`);
  }
  await call('json', { a: [19.99, 0.1] }, await pays('/json'));
  assert.equal(upstream.bodies.at(-1), '{"a":[19.99,0.1]}');
});

test('without a payment: the 402 of the route, as the binding has it', async () => {
  const { status, json } = await call('paid', {});
  assert.equal(status, 200);
  assert.equal(json.result.isError, true);
  assert.equal(json.result.content.length, 1);
  assert.equal(json.result.content[0].type, 'text');
  assert.deepEqual(JSON.parse(json.result.content[0].text), json.result.structuredContent);
  assert.deepEqual(json.result.structuredContent, unbase64((await g.http.send('/paid')).headers['payment-required']));
  assert.equal(json.result.structuredContent.resource.url, `${g.base}/paid`);
  assert.equal(upstream.hits.length, 0);
});

test('with a payment: reserved, asked, captured; the answer and the receipt', async () => {
  const { json } = await call('paid', { a: 'ä &', b: true }, await pays('/paid'));
  assert.equal(json.result.isError, undefined);
  assert.deepEqual(json.result.content, [{ type: 'text', text: '{"answer":42}' }]);
  assert.deepEqual(json.result.structuredContent, { answer: 42 });
  assert.equal(json.result._meta['x402/payment-response'].success, true);
  assert.deepEqual(upstream.hits.map(({ method, url }) => [method, url]), [['GET', '/paid?a=%C3%A4%20%26&b=true']]);
  await g.till.wait('DONE');
  assert.deepEqual(g.till.names(), ['RESERVE', 'CAPTURE', 'STARTED', 'DONE']);
  assert.equal(g.till.frames.find((frame) => frame.name === 'DONE').end, 'complete');
});

test('a tool\'s call has the fingerprint of the same request over HTTP', async () => {
  await call('v1_search', { q: 'x y', n: 3, tag: ['a', 'b'] }, await pays('/v1/search'));
  await g.http.send('/v1/search?q=x%20y&n=3&tag=a&tag=b', { headers: await payment('/v1/search') });
  await call('json', { a: 1.5 }, await pays('/json'));
  await g.http.send('/json', { method: 'POST', body: '{"a":1.5}', headers: await payment('/json') });
  const prints = g.till.frames.filter((frame) => frame.name === 'RESERVE').map((frame) => frame.fingerprint);
  assert.equal(prints.length, 4);
  assert.equal(prints[0], prints[1]);
  assert.equal(prints[2], prints[3]);
  assert.notEqual(prints[0], prints[2]);
  assert.deepEqual(upstream.hits.slice(0, 2).map((hit) => hit.url), Array(2).fill('/v1/search?q=x%20y&n=3&tag=a&tag=b'));
});

test('bodies: text with a query, form', async () => {
  await call('text', { query: { lang: 'de' }, body: 'Grüße\n' }, await pays('/text'));
  await call('form', { a: 'x', b: 2 }, await pays('/form'));
  assert.equal(upstream.bodies[0], 'Grüße\n');
  assert.equal(upstream.hits[0].url, '/text?lang=de');
  const form = await new Response(upstream.bodies[1], { headers: { 'Content-Type': upstream.hits[1].headers['content-type'] } }).formData();
  assert.deepEqual([...form], [['a', 'x'], ['b', '2']]);
});

test('nothing of the client\'s own request gets to the route: headers, payments, query, variables', async () => {
  const header = await payment('/paid', { base: g.base });
  const unpaid = await call('paid', {}, undefined, { ...header, 'X-PAYMENT': 'x', Authorization: 'Payment x' });
  assert.equal(unpaid.json.result.structuredContent.x402Version, 2);
  assert.deepEqual(g.till.names(), []);
  const paid = await call('paid', {}, await pays('/paid'), { ...header, Cookie: 'a=b', Authorization: 'Basic eDp5', Range: 'bytes=0-1',
    'X-Http-Method-Override': 'DELETE', 'X-Forwarded-For': '192.0.2.7', 'Accept-Encoding': 'gzip' });
  assert.deepEqual(paid.json.result.structuredContent, { answer: 42 });
  const { headers } = upstream.hits[0];
  for (const name of ['cookie', 'authorization', 'range', 'x-http-method-override', 'payment-signature', 'content-type', 'origin', 'accept-encoding'])
    assert.equal(headers[name], undefined, name);
  assert.equal(headers['x-forwarded-for'], '192.0.2.7');
  const cheap = await post(rpc('tools/call', { name: 'variable' }), { path: '/mcp?price=0.000001' });
  assert.equal(cheap.json.result.structuredContent.accepts[0].amount, '1000');
});

test('refused payments: the reason and a fresh offer, and no hit', async () => {
  const good = await pays('/paid');
  for (const [why, bad] of [['a text', 'x'], ['null', null], ['a number', 7], ['another version', { ...good, x402Version: 9 }],
    ['too little', await pays('/paid', { change: { value: '999' } })], ['too large', { ...good, x: 'x'.repeat(20_000) }],
    ['no signature', { ...good, payload: { ...good.payload, signature: `0x${'00'.repeat(65)}` } }]]) {
    const { json } = await call('paid', {}, bad);
    assert.equal(json.result.isError, true, why);
    assert.equal(json.result.structuredContent?.x402Version, 2, why);
    assert.equal(typeof json.result.structuredContent.error, 'string');
    assert.equal(json.result._meta, undefined);
  }
  assert.equal(upstream.hits.length, 0);
});

test('what the daemon refuses: used is an offer, "in progress" and "pending" are not', async () => {
  for (const [err, offered] of [[ERR.RESOURCE, true], [ERR.REPLAYED, true], [ERR.FUNDS, true], [ERR.IN_PROGRESS, false], [ERR.PENDING, false], [ERR.BUSY, false]]) {
    g.till.script.RESERVE = () => ({ err });
    const { json } = await call('paid', {}, await pays('/paid'));
    assert.equal(json.result.isError, true);
    assert.equal(json.result.structuredContent !== undefined, offered, String(err));
    assert.equal(json.result._meta, undefined);
  }
  assert.equal(upstream.hits.length, 0);
});

test('a failing upstream is released, and its own payment headers are nobody\'s', async () => {
  for (const status of [404, 500, 402]) {
    g.till.reset();
    upstream.handler = (req, res) => {
      res.writeHead(status, { 'PAYMENT-RESPONSE': 'eyJzdWNjZXNzIjp0cnVlfQ==', 'PAYMENT-REQUIRED': 'eyJ4IjoxfQ==', 'Content-Type': 'text/plain' });
      res.end('no');
    };
    const { json } = await call('paid', {}, await pays('/paid'));
    assert.deepEqual(json.result, { isError: true, content: [{ type: 'text', text: `HTTP ${status}` }, { type: 'text', text: 'no' }] });
    assert.equal(g.till.names().includes('RELEASE'), true);
    assert.equal(g.till.names().includes('CAPTURE'), false);
  }
});

test('no capture, no content', async () => {
  g.till.script.CAPTURE = () => ({ err: ERR.EXPIRED });
  const { json } = await call('paid', {}, await pays('/paid'));
  assert.equal(json.result.isError, true);
  assert.equal(JSON.stringify(json).includes('answer'), false);
});

test('answers of other kinds: bytes, images, nothing, files, unbuffered streams, HTTP/2', async () => {
  const bytes = Buffer.from([0, 255, 128, 10]);
  const as = (type, body = bytes) => { upstream.handler = (req, res) => { res.setHeader('Content-Type', type); res.end(body); }; };
  as('application/octet-stream');
  const [block] = (await call('paid', {}, await pays('/paid'))).json.result.content;
  assert.deepEqual(block, { type: 'resource', resource: { uri: `${g.base}/paid`, mimeType: 'application/octet-stream', blob: bytes.toString('base64') } });
  as('image/png; x=y');
  assert.deepEqual((await call('paid', {}, await pays('/paid'))).json.result.content, [{ type: 'image', data: bytes.toString('base64'), mimeType: 'image/png' }]);
  as('text/plain', Buffer.from('a\u0001\ufffe"\\</script>\xff', 'latin1'));
  assert.equal((await call('paid', {}, await pays('/paid'))).json.result.content[0].type, 'text');
  as('application/json', '[1,2]');
  const list = (await call('paid', {}, await pays('/paid'))).json.result;
  assert.equal(list.structuredContent, undefined);
  assert.equal(list.content[0].text, '[1,2]');
  upstream.handler = (req, res) => { res.statusCode = 204; res.end(); };
  const nothing = (await call('paid', {}, await pays('/paid'))).json.result;
  assert.equal(nothing.isError, undefined);
  assert.equal(nothing._meta['x402/payment-response'].success, true);
  assert.equal((await call('file', {}, await pays('/file'))).json.result.content[0].text, 'from a file\n');
  upstream.handler = (req, res) => {
    res.writeHead(200, { 'Content-Type': 'text/event-stream' });
    let n = 0;
    const timer = setInterval(() => { res.write(`data: ${n}\n\n`); if (++n === 3) { clearInterval(timer); res.end(); } }, 30);
  };
  assert.equal((await call('unbuffered', {}, await pays('/unbuffered'))).json.result.content[0].text, 'data: 0\n\ndata: 1\n\ndata: 2\n\n');
});

test('more than 1 MiB: not charged when the length is told, else good for once more', async () => {
  upstream.handler = (req, res) => { res.setHeader('Content-Length', 1_048_577); res.end('x'.repeat(1_048_577)); };
  const told = (await call('paid', {}, await pays('/paid'))).json.result;
  assert.equal(told.isError, true);
  assert.match(told.content[0].text, /larger than 1 MiB.*Nothing was charged/);
  assert.equal(g.till.names().includes('CAPTURE'), false);
  upstream.handler = (req, res) => { res.write('x'.repeat(600_000)); res.end('x'.repeat(600_000)); };
  for (const path of ['paid', 'unbuffered']) {
    g.till.reset();
    const untold = (await call(path, {}, await pays(`/${path}`))).json.result;
    assert.equal(untold.isError, true);
    assert.match(untold.content[0].text, /with the same payment/);
    assert.equal(untold._meta['x402/payment-response'].success, true);
    await g.till.wait('DONE');
    assert.equal(g.till.frames.find((frame) => frame.name === 'DONE').end, 'server');
  }
  upstream.handler = (req, res) => { res.setHeader('Content-Type', 'text/plain'); res.end('"'.repeat(1_048_576)); };
  assert.equal((await call('paid', {}, await pays('/paid'))).json.result.content[0].text.length, 1_048_576);
});

test('an upstream that breaks off: an error with the receipt, good for once more', async () => {
  upstream.handler = (req, res) => {
    res.writeHead(200, { 'Content-Length': 100, 'Content-Type': 'text/plain' });
    res.write('half');
    setTimeout(() => res.destroy(), 200);
  };
  for (const path of ['paid', 'unbuffered']) {
    g.till.reset();
    const { json } = await call(path, {}, await pays(`/${path}`));
    assert.equal(json.result.isError, true);
    await g.till.wait('DONE');
    assert.equal(g.till.frames.find((frame) => frame.name === 'DONE').end, 'server', path);
  }
});

test('internal locations and limits stay closed to tools', async () => {
  const { json } = await call('secret', {}, await pays('/secret'));
  assert.equal(json.result.isError, true);
  assert.equal(json.result.content[0].text, 'HTTP 404');
  const limited = await call('limited', {}, await pays('/limited'));
  assert.equal(limited.json.result.content[0].text, 'HTTP 403');
  assert.equal(upstream.hits.length, 0);
});

test('one connection, many calls: keep-alive holds', async () => {
  for (let i = 0; i < 20; i += 1) {
    const paid = i % 2 === 1;
    const { json } = await call('paid', { i }, paid ? await pays('/paid') : undefined);
    assert.equal(json.result.isError, paid ? undefined : true);
  }
  assert.equal(upstream.hits.length, 10);
});

test('mcp.json points to the endpoint', async () => {
  const mcp = JSON.parse((await g.http.send('/.well-known/mcp.json')).body);
  assert.deepEqual(mcp.remotes, [{ type: 'streamable-http', url: `${g.base}/mcp` }]);
  assert.equal(mcp.mcp_endpoint, `${g.base}/mcp`);
});

test('nginx\'s own limits hold for the endpoint: an answer that no upstream saw', async () => {
  const limited = await startGateway((folder) => ({
    http: 'limit_req_zone $binary_remote_addr zone=tools:1m rate=1r/m; limit_req_status 429;',
    server: `${priced('= /paid', upstream)} location = /mcp { x402_mcp on; limit_req zone=tools; }`,
  }));
  try {
    const answers = [];
    for (let i = 0; i < 3; i += 1)
      answers.push((await limited.http.send('/mcp', { method: 'POST', body: JSON.stringify(rpc('ping')),
        headers: { 'Content-Type': 'application/json', Accept: 'application/json' } })).status);
    assert.deepEqual(answers, [200, 429, 429]);
    assert.equal(upstream.hits.length, 0);
  } finally {
    await limited.stop();
  }
});

test('the daemon is away: a call is an error that is not charged, and lists go on', async () => {
  const credential = await pays('/paid');
  await g.till.close();
  const { status, json } = await call('paid', {}, credential);
  assert.equal(status, 200, 'JSON-RPC has its own errors');
  assert.equal(json.result.isError, true);
  assert.match(json.result.content[0].text, /503/);
  assert.equal(json.result._meta, undefined);
  assert.equal(upstream.hits.length, 0);
  assert.ok((await post(rpc('tools/list'))).json.result.tools.length > 0);
  assert.equal((await call('paid', {})).json.result.structuredContent.x402Version, 2, 'what it costs is known without it');
  await g.till.listen();
});

for (const [why, server, text] of [
  ['priced', (up) => `${priced('= /a', up)} location = /mcp { x402 on; x402_price 1 USDC; x402_mcp on; }`, /is priced/],
  ['nothing to offer', () => 'location = /mcp { x402_mcp on; }', /nothing to offer/],
  ['two', (up) => `${priced('= /a', up)} location = /mcp { x402_mcp on; } location = /m { x402_mcp on; }`, /second one/],
  ['a pattern', (up) => `${priced('= /a', up)} location ~ /mcp { x402_mcp on; }`, /has no path/],
  ['proxied', (up) => `${priced('= /a', up)} location = /mcp { x402_mcp on; proxy_pass http://127.0.0.1:1; }`, /another directive/],
  ['in a server', () => 'x402_mcp on;', /not allowed here/],
]) {
  test(`nginx -t refuses x402_mcp: ${why}`, async () => {
    const { ok, text: said } = await testConf({ server: server(upstream) });
    assert.equal(ok, false);
    assert.match(said, text);
  });
}
