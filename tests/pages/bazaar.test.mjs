// SPDX-License-Identifier: Apache-2.0
// The Bazaar's page in Chromium: it finds what was paid for, says how to call
// it and what it costs now, and asks nobody but the server it came from.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { ExactEvmScheme } from '@x402/evm';
import { wrapFetchWithPaymentFromConfig } from '@x402/fetch';
import { PAYEE, account } from '../../devnet/accounts.mjs';
import { NETWORK, USDC } from '../../devnet/chain.mjs';
import { base64, now } from '../harness/payment.mjs';
import { useStack } from '../harness/stack.mjs';
import { until } from '../harness/witness.mjs';
import { WIDTHS, accessible, noSidewaysScroll, openBrowser, openPage, picture } from './browser.mjs';

const world = useStack({ yaml: { bazaar: true } }, { ready: fill, done: () => seller.close() });
const NASTY = '"><img src=x onerror=alert(1)></script><script>alert(1)</script> \'; rm -rf / #';
let browser;
let seller;
before(async () => { browser = await openBrowser(); });
after(() => browser?.close());

const api = (path) => `${world.stack.url('facilitator')}${path}`;
const open = (options) => openPage(browser, world.stack.url('facilitator'), options);
const total = async () => (await (await fetch(api('/discovery/resources'))).json()).pagination.total;

/** Two routes are bought; a seller whose every word is markup registers itself. */
async function fill({ stack }) {
  const buy = wrapFetchWithPaymentFromConfig(fetch, { schemes: [{ network: NETWORK, client: new ExactEvmScheme(account(4)) }] });
  assert.equal((await buy(`${stack.url('gateway')}/paid`)).status, 200);
  assert.equal((await buy(`${stack.url('gateway')}/v1/chat/completions`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"model":"m","messages":[{"role":"user","content":"hi"}]}',
  })).status, 200);
  seller = createServer((request, response) => {
    response.statusCode = 402;
    const file = request.url === '/file';
    const body = file ? '@/etc/passwd' : { [NASTY]: NASTY };
    response.setHeader('PAYMENT-REQUIRED', base64({
      x402Version: 2,
      resource: { description: file ? 'Wants a file' : `Markup ${NASTY}`, serviceName: '<b>Markup</b>', tags: ['<i>tag</i>'] },
      accepts: [{ scheme: 'exact', network: NETWORK, amount: '2500000', asset: file ? account(1).address : USDC, payTo: account(PAYEE).address, maxTimeoutSeconds: 60, extra: { name: 'USDC', version: '2' } }],
      extensions: { bazaar: { info: { input: { type: 'http', method: 'POST', bodyType: file ? 'text' : 'json', body } }, schema: { type: 'object' } } },
    }));
    response.end();
  });
  await new Promise((resolve) => { seller.listen(0, '127.0.0.1', resolve); });
  for (const path of ['/markup', '/file'])
    await register(stack, `http://127.0.0.1:${seller.address().port}${path}`);
}

async function register(stack, url) {
  const payTo = account(PAYEE).address;
  const expires = now() + 600;
  const message = `List this resource in the x402 Bazaar\nURL: ${url}\nPay to: ${payTo}\nExpires: ${expires}`;
  const response = await fetch(`${stack.url('facilitator')}/register`, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ url, method: 'POST', payTo, expires, signature: await account(PAYEE).signMessage({ message }) }),
  });
  assert.equal(response.status, 201, await response.text());
}

test('its headers let nothing else run in it', async () => {
  await until('four listings', 10_000, total, (n) => n === 4);
  const response = await fetch(api('/bazaar'));
  const policy = response.headers.get('content-security-policy');
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*|http/);
  assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(response.headers.get('referrer-policy'), 'no-referrer');
});

