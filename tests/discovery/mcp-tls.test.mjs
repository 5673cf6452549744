// SPDX-License-Identifier: Apache-2.0
// The MCP endpoint over TLS, by HTTP/1.1 and HTTP/2, with the SDK as a client
// that checks what each tool's outputSchema promises.  Witnesses: the node's
// balances, and the protocol that TLS agreed on.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { request } from 'node:https';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { x402Client } from '@x402/core/client';
import { PaymentRequiredV2Schema } from '@x402/core/schemas';
import { ExactEvmScheme } from '@x402/evm';
import { account } from '../../devnet/accounts.mjs';
import { NETWORK } from '../../devnet/chain.mjs';
import { ROUTES } from '../../devnet/gateway.mjs';
import { freePorts } from '../../devnet/ports.mjs';
import { certificate } from '../client/certificates.mjs';
import { freshDir } from '../facilitator/daemon.mjs';
import { useStack } from '../harness/stack.mjs';
import { until } from '../harness/witness.mjs';

const { tls: port } = await freePorts(16400, ['tls']);
const dir = freshDir();
const made = certificate('127.0.0.1');
const ca = readFileSync(made.file);
const write = (name, text) => { writeFileSync(join(dir, name), text); return join(dir, name); };
const promises = (name, schema) => write(name, JSON.stringify({ output: { schema } }));
const world = useStack({ conf: {
  server: `
    listen 127.0.0.1:${port} ssl http2;
    ssl_certificate ${write('cert.pem', made.cert)};
    ssl_certificate_key ${write('key.pem', made.key)};`,
  routes: [...ROUTES,
    { path: '/liar', to: '/paid', price: '0.001', more: [`x402_schema ${promises('liar.json', { type: 'object', required: ['nothing'] })};`] },
    { path: '/texty', to: '/stream', price: '0.001', more: [`x402_schema ${promises('texty.json', { type: 'object' })};`] },
  ],
} });

const payer = account(5);
const wallet = new x402Client().register(NETWORK, new ExactEvmScheme(payer));
const spoken = new Set();

/* The SDK takes any fetch; these two say which protocol they speak. */
const answer = (status, headers, body) => new Response([202, 204, 405].includes(status) ? null : Readable.toWeb(body), { status, headers });
const fetch1 = (url, { method = 'GET', headers, body } = {}) => new Promise((resolve, reject) => {
  const req = request(url, { method, ca, headers: Object.fromEntries(new Headers(headers)), ALPNProtocols: ['http/1.1'] }, (res) => {
    spoken.add(`HTTP/${res.httpVersion}`);
    resolve(answer(res.statusCode, Object.entries(res.headers).map(([k, v]) => [k, String(v)]), res));
  });
  req.once('error', reject);
  req.end(body);
});

let session;
after(() => session?.close());
const fetch2 = (url, { method = 'GET', headers, body } = {}) => new Promise((resolve, reject) => {
  session ??= connect(`https://127.0.0.1:${port}`, { ca });
  const stream = session.request({ ...Object.fromEntries(new Headers(headers)), ':method': method, ':path': new URL(url).pathname });
  stream.once('error', reject);
  stream.once('response', (got) => {
    spoken.add(session.alpnProtocol);
    resolve(answer(got[':status'], Object.entries(got).filter(([k]) => !k.startsWith(':')).map(([k, v]) => [k, String(v)]), stream));
  });
  stream.end(body);
});

async function open(fetch) {
  const mcp = new Client({ name: 'tests', version: '1.0.0' });
  await mcp.connect(new StreamableHTTPClientTransport(new URL(`https://127.0.0.1:${port}/mcp`), { fetch }));
  return mcp;
}

const call = (mcp, name, payment) => mcp.callTool({ name, arguments: {}, ...(payment && { _meta: { 'x402/payment': payment } }) });
const sign = async (mcp, name) => wallet.createPaymentPayload((await call(mcp, name)).structuredContent);
const earned = (before, sum) => until('settled', 20_000, async () => await world.witness.payee() - before, (got) => got >= sum);

for (const [name, fetch, protocol] of [['HTTP/1.1', fetch1, 'HTTP/1.1'], ['HTTP/2', fetch2, 'h2']]) {
  test(`over TLS and ${name}: listed, refused without a payment, paid, answered as promised`, async () => {
    spoken.clear();
    const mcp = await open(fetch);
    const { tools } = await mcp.listTools();
    const paid = tools.find((tool) => tool.name === 'paid');
    assert.deepEqual(paid.outputSchema.anyOf[0].required, ['path']);
    assert.equal(tools.find((tool) => tool.name === 'flaky').outputSchema, undefined, 'nothing is promised without a schema');
    const unpaid = await call(mcp, 'paid');
    assert.equal(unpaid.isError, true);
    assert.equal(PaymentRequiredV2Schema.safeParse(unpaid.structuredContent).success, true);
    const before = await world.witness.payee();
    const result = await call(mcp, 'paid', await sign(mcp, 'paid'));
    assert.deepEqual(result.structuredContent, { path: '/paid', answer: 42 });
    assert.equal(result._meta['x402/payment-response'].success, true);
    assert.equal(await earned(before, 1000n), 1000n);
    assert.deepEqual([...spoken], [protocol]);
    await mcp.close();
  });
}

test('calls at once on one HTTP/2 connection: each has its own answer', async () => {
  const mcp = await open(fetch2);
  await mcp.listTools();
  const before = await world.witness.payee();
  const payments = [];
  for (let i = 0; i < 8; i += 1)
    payments.push(await sign(mcp, 'paid'));
  const results = await Promise.all([...payments.map((one) => call(mcp, 'paid', one)), ...Array.from({ length: 8 }, () => call(mcp, 'dear'))]);
  assert.deepEqual(results.map(({ isError }) => Boolean(isError)), [...Array(8).fill(false), ...Array(8).fill(true)]);
  for (const { structuredContent } of results.slice(0, 8))
    assert.deepEqual(structuredContent, { path: '/paid', answer: 42 });
  for (const { structuredContent } of results.slice(8))
    assert.equal(structuredContent.accepts[0].amount, '5000000');
  assert.equal(await earned(before, 8000n), 8000n);
  await mcp.close();
});

test('an answer that is not what its outputSchema promises', async () => {
  const mcp = await open(fetch2);
  await mcp.listTools();
  await assert.rejects(async () => call(mcp, 'liar', await sign(mcp, 'liar')), /does not match the tool's output schema/,
    'an object of another shape: the client says so');
  const result = await call(mcp, 'texty', await sign(mcp, 'texty'));
  assert.equal(result.isError, true, 'no object at all');
  assert.match(result.content[0].text, /outputSchema/);
  assert.match(result.content[1].text, /data: /, 'what was bought is there');
  assert.equal(result._meta['x402/payment-response'].success, true);
  await mcp.close();
});
