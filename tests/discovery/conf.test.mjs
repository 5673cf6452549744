// SPDX-License-Identifier: Apache-2.0
// Discovery's directives: what nginx -t says, and that the documents follow the
// configuration.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { unbase64 } from '../harness/payment.mjs';
import { priced, startGateway, startUpstream, testConf } from '../gateway/harness.mjs';

const upstream = { port: 9 };
const dir = mkdtempSync(join(tmpdir(), 'x402-schema-'));
after(() => rmSync(dir, { recursive: true, force: true }));

function schema(text) {
  const file = join(dir, `${Math.random().toString(36).slice(2)}.json`);
  writeFileSync(file, typeof text === 'string' ? text : JSON.stringify(text));
  return `x402_schema ${file};`;
}

const REFUSED = [
  ['nothing to list', 'x402_discovery on;', '', /no priced location with a path/],
  ['unknown key', 'x402_service nmae x;', priced('/a', upstream), /"nmae" is none of name/],
  ['key twice', 'x402_service name x; x402_service name y;', priced('/a', upstream), /is duplicate/],
  ['empty text', 'x402_service name "";', priced('/a', upstream), /empty text/],
  ['no such file', '', priced('/a', upstream, 'x402_schema /nowhere/x.json;'), /open\(\) "\/nowhere\/x.json" failed/],
  ['not JSON', '', priced('/a', upstream, schema('{')), /not well-formed JSON/],
  ['a wrong member', '', priced('/a', upstream, schema({ outptu: {} })), /unknown member "outptu"/],
  ['a $ref to elsewhere', '', priced('/a', upstream, schema({ output: { schema: { $ref: 'file:///etc/passwd' } } })), /\$ref must begin with '#'/],
];

test('nginx -t refuses, and says what', async () => {
  for (const [why, server, location, text] of REFUSED) {
    const said = await testConf({ server: `${server} ${location}` });
    assert.equal(said.ok, false, why);
    assert.match(said.text, text, why);
  }
});

test('a schema too large for a payment to echo stays in the documents', async () => {
  const wide = { output: { schema: { properties: Object.fromEntries([...Array(300).keys()].map((i) => [`property${i}`, { type: 'string' }])) } } };
  const g = await startGateway({ server: `x402_discovery on; ${priced('/wide', upstream, schema(wide))}` });
  try {
    assert.match(g.output + g.log(), /stands in the documents and not in the 402/);
    const res = await g.http.send('/wide');
    assert.equal(unbase64(res.headers['payment-required']).extensions, undefined);
    const openapi = JSON.parse((await g.http.send('/openapi.json')).body);
    assert.equal(Object.keys(openapi.paths['/wide'].get.responses['200'].content['application/json'].schema.properties).length, 300);
  } finally {
    await g.stop();
  }
});

test('off: no document, no extension; the location\'s own answer', async () => {
  const real = await startUpstream();
  const g = await startGateway({ server: `${priced('/a', real)} location / { proxy_pass http://127.0.0.1:${real.port}; }` });
  try {
    assert.equal((await g.http.send('/openapi.json')).body, 'content\n');
    assert.equal(unbase64((await g.http.send('/a')).headers['payment-required']).extensions, undefined);
  } finally {
    await g.stop();
    await real.close();
  }
});

test('documents follow a reload, need no ai-plugin, skip what has no path or is not charged', async () => {
  const server = (price) => ({ server: `x402_discovery on; location / { return 404; } ${priced('/a', upstream, '', price)}
    ${priced('~ ^/re', upstream)} location /watched { x402 observe; x402_price 1 USDC; proxy_pass http://127.0.0.1:9; }
    ${priced('/varies', upstream, '', '$arg_p')}` });
  const g = await startGateway(server('0.25'));
  const prices = async () => Object.fromEntries(JSON.parse((await g.http.send('/.well-known/x402-manifest.json')).body)
    .endpoints.map((entry) => [entry.path, entry.price ?? entry.pricing]));
  try {
    assert.deepEqual(await prices(), { '/a': '0.25', '/varies': 'dynamic' });
    assert.equal((await g.http.send('/.well-known/ai-plugin.json')).status, 404);
    await g.reload(server('0.5'));
    assert.deepEqual(await prices(), { '/a': '0.50', '/varies': 'dynamic' });
  } finally {
    await g.stop();
  }
});
