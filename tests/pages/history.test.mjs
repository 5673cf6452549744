// SPDX-License-Identifier: Apache-2.0
// The history of one payment, on its page and in x402d ledger show: released
// twice, then answered, mined, taken back by a reorganisation, mined again and
// final, each with its time.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PROGRAMS } from '../../devnet/paths.mjs';
import { sleep } from '../../devnet/process.mjs';
import { useStack } from '../harness/stack.mjs';
import { newPayer } from '../harness/token.mjs';
import { until } from '../harness/witness.mjs';
import { accessible, noSidewaysScroll, openBrowser, openPage, picture } from './browser.mjs';

const answers = [500, 503, 200]; // of the upstream, one after the other
const upstream = createServer((req, res) => {
  res.statusCode = answers.shift() ?? 200;
  res.end('{}');
});
await new Promise((resolve) => { upstream.listen(0, '127.0.0.1', resolve); });
upstream.unref();

const world = useStack({ conf: { server: `
    location = /moody {
      x402 on;
      x402_price 0.001 USDC;
      proxy_pass http://127.0.0.1:${upstream.address().port};
    }` } }, { done: () => upstream.close() });
let browser;
before(async () => { browser = await openBrowser(); }, { timeout: 60_000 });
after(() => browser?.close());

const origin = () => `http://127.0.0.1:${world.stack.ports.status}`;
const show = (what, ...more) => execFileSync(PROGRAMS.x402d,
  ['ledger', 'show', '--ledger', join(world.stack.dir, 'ledger.db'), ...more, String(what)], { encoding: 'utf8' });
const whole = (nonce) => JSON.parse(show(nonce, '--json'));
const words = ({ history }) => history.map(({ what }) => what).join(' ');

/** Blocks come until it is in this state. */
const mineUntil = (state, nonce) => until(state, 60_000, async () => {
  await world.stack.rpc.mine(state === 'final' ? 80 : 1);
  await sleep(300);
  return whole(nonce);
}, (payment) => payment.state === state);

let payment; // as the ledger tool has it at the end
let began;

test('released twice, then answered, mined, taken back, mined again, final: the ledger can tell each', async () => {
  const { stack, witness } = world;
  began = Date.now();
  await stack.rpc.mine(3);
  const payer = await newPayer(stack.rpc, 1_000_000n);
  const { nonce, header } = await world.pay('/moody', { payer }).then((made) => ({ nonce: made.nonce, header: made.header('v2') }));
  const buy = async () => (await world.get('/moody', header)).status;
  assert.deepEqual([await buy(), await buy(), await buy()], [500, 503, 200]);
  assert.equal(await buy(), 402, 'used');
  assert.equal(await buy(), 402, 'used');
  const first = await mineUntil('mined', nonce);
  await stack.rpc.call('anvil_reorg', 3, []);
  assert.equal(await witness.used(payer, nonce), false, 'the reorg did take it away');
  await until('the ledger knows of it', 60_000, async () => {
    await stack.rpc.mine(1);
    await sleep(300);
    return words(whole(nonce));
  }, (way) => way.includes('reorged'));
  const second = await mineUntil('mined', nonce);
  payment = await mineUntil('final', nonce);

  // when it was delivered, and how often it had to be signed, is the settler's
  assert.match(words(payment), /^reserved released reserved_again released reserved_again captured /);
  assert.match(words(payment), /signed .*mined reorged (\S+ )*mined final$/);
  assert.match(words(payment), / delivered /);
  const of = (what) => payment.history.filter((step) => step.what === what);
  assert.deepEqual(of('released').map(({ status }) => status), [500, 503]);
  assert.deepEqual(of('refused').map(({ reason }) => reason), ['replayed'], 'told once');
  assert.deepEqual(of('mined').map(({ block }) => block), [first.block, second.block]);
  assert.equal(of('reorged')[0].block, first.block);
  assert.ok(second.block > first.block || second.block === first.block);
  assert.equal(of('final')[0].transaction, payment.transaction);
  assert.equal(payment.releases, 2);
});

test('the times are those at which it happened', () => {
  const times = payment.history.map(({ at }) => Date.parse(at));
  assert.deepEqual(times, [...times].sort((a, b) => a - b));
  assert.ok(times[0] >= began - 1000 && times.at(-1) <= Date.now() + 1000, `${new Date(began)} ${times}`);
  for (const { at } of payment.history)
    assert.match(at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
});

test('x402d ledger show says it to people', () => {
  const text = show(payment.id);
  for (const part of [/^history$/m, /released: .*; the answer was 503$/m, /asked for again, and refused: replayed$/m, /reorganisation took its block back, block \d+$/m, /final, block \d+$/m])
    assert.match(text, part);
  assert.ok(text.includes(payment.transaction));
});

test('the payment\'s page shows it', async () => {
  for (const width of [390, 1280]) {
    const page = await openPage(browser, origin(), { width });
    await page.goto(`${origin()}/?payment=${payment.id}`);
    await page.locator('#history [data-what=final]').waitFor();
    const steps = await page.locator('#history li').evaluateAll((all) => all.map((one) => ({
      what: one.dataset.what, at: one.querySelector('time')?.dateTime, text: one.innerText })));
    assert.deepEqual(steps.map(({ what, at }) => [what, at]), payment.history.map(({ what, at }) => [what, at]));
    steps.forEach(({ text }, i) => assert.ok(text.includes(payment.history[i].text), text));
    await noSidewaysScroll(page);
    await accessible(page);
    await picture(page, `status-history-${width}`);
    assert.deepEqual(page.bad, []);
    await page.context().close();
  }
});
