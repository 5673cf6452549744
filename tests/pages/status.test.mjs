// SPDX-License-Identifier: Apache-2.0
// The status page in Chromium while payments run; who may not see it; and that
// what strangers chose stays text.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { PROGRAMS } from '../../devnet/paths.mjs';
import { useStack } from '../harness/stack.mjs';
import { until } from '../harness/witness.mjs';
import { WIDTHS, accessible, noSidewaysScroll, openBrowser, openPage, picture } from './browser.mjs';

const world = useStack();
let browser;
before(async () => { browser = await openBrowser(); }, { timeout: 60_000 });
after(() => browser?.close());

const origin = () => `http://127.0.0.1:${world.stack.ports.status}`;
const api = async (path) => (await fetch(`${origin()}${path}`)).json();
const buy = async (path = '/paid', more) => world.get(path, (await world.pay(path, more)).header('v2'), more);

/** An answer to a raw request: fetch does not let a Host be chosen. */
const status = (headers, { method = 'GET', path = '/' } = {}) => new Promise((resolve, reject) => {
  const req = request({ host: '127.0.0.1', port: world.stack.ports.status, method, path, headers }, (res) => {
    res.resume();
    resolve(res.statusCode);
  });
  req.once('error', reject);
  req.end();
});

test('only for this machine: Host, method, unknown pages', async () => {
  const { port } = new URL(origin());
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, 'LOCALHOST', `[::1]:${port}`])
    assert.equal(await status({ host }), 200, host);
  for (const host of [`evil.example:${port}`, '127.0.0.1.evil.example', 'localhost.evil.example', '169.254.169.254'])
    for (const path of ['/', '/api/overview', '/api/payments'])
      assert.notEqual(await status({ host }, { path }), 200, host);
  assert.equal(await status({ host: 'evil.example' }), 403);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
    assert.equal(await status({}, { method }), 405);
  for (const path of ['/etc/passwd', '/api', '/api/payment', '/api/payment?id=0', '/api/payment?id=1x', '/api/payment?id=99999999', '/api/payments?state=x', '/api/invoice', '/api/invoice?id=1'])
    assert.equal(await status({}, { path }), 404, path);
  const page = await fetch(origin());
  assert.match(page.headers.get('content-security-policy'), /default-src 'none'; script-src 'self'/);
  assert.equal(page.headers.get('access-control-allow-origin'), null);
});

test('x402d check refuses a status page that others could reach', () => {
  const file = join(world.stack.dir, 'open.yaml');
  for (const [address, says] of [['0.0.0.0:4023', /not a loopback/], ['192.0.2.1:4023', /not a loopback/], ['127.0.0.1', /write an address and a port/]]) {
    writeFileSync(file, `ledger: l.db\nstatus: ${address}\nnetworks: [{network: base-sepolia, rpc: [http://127.0.0.1:1]}]\n`);
    assert.throws(() => execFileSync(PROGRAMS.x402d, ['check', file], { encoding: 'utf8', stdio: 'pipe' }),
      (error) => says.test(error.stdout + error.stderr));
  }
});

test('the page follows payments as they happen; sums, states and one payment are the ledger\'s', async () => {
  const page = await openPage(browser, origin());
  await page.goto(origin());
  await page.getByText('reachable', { exact: true }).waitFor();
  await page.getByText('None.').first().waitFor();
  const before = await page.locator('#payments tbody tr').count();
  for (let i = 0; i < 3; i += 1)
    assert.equal((await buy()).status, 200);
  assert.equal((await buy('/v1/chat/completions', { method: 'POST', body: '{"messages":[]}' })).status, 200);
  assert.equal((await buy('/fail')).status, 500);
  await page.locator(`#payments tbody tr:nth-child(${before + 5})`).waitFor({ timeout: 10_000 });
  await page.locator('#cards').getByText('0.003495 USDC').waitFor({ timeout: 10_000 });
  await page.locator('#routes').getByText('/v1/chat/completions').waitFor();
  assert.equal(await page.locator('#days svg').count(), 1);
  await until('settled', 15_000, async () => (await api('/api/overview')).states, ({ mined, final }) => mined + final === 4);
  await page.locator('#payments').getByText('released').waitFor({ timeout: 10_000 });
  await page.selectOption('#state', 'released');
  await page.locator('#payments tbody tr').nth(1).waitFor({ state: 'detached' });
  assert.equal(await page.locator('#payments tbody tr').count(), 1);
  await page.selectOption('#state', '');
  await page.locator('#payments tbody tr').nth(4).waitFor();
  const [settled] = (await api('/api/payments')).payments.filter((one) => one.transaction);
  await page.locator('#payments').getByText(`#${settled.id}`, { exact: true }).click();
  await page.locator('#facts').getByText(settled.transaction).waitFor();
  await page.locator('#history [data-what=signed]').getByText(settled.transaction).waitFor();
  await accessible(page);
  assert.deepEqual(page.bad, []);
  await page.context().close();
});