test('it finds a resource by words, network and price', async () => {
  const page = await open();
  await page.goto(api('/bazaar'));
  await page.getByText('4 resources').waitFor();
  await page.getByLabel('Search').fill('completion');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByText('1 resource', { exact: true }).waitFor();
  assert.equal(await page.locator('li .price').textContent(), '0.000495 USDC');
  await page.getByLabel('Search').fill('');
  await page.getByLabel('At most, dollars').fill('0.001');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByText('2 resources').waitFor();
  await page.getByLabel('Network').selectOption('eip155:8453');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByText('Nothing fits.').waitFor();
  assert.deepEqual(page.bad, []);
  await page.context().close();
});

test('a resource\'s page: how to call it, and what it costs now', async () => {
  const page = await open();
  await page.goto(api('/bazaar'));
  await page.getByRole('link', { name: 'An answer in JSON' }).click();
  await page.getByText('Now: 0.001 USDC on Base Sepolia').waitFor();
  const url = `${world.stack.url('gateway')}/paid`;
  assert.match(await page.textContent('#curl'), new RegExp(`curl -ig '${url}`));
  assert.match(await page.textContent('#x402'), new RegExp(`x402 get --max-amount 0.10 '${url}`));
  assert.match(await page.textContent('#fetch'), /@x402\/fetch/);
  await accessible(page);
  await page.getByRole('link', { name: 'All resources' }).click();
  await page.getByText('4 resources').waitFor();
  assert.deepEqual(page.bad, []);
  await page.context().close();
});

test('what a seller says is text, whatever it says', async () => {
  const page = await open();
  page.on('dialog', () => page.bad.push('dialog'));
  await page.goto(api('/bazaar'));
  await page.getByText('4 resources').waitFor();
  assert.equal(await page.locator('main img, main script, li b, li i').count(), 0);
  await page.getByRole('link', { name: /^Markup/ }).click();
  await page.getByText('Now: 2.5 USDC').waitFor();
  assert.equal(await page.locator('main img, main b, main i').count(), 0);
  assert.equal(await page.textContent('#name'), '<b>Markup</b>');
  assert.match(await page.textContent('#curl'), /-X POST/);
  /* what a shell would take it for */
  const { execFileSync } = await import('node:child_process');
  const line = (await page.textContent('#curl')).split('\n')[1].replace(/^curl/, 'printf \'%s\\n\'');
  const words = execFileSync('sh', ['-c', line], { encoding: 'utf8' }).trimEnd().split('\n');
  assert.equal(words.at(-1), `http://127.0.0.1:${seller.address().port}/markup`);
  assert.deepEqual(JSON.parse(words.at(-2)), { [NASTY]: NASTY });
  assert.deepEqual(page.bad, []);
  await page.context().close();
});

test('no command sends a file of its reader\'s, and no seller says what a token is', async () => {
  const page = await open();
  await page.goto(api('/bazaar'));
  await page.getByRole('link', { name: 'Wants a file' }).click();
  await page.getByText('Now: 2500000 units of').waitFor();
  for (const id of ['#curl', '#x402']) {
    assert.match(await page.textContent(id), / -d @body.txt /);
    assert.doesNotMatch(await page.textContent(id), /passwd/);
  }
  await page.context().close();
});

for (const width of WIDTHS) {
  for (const dark of [false, true]) {
    test(`${width} px, ${dark ? 'dark' : 'light'}: fits, and axe finds nothing serious`, async () => {
      const page = await open({ width, dark });
      await page.goto(api('/bazaar'));
      await page.getByText('4 resources').waitFor();
      await accessible(page);
      await noSidewaysScroll(page);
      await picture(page, `bazaar-${width}-${dark ? 'dark' : 'light'}`);
      await page.getByRole('link', { name: 'A chat completion' }).click();
      await page.getByText('Now: ').waitFor();
      await accessible(page);
      await noSidewaysScroll(page);
      await picture(page, `bazaar-one-${width}-${dark ? 'dark' : 'light'}`);
      assert.deepEqual(page.bad, []);
      await page.context().close();
    });
  }
}
