// SPDX-License-Identifier: Apache-2.0
// Official servers sell by Permit2 and by upto through our facilitator,
// unchanged; the buyer is the official client, Permit2 is Uniswap's source.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HTTPFacilitatorClient } from '@x402/core/server';
import { ExactEvmScheme as ExactClient, UptoEvmScheme as UptoClient } from '@x402/evm';
import { ExactEvmScheme as ExactServer } from '@x402/evm/exact/server';
import { UptoEvmScheme as UptoServer } from '@x402/evm/upto/server';
import { paymentMiddleware, x402ResourceServer } from '@x402/express';
import { decodePaymentResponseHeader, wrapFetchWithPaymentFromConfig } from '@x402/fetch';
import express from 'express';
import { account } from '../../devnet/accounts.mjs';
import { NETWORK, USDC } from '../../devnet/chain.mjs';
import { approve, installPermit2 } from '../harness/permit2.mjs';
import { useStack } from '../harness/stack.mjs';

const world = useStack({ ground: installPermit2 }, { ready: openShop, done: () => shop?.close() });
const payer = account(5);
const price = { asset: USDC, amount: '2000', extra: { name: 'USDC', version: '2', assetTransferMethod: 'permit2' } };
let shop;

async function openShop({ stack, witness }) {
  await approve(witness.rpc, payer.address);
  const facilitator = new HTTPFacilitatorClient({ url: stack.url('facilitator') });
  const resources = new x402ResourceServer(facilitator)
    .register(NETWORK, new ExactServer())
    .register(NETWORK, new UptoServer());
  const app = express();
  const offer = (scheme) => ({ accepts: { scheme, price, network: NETWORK, payTo: stack.payTo }, description: scheme });
  app.use(paymentMiddleware({
    'GET /exact': offer('exact'), 'GET /upto': offer('upto'), 'GET /broken': offer('upto'),
  }, resources));
  app.get('/exact', (req, res) => res.json({ sold: 'exact' }));
  app.get('/upto', (req, res) => {
    res.set('Settlement-Overrides', JSON.stringify({ amount: req.query.amount ?? '2000' }));
    res.json({ sold: 'upto' });
  });
  app.get('/broken', (req, res) => res.status(500).json({ error: 'broken' }));
  await new Promise((resolve) => { shop = app.listen(0, '127.0.0.1', resolve); });
}

const url = (path) => `http://127.0.0.1:${shop.address().port}${path}`;

async function buy(path) {
  const send = wrapFetchWithPaymentFromConfig(fetch, {
    schemes: [{ network: NETWORK, client: new ExactClient(payer) }, { network: NETWORK, client: new UptoClient(payer) }],
  });
  const response = await send(url(path));
  const header = response.headers.get('payment-response');
  return { response, receipt: header && decodePaymentResponseHeader(header) };
}

async function sells(path, amount) {
  const { witness } = world;
  const had = await witness.payee();
  const { response, receipt } = await buy(path);
  assert.equal(response.status, 200, JSON.stringify(receipt));
  assert.equal(receipt.success, true);
  assert.equal(await witness.payee() - had, amount);
  return receipt;
}

test('@x402/express sells exact by Permit2', async () => {
  const receipt = await sells('/exact', 2000n);
  const mined = await world.witness.rpc.call('eth_getTransactionReceipt', receipt.transaction);
  assert.equal(mined.status, '0x1');
});

test('@x402/express sells upto: all of it, and a part', async () => {
  assert.equal((await sells('/upto', 2000n)).amount, '2000');
  assert.equal((await sells('/upto?amount=1858', 1858n)).amount, '1858');
  assert.equal((await sells('/upto?amount=25%25', 500n)).amount, '500');
});

test('upto of nothing: success, and nothing is sent', async () => {
  const receipt = await sells('/upto?amount=0', 0n);
  assert.equal(receipt.transaction, '');
  assert.equal(receipt.amount, '0');
});

test('a failed request costs nothing', async () => {
  const had = await world.witness.payee();
  const { response } = await buy('/broken');
  assert.equal(response.status, 500);
  assert.equal(await world.witness.payee(), had);
});
