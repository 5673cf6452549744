// SPDX-License-Identifier: Apache-2.0
// Between gateway and daemon: every frame of a paid request, lost, late, cut,
// twice, reset or false, in both directions.  The buyer does not give up, and
// in the end everything is as the promises say.
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { account, accounts } from '../../devnet/accounts.mjs';
import { ERR, RESERVED_BYTES, TYPE, frame } from '../gateway/fake-till.mjs';
import { Buyer } from '../harness/crowd.mjs';
import { FaultProxy, chaos, rules } from '../harness/fault-proxy.mjs';
import { till } from '../harness/frames.mjs';
import { inParallel } from '../harness/http.mjs';
import { checkInvariants } from '../harness/invariants.mjs';
import { pay } from '../harness/payment.mjs';
import { ITEMS, keepPromises } from '../harness/promises.mjs';
import { useStack } from '../harness/stack.mjs';

const SEED = Number(process.env.X402_FAULT_SEED ?? Date.now() % 1_000_000);
const tap = new FaultProxy({ frames: till });
const world = useStack({
  conf: { server: ITEMS }, yaml: { network: '    poll: 200' }, between: { till: tap },
}, { connections: 64 });

let made = 0;
async function buyer(path = `/item/${made += 1}`) {
  const offer = await world.offer(path);
  const payment = await pay(accounts[1 + made % 8], { ...offer, resource: { url: `${world.stack.url('gateway')}${path}` } });
  return new Buyer({ http: world.http, payment, path });
}

const buyers = [];
const failers = [];
afterEach(async () => {
  tap.pass();
  await checkInvariants(world);
});

// a short answer has no STARTED: its DONE says so
const ASKED = ['RESERVE', 'CAPTURE', 'DONE'];
const ANSWERED = ['RESERVED', 'ACK'];
const messages = [...ASKED.map((kind) => ['ask', kind]), ...ANSWERED.map((kind) => ['answer', kind])];

for (const fault of ['duplicate', 'reset', { truncate: 7 }, { delay: 400 }]) {
  test(`every frame once: ${JSON.stringify(fault)}`, async () => {
    for (const [way, kind] of messages) {
      tap.seen.length = 0;
      tap.script(rules({ way, kind, fault }));
      const one = await buyer();
      buyers.push(one);
      await one.insist();
      assert.equal(tap.story().length, 1);
      assert.equal(one.final, 200, `${one.story()} ${tap.story()}`);
    }
  });
}

/* A lost frame is noticed by its connection's silence or, for CAPTURE, after
 * 10 s: all at once, each for the frames of one payment. */
test('every frame once: lost', { timeout: 120_000 }, async () => {
  const all = await Promise.all(messages.map(async ([way, kind]) => {
    const one = await buyer();
    return { one, way, kind, nonce: Buffer.from(one.payment.nonce.slice(2), 'hex') };
  }));
  tap.seen.length = 0;
  tap.script(lose(all));
  buyers.push(...all.map(({ one }) => one));
  await Promise.all(all.map(({ one }) => one.insist()));
  assert.equal(tap.story().length, messages.length, tap.story().join(', '));
  for (const { one } of all)
    assert.equal(one.final, 200, `${one.story()} ${tap.story()}`);
});

/* Follows each payment: its nonce is in RESERVE, whose id RESERVED has, which
 * brings the reservation id that the later frames name. */
function lose(all) {
  const byId = new Map();
  const byRid = new Map();
  const acks = new Map();
  return ({ connection, way, kind, id, bytes }) => {
    let who;
    if (kind === 'RESERVE') {
      who = all.find(({ nonce }) => bytes.includes(nonce));
      byId.set(`${connection}:${id}`, who);
    } else if (kind === 'RESERVED') {
      who = byId.get(`${connection}:${id}`);
      byRid.set(bytes.toString('hex', 18, 34), who);
    } else if (way === 'ask' && bytes.length >= 32) {
      who = byRid.get(bytes.toString('hex', 16, 32));
      acks.set(`${connection}:${id}`, who);
    } else if (kind === 'ACK') {
      who = acks.get(`${connection}:${id}`);
    }
    if (!who || who.done || who.kind !== kind)
      return undefined;
    who.done = true;
    return 'drop';
  };
}

