// SPDX-License-Identifier: Apache-2.0
// kill -9 of x402d and of nginx's workers at random moments, under load, round
// after round.  Afterwards the node and the upstream say whether the promises
// held.
//
//     X402_CRASH_ROUNDS=100 X402_CRASH_SEED=7 ./check scenario/crash
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { accounts } from '../../devnet/accounts.mjs';
import { sleep } from '../../devnet/process.mjs';
import { Buyer } from '../harness/crowd.mjs';
import { client } from '../harness/http.mjs';
import { pay } from '../harness/payment.mjs';
import { ITEMS, keepPromises } from '../harness/promises.mjs';
import { useStack } from '../harness/stack.mjs';
import { until } from '../harness/witness.mjs';

const ROUNDS = Number(process.env.X402_CRASH_ROUNDS ?? 20);
const SEED = Number(process.env.X402_CRASH_SEED ?? Date.now() % 1_000_000);
const BUYERS = 48; // a round
const FAILERS = 6;
const WIRES = ['v2', 'seed000', 'seed001', 'v1'];

const world = useStack({
  conf: { server: ITEMS },
}, { allowed: [/worker process \d+ exited on signal 9/, /till|x402d|connect\(\) to unix/] });

/* mulberry32: one seed, one schedule of kills */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function workers(master) {
  return readFileSync(`/proc/${master}/task/${master}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number);
}

function killOne(dice) {
  const { stack } = world;
  if (dice() < 0.5)
    return process.kill(stack.x402d.pid, 'SIGKILL');
  const pids = workers(stack.nginx.pid);
  return pids.length && process.kill(pids[Math.floor(dice() * pids.length)], 'SIGKILL');
}

test(`${ROUNDS} rounds of kill -9, seed ${SEED}`, async (t) => {
  const { stack } = world;
  const dice = random(SEED);
  const http = client(stack.url('gateway'), { connections: 96 });
  const offers = { item: await world.offer('/item/0'), fail: await world.offer('/fail') };
  const buyers = [];
  const failers = [];
  const open = [];

  for (let round = 0; round < ROUNDS; round += 1) {
    const crowd = [];
    for (let i = 0; i < BUYERS; i += 1) {
      const path = `/item/${round}-${i}`;
      const payment = await pay(accounts[1 + (i % 8)], { ...offers.item, resource: { url: `${stack.url('gateway')}${path}` } });
      crowd.push(new Buyer({ http, payment, path, wire: WIRES[i % WIRES.length] }));
    }
    const failing = [];
    for (let i = 0; i < FAILERS; i += 1)
      failing.push(new Buyer({ http, payment: await pay(accounts[1 + i], offers.fail), path: '/fail' }));
    buyers.push(...crowd);
    failers.push(...failing);
    open.push(...crowd.map((buyer) => buyer.insist()), ...failing.map((buyer) => buyer.once()));
    await sleep(dice() * 250);
    killOne(dice);
    await sleep(250 + dice() * 250);
  }

  await Promise.all(open);
  t.diagnostic(`${buyers.length} payments, ${buyers.filter((b) => b.breaks > 0).length} met a crash, ${buyers.filter((b) => b.answers > 0).length} answered`);
  await keepPromises(world, buyers, failers);
  assert.ok(buyers.filter((b) => b.answers > 0).length >= buyers.length * 0.9, 'and nearly everybody got what he asked for');
});

test('after all that: each payment used once more buys nothing', async () => {
  const { witness } = world;
  const payment = await world.pay('/item/afterwards');
  await until('service is back', 40_000, () => world.get('/item/afterwards', payment.header('v2')), ({ status }) => status === 200);
  await witness.settled([payment]);
  const again = await world.get('/item/afterwards', payment.header('v2'));
  assert.equal(again.status, 402);
  assert.equal(await witness.hits('/item/afterwards'), 1);
});
