// SPDX-License-Identifier: Apache-2.0
// Permit2 and upto are not settled through another facilitator: refused before
// anybody is asked, and the operator is told by `x402d check`.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { SETTLER, account } from '../../devnet/accounts.mjs';
import { PROGRAMS } from '../../devnet/paths.mjs';
import { unbase64 } from '../harness/payment.mjs';
import { header, permit2 } from '../harness/pay-permit2.mjs';
import { approve, installPermit2 } from '../harness/permit2.mjs';
import { useRemote } from './world.mjs';

const payer = account(5);
const routes = [
  { path: '/paid', price: '0.001' },
  { path: '/permit2', price: '0.001', to: '/paid', more: ['x402_transfer_method permit2;'] },
  { path: '/metered', price: '0.001', to: '/paid', more: [`x402_scheme upto ${account(SETTLER).address};`] },
];
const world = await useRemote({
  conf: { routes },
  ground: async (rpc) => {
    await installPermit2(rpc);
    await approve(rpc, payer.address);
  },
});

for (const path of ['/permit2', '/metered']) {
  test(`${path}: 402, nobody is asked, nothing moves`, async () => {
    const { accepts: [accepted] } = unbase64((await world.get(path)).headers['payment-required']);
    const had = await world.witness.payee();
    const asked = world.scripted.asked('/verify').length + world.scripted.asked('/settle').length;
    const response = await world.get(path, header(accepted, await permit2(payer, accepted)));
    assert.equal(response.status, 402);
    assert.equal(response.headers['x-payment-error'], 'unsupported_scheme');
    assert.equal(world.scripted.asked('/verify').length + world.scripted.asked('/settle').length, asked);
    assert.equal(await world.witness.payee(), had);
  });
}

test('beside them EIP-3009 is sold as ever', async () => {
  const payment = await world.pay('/paid');
  assert.equal((await world.get('/paid', payment.header('v2'))).status, 200);
});

test('x402d check says so', () => {
  const { stdout } = spawnSync(PROGRAMS.x402d, ['check', join(world.stack.dir, 'x402d.yaml')], { encoding: 'utf8' });
  assert.match(stdout, /^note: eip155:84532: settled by another facilitator: EIP-3009 payments only/m);
});
