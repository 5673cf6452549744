// SPDX-License-Identifier: Apache-2.0
// What the client asks a node: balances, and whether a payment is void.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PAYER, USDC, deliver, entry, newUser, now, serve, shop } from './harness.mjs';

const word = (value) => `0x${BigInt(value).toString(16).padStart(64, '0')}`;
const quantity = (value) => `0x${value.toString(16)}`;

/** A node whose answers are functions of the parameters. */
function node(answers, { chain = 84532 } = {}) {
  const all = { eth_chainId: () => quantity(chain), ...answers };
  return serve((request, response, seen) => {
    const { id, method, params } = JSON.parse(seen.body);
    const result = all[method]?.(...params);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(result === undefined
      ? { jsonrpc: '2.0', id, error: { code: -32601, message: '\u001b[31mno' } } : { jsonrpc: '2.0', id, result }));
  });
}

const balances = (amount) => node({
  eth_call: ({ to, data }, block) => {
    assert.equal(to, USDC);
    assert.equal(block, 'latest');
    assert.equal(data, `0x70a08231${'0'.repeat(24)}${PAYER.slice(2).toLowerCase()}`);
    return word(amount);
  },
});

test('wallet balance: in human units, of our own table\'s tokens', async () => {
  const user = newUser();
  const rpc = await balances(12_345_678n);
  const args = ['wallet', 'balance', '--key-file', user.keyFile, '--network', 'base-sepolia', '--rpc', rpc.url];
  assert.equal((await user.run(args)).out, '12.345678 USDC on Base Sepolia\n');
  assert.deepEqual(JSON.parse((await user.run([...args, '--json'])).out),
    { network: 'eip155:84532', symbol: 'USDC', asset: USDC, decimals: 6, amount: '12345678' });
  const rich = await balances(2n ** 256n - 1n);
  assert.match((await user.run([...args.slice(0, -1), rich.url])).out, /^\d{72}\.\d{6} USDC/);
});

test('the node can stand in the configuration', async () => {
  const rpc = await balances(1_000_000n);
  const user = newUser({ config: `rpc.base-sepolia = ${rpc.url}\n` });
  assert.equal((await user.run(['wallet', 'balance', '--key-file', user.keyFile])).out, '1 USDC on Base Sepolia\n');
});

test('a node that is none, of another network, of another machine without TLS, or missing', async () => {
  const user = newUser();
  const run = (url, network = 'base-sepolia') =>
    user.run(['wallet', 'balance', '--key-file', user.keyFile, '--network', network, '--rpc', url]);
  for (const bad of [
    await node({ eth_call: () => word(1) }, { chain: 1 }),
    await node({}),
    await node({ eth_call: () => '0x' }),
    await node({ eth_call: () => `${word(1)}00` }),
    await node({ eth_call: () => ({}) }),
    await serve((request, response) => response.end('hello')),
    await serve((request, response) => { response.writeHead(500); response.end('{}'); }),
    await serve((request, response) => response.end(JSON.stringify({ result: 'x'.repeat(100_000) }))),
  ]) {
    const end = await run(bad.url);
    assert.notEqual(end.code, 0);
    assert.equal(end.out, '');
    assert.doesNotMatch(end.err, /\u001b/);
  }
  assert.notEqual((await run('http://rpc.example.com/')).code, 0);
  assert.equal((await user.run(['wallet', 'balance', '--key-file', user.keyFile])).code, 2);
});

test('an RPC URL with a key in it is not shown', async () => {
  const user = newUser();
  const bad = await node({}, { chain: 1 });
  const end = await user.run(['wallet', 'balance', '--key-file', user.keyFile, '--network', 'base-sepolia', '--rpc', `${bad.url}/v2/sesame`]);
  assert.notEqual(end.code, 0);
  assert.doesNotMatch(end.err, /sesame/);
});

