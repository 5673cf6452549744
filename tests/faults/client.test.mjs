// SPDX-License-Identifier: Apache-2.0
// Between client and gateway: `x402 get` through a line that loses, cuts,
// repeats and falsifies what passes, the 402 and the paid request alike.  A
// run signs at most once; the same command again ends the matter; nobody pays
// twice, and what the client calls paid or refused is so on the chain.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import { PROGRAMS } from '../../devnet/paths.mjs';
import { FaultProxy, chaos, rules } from '../harness/fault-proxy.mjs';
import { http } from '../harness/frames.mjs';
import { inParallel } from '../harness/http.mjs';
import { checkInvariants } from '../harness/invariants.mjs';
import { unbase64 } from '../harness/payment.mjs';
import { ITEMS } from '../harness/promises.mjs';
import { useStack } from '../harness/stack.mjs';

const SEED = Number(process.env.X402_FAULT_SEED ?? Date.now() % 1_000_000);
const line = new FaultProxy({ frames: http });
const world = useStack({ conf: { server: ITEMS }, between: { gateway: line } });
const homes = [];
after(() => homes.forEach((home) => rmSync(home, { recursive: true, force: true })));
afterEach(async () => {
  line.pass();
  await checkInvariants(world);
});

/* A user of his own: a home with an empty journal, and account 2's money. */
function user(name, budget = '10.00/day') {
  const home = mkdtempSync(join(tmpdir(), `x402-${name}-`));
  homes.push(home);
  const run = (args) => new Promise((resolve) => {
    const child = spawn(PROGRAMS.x402, args, { env: { HOME: home, PATH: process.env.PATH }, timeout: 60_000 });
    let out = '';
    let err = '';
    child.stdout.on('data', (data) => { out += data; });
    child.stderr.on('data', (data) => { err += data; });
    child.once('close', (code) => resolve({ code, out, err }));
  });
  return {
    get: (path, ...more) => run(['get', '--json', '--key-file', join(world.stack.dir, 'payer.key'), '--network', 'base-sepolia',
      '--budget', budget, '--retry-delay', '0.05', '-m', '2', ...more, `${line.url}${path}`]),
    async payments() {
      const { out } = await run(['payments', '--all', '--json']);
      return out.split('\n').filter(Boolean).map((text) => JSON.parse(text));
    },
  };
}

let made = 0;
const item = () => `/item/c${made += 1}`;

/* Distinct authorizations that left the client. */
const signed = (path) => new Set(line.seen.filter(({ way, kind }) => way === 'ask' && kind === `GET ${path}`)
  .map(({ bytes }) => /^payment-signature: *(\S+)/im.exec(bytes.toString('latin1'))?.[1]).filter(Boolean)
  .map((text) => unbase64(text).payload.authorization.nonce));

/* Asks until the answer is there, as a script would: with --resume as soon as
 * something was signed. */
async function insist(who, path, times = 4) {
  const codes = [];
  for (let i = 0; i < times; i += 1) {
    const { code, out } = await who.get(path, ...(signed(path).size > 0 ? ['--resume'] : []));
    codes.push(code);
    if (code === 0 && JSON.parse(out).status === 200)
      return codes;
  }
  return codes;
}

const isPaid = ({ way, bytes }) => (way === 'ask'
  ? /^payment-signature:/im.test(bytes.toString('latin1')) : !/^HTTP\/1.1 402/.test(bytes.toString('latin1')));

const FAULTS = ['drop', 'reset', 'duplicate', { truncate: 40 }, { truncate: 400 }, { delay: 300 }];
const asked = { way: 'ask' };
const answered = { way: 'answer' };

for (const fault of FAULTS) {
  for (const [what, where] of [['the first request', asked], ['the 402', answered], ['the payment', asked], ['the paid answer', answered]]) {
    const paid = what.startsWith('the pa');
    // the gateway gave it all away: there is no second run, and the client says
    // that it does not know, or that it was paid and the answer broke off
    const lost = what === 'the paid answer' && (['drop', 'reset'].includes(fault) || fault.truncate);
    test(`${what}: ${JSON.stringify(fault)}`, { timeout: 120_000 }, async () => {
      const path = item();
      const who = user('one');
      line.script(rules({ ...where, kind: new RegExp(`${path}$`), fault, where: (message) => isPaid(message) === paid }));
      const codes = await insist(who, path, lost ? 1 : 3);
      assert.equal(line.story().length > 0, true);
      if (lost)
        assert.ok([105, 18, 28, 52, 56].includes(codes[0]), `${codes}`);
      else
        assert.equal(codes.at(-1), 0, `${codes}: ${line.story().at(-1)}`);
      if (lost && codes[0] !== 28)
        assert.notEqual((await who.get(path, '--resume')).code, 0);
      assert.equal(signed(path).size, 1, 'one authorization in all');
      const [nonce] = signed(path);
      await world.witness.settled([{ nonce }]);
      const payments = await who.payments();
      assert.deepEqual(payments.map((p) => p.nonce), [nonce]);
      assert.equal(payments[0].state === 'refused', false, 'what was paid is not called refused');
      assert.equal(await world.witness.hits(path), 1);
    });
  }
}

test('an answer that lies: a second 402', async () => {
  const again = Buffer.from('HTTP/1.1 402 Payment Required\r\nContent-Length: 0\r\nPAYMENT-REQUIRED: e30=\r\n\r\n');
  for (const bytes of [again, Buffer.from('HTTP/1.1 402 Payment Required\r\nContent-Length: 0\r\n\r\n')]) {
    const path = item();
    const who = user('double');
    line.script(rules({ ...answered, kind: new RegExp(`^200 GET ${path}`), times: 20, fault: { lie: () => bytes } }));
    const { code } = await who.get(path);
    assert.ok([104, 105].includes(code), `exit code ${code}`);
    assert.equal(signed(path).size, 1, 'it does not sign again for a second 402');
  }
});

test(`everything by chance, a budget for 15, seed ${SEED}`, { timeout: 120_000 }, async (t) => {
  const who = user('chance', '0.015/day');
  line.seen.length = 0;
  line.script(chaos(SEED, 0.2, ['reset', 'duplicate', { truncate: 120 }, { delay: 50 }, { truncate: 20 }]));
  const paths = Array.from({ length: 24 }, item);
  const codes = (await inParallel(paths.map((path) => () => insist(who, path)), 4)).map((list) => list.at(-1));
  line.pass();
  const nonces = paths.flatMap((path) => [...signed(path)]);
  t.diagnostic(`${line.story().length} faults; exit codes ${codes.sort()}; ${nonces.length} signed`);
  assert.ok(nonces.length <= 15, `INV-10: ${nonces.length} authorizations left, the budget is for 15`);
  for (const path of paths)
    assert.ok(signed(path).size <= 1, path);
  await world.witness.settled((await who.payments()).filter(({ state }) => state === 'done'), 30_000);
  assert.ok(codes.filter((code) => code === 0).length >= 10, `${codes}`);
});
