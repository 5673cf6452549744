// SPDX-License-Identifier: Apache-2.0
// The crash loop.  Round after round x402d dies by its own hand at a named
// point (before and after each commit, before and after each effect outside:
// answers to the gateway and over HTTP, broadcasts), or a worker of nginx is
// killed in the middle; it is started again, the buyers ask again, and when
// everything is settled the node, the upstream and the ledger file are asked
// whether every promise was kept.  One chain for all rounds, set back each
// time; the ledger of each round is a new one.
//
//     X402_LOOP_ROUNDS=1000 X402_LOOP_SEED=7 ./check crash
//
// Needs a build with -Dmutants=true (./check crash makes it).
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { account, accounts } from '../../devnet/accounts.mjs';
import { PROGRAMS } from '../../devnet/paths.mjs';
import { sleep } from '../../devnet/process.mjs';
import { body } from '../facilitator/payments.mjs';
import { Buyer } from '../harness/crowd.mjs';
import { random } from '../harness/fault-proxy.mjs';
import { client } from '../harness/http.mjs';
import { checkInvariants } from '../harness/invariants.mjs';
import { permit2, v2 } from '../harness/pay-permit2.mjs';
import { approve, installPermit2, nonceUsed } from '../harness/permit2.mjs';
import { offerOf, pay } from '../harness/payment.mjs';
import { judge } from '../harness/promises.mjs';
import { complaints, newStack } from '../harness/stack.mjs';
import { Witness, until } from '../harness/witness.mjs';

const ROUNDS = Number(process.env.X402_LOOP_ROUNDS ?? 200);
const SEED = Number(process.env.X402_LOOP_SEED ?? Date.now() % 1_000_000);
const skip = !readFileSync(PROGRAMS.x402d).includes('X402D_DIE_AT') && 'built without -Dmutants=true';
const BUYERS = 6;
const PERMIT2_EVERY = 4; // rounds: then the one of /settle pays by Permit2
const MINED = 5;
const FINAL = 6;

/* How often each point comes by in a round, about: the pass is drawn from it. */
const POINTS = {
  after_reserve: 7, before_answer: 16, after_answer: 16, before_commit: 14, after_commit: 14, before_http_answer: 3,
  before_submit: 2, after_submit: 2, before_broadcast: 2, broadcast_answered: 2, before_mined: 2, after_mined: 2,
  before_final: 1, after_final: 1,
};
const WORKER = 'a worker';

const AFTER = `
    location /item/ {
      x402 on;
      x402_price 0.001 USDC;
      proxy_pass http://upstream/item/;
    }
    location /item/first/ {
      x402 on;
      x402_price 0.001 USDC;
      x402_settle before;
      proxy_pass http://upstream/item/first/;
    }`;

let stack;
let world;
let http;
let offer;
let snapshot;
before(async () => {
  if (skip)
    return;
  stack = await newStack({
    ground: async (rpc) => {
      await installPermit2(rpc);
      await approve(rpc, account(4).address);
    },
    conf: { server: AFTER }, yaml: { network: '    poll: 50\n    batch: {max: 100, wait: 50}' },
  });
  world = { stack, witness: new Witness(stack) };
  http = client(stack.url('gateway'), { connections: 32 });
  offer = offerOf(await http.send('/item/x'));
  snapshot = await stack.rpc.call('evm_snapshot');
});
after(async () => {
  if (skip)
    return;
  http.close();
  await stack.stop();
  assert.deepEqual(complaints(stack.dir, [/exited on signal 9/]), []);
  if (!process.env.X402_KEEP)
    rmSync(stack.dir, { recursive: true, force: true });
});

/* The chain as it was, an empty ledger, and an x402d that will die. */
async function begin(plan) {
  const up = once(stack, 'restart', { signal: AbortSignal.timeout(30_000) });
  stack.revive = async (name) => {
    if (name !== 'x402d')
      return undefined;
    stack.revive = undefined;
    for (const file of ['ledger.db', 'ledger.db-wal', 'ledger.db-shm'])
      rmSync(join(stack.dir, file), { force: true });
    assert.equal(await stack.rpc.call('evm_revert', snapshot), true);
    snapshot = await stack.rpc.call('evm_snapshot');
    await stack.rpc.call('anvil_setTime', Math.floor(Date.now() / 1000)); // blocks mined at once have moved it
    return plan.point === WORKER ? {} : { X402D_DIE_AT: `${plan.point}:${plan.pass}` };
  };
  stack.x402d.signalGroup('SIGKILL'); // it may have come to its point just now
  await up;
  // it may die while it starts: the next one counts as well
  await until('x402d answers', 15_000, () => fetch(`${stack.url('facilitator')}/health`).catch(() => undefined));
}

function killWorker(dice) {
  const { pid } = stack.nginx;
  const workers = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number);
  process.kill(workers[Math.floor(dice() * workers.length)], 'SIGKILL');
}

