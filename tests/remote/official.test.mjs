// SPDX-License-Identifier: Apache-2.0
// x402d without a key in front of the official TypeScript facilitator; and one
// that lists version 1 alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { says } from './scripted.mjs';
import { canSettle, mined, theirFacilitator, uses, useRemote } from './world.mjs';

const world = await useRemote({ facilitator: theirFacilitator });
const { scripted } = world;
const buy = (path, payment, wire = 'v2') => world.get(path, payment.header(wire), { timeout: 60_000 });

for (const path of ['/paid', '/strict']) {
  for (const wire of ['v2', 'v1']) {
    test(`${path} takes ${wire}, verified and settled by @x402/core`, async () => {
      const hits = await world.witness.hits(path);
      const payment = await world.pay(path);
      const response = await buy(path, payment, wire);
      assert.equal(response.status, 200, response.body);
      await mined(world, [payment]);
      assert.equal(await uses(world, payment), 1);
      assert.equal(await world.witness.hits(path), hits + 1);
    });
  }
}

test('settled twice at once by a lost answer: one transfer', async () => {
  let first = true;
  scripted.script.settle = async (response, call) => {
    const answer = await scripted.forward(call);
    if (first)
      response.destroy();
    else
      says(answer.body, { status: answer.status })(response);
    first = false;
  };
  const payment = await world.pay('/strict');
  assert.equal((await buy('/strict', payment)).status, 200);
  scripted.honest();
  assert.equal(await uses(world, payment), 1);
});

test('a facilitator that lists version 1 alone is asked in version 1', async () => {
  scripted.script.supported = says({ kinds: [{ x402Version: 1, scheme: 'exact', network: 'base-sepolia' }] });
  scripted.script.verify = (response) => response.destroy(); // look at /supported again
  await buy('/paid', await world.pay('/paid'));
  const version1 = (call) => call.json.x402Version === 1 && call.json.paymentPayload.x402Version === 1
    && call.json.paymentRequirements.maxAmountRequired === '1000' && call.json.paymentRequirements.network === 'base-sepolia'
    && call.json.paymentRequirements.resource.endsWith('/paid');
  const asked = [];
  scripted.script.verify = (response, call) => {
    asked.push(version1(call));
    says({ isValid: true, payer: world.payer.address })(response);
  };
  scripted.script.settle = (response, call) => {
    asked.push(version1(call));
    says({ success: false, errorReason: 'unexpected_settle_error', transaction: '', network: 'base-sepolia' })(response);
  };
  await canSettle(world);
  const payment = await world.pay('/paid');
  assert.equal((await buy('/paid', payment)).status, 200);
  scripted.honest();
  assert.deepEqual(new Set(asked), new Set([true]));
});
