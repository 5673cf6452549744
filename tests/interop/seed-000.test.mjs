// SPDX-License-Identifier: Apache-2.0
// The first of the two documents that this project implements, section by
// section, its sentences quoted.  Its example goes through as printed, with a
// real payee, on Base Sepolia, whose token really is named "USDC".
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PAYEE, accounts } from '../../devnet/accounts.mjs';
import { USDC } from '../../devnet/chain.mjs';
import { ROUTES } from '../../devnet/gateway.mjs';
import { PROGRAMS } from '../../devnet/paths.mjs';
import { authorize, base64, unbase64 } from '../harness/payment.mjs';
import { useStack } from '../harness/stack.mjs';
import { until } from '../harness/witness.mjs';

const PATH = '/api/v1/chat/completions';
const PAY_TO = accounts[PAYEE].address;
const printed = [
  'x402_base_url https://true402.dev;',
  'x402_facilitator_url https://open.x402.host;',
  'x402_timeout 60;',
];
const world = useStack({
  conf: {
    routes: [
      ...ROUTES,
      { path: PATH, price: '0.000495', more: printed, to: '/v1/chat/completions' },
      { path: '/mainnet', price: '0.000495', more: [...printed, `x402_pay_to eip155:8453 ${PAY_TO};`], to: '/paid' },
    ],
  },
});

const chat = JSON.stringify({ messages: [{ role: 'user', content: 'hi' }] });
const post = (headers = {}) => world.get(PATH, { 'content-type': 'application/json', ...headers }, { method: 'POST', body: chat });

test('§01 the handshake: seven steps, two round-trips', async () => {
  const { witness, payer, stack } = world;
  const had = await witness.payee();

  // 01 Agent sends a request with no payment.
  // 02 Service returns 402 with payment requirements (EVM and/or Lightning).
  const refused = await post();
  assert.equal(refused.status, 402);
  const required = JSON.parse(refused.body);

  // 03 Agent signs the payment with its wallet (USDC EIP-3009).
  const [accept] = required.accepts;
  const domain = {
    name: accept.extra.name,
    version: accept.extra.version,
    chainId: Number(accept.network.split(':')[1]),
    verifyingContract: accept.asset,
  };
  const payload = await authorize(payer, accept, {}, domain);

  // 07 Settlement happens asynchronously — the response never waits on it.
  await stack.rpc.call('evm_setAutomine', false); // so nothing can be mined

  // 04 Agent retries with the X-PAYMENT header.
  const header = base64({ x402Version: 2, scheme: accept.scheme, network: accept.network, payload });
  const response = await post({ 'X-PAYMENT': header });

  // 05 Service verifies via the facilitator (EVM) or LND (Lightning).
  // 06 Service processes the request and responds.
  assert.equal(response.status, 200);
  assert.equal(JSON.parse(response.body).choices[0].message.content, 'You said: hi');
  const receipt = unbase64(response.headers['x-payment-response']);
  assert.equal(receipt.success, true);
  assert.equal(receipt.transaction, '', 'no transaction is invented before there is one');
  assert.equal(await witness.payee(), had);

  await stack.rpc.call('evm_setAutomine', true);
  await stack.rpc.mine(1);
  await until('settlement', 10_000, () => witness.used(payer, payload.authorization.nonce));
  assert.equal(await witness.payee() - had, 495n);
});

test('§02 anatomy of a 402: everything needed to pay', async () => {
  const response = await post();
  assert.equal(response.status, 402);
  assert.match(response.headers['content-type'], /^application\/json/);
  const body = JSON.parse(response.body);

  // the example as printed: every member that is in it, with its value
  assert.equal(body.x402Version, 2);
  assert.equal(body.error, 'Payment required to access this resource');
  const [accept] = body.accepts;
  assert.equal(accept.scheme, 'exact');
  assert.equal(accept.network, 'eip155:84532'); // 84532 = Sepolia
  assert.equal(accept.maxAmountRequired, '495'); // atomic USDC, 6 decimals
  assert.equal(accept.asset, USDC);
  assert.equal(accept.payTo, PAY_TO);
  assert.equal(accept.facilitatorUrl, 'https://open.x402.host');
  assert.equal(accept.maxTimeoutSeconds, 60);
  assert.deepEqual(accept.resource, { url: 'https://true402.dev/api/v1/chat/completions', method: 'POST' });
  assert.deepEqual(accept.extra, { name: 'USDC', version: '2' }); // EIP-712 domain

  // and what makes it valid x402 v2 as well
  assert.equal(accept.amount, '495');
  assert.equal(body.resource.url, 'https://true402.dev/api/v1/chat/completions');
});

test('§03 the rails: on Base the token is named as it is, not as printed', async () => {
  // "Networks: eip155:8453 (Base mainnet), eip155:84532 (Base Sepolia)."
  const body = JSON.parse((await world.get('/mainnet')).body);
  const [accept] = body.accepts;
  assert.equal(accept.network, 'eip155:8453');
  assert.equal(accept.asset, '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913');
  // The print's "USDC" would be a domain that Base's token refuses.
  assert.deepEqual(accept.extra, { name: 'USD Coin', version: '2' });
});

function x402dCheck(text) {
  const dir = mkdtempSync(join(tmpdir(), 'x402-check-'));
  const file = join(dir, 'x402d.yaml');
  writeFileSync(file, text);
  return new Promise((resolve) => {
    execFile(PROGRAMS.x402d, ['check', file], (error, stdout, stderr) => {
      rmSync(dir, { recursive: true });
      resolve({ code: error ? error.code : 0, said: stdout + stderr, file });
    });
  });
}

test('§03 a configuration with the printed name on Base is refused, with file and line', async () => {
  const config = (name) => [
    'ledger: ledger.db',
    'http: {listen: "127.0.0.1:4022"}',
    'payees:',
    `  - {network: eip155:8453, address: "${PAY_TO}"}`,
    'networks:',
    '  - network: eip155:8453',
    '    rpc: ["http://127.0.0.1:1"]',
    '    assets:',
    `      - {symbol: USDC, address: "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", name: ${name}, version: "2"}`,
    '',
  ].join('\n');
  const good = await x402dCheck(config('USD Coin'));
  assert.equal(good.code, 0, good.said);
  const bad = await x402dCheck(config('USDC'));
  assert.notEqual(bad.code, 0);
  assert.ok(bad.said.includes(`${bad.file}:9`), bad.said);
  assert.match(bad.said, /USD Coin/);
});

test('EVM: "the payer signs, the facilitator submits. Receiving is keyless."', async () => {
  // The payee's key is nowhere in the configuration, and it paid no gas.
  const { stack } = world;
  assert.equal(BigInt(await stack.rpc.call('eth_getTransactionCount', PAY_TO, 'latest')), 0n);
});
