// SPDX-License-Identifier: Apache-2.0
// The paywall's Lightning part in Chromium, before a node that the test drives:
// the QR code is read from the screen by somebody else's decoder, paid, and the
// content loads.  The oracles are the node's invoices and the upstream's counter.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import jsqr from 'jsqr';
import png from 'pngjs';
import qrcode from 'qrcode';
import { PROGRAMS, PROJECT } from '../../devnet/paths.mjs';
import { until } from '../harness/witness.mjs';
import { useShop } from '../lightning/shop.mjs';
import { WIDTHS, accessible, noSidewaysScroll, openBrowser, openPage, picture } from './browser.mjs';

const asks = useShop({ lightning: '  invoice_only: true' });
const shy = useShop();
let browser;
before(async () => {
  await asks.start();
  await shy.start();
  browser = await openBrowser();
}, { timeout: 60_000 });
after(() => browser?.close());

const read = (image) => {
  const { data, width, height } = png.PNG.sync.read(image);
  return jsqr(new Uint8ClampedArray(data), width, height)?.data;
};
const origin = (shop) => `http://127.0.0.1:${shop.ports.gateway}`;
const answer = (text, status = 200) => (req, res) => {
  res.writeHead(status, { 'content-type': 'text/plain' });
  res.end(text);
};

async function open(shop, path, options) {
  const page = await openPage(browser, origin(shop), { expected: [/status of (402|409|500|503)/], ...options });
  await page.goto(origin(shop) + path);
  await page.locator('#scan path').waitFor({ state: 'attached' });
  return page;
}

/** What a phone sees. */
const scan = async (page) => read(await page.locator('#scan').screenshot());
const preimageOf = (shop, text) => shop.lnd.pay(text.replace(/^LIGHTNING:/, '').toLowerCase());

test('scanned, paid, and the content loads by itself', async () => {
  asks.answer = answer('what was bought');
  const page = await open(asks, '/page?scan=1');
  const text = await scan(page);
  assert.match(text, /^LIGHTNING:LNBCRT210N1[0-9A-Z]+$/);
  assert.equal(await page.getAttribute('#open', 'href'), text.toLowerCase());
  assert.equal(await page.textContent('#sats'), '21 sat');
  const made = asks.lnd.counts.add;
  const hits = asks.hits.length;
  await page.waitForTimeout(2500);
  assert.equal(asks.hits.length, hits, 'nothing was bought before it was paid');
  assert.equal(asks.lnd.counts.add, made, 'waiting makes no invoices');
  preimageOf(asks, text);
  await page.getByText('Here it is:').waitFor();
  assert.equal(await page.textContent('pre'), 'what was bought');
  assert.equal(await page.locator('#lightning').isVisible(), false);
  assert.equal(asks.hits.length, hits + 1);
  await accessible(page);
  assert.deepEqual(page.bad, []);
  await page.context().close();
});

test('the status page lists it, and tells its history', async () => {
  const status = `http://127.0.0.1:${asks.ports.status}`;
  const page = await openPage(browser, status);
  await page.goto(status);
  await page.locator('#invoices').getByRole('link', { name: /^ln\d+$/ }).first().click();
  await page.locator('#history [data-what=delivered]').waitFor({ timeout: 20_000 });
  const steps = await page.locator('#history li').evaluateAll((all) => all.map((one) => [one.dataset.what, Date.parse(one.querySelector('time').dateTime)]));
  assert.deepEqual(steps.map(([what]) => what), ['issued', 'paid', 'reserved', 'captured', 'delivered']);
  const times = steps.map(([, at]) => at);
  assert.deepEqual(times, [...times].sort((a, b) => a - b));
  assert.ok(Math.abs(Date.now() - times.at(-1)) < 600_000);
  const hash = await page.locator('dt:text-is("Payment hash") + dd').textContent();
  const shown = execFileSync(PROGRAMS.x402d, ['ledger', 'show', '--ledger', join(asks.dir, 'ledger.db'), '--json', hash], { encoding: 'utf8' });
  assert.deepEqual(JSON.parse(shown).history.map(({ what }) => what), steps.map(([what]) => what));
  assert.equal(JSON.parse(shown).money, '21 sat');
  await accessible(page);
  assert.deepEqual(page.bad, []);
  await page.context().close();
});

test('paid while the page was closed: it goes on with the same invoice', async () => {
  asks.answer = answer('kept');
  const page = await open(asks, '/page?reload=1');
  const text = await scan(page);
  await page.reload();
  await page.locator('#scan path').waitFor({ state: 'attached' });
  assert.equal(await scan(page), text);
  await page.goto('about:blank');
  preimageOf(asks, text);
  await page.goBack();
  await page.getByText('Here it is:').waitFor();
  assert.equal(await page.textContent('pre'), 'kept');
  await page.context().close();
});

test('an error of the upstream is not the end of the payment', async () => {
  asks.answer = answer('no', 500);
  const page = await open(asks, '/page?error=1');
  preimageOf(asks, await scan(page));
  await page.getByText('nothing is paid twice').waitFor();
  asks.answer = answer('at last');
  await page.reload();
  await page.getByText('Here it is:').waitFor();
  assert.equal(await page.textContent('pre'), 'at last');
  assert.deepEqual(page.bad, []);
  await page.context().close();
});

