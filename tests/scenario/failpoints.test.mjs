// SPDX-License-Identifier: Apache-2.0
// x402d dies by its own hand at a named point, the first, second, third time it
// comes by: before and after each commit, each broadcast, each answer.  The
// random kills of crash.test.mjs seldom meet these moments; here none is left
// out.  Needs a build with -Dmutants=true (./check mutants makes one).
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { accounts } from '../../devnet/accounts.mjs';
import { PROGRAMS } from '../../devnet/paths.mjs';
import { Buyer } from '../harness/crowd.mjs';
import { client, inParallel } from '../harness/http.mjs';
import { offerOf, pay } from '../harness/payment.mjs';
import { ITEMS, keepPromises } from '../harness/promises.mjs';
import { complaints, newStack } from '../harness/stack.mjs';
import { Witness } from '../harness/witness.mjs';

const skip = !readFileSync(PROGRAMS.x402d).includes('X402D_DIE_AT') && 'built without -Dmutants=true';
const BUYERS = 12;
const WIRES = ['v2', 'seed000', 'seed001', 'v1'];

/* Which passes: the first of each, and some later ones.  A few commits belong
 * to x402d's start. */
const POINTS = {
  after_reserve: [1, 5],
  before_answer: [1, 2, 3, 9],
  after_answer: [1, 2, 3, 9],
  before_commit: [5, 6, 7, 11],
  after_commit: [5, 6, 7, 11],
  before_submit: [1],
  after_submit: [1],
  before_broadcast: [1],
  broadcast_answered: [1],
  before_mined: [1],
};

async function rush(http, offer, stack) {
  const buyers = [];
  for (let i = 0; i < BUYERS; i += 1) {
    const path = `/item/${i}`;
    const payment = await pay(accounts[1 + (i % 8)], { ...offer, resource: { url: `${stack.url('gateway')}${path}` } });
    buyers.push(new Buyer({ http, payment, path, wire: WIRES[i % WIRES.length] }));
  }
  await inParallel(buyers.map((buyer) => () => buyer.insist()), 3);
  return buyers;
}

for (const [point, passes] of Object.entries(POINTS)) {
  for (const pass of passes) {
    test(`x402d dies at ${point}, pass ${pass}`, { skip, timeout: 180_000 }, async () => {
      const stack = await newStack({ conf: { server: ITEMS }, firstEnv: { X402D_DIE_AT: `${point}:${pass}` } });
      const http = client(stack.url('gateway'), { connections: BUYERS });
      let deaths = 0;
      stack.on('restart', () => { deaths += 1; });
      try {
        const offer = offerOf(await http.send('/item/x'));
        const buyers = await rush(http, offer, stack);
        await keepPromises({ stack, witness: new Witness(stack) }, buyers);
        assert.equal(deaths, 1, 'it did die there');
        assert.equal(buyers.filter((b) => b.answers > 0).length, BUYERS, 'everybody was served');
      } finally {
        http.close();
        await stack.stop();
      }
      assert.deepEqual(complaints(stack.dir), []);
      rmSync(stack.dir, { recursive: true, force: true });
    });
  }
}