async function settleThroughTheApi(request) {
  const one = client(stack.url('facilitator'), { connections: 1 });
  const text = JSON.stringify(request);
  try {
    return await until('/settle answers', 60_000, () => one.send('/settle', {
      method: 'POST', body: text, headers: { 'content-type': 'application/json' }, timeout: 5000,
    }).then(({ status, body: answer }) => `${status} ${answer}`, (error) => error.message), (answer) => answer.includes('"success":true'));
  } finally {
    one.close();
  }
}

async function crowd(round) {
  const buyers = [];
  for (let i = 0; i < BUYERS; i += 1) {
    const path = `/item/${i < 2 ? 'first/' : ''}${round}-${i}`;
    const payment = await pay(accounts[1 + (round + i) % 8], { ...offer, resource: { url: `${stack.url('gateway')}${path}` } });
    buyers.push(new Buyer({ http, payment, path, wire: ['v2', 'v1'][i % 2] }));
  }
  return buyers;
}

/* What a server would send to /settle. */
async function direct(round) {
  const payer = account(4);
  if (round % PERMIT2_EVERY !== 0) {
    const request = await body(2, { payer, requirement: { payTo: stack.payTo } });
    return { request, nonce: request.paymentPayload.payload.authorization.nonce, permit2: false };
  }
  const requirement = { ...offer.accepts[0], extra: { ...offer.accepts[0].extra, assetTransferMethod: 'permit2' } };
  const payload = await permit2(payer, requirement);
  const { nonce } = payload.permit2Authorization;
  return {
    request: { x402Version: 2, paymentPayload: v2(requirement, payload), paymentRequirements: requirement },
    nonce: `0x${BigInt(nonce).toString(16).padStart(64, '0')}`,
    permit2: true,
  };
}

async function settled(buyers, one, whole) {
  const nonces = [...buyers.map(({ payment }) => payment.nonce), one.nonce];
  const at = (what, state) => until(`everything is ${what}`, 60_000, () => world.witness.ledger('select nonce, state from payment')
    .filter((row) => nonces.includes(`0x${row.nonce}`) && row.state >= state).length, (n) => n === nonces.length);
  await at('mined', MINED);
  if (!whole)
    return;
  await stack.rpc.mine(80);
  await at('final', FINAL);
}

async function oneRound(round, dice) {
  const names = [...Object.keys(POINTS), WORKER, WORKER];
  const point = names[round % names.length];
  const plan = { point, pass: 1 + Math.floor(dice() * (POINTS[point] ?? 1)) };
  const story = () => `round ${round} of seed ${SEED}: ${plan.point}, pass ${plan.pass}`;
  let deaths = -1; // the one that begins the round
  const count = (name) => { deaths += name === 'x402d' ? 1 : 0; };
  stack.on('restart', count);
  try {
    await begin(plan);
    const buyers = await crowd(round);
    const failer = new Buyer({ http, path: '/fail', payment: await pay(account(3), offer, { payTo: undefined }) });
    const one = await direct(round);
    const open = [...buyers.map((buyer) => buyer.insist()), failer.once(), settleThroughTheApi(one.request)];
    if (point === WORKER) {
      await sleep(dice() * 60);
      killWorker(dice);
    }
    await Promise.all(open);
    await settled(buyers, one, ['before_final', 'after_final'].includes(point) || round % 20 === 0);
    world.items = `/item/${round}-`;
    await checkInvariants(world);
    await judge(world, buyers, [failer], one.permit2 ? 1 : 0);
    if (one.permit2)
      assert.equal(await nonceUsed(stack.rpc, account(4).address, BigInt(one.nonce)), true);
    for (const buyer of buyers)
      assert.ok(buyer.answers > 0, buyer.story());
  } catch (error) {
    error.message = `${story()}: ${error.message}`;
    throw error;
  } finally {
    stack.off('restart', count);
  }
  return { point, met: point === WORKER || deaths === 1, broken: deaths > 1 };
}

test(`${ROUNDS} rounds, seed ${SEED}`, { skip, timeout: 3_600_000 }, async (t) => {
  const dice = random(SEED);
  const met = new Map();
  const began = Date.now();
  let longest = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = Date.now();
    const { point, met: died, broken } = await oneRound(round, dice);
    longest = Math.max(longest, Date.now() - start);
    assert.equal(broken, false, `${point}: x402d died more than once`);
    met.set(point, (met.get(point) ?? 0) + (died ? 1 : 0));
  }
  t.diagnostic(`${Math.round((Date.now() - began) / 1000)} s, the longest round ${longest} ms; deaths at ${[...met].map(([p, n]) => `${p} ${n}`).join(', ')}`);
  if (ROUNDS < 100)
    return;
  for (const [point, n] of met)
    assert.ok(n > 0, `x402d never died at ${point}`);
  assert.ok([...met.values()].reduce((a, b) => a + b, 0) >= ROUNDS * 0.7, 'most rounds met their point');
});