test('what came from outside stays text, wherever it stands', async () => {
  const EVIL = `<img src=x onerror=alert(1)>"'&\u202e</script><script>alert(1)</script>javascript:alert(1)`;
  const poison = (value, key) => (typeof value !== 'object' || value === null
    ? (['reason', 'resource', 'payer', 'payee', 'money', 'network', 'symbol', 'hash', 'transaction', 'asset', 'version', 'address'].includes(key)
      || (key === 'name' && !/^\d{4}-/.test(value)) ? EVIL : value)
    : Array.isArray(value) ? value.map((one) => poison(one)) : Object.fromEntries(Object.entries(value).map(([k, v]) => [k, poison(v, k)])));
  const page = await openPage(browser, origin());
  await page.route('**/api/*', async (route) => {
    const response = await route.fetch();
    await route.fulfill(response.ok() ? { response, json: poison(await response.json()) } : { response });
  });
  for (const path of ['/', '/?payment=1', `/?payment=${encodeURIComponent(EVIL)}`]) {
    await page.goto(`${origin()}${path}`);
    if (!path.includes('%'))
      await page.getByText('onerror=alert(1)').first().waitFor({ timeout: 10_000 });
    else
      await page.getByText('no such payment').waitFor({ timeout: 10_000 });
    assert.equal(await page.locator('body img, body script').count(), 0, path);
    assert.deepEqual(await page.locator('a').evaluateAll((all) => all.map((a) => a.protocol).filter((p) => p !== 'http:')), []);
  }
  assert.deepEqual(page.bad.filter((line) => !/status of 404/.test(line)), []);
  await page.context().close();
});

test('what is wrong stands on top: no node, no gas, stopped, losses, waiting payments, failures', async () => {
  const wrong = await api('/api/overview');
  Object.assign(wrong.networks[0], { reachable: true, canSettle: false, stopped: true, behind: true });
  wrong.networks.push({ ...wrong.networks[0], network: 'eip155:8453', reachable: false, stopped: false, behind: false });
  wrong.oldestCapturedMs = wrong.nowMs - 300_000;
  wrong.credit = [{ network: 'eip155:84532', unsettled: '25 USDC', lost: '0.5 USDC', limit: '50 USDC', unsettledUnits: '25000000',
    limitUnits: '50000000', payers: 3, settleFirst: 1 }];
  const income = await api('/api/income');
  income.failures = [{ name: 'insufficient_funds', network: 'eip155:84532', symbol: 'USDC', amount: '0.5', payments: 2 }];
  income.days.push({ ...income.days[0], symbol: 'sat', network: 'lightning', amount: '21.5', payments: 2 });
  const page = await openPage(browser, origin());
  await page.route('**/api/overview', (route) => route.fulfill({ json: wrong }));
  await page.route('**/api/income', (route) => route.fulfill({ json: income }));
  await page.goto(origin());
  await page.locator('#troubles li').first().waitFor();
  const said = await page.locator('#troubles').innerText();
  for (const part of [/a signer needs gas/, /settling is stopped/, /compared with the chain/, /Base: no node/, /waited 5 min/, /lost 0\.5 USDC/])
    assert.match(said, part);
  await page.locator('#credit').getByText('25 USDC of 50 USDC, 3 payer(s)').waitFor();
  assert.equal(await page.locator('#credit .bar').getAttribute('width'), '50');
  await page.locator('#failures').getByText('insufficient_funds').waitFor();
  assert.equal(await page.locator('#days svg').count(), 2);
  await accessible(page);
  await picture(page, 'status-wrong');
  assert.deepEqual(page.bad, []);
  await page.context().close();
});

test('it says when x402d does not answer', async () => {
  const page = await openPage(browser, origin(), { expected: [/Failed to load resource|net::/] });
  await page.goto(origin());
  await page.getByText('as of').waitFor();
  await page.context().setOffline(true);
  await page.getByText('x402d does not answer').waitFor({ timeout: 10_000 });
  await page.context().setOffline(false);
  await page.getByText('as of').waitFor({ timeout: 10_000 });
  await page.context().close();
});

for (const width of WIDTHS) {
  for (const dark of [false, true]) {
    test(`${width} pixels wide, ${dark ? 'dark' : 'light'}: nothing is cut off, axe finds nothing serious`, async () => {
      const page = await openPage(browser, origin(), { width, dark });
      const shown = `status-${width}${dark ? '-dark' : ''}`;
      await page.goto(origin());
      await page.locator('#payments tbody tr').first().waitFor();
      await noSidewaysScroll(page);
      await accessible(page);
      await picture(page, shown);
      await page.goto(`${origin()}/?payment=1`);
      await page.locator('#facts dt').first().waitFor();
      await noSidewaysScroll(page);
      await accessible(page);
      await picture(page, `${shown}-one`);
      assert.deepEqual(page.bad, []);
      await page.context().close();
    });
  }
}
