// SPDX-License-Identifier: Apache-2.0
// Permit2 through the official TypeScript facilitator, without a node: settled
// first, on its word.  upto cannot be settled first, so it is not sold.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { account } from '../../devnet/accounts.mjs';
import { header, permit2 } from '../harness/pay-permit2.mjs';
import { approve, installPermit2 } from '../harness/permit2.mjs';
import { unbase64 } from '../harness/payment.mjs';
import { canSettle, theirFacilitator, useRemote } from './world.mjs';

const payer = account(5);
const world = await useRemote({
  node: false, facilitator: theirFacilitator,
  conf: { routes: [
    { path: '/paid', price: '0.001' },
    { path: '/permit2', price: '0.001', to: '/paid', more: ['x402_transfer_method permit2;'] },
    { path: '/metered', price: '0.001', to: '/paid', more: [`x402_scheme upto ${account(8).address};`] },
  ] },
  ground: async (rpc) => {
    await installPermit2(rpc);
    await approve(rpc, payer.address);
  },
});

async function buy(path) {
  const { accepts: [accepted] } = unbase64((await world.get(path)).headers['payment-required']);
  return world.get(path, header(accepted, await permit2(payer, accepted)), { timeout: 60_000 });
}

test('exact by Permit2, verified and settled by @x402/core', async () => {
  await canSettle(world);
  const had = await world.witness.payee();
  const response = await buy('/permit2');
  assert.equal(response.status, 200, response.body);
  assert.equal(await world.witness.payee() - had, 1000n, 'the tokens have moved before it was served');
});

test('upto is refused before anybody is asked', async () => {
  const asked = world.scripted.asked('/verify').length;
  assert.equal((await buy('/metered')).status, 402);
  assert.equal(world.scripted.asked('/verify').length, asked);
});