/* [what the daemon's answer or the worker's question is turned into] */
const LIES = {
  'an answer to a question that nobody asked': { way: 'answer', kind: 'RESERVED', lie: (bytes) => { const b = Buffer.from(bytes); b.writeBigUInt64BE(77n << 20n, 8); return b; } },
  'a RESERVED where an ACK belongs': { way: 'answer', kind: 'ACK', lie: (bytes, { id }) => frame(TYPE.RESERVED, id, Buffer.alloc(RESERVED_BYTES)) },
  'a frame of an unknown type': { way: 'answer', kind: 'RESERVED', lie: (bytes, { id }) => frame(99, id) },
  'a frame of another version': { way: 'ask', kind: 'RESERVE', lie: (bytes) => { const b = Buffer.from(bytes); b[4] ^= 0x80; return b; } },
  'a length out of bounds': { way: 'ask', kind: 'CAPTURE', lie: (bytes) => { const b = Buffer.from(bytes); b.writeUInt32BE(0x7fffffff, 0); return b; } },
  'another error than there is': { way: 'answer', kind: 'RESERVED', lie: (bytes) => { const b = Buffer.from(bytes); b.writeUInt16BE(999, 16); return b; } },
  'busy': { way: 'answer', kind: 'ACK', lie: (bytes, { id }) => { const body = Buffer.alloc(2); body.writeUInt16BE(ERR.BUSY, 0); return frame(TYPE.ACK, id, body); } },
};

for (const [what, { way, kind, lie }] of Object.entries(LIES)) {
  test(`a lie: ${what}`, async () => {
    tap.seen.length = 0;
    tap.script(rules({ way, kind, fault: { lie } }));
    const one = await buyer();
    buyers.push(one);
    await one.insist();
    assert.equal(tap.story().length, 1);
    assert.equal(one.final, 200, `${one.story()} ${tap.story()}`);
  });
}

test('a worker that names another payee, or more: nothing is collected for it', async () => {
  const { witness } = world;
  const thief = account(7).address;
  for (const [at, bytes] of [[16 + 4 + 1 + 8 + 20 + 20, Buffer.from(thief.slice(2), 'hex')], [16 + 4 + 1 + 8 + 20 + 20 + 20 + 31, Buffer.of(255)]]) {
    tap.script(rules({ way: 'ask', kind: 'RESERVE', times: 50, fault: { lie: (frameBytes) => { const b = Buffer.from(frameBytes); bytes.copy(b, at); return b; } } }));
    const one = await buyer();
    const had = await witness.balance(thief);
    const status = await one.once();
    assert.notEqual(status, 200, one.story());
    tap.pass();
    assert.equal(await witness.hits(one.path), 0);
    assert.equal(await witness.used(`${one.payment.authorization.from}`, one.payment.nonce), false);
    assert.equal(await witness.balance(thief), had);
  }
});

test(`/fail under faults: never charged, seed ${SEED}`, async () => {
  tap.script(chaos(SEED, 0.2, ['reset', 'duplicate', { delay: 30 }, { truncate: 11 }]));
  const crowd = await Promise.all(Array.from({ length: 12 }, () => buyer('/fail')));
  failers.push(...crowd);
  await inParallel(crowd.map((one) => () => one.once()), 4);
});

test(`everything by chance, seed ${SEED}`, { timeout: 120_000 }, async (t) => {
  tap.seen.length = 0;
  tap.script(chaos(SEED, 0.12, ['reset', 'duplicate', { delay: 50 }, { truncate: 9 }, 'reset', { delay: 5 }]));
  const crowd = await Promise.all(Array.from({ length: 60 }, () => buyer()));
  buyers.push(...crowd);
  await inParallel(crowd.map((one) => () => one.insist()), 12);
  t.diagnostic(`${tap.story().length} faults in ${tap.seen.length} frames of ${tap.connections} connections`);
  assert.ok(tap.story().length >= 5);
  // three lost reservations are three releases, and the limit of those
  for (const one of crowd)
    assert.ok(one.final === 200 || one.seen.at(-1) === '402:release_limit', one.story());
});

test('after all that: the promises', () => keepPromises(world, buyers, failers));