test('payments --check: void only with proof, and then it counts no more', async () => {
  let state = { time: 0, used: false };
  const asked = [];
  const rpc = await node({
    eth_getBlockByNumber: (block, full) => {
      assert.deepEqual([block, full], ['finalized', false]);
      return { number: '0x10', timestamp: quantity(state.time) };
    },
    eth_call: ({ to, data }, block) => {
      asked.push({ to, data, block });
      return word(state.used ? 1 : 0);
    },
  });
  const user = newUser({ config: `budget = 0.02/day\nrpc.base-sepolia = ${rpc.url}\n` });
  const server = await shop({ accepts: [entry({ amount: '20000', maxTimeoutSeconds: 1 })], afterwards: (response) => response.socket.destroy() });
  assert.equal((await user.get(['--retry', '0', server.url])).code, 105);
  const { validBefore, nonce } = (await user.payments())[0];
  const check = async (time, used) => {
    state = { time, used };
    const end = await user.run(['payments', '--check']);
    assert.equal(end.code, 0, end.err);
    return (await user.payments())[0].state;
  };
  await new Promise((resolve) => { setTimeout(resolve, (validBefore + 1 - now()) * 1000 + 100); });
  assert.equal(await check(validBefore - 1, false), 'unknown', 'not yet over in a final block');
  assert.equal(await check(validBefore, true), 'unknown', 'it was used');
  assert.equal((await user.get([`${server.url}/b`])).code, 103, 'still counted');
  assert.equal(await check(validBefore, false), 'void');
  assert.deepEqual(asked.at(-1), {
    to: USDC, block: '0x10', data: `0xe94a0102${'0'.repeat(24)}${PAYER.slice(2).toLowerCase()}${nonce.slice(2)}`,
  });
  const honest = await shop({ accepts: [entry({ amount: '20000' })] });
  assert.equal((await user.get([honest.url])).code, 0, 'the budget is free again');
});

test('payments --check: what Permit2 moved is in Permit2\'s nonces, not the token\'s', async () => {
  const PERMIT2 = '0x000000000022D473030F116dDEE9F6B43aC78BA3';
  let state = { time: 0, bits: 0n };
  const asked = [];
  const rpc = await node({
    eth_getBlockByNumber: () => ({ number: '0x10', timestamp: quantity(state.time) }),
    eth_call: ({ to, data }) => {
      asked.push({ to, data });
      return word(to === PERMIT2 ? state.bits : 0);
    },
  });
  const user = newUser({ config: `budget = 0.02/day\nrpc.base-sepolia = ${rpc.url}\n` });
  const server = await shop({
    accepts: [entry({ amount: '20000', maxTimeoutSeconds: 1, extra: { name: 'USDC', version: '2', assetTransferMethod: 'permit2' } })],
    afterwards: (response) => response.socket.destroy(),
  });
  assert.equal((await user.get(['--retry', '0', server.url])).code, 105);
  const { validBefore, nonce } = (await user.payments())[0];
  const bit = 1n << (BigInt(nonce) & 255n);
  const check = async (time, bits) => {
    state = { time, bits };
    const end = await user.run(['payments', '--check']);
    assert.equal(end.code, 0, end.err);
    return (await user.payments())[0].state;
  };
  await new Promise((resolve) => { setTimeout(resolve, (validBefore + 1 - now()) * 1000 + 100); });
  assert.equal(await check(validBefore + 1, bit), 'unknown', 'it was used');
  assert.equal((await user.get([`${server.url}/b`])).code, 103, 'still counted');
  assert.equal(await check(validBefore, 0n), 'unknown', 'its last second is not over');
  assert.equal(await check(validBefore + 1, (1n << 256n) - 1n - bit), 'void', 'the neighbours are used');
  assert.deepEqual(asked.at(-1), {
    to: PERMIT2,
    data: `0x4fe02b44${'0'.repeat(24)}${PAYER.slice(2).toLowerCase()}${(BigInt(nonce) >> 8n).toString(16).padStart(64, '0')}`,
  });
});

test('payments --check leaves alone what is done, and what is alive', async () => {
  const rpc = await node({
    eth_getBlockByNumber: () => ({ number: '0x1', timestamp: quantity(now() + 1e6) }),
    eth_call: () => word(0),
  });
  const user = newUser({ config: `rpc.base-sepolia = ${rpc.url}\n` });
  const server = await shop({ accepts: [entry({ maxTimeoutSeconds: 2 })], afterwards: (response, seen) => deliver(response, seen) });
  assert.equal((await user.get([server.url])).code, 0);
  await new Promise((resolve) => { setTimeout(resolve, 3100); });
  assert.equal((await user.run(['payments', '--check'])).out, '');
  assert.equal((await user.payments())[0].state, 'done');
});
