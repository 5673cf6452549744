// SPDX-License-Identifier: Apache-2.0
// x402 get --rail lightning, when its node and the seller do what no real ones
// do on demand: payments that stay on their way, are given back or are not
// known.  The oracles are what LND was asked to pay, and the seller.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { clientConfig, eventually } from '../../devnet/lightning.mjs';
import { PROJECT } from '../../devnet/paths.mjs';
import { freshDir } from '../../devnet/stack.mjs';
import { newUser } from '../client/harness.mjs';
import { FakePayer, FakeSeller } from './fake-payer.mjs';

const dir = freshDir(join(PROJECT, 'tests', '.run'));
const payer = new FakePayer(dir);
const sellers = [];
before(() => payer.start());
beforeEach(() => payer.reset());
afterEach(() => Promise.all(sellers.splice(0).map((seller) => seller.stop())));
after(async () => {
  await payer.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function sell(options) {
  const seller = await new FakeSeller(payer, options).start();
  sellers.push(seller);
  return seller;
}

function buyer(more = '') {
  const user = newUser({ config: `${clientConfig(payer)}${more}` });
  const folder = join(user.home, '.local', 'state', 'x402', 'lightning');
  const args = ['get', '--rail', 'lightning', '--retry-delay', '0.05'];
  user.buy = (...more_) => user.run([...args, ...more_]);
  user.begin = (url) => user.start([...args, url]);
  user.files = () => readdirSync(folder).map((name) => join(folder, name));
  user.records = () => user.files().map((file) => readFileSync(file, 'utf8'));
  user.states = async () => (await user.payments()).map(({ state }) => state).sort();
  return user;
}

const served = ({ hash }, res) => {
  res.end('bought\n');
  payer.end(hash, 'SUCCEEDED');
};
const fails = ({ hash }, res) => {
  res.writeHead(500).end('broken\n');
  payer.end(hash, 'FAILED');
};

test("an invoice that is not the offer's, or not this request's, is not paid", async () => {
  payer.send = (payment) => { payment.status = 'SUCCEEDED'; };
  for (const held of [false, true]) {
    for (const lie of [(entry) => { entry.amount = '20000'; }, (entry) => { entry.extra.requestHash = 'ab'.repeat(32); },
      (entry) => { entry.maxTimeoutSeconds += 1; }]) {
      const { code, err } = await buyer().buy(`${(await sell({ held, lie })).url}/a`);
      assert.equal(code, 101, err);
    }
  }
  assert.deepEqual(payer.sends, []);
});

/* -- hold invoices -- */

test('held: shown while it is on its way, served, taken', async () => {
  const seller = await sell({ held: true, paid: served });
  const user = buyer();
  const { code, out, err } = await user.buy(`${seller.url}/a`);
  assert.deepEqual([code, out], [0, 'bought\n'], err);
  assert.equal(payer.sends.length, 1);
  assert.deepEqual(seller.seen.map(({ hash }) => hash), payer.sends);
  assert.match(user.records()[0], /"held":true/);
  assert.match(user.records()[0], /"preimage"/);
  assert.deepEqual(await user.states(), ['done']);
});

test('held: the upstream fails, the money comes back, and the budget has it', async () => {
  let n = 0;
  const seller = await sell({ held: true, paid: (payment, res) => (++n === 1 ? fails : served)(payment, res) });
  const user = buyer('sat-budget = 31 sat/day\n'); // one payment and its fee
  const first = await user.buy(`${seller.url}/a`);
  assert.deepEqual([first.code, first.out], [0, 'broken\n']);
  assert.match(first.err, /HTTP 500; it has given the Lightning payment back/);
  assert.deepEqual(await user.states(), ['void']);
  const second = await user.buy(`${seller.url}/a`);
  assert.deepEqual([second.code, second.out], [0, 'bought\n'], second.err);
  assert.equal(new Set(payer.sends).size, 2);
  assert.equal((await user.buy(`${seller.url}/b`)).code, 103, 'and that one counts');
});

test("held: the seller's node does not have it yet: asked again, without new invoices", async () => {
  const seller = await sell({ held: true, paid: (payment, res) =>
    (payment.shown < 4 ? payment.refuse('not_paid') : served(payment, res)) });
  const { code, out, err } = await buyer().buy(`${seller.url}/a`);
  assert.deepEqual([code, out], [0, 'bought\n'], err);
  assert.equal(seller.seen.length, 4);
  assert.ok(seller.seen.every(({ headers }) => headers['accept-payment'] === 'lightning;q=0'));
  assert.equal(payer.sends.length, 1);
});

test('held: no way to the seller: not paid, not spent', async () => {
  const seller = await sell({ held: true, paid: (payment) => payment.refuse('not_paid') });
  payer.send = (payment) => {
    payment.status = 'IN_FLIGHT';
    setTimeout(() => payer.end(payment.hash, 'FAILED', 'FAILURE_REASON_NO_ROUTE'), 500);
  };
  const user = buyer();
  const { code, err } = await user.buy(`${seller.url}/a`);
  assert.equal(code, 103, err);
  assert.match(err, /not made: FAILURE_REASON_NO_ROUTE/);
  assert.deepEqual(await user.states(), ['void']);
});

test('held: refused, and given back', async () => {
  const seller = await sell({ held: true, paid: (payment) => {
    payment.refuse('expired');
    payer.end(payment.hash, 'FAILED');
  } });
  const user = buyer();
  const { code, err } = await user.buy(`${seller.url}/a`);
  assert.equal(code, 104, err);
  assert.match(err, /given the Lightning payment back: HTTP 402 expired/);
  assert.deepEqual(await user.states(), ['void']);
});

for (const [what, end] of [['taken', 'SUCCEEDED'], ['given back', 'FAILED']]) {
  test(`held: killed while the upstream works, ${what}: resumed, not paid twice`, async () => {
    let hanging;
    const seller = await sell({ held: true, paid: (payment, res) => {
      if (hanging)
        return served(payment, res);
      hanging = payment;
      return undefined;
    } });
    const user = buyer();
    const child = user.begin(`${seller.url}/a`);
    await eventually('the upstream works', async () => assert.ok(hanging), 20_000);
    child.kill('SIGKILL');
    await child.end;
    if (end === 'FAILED')
      payer.end(hanging.hash, end);
    const { code, out, err } = await user.buy(`${seller.url}/a`);
    assert.deepEqual([code, out], [0, 'bought\n'], err);
    assert.match(err, /going on with the payment of 21 sat/);
    const hashes = new Set(payer.sends);
    assert.equal(payer.sends.length, hashes.size, 'no hash was sent twice');
    assert.equal(hashes.size, end === 'FAILED' ? 2 : 1);
    assert.deepEqual(await user.states(), end === 'FAILED' ? ['done', 'void'] : ['done']);
  });
}

test('held: on its way for as long as --max-time: unknown, it counts, and the next run has it', async () => {
  let held = true;
  const seller = await sell({ held: true, paid: (payment, res) => (held ? payment.refuse('not_paid') : served(payment, res)) });
  const user = buyer('sat-budget = 31 sat/day\n');
  const first = await user.buy('--max-time', '2', `${seller.url}/a`);
  assert.equal(first.code, 105, first.err);
  assert.equal((await user.buy(`${seller.url}/b`)).code, 103);
  held = false;
  const second = await user.buy(`${seller.url}/a`);
  assert.deepEqual([second.code, second.out], [0, 'bought\n'], second.err);
  assert.equal(payer.sends.length, 1);
});

test('held: killed, and given back meanwhile: another request has the budget', async () => {
  let hanging;
  const seller = await sell({ held: true, paid: (payment, res) => {
    if (hanging)
      return served(payment, res);
    hanging = payment;
    return undefined;
  } });
  const user = buyer('sat-budget = 31 sat/day\n');
  const child = user.begin(`${seller.url}/a`);
  await eventually('the upstream works', async () => assert.ok(hanging), 20_000);
  child.kill('SIGKILL');
  await child.end;
  assert.equal((await user.buy(`${seller.url}/b`)).code, 103, 'on its way: it counts');
  payer.end(hanging.hash, 'FAILED');
  const { code, out, err } = await user.buy(`${seller.url}/b`);
  assert.deepEqual([code, out], [0, 'bought\n'], err);
  assert.deepEqual(await user.states(), ['done', 'void']);
});

/* -- what LND does not know (yet) -- */

/* The stream breaks off, and LND has not looked at the request yet. */
const lost = (payment, res) => {
  res.destroy();
  return true;
};

test('the stream breaks off and LND does not know it: unknown, not void; it may still be paid', async () => {
  const seller = await sell();
  const user = buyer('sat-budget = 31 sat/day\n');
  payer.send = lost;
  const first = await user.buy(`${seller.url}/a`);
  assert.equal(first.code, 105, first.err);
  assert.match(first.err, /may be under way/);
  assert.doesNotMatch(user.records()[0], /"void"/);
  assert.equal((await user.buy(`${seller.url}/b`)).code, 103, 'it counts');
  const [hash] = payer.sends;
  payer.payments.get(hash).status = 'SUCCEEDED'; // it had arrived after all
  const second = await user.buy(`${seller.url}/a`);
  assert.deepEqual([second.code, second.out], [0, 'bought\n'], second.err);
  assert.deepEqual(payer.sends, [hash]);
  assert.equal(seller.seen.length, 1);
});

test('it stays unknown while its invoice could be paid, and is void a minute after', async () => {
  const seller = await sell();
  const user = buyer();
  payer.send = lost;
  assert.equal((await user.buy(`${seller.url}/a`)).code, 105);
  const [file] = user.files();
  const text = readFileSync(file, 'utf8');
  const ended = (seconds) => writeFileSync(file, text.replace(/"end":\d+/, `"end":${Math.floor(Date.now() / 1000) - seconds}`));
  ended(5);
  const early = await user.buy(`${seller.url}/a`);
  assert.equal(early.code, 105, early.err);
  assert.equal(payer.sends.length, 1);
  ended(61);
  payer.send = (payment) => { payment.status = 'SUCCEEDED'; };
  const late = await user.buy(`${seller.url}/a`);
  assert.deepEqual([late.code, late.out], [0, 'bought\n'], late.err);
  assert.match(late.err, /was not made/);
  assert.deepEqual(await user.states(), ['done', 'void']);
});

test('the same invoice is asked for again while it can be paid', async () => {
  const seller = await sell();
  const user = buyer();
  payer.send = lost;
  assert.equal((await user.buy(`${seller.url}/a`)).code, 105);
  payer.send = (payment) => { payment.status = 'SUCCEEDED'; };
  const { code, err } = await user.buy(`${seller.url}/a`);
  assert.equal(code, 0, err);
  assert.equal(payer.sends.length, 2);
  assert.equal(new Set(payer.sends).size, 1);
  assert.deepEqual(await user.states(), ['done']);
});

test('LND says why it does not pay, and does not know it: void at once', async () => {
  const seller = await sell();
  const user = buyer();
  payer.send = (payment, res) => {
    res.writeHead(400).end(JSON.stringify({ error: { code: 3, message: 'self-payments not allowed' } }));
    return true;
  };
  const { code, err } = await user.buy(`${seller.url}/a`);
  assert.equal(code, 103, err);
  assert.match(err, /self-payments not allowed/);
  assert.deepEqual(await user.states(), ['void']);
});