test('a seller who wants the preimage gets it: pasted, or from a WebLN wallet', async () => {
  shy.answer = answer('by proof');
  const page = await open(shy, '/page?paste=1');
  await page.locator('#proof[open]').waitFor(); // it was found out that asking is not enough
  const text = await scan(page);
  const hits = shy.hits.length;
  await page.fill('#preimage', '00'.repeat(32));
  await page.getByRole('button', { name: 'Show what I paid for' }).click();
  await page.getByText('That is not taken as a proof').waitFor();
  assert.equal(shy.hits.length, hits);
  await page.fill('#preimage', ` ${preimageOf(shy, text).toString('hex').toUpperCase()}`);
  await page.getByRole('button', { name: 'Show what I paid for' }).click();
  await page.getByText('Here it is:').waitFor();
  assert.deepEqual(page.bad, []);
  await page.context().close();

  const other = await openPage(browser, origin(shy), { expected: [/status of 402/] });
  await other.exposeFunction('payInvoice', (invoice) => preimageOf(shy, invoice).toString('hex'));
  await other.addInitScript(() => {
    window.webln = { enable: async () => {}, sendPayment: async (invoice) => ({ preimage: await window.payInvoice(invoice) }) };
  });
  await other.goto(`${origin(shy)}/page?webln=1`);
  await other.getByRole('button', { name: 'Pay 21 sat with browser Lightning wallet' }).click();
  await other.getByText('Here it is:').waitFor();
  assert.deepEqual(other.bad, []);
  await other.context().close();
});

test('a hold invoice: charged for an answer, and not for an error', async () => {
  for (const [status, end, state] of [[200, 'Here it is:', 'SETTLED'], [500, 'You were not charged', 'CANCELED']]) {
    shy.answer = answer('held', status);
    const page = await open(shy, `/hold?${status}`);
    assert.equal(await page.locator('#proof').isVisible(), false);
    const invoice = shy.lnd.hold((await scan(page)).replace('LIGHTNING:', '').toLowerCase());
    await page.getByText(end).waitFor();
    await until(state, 5000, async () => invoice.state, (now) => now === state);
    await accessible(page);
    assert.deepEqual(page.bad, []);
    await page.context().close();
  }
});

test('the invoice can be copied', async () => {
  const page = await open(asks, '/page?copy=1');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.getByRole('button', { name: 'Copy the invoice' }).click();
  await page.getByRole('button', { name: 'Copied' }).waitFor();
  assert.equal(`lightning:${await page.evaluate(() => navigator.clipboard.readText())}`, await page.getAttribute('#open', 'href'));
  await page.context().close();
});

test('without Lightning there is none of it', async () => {
  asks.lnd.serverState = 'LOCKED';
  for (let gone = false; !gone; gone = (await asks.ask('/page')).entry === undefined);
  const page = await openPage(browser, origin(asks), { expected: [/status of 402/] });
  await page.goto(`${origin(asks)}/page?none`);
  await page.getByText('No wallet in this browser').waitFor();
  assert.equal(await page.locator('#lightning').isVisible(), false);
  asks.lnd.serverState = 'SERVER_ACTIVE';
  await asks.offered();
  await page.context().close();
});

test('looks right on a phone and a desk, light and dark', async () => {
  for (const width of WIDTHS) {
    for (const dark of [false, true]) {
      const page = await open(shy, `/page?look=${width}-${dark}`, { width, dark });
      await page.locator('#proof[open]').waitFor();
      assert.match(await scan(page), /^LIGHTNING:LNBC/);
      await noSidewaysScroll(page);
      await accessible(page);
      await picture(page, `paywall-lightning-${width}-${dark ? 'dark' : 'light'}`);
      assert.deepEqual(page.bad, []);
      await page.context().close();
    }
  }
});

test('codes of every version are those of another encoder', () => {
  const qr = new Function(`${readFileSync(join(PROJECT, 'web', 'qr.js'), 'utf8')}; return qr;`)();
  const chars = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:';
  const versions = new Set();
  for (let length = 1; length <= 4296; length = length < 4296 ? Math.min(4296, Math.ceil(length * 1.06)) : 9999) {
    const text = Array.from({ length }, (_, i) => chars[(i * 7 + length) % 45]).join('');
    const mine = qr(text).flat().join('');
    const theirs = Array.from({ length: 8 }, (_, maskPattern) => qrcode.create([{ data: text, mode: 'alphanumeric' }],
      { errorCorrectionLevel: 'L', maskPattern }));
    assert.ok(theirs.some(({ modules }) => modules.data.join('') === mine), `${length} characters`);
    versions.add(theirs[0].version);
  }
  assert.ok(versions.size >= 35 && versions.has(1) && versions.has(40), [...versions].join(' '));
  assert.throws(() => qr('A'.repeat(4297)), /too long/);
});
