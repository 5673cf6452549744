// SPDX-License-Identifier: Apache-2.0
// An official server, unchanged, sells through our facilitator: its verify and
// its settle are ours, the buyer is the official client.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HTTPFacilitatorClient } from '@x402/core/server';
import { ExactEvmScheme as ExactEvmClient } from '@x402/evm';
import { ExactEvmScheme as ExactEvmServer } from '@x402/evm/exact/server';
import { paymentMiddleware, x402ResourceServer } from '@x402/express';
import { decodePaymentResponseHeader, wrapFetchWithPaymentFromConfig } from '@x402/fetch';
import express from 'express';
import { account } from '../../devnet/accounts.mjs';
import { NETWORK, USDC } from '../../devnet/chain.mjs';
import { client } from '../harness/http.mjs';
import { offerOf, pay } from '../harness/payment.mjs';
import { useStack } from '../harness/stack.mjs';

const world = useStack({}, { ready: openShop, done: () => shop?.close() });
const payer = account(5);
let shop;
let sold = 0;

async function openShop({ stack }) {
  const facilitator = new HTTPFacilitatorClient({ url: stack.url('facilitator') });
  const resources = new x402ResourceServer(facilitator).register(NETWORK, new ExactEvmServer());
  const app = express();
  app.use(paymentMiddleware({
    'GET /weather': {
      accepts: { scheme: 'exact', price: '$0.002', network: NETWORK, payTo: stack.payTo },
      description: 'Weather',
    },
    'GET /broken': {
      accepts: { scheme: 'exact', price: '$0.002', network: NETWORK, payTo: stack.payTo },
      description: 'Fails',
    },
  }, resources));
  app.get('/weather', (req, res) => {
    sold += 1;
    res.json({ weather: 'rain' });
  });
  app.get('/broken', (req, res) => res.status(500).json({ error: 'broken' }));
  await new Promise((resolve) => { shop = app.listen(0, '127.0.0.1', resolve); });
}

const url = (path) => `http://127.0.0.1:${shop.address().port}${path}`;

test('@x402/express verifies and settles with us', async () => {
  const { witness } = world;
  const had = await witness.payee();
  const buy = wrapFetchWithPaymentFromConfig(fetch, {
    schemes: [{ network: NETWORK, client: new ExactEvmClient(payer) }],
  });
  const response = await buy(url('/weather'));
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { weather: 'rain' });
  const receipt = decodePaymentResponseHeader(response.headers.get('payment-response'));
  assert.equal(receipt.success, true);
  // settled before the answer: the transaction is on the node, and it succeeded
  const mined = await witness.rpc.call('eth_getTransactionReceipt', receipt.transaction);
  assert.equal(mined.status, '0x1');
  assert.equal(await witness.payee() - had, 2000n);
});

test('a payment that was used buys nothing a second time', async () => {
  const plain = client(url(''));
  const offer = offerOf(await plain.send('/weather'));
  const payment = await pay(payer, offer);
  const before = sold;
  const first = await plain.send('/weather', { headers: payment.header('v2') });
  assert.equal(first.status, 200);
  const second = await plain.send('/weather', { headers: payment.header('v2') });
  assert.equal(second.status, 402);
  assert.equal(sold, before + 1);
  plain.close();
});

test("a failed request of the official server's is not settled", async () => {
  const { witness } = world;
  const had = await witness.payee();
  const plain = client(url(''));
  const payment = await pay(payer, offerOf(await plain.send('/broken')));
  const response = await plain.send('/broken', { headers: payment.header('v2') });
  assert.equal(response.status, 500);
  assert.equal(await witness.payee(), had);
  assert.equal(await witness.used(payer, payment.nonce), false);
  plain.close();
});

test('/supported names the scheme for both versions, and the signer', async () => {
  const answer = await (await fetch(`${world.stack.url('facilitator')}/supported`)).json();
  const kinds = answer.kinds.map((kind) => [kind.x402Version, kind.scheme, kind.network].join(' '));
  assert.ok(kinds.includes(`2 exact ${NETWORK}`), kinds.join(', '));
  assert.ok(kinds.includes('1 exact base-sepolia'), kinds.join(', '));
  const signers = Object.values(answer.signers).flat().map((a) => a.toLowerCase());
  assert.ok(signers.includes(account(0).address.toLowerCase()), signers.join(', '));
});

test('100 /settle at once: every one settled, none twice', async () => {
  const { witness } = world;
  const offer = await world.offer('/paid');
  const accepted = offer.accepts[0];
  const had = await witness.payee();
  const payments = await Promise.all(Array.from({ length: 100 }, () => pay(payer, offer)));
  const answers = await Promise.all(payments.map(async ({ authorization, signature }) => {
    const response = await fetch(`${world.stack.url('facilitator')}/settle`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        x402Version: 2,
        paymentPayload: { x402Version: 2, accepted, payload: { authorization, signature } },
        paymentRequirements: accepted,
      }),
    });
    return { status: response.status, ...await response.json() };
  }));
  const bad = answers.filter((answer) => answer.status !== 200 || !answer.success);
  assert.deepEqual(bad, []);
  const used = await witness.usedCounts();
  assert.deepEqual(payments.filter(({ nonce }) => used.get(nonce) !== 1), []);
  assert.equal(await witness.payee() - had, 100_000n);
  assert.equal(accepted.asset, USDC);
});
