// SPDX-License-Identifier: Apache-2.0
// The paywall in Chromium with real nodes at both ends: its QR code is read from
// the screen by somebody else's decoder, the payer's LND pays it, the content
// loads.  The oracles are the seller's node and the upstream's counter.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import jsqr from 'jsqr';
import png from 'pngjs';
import { LIGHTNING_ROUTES, eventually, lightningYaml } from '../../devnet/lightning.mjs';
import { ROUTES } from '../../devnet/gateway.mjs';
import { complaints, newStack } from '../harness/stack.mjs';
import { openBrowser, openPage } from '../pages/browser.mjs';
import { startNetwork, stopNetwork } from './network.mjs';

const HELD = LIGHTNING_ROUTES.map(({ path, more, ...route }) => ({
  ...route, path: `/held${path}`, more: [...more, 'x402_lightning_dialects hold;'] }));
let network;
let stack;
let browser;
before(async () => {
  network = await startNetwork();
  stack = await newStack({
    yaml: { more: `${lightningYaml(network.seller)}\n  peer: {per_minute: 6000, burst: 1000}` },
    conf: { routes: [...ROUTES, ...LIGHTNING_ROUTES, ...HELD] },
  });
  browser = await openBrowser();
}, { timeout: 240_000 });
after(async () => {
  await browser?.close();
  await stack?.stop();
  await stopNetwork();
  if (stack)
    assert.deepEqual(complaints(stack.dir), []);
});

const hits = async (path) => (await (await fetch(`${stack.url('upstream')}/__hits`)).json())[path] ?? 0;

/** The page, once it shows an invoice, and that invoice as a phone reads it. */
async function open(path) {
  const page = await openPage(browser, stack.url('gateway'), { expected: [/status of (402|409|503)/] });
  await eventually('an invoice is shown', async () => {
    await page.goto(stack.url('gateway') + path);
    await page.locator('#scan path').waitFor({ state: 'attached', timeout: 3000 });
  }, 60_000);
  const { data, width, height } = png.PNG.sync.read(await page.locator('#scan').screenshot());
  const text = jsqr(new Uint8ClampedArray(data), width, height).data;
  return { page, invoice: text.replace(/^LIGHTNING:/, '').toLowerCase() };
}

test('scanned and paid by LND, the preimage shown: the content loads', async () => {
  const before = await hits('/paid');
  const { page, invoice } = await open('/paid-ln?page=1');
  const paid = await network.payer.pay(invoice);
  assert.equal(paid.status, 'SUCCEEDED');
  await page.evaluate(() => { document.querySelector('#proof').open = true; });
  await page.fill('#preimage', paid.payment_preimage);
  await page.getByRole('button', { name: 'Show what I paid for' }).click();
  await page.getByText('Here it is:').waitFor();
  assert.match(await page.textContent('pre'), /42/);
  assert.equal(await hits('/paid'), before + 1);
  const settled = await network.seller.invoice(paid.payment_hash);
  assert.equal(settled.state, 'SETTLED');
  assert.equal(settled.amt_paid_msat, '21000');
  assert.deepEqual(page.bad, []);
  await page.context().close();
});

test('a hold invoice, scanned: the content loads by itself, and only then the money is taken', async () => {
  const before = await hits('/paid');
  const { page, invoice } = await open('/held/paid-ln?page=2');
  const paying = network.payer.pay(invoice);
  await page.getByText('Here it is:').waitFor({ timeout: 60_000 });
  assert.match(await page.textContent('pre'), /42/);
  assert.equal(await hits('/paid'), before + 1);
  const paid = await paying;
  assert.equal(paid.status, 'SUCCEEDED');
  assert.equal((await network.seller.invoice(paid.payment_hash)).state, 'SETTLED');
  assert.deepEqual(page.bad, []);
  await page.context().close();
});
