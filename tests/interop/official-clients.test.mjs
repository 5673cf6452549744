// SPDX-License-Identifier: Apache-2.0
// The official clients, unchanged, from npm, pay our gateway.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExactEvmScheme } from '@x402/evm';
import { decodePaymentResponseHeader, wrapFetchWithPaymentFromConfig } from '@x402/fetch';
import { createWalletClient, http } from 'viem';
import { baseSepolia } from 'viem/chains';
import { wrapFetchWithPayment as wrapLegacy } from 'x402-fetch';
import { account } from '../../devnet/accounts.mjs';
import { NETWORK } from '../../devnet/chain.mjs';
import { useStack } from '../harness/stack.mjs';
import { until } from '../harness/witness.mjs';

const world = useStack();
const url = (path) => `${world.stack.url('gateway')}${path}`;

const official = (payer) => wrapFetchWithPaymentFromConfig(fetch, {
  schemes: [{ network: NETWORK, client: new ExactEvmScheme(payer) }],
});

/* The answer came; the money follows: exactly the price, from payer to payee. */
async function movesExactly(price, payer, act) {
  const { witness } = world;
  const before = { payer: await witness.balance(payer.address), payee: await witness.payee() };
  const result = await act();
  await until('settlement', 10_000, async () => await witness.payee() - before.payee, (moved) => moved >= price);
  assert.equal(await witness.payee() - before.payee, price);
  assert.equal(before.payer - await witness.balance(payer.address), price);
  return result;
}

function checkReceipt(header, payer) {
  const receipt = decodePaymentResponseHeader(header);
  assert.equal(receipt.success, true);
  assert.equal(receipt.network, NETWORK);
  assert.equal(receipt.payer.toLowerCase(), payer.address.toLowerCase());
}

test('@x402/fetch with @x402/evm pays GET /paid', async () => {
  const payer = account(1);
  const response = await movesExactly(1000n, payer, () => official(payer)(url('/paid')));
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { path: '/paid', answer: 42 });
  checkReceipt(response.headers.get('payment-response'), payer);
});

test('@x402/fetch with @x402/evm pays POST /v1/chat/completions, body and all', async () => {
  const payer = account(3);
  const response = await movesExactly(495n, payer, () => official(payer)(url('/v1/chat/completions'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'parrot', messages: [{ role: 'user', content: 'hello' }] }),
  }));
  assert.equal(response.status, 200);
  const { choices } = await response.json();
  assert.equal(choices[0].message.content, 'You said: hello');
  checkReceipt(response.headers.get('payment-response'), payer);
});

test('x402-fetch 1.2.0 pays /paid-v1 after reading the body of its 402', async () => {
  const payer = account(4);
  const wallet = createWalletClient({ account: payer, chain: baseSepolia, transport: http(world.stack.url('rpc')) });
  const response = await movesExactly(1000n, payer, () => wrapLegacy(fetch, wallet)(url('/paid-v1')));
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { path: '/paid-v1', answer: 42 });
  const receipt = JSON.parse(Buffer.from(response.headers.get('x-payment-response'), 'base64'));
  assert.equal(receipt.success, true);
  assert.equal(receipt.network, 'base-sepolia');
  assert.equal(receipt.payer.toLowerCase(), payer.address.toLowerCase());
});

test('an official client without tokens is refused, and the upstream never asked', async () => {
  const { witness } = world;
  const before = await witness.hits('/paid');
  const response = await official(account(0))(url('/paid'));
  assert.equal(response.status, 402);
  assert.equal(response.headers.get('x-payment-error'), 'insufficient_funds');
  assert.equal(await witness.hits('/paid'), before);
});
