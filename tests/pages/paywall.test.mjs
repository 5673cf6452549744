// SPDX-License-Identifier: Apache-2.0
// The page that a browser gets with a 402, in Chromium, paid by an injected
// EIP-1193 wallet; the tokens move on the node.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { account } from '../../devnet/accounts.mjs';
import { useStack } from '../harness/stack.mjs';
import { until } from '../harness/witness.mjs';
import { WIDTHS, accessible, noSidewaysScroll, openBrowser, openPage, picture } from './browser.mjs';

const HTML = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';
const CHALLENGE = [/status of 402/];
const world = useStack();
let browser;
before(async () => { browser = await openBrowser(); });
after(() => browser?.close());

const url = (path) => `${world.stack.url('gateway')}${path}`;
const open = (options) => openPage(browser, world.stack.url('gateway'), { expected: CHALLENGE, ...options });

/** window.ethereum, with account `n` of the test mnemonic behind it. */
async function injectWallet(page, n, { chain = 84532, decline = false } = {}) {
  const payer = account(n);
  const asked = [];
  await page.exposeFunction('walletRequest', async (method, params) => {
    asked.push(method);
    switch (method) {
      case 'eth_requestAccounts': return [payer.address];
      case 'eth_chainId': return `0x${chain.toString(16)}`;
      case 'wallet_switchEthereumChain': chain = Number(params[0].chainId); return null;
      case 'eth_signTypedData_v4': {
        if (decline)
          return { refused: 4001 };
        const { domain, types: { EIP712Domain, ...types }, primaryType, message } = JSON.parse(params[1]);
        assert.equal(params[0], payer.address);
        assert.equal(EIP712Domain.length, 4);
        return payer.signTypedData({ domain, types, primaryType, message });
      }
      default: throw new Error(`the page asked the wallet for ${method}`);
    }
  });
  await page.addInitScript(() => {
    window.ethereum = {
      async request({ method, params }) {
        const answer = await window.walletRequest(method, params);
        if (answer?.refused)
          throw Object.assign(new Error('declined'), { code: answer.refused });
        return answer;
      },
    };
  });
  return { payer, asked };
}

test('the headers are those of every 402; programs still get JSON', async () => {
  const page = await fetch(url('/paid'), { headers: { accept: HTML } });
  const json = await fetch(url('/paid'), { headers: { accept: 'application/json' } });
  for (const response of [page, json]) {
    assert.equal(response.status, 402);
    assert.equal(response.headers.get('vary'), 'Accept');
    assert.equal(response.headers.get('cache-control'), 'no-store');
  }
  assert.equal(page.headers.get('content-type'), 'text/html; charset=utf-8');
  assert.equal(json.headers.get('content-type'), 'application/json');
  for (const name of ['payment-required', 'x-payment-required', 'x-payment-currency', 'x-payment-chain', 'x-pay-to'])
    assert.equal(page.headers.get(name), json.headers.get(name), name);
  const policy = page.headers.get('content-security-policy');
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.doesNotMatch(policy, /unsafe|\*/);
  assert.equal(page.headers.get('x-content-type-options'), 'nosniff');
});

test('nothing of the request stands in the page', async () => {
  const text = async (path) => (await fetch(url(path), { headers: { accept: HTML } })).text();
  assert.equal(await text('/paid?x=</script><script>alert(1)</script>'), await text('/dear'));
  assert.equal((await fetch(url('/paid'), { method: 'POST', headers: { accept: HTML } })).headers.get('content-type'), 'application/json');
});

test('a wallet pays, the content loads, the tokens move', async () => {
  const page = await open();
  const { payer, asked } = await injectWallet(page, 5, { chain: 1 });
  const before = { payer: await world.witness.balance(payer.address), payee: await world.witness.payee() };
  await page.goto(url('/paid'));
  await page.getByRole('button', { name: 'Pay with browser wallet' }).waitFor();
  assert.equal(await page.textContent('#price'), '0.001 USDC');
  assert.equal(await page.textContent('#network'), 'Base Sepolia');
  await accessible(page);
  await page.getByRole('button').click();
  await page.getByText('Here it is:').waitFor();
  assert.deepEqual(JSON.parse(await page.textContent('pre')), { path: '/paid', answer: 42 });
  assert.deepEqual(asked, ['eth_requestAccounts', 'eth_chainId', 'wallet_switchEthereumChain', 'eth_signTypedData_v4']);
  await accessible(page);
  await picture(page, 'paywall-paid');
  await until('settlement', 10_000, async () => await world.witness.payee() - before.payee, (moved) => moved >= 1000n);
  assert.equal(before.payer - await world.witness.balance(payer.address), 1000n);
  assert.deepEqual(page.bad, []);
  await page.context().close();
});

test('an upstream error costs nothing, and the same payment buys the answer', async () => {
  const page = await open({ expected: [...CHALLENGE, /status of 500/] });
  const { asked } = await injectWallet(page, 6);
  await page.goto(url(`/flaky?${Date.now()}`));
  await page.getByRole('button').click();
  await page.getByText('nothing is paid twice').waitFor();
  await page.reload();
  await page.getByText('Here it is:').waitFor();
  assert.equal(asked.filter((method) => method === 'eth_signTypedData_v4').length, 1);
  assert.deepEqual(page.bad, []);
  await page.context().close();
});

test('declined in the wallet: said, and nothing was sent', async () => {
  const page = await open();
  await injectWallet(page, 7, { decline: true });
  const sent = [];
  page.on('request', (request) => request.headers()['payment-signature'] && sent.push(request.url()));
  await page.goto(url('/paid'));
  await page.getByRole('button').click();
  await page.getByText('You declined.').waitFor();
  assert.deepEqual(sent, []);
  assert.equal(await page.getByRole('button').isEnabled(), true);
  await page.context().close();
});

test('a route that is called with POST says so, and how', async () => {
  const page = await open();
  await injectWallet(page, 1);
  await page.goto(url('/v1/chat/completions'));
  await page.getByText('This is called with POST').waitFor();
  assert.match(await page.textContent('small'), /x402 get -X POST http/);
  assert.equal(await page.getByRole('button').count(), 0);
  assert.deepEqual(page.bad, []);
  await page.context().close();
});

test('server-sent events appear as they come', async () => {
  const page = await open();
  await injectWallet(page, 8);
  await page.goto(url('/stream'));
  const begin = Date.now();
  await page.getByRole('button').click();
  await page.getByText('"event":0').waitFor();
  assert.ok(Date.now() - begin < 4000, 'the first event came before the last');
  await page.getByText('"event":9').waitFor();
  await page.context().close();
});

test('looks right on a phone and a desk, light and dark, with and without a wallet', async () => {
  for (const width of WIDTHS) {
    for (const dark of [false, true]) {
      for (const wallet of [false, true]) {
        const page = await open({ width, dark });
        if (wallet)
          await injectWallet(page, 1);
        await page.goto(url('/dear'));
        await (wallet ? page.getByRole('button') : page.getByText('No wallet in this browser')).waitFor();
        assert.equal(await page.textContent('#price'), '5.00 USDC');
        await noSidewaysScroll(page);
        await accessible(page);
        await picture(page, `paywall-${width}-${dark ? 'dark' : 'light'}-${wallet ? 'wallet' : 'none'}`);
        assert.deepEqual(page.bad, []);
        await page.context().close();
      }
    }
  }
});
