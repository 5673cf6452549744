// SPDX-License-Identifier: Apache-2.0
// The settler's work at a tenth of the bench: captured payments that wait in the ledger, in
// batches and one by one, and payments that keep coming.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fund, keepUp, settleCaptured } from '../../bench/settler.mjs';
import { startUpstream } from '../../bench/site.mjs';
import { startChain } from '../../devnet/chain.mjs';
import { PROJECT } from '../../devnet/paths.mjs';
import { findFree } from '../../devnet/ports.mjs';
import { freshDir } from '../../devnet/stack.mjs';

const COUNT = Number(process.env.X402_SETTLER_PAYMENTS ?? 1000);
const SECONDS = Number(process.env.X402_SETTLER_SECONDS ?? 6);
const PAYERS = 20;
const world = {};

before(async () => {
  const ports = await findFree(Number(process.env.X402_TEST_PORT_BASE ?? 15200));
  world.dir = freshDir(join(PROJECT, 'tests', '.run'));
  world.ports = { port: ports.gateway, daemonPort: ports.facilitator, upstreamPort: ports.upstream };
  world.chain = await startChain({ port: ports.rpc, dir: world.dir });
  world.upstream = await startUpstream(join(world.dir, 'upstream'), ports.upstream);
  await fund(world.chain.rpc, PAYERS);
});
after(async () => {
  await world.upstream?.stop();
  await world.chain?.process.stop();
});

const settle = (name, options) => settleCaptured({ chain: world.chain, dir: join(world.dir, name), ports: world.ports, payers: PAYERS, ...options });

test(`${COUNT} captured payments: at least 50 a transaction, at most 0.7 of the gas`, async (t) => {
  const alone = await settle('alone', { count: 20, batch: '{max: 1, wait: 1}' });
  const many = await settle('many', { count: COUNT });
  t.diagnostic(`${many.seconds.toFixed(1)} s with the daemon's start, ${many.each.toFixed(1)} a transaction, ${Math.round(many.gas)} gas each beside ${Math.round(alone.gas)}`);
  assert.equal(alone.moved, 20);
  assert.equal(alone.transactions, 20);
  assert.equal(many.moved, COUNT);
  assert.equal(many.payments, COUNT);
  assert.ok(many.each >= 50, `${many.each} a transaction`);
  assert.ok(many.gas <= 0.7 * alone.gas, `${many.gas} beside ${alone.gas}`);
});

test(`500 payments a second for ${SECONDS} s: none refused, all of them settled at once`, async (t) => {
  const steady = await keepUp({ chain: world.chain, dir: join(world.dir, 'steady'), ports: world.ports, rate: 500, seconds: SECONDS, payers: PAYERS });
  t.diagnostic(`${steady.rate.toFixed(0)}/s, never more than ${steady.most} waiting, the last ${steady.after.toFixed(1)} s after its answer`);
  assert.equal(steady.refused, 0);
  assert.equal(steady.moved, 500 * SECONDS);
  assert.ok(steady.after < 10, `${steady.after} s`);
});
