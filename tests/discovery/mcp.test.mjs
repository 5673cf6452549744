// SPDX-License-Identifier: Apache-2.0
// An MCP client that others wrote (@modelcontextprotocol/sdk) lists the demo's
// routes as tools and pays for calls with @x402/core.  Witnesses: the node's
// balances, the upstream's counter.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { x402Client } from '@x402/core/client';
import { PaymentRequiredV2Schema } from '@x402/core/schemas';
import { ExactEvmScheme } from '@x402/evm';
import { ROUTES } from '../../devnet/gateway.mjs';
import { account } from '../../devnet/accounts.mjs';
import { NETWORK } from '../../devnet/chain.mjs';
import { useStack } from '../harness/stack.mjs';
import { until } from '../harness/witness.mjs';

const payer = account(4);
const mcp = new Client({ name: 'tests', version: '1.0.0' });
const wallet = new x402Client().register(NETWORK, new ExactEvmScheme(payer));

const world = useStack({}, {
  ready: async ({ stack }) => {
    const { mcp_endpoint: endpoint } = await (await fetch(`${stack.url('gateway')}/.well-known/mcp.json`)).json();
    await mcp.connect(new StreamableHTTPClientTransport(new URL(endpoint)));
  },
  done: () => mcp.close(),
});

const call = (name, args, payment) =>
  mcp.callTool({ name, arguments: args, ...(payment && { _meta: { 'x402/payment': payment } }) });
const sign = async (name, args) => wallet.createPaymentPayload((await call(name, args)).structuredContent);
const hits = (path) => world.witness.hits(path);

/* What moved from the payer while act ran, once `moved` of it has. */
async function moves(moved, act) {
  const { witness } = world;
  const before = { payer: await witness.balance(payer.address), payee: await witness.payee() };
  const result = await act();
  await until('settlement', 10_000, async () => await witness.payee() - before.payee, (sum) => sum >= moved);
  assert.equal(before.payer - await witness.balance(payer.address), moved);
  assert.equal(await witness.payee() - before.payee, moved);
  return result;
}

test('the client agrees on a version and lists every priced route', async () => {
  assert.equal(mcp.getServerVersion().name, 'x402 demo');
  await mcp.ping();
  const { tools } = await mcp.listTools();
  assert.deepEqual(tools.map((tool) => tool._meta['x402/url']).sort(),
    ROUTES.map(({ path }) => `${world.stack.url('gateway')}${path}`).sort());
  for (const tool of tools) {
    assert.match(tool.name, /^[A-Za-z0-9_]{1,64}$/);
    assert.equal(tool.inputSchema.type, 'object');
  }
});

test('a call without payment: PaymentRequired, and nothing moves', async () => {
  const before = await hits('/paid');
  const result = await call('paid', {});
  assert.equal(result.isError, true);
  assert.equal(PaymentRequiredV2Schema.safeParse(result.structuredContent).success, true);
  assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent);
  assert.equal(await hits('/paid'), before);
});

test('paid with @x402/core: the answer, the receipt, exactly the price; a replay buys nothing', async () => {
  const before = await hits('/paid');
  const payment = await sign('paid', {});
  const result = await moves(1000n, () => call('paid', {}, payment));
  assert.equal(result.isError, undefined);
  assert.deepEqual(result.structuredContent, { path: '/paid', answer: 42 });
  const receipt = result._meta['x402/payment-response'];
  assert.equal(receipt.success, true);
  assert.equal(receipt.network, NETWORK);
  assert.equal(receipt.payer.toLowerCase(), payer.address.toLowerCase());
  await moves(0n, async () => {
    for (const [name, args] of [['paid', {}], ['paid_v1', {}], ['paid', { other: 1 }]]) {
      const replay = await call(name, args, payment);
      assert.equal(replay.isError, true, name);
      assert.equal(replay._meta, undefined, name);
    }
    const overHttp = await fetch(`${world.stack.url('gateway')}/paid`, { headers: {
      'PAYMENT-SIGNATURE': Buffer.from(JSON.stringify(payment)).toString('base64') } });
    assert.equal(overHttp.status, 402);
  });
  assert.equal(await hits('/paid'), before + 1);
});

test('calls at once with one payment: one answer', async () => {
  const before = await hits('/paid');
  const payment = await sign('paid', {});
  const results = await moves(1000n, () => Promise.all(Array.from({ length: 12 }, () => call('paid', {}, payment))));
  assert.equal(results.filter((result) => !result.isError).length, 1);
  assert.equal(await hits('/paid'), before + 1);
});

test('a tool with a body', async () => {
  const args = { model: 'parrot', messages: [{ role: 'user', content: 'hello' }] };
  const payment = await sign('v1_chat_completions', args);
  const result = await moves(495n, () => call('v1_chat_completions', args, payment));
  assert.equal(result.structuredContent.choices[0].message.content, 'You said: hello');
});

test('wrong payments buy nothing: too cheap a tool\'s, tampered, of another payee', async () => {
  const cheap = await sign('v1_chat_completions', { messages: [] });
  const good = await sign('paid', {});
  const wrong = [
    cheap,
    { ...good, payload: { ...good.payload, authorization: { ...good.payload.authorization, value: '1001' } } },
    { ...good, accepted: { ...good.accepted, payTo: payer.address },
      payload: { ...good.payload, authorization: { ...good.payload.authorization, to: payer.address } } },
    { ...good, payload: { ...good.payload, signature: `0x${'11'.repeat(65)}` } },
  ];
  const before = await hits('/paid');
  await moves(0n, async () => {
    for (const payment of wrong) {
      const result = await call('paid', {}, payment);
      assert.equal(result.isError, true);
      assert.equal(typeof result.structuredContent.error, 'string');
    }
  });
  assert.equal(await hits('/paid'), before);
});

test('an upstream that fails is not charged', async () => {
  const payment = await sign('fail', {});
  const result = await moves(0n, () => call('fail', {}, payment));
  assert.equal(result.isError, true);
  assert.equal(result.content[0].text, 'HTTP 500');
  assert.equal(result._meta, undefined);
});

test('settled before it is answered: the receipt has the transaction', async () => {
  const payment = await sign('strict', {});
  const result = await moves(1000n, () => call('strict', {}, payment));
  assert.match(result._meta['x402/payment-response'].transaction, /^0x[0-9a-f]{64}$/);
});

test('unknown tools are errors of the protocol', async () => {
  await assert.rejects(() => call('nothing_like_it', {}), { code: -32602 });
});
