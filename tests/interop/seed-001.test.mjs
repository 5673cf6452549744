// SPDX-License-Identifier: Apache-2.0
// The second of the two documents that this project implements, section by
// section, its sentences quoted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PAYEE, accounts } from '../../devnet/accounts.mjs';
import { ROUTES } from '../../devnet/gateway.mjs';
import { authorize, freshNonce, now } from '../harness/payment.mjs';
import { useStack } from '../harness/stack.mjs';
import { until } from '../harness/witness.mjs';

const PAY_TO = accounts[PAYEE].address;
const world = useStack({
  conf: {
    routes: [
      ...ROUTES,
      { path: '/premium-data', price: '0.0030', to: '/paid' },
      { path: '/premium-broken', price: '0.0030', to: '/fail' },
      { path: '/mainnet', price: '0.0030', more: [`x402_pay_to eip155:8453 ${PAY_TO};`], to: '/paid' },
    ],
  },
});

/* "The client constructs a payment, signs it": all it knows are the headers. */
async function receiptFor(response, path, change = {}, payer = world.payer) {
  const price = response.headers['x-payment-required'];
  const [whole, part = ''] = price.split('.');
  const requirement = {
    payTo: response.headers['x-pay-to'],
    amount: BigInt(whole + part.padEnd(6, '0')).toString(),
    maxTimeoutSeconds: 60,
  };
  const { authorization, signature } = await authorize(payer, requirement, change);
  const { from, nonce, to, validAfter, validBefore, value } = authorization;
  const receipt = {
    chain: response.headers['x-payment-chain'],
    currency: response.headers['x-payment-currency'],
    payload: { authorization: { from, nonce, to, validAfter, validBefore, value }, signature },
    resource: `${world.stack.url('gateway')}${path}`,
    scheme: 'exact',
    version: 1,
  };
  return { nonce, header: Buffer.from(JSON.stringify(receipt)).toString('base64') };
}

test('2. Request flow and 3. Headers: as printed', async () => {
  const { witness, payer } = world;
  const had = await witness.payee();

  // "On an unpaid request, the server returns 402 with X-Payment-Required,
  // X-Payment-Currency, X-Payment-Chain, and X-Pay-To headers."
  const refused = await world.get('/premium-data');
  assert.equal(refused.status, 402);
  assert.equal(refused.headers['x-payment-required'], '0.0030'); // decimal amount
  assert.equal(refused.headers['x-payment-currency'], 'USDC'); // ISO-style currency / token
  assert.equal(refused.headers['x-payment-chain'], 'base-sepolia'); // chain identifier
  assert.equal(refused.headers['x-pay-to'], PAY_TO); // payee address

  // "... resubmits the original request with an X-Payment header carrying the receipt."
  const { nonce, header } = await receiptFor(refused, '/premium-data');
  assert.ok(header.startsWith('eyJjaGFpbiI6ImJhc2Ut'), 'base64-encoded signed receipt');
  const response = await world.get('/premium-data', { 'X-Payment': header });

  // "... on success, returns 200 with the original resource representation."
  assert.equal(response.status, 200);
  assert.deepEqual(JSON.parse(response.body), { path: '/paid', answer: 42 });
  await until('settlement', 10_000, () => witness.used(payer, nonce));
  assert.equal(await witness.payee() - had, 3000n);
});

test('3. Headers: the four lines of the example on Base itself', async () => {
  const { headers } = await world.get('/mainnet');
  assert.equal(headers['x-payment-required'], '0.0030');
  assert.equal(headers['x-payment-currency'], 'USDC');
  assert.equal(headers['x-payment-chain'], 'base');
  assert.equal(headers['x-pay-to'], PAY_TO);
});

test('3. Headers: "values are case-insensitive identifiers"', async () => {
  const refused = await world.get('/premium-data');
  const { header } = await receiptFor(refused, '/premium-data');
  const receipt = JSON.parse(Buffer.from(header, 'base64'));
  receipt.chain = 'BASE-Sepolia';
  receipt.currency = 'usdc';
  const response = await world.get('/premium-data', { 'x-payment': Buffer.from(JSON.stringify(receipt)).toString('base64') });
  assert.equal(response.status, 200);
});

test('4. Verification: "receipts SHOULD be single-use against (resource-uri)"', async () => {
  const { header } = await receiptFor(await world.get('/premium-data'), '/premium-data');
  const before = await world.witness.hits('/paid');
  assert.equal((await world.get('/premium-data', { 'X-Payment': header })).status, 200);
  const again = await world.get('/premium-data', { 'X-Payment': header });
  assert.equal(again.status, 402);
  assert.equal(again.headers['x-payment-error'], 'replayed');
  assert.equal(again.headers['x-payment-required'], '0.0030', 'with the offer, to pay anew');
  assert.equal(await world.witness.hits('/paid'), before + 1);
});

// "Repeated 402 after a valid X-Payment indicates a verification failure; the
// server SHOULD include X-Payment-Error."  "Servers SHOULD treat malformed
// X-Payment as 400 Bad Request."
const refusals = [
  ['not base64', async () => '%%%%', 400, 'malformed'],
  ['not JSON', async () => Buffer.from('receipt').toString('base64'), 400, 'malformed'],
  ['a bare transaction hash', async () => freshNonce(), 400, 'malformed'],
  ['empty object', async () => Buffer.from('{}').toString('base64'), 400, 'malformed'],
  ['too little', async (r) => (await receiptFor(r, '/premium-data', { value: '2999' })).header, 402, 'wrong_amount'],
  ['too much', async (r) => (await receiptFor(r, '/premium-data', { value: '3001' })).header, 402, 'wrong_amount'],
  ['to another payee', async (r) => (await receiptFor(r, '/premium-data', { to: accounts[8].address })).header, 402, 'wrong_payee'],
  ['expired', async (r) => (await receiptFor(r, '/premium-data', { validBefore: String(now() - 1) })).header, 402, 'expired'],
  ['not yet valid', async (r) => (await receiptFor(r, '/premium-data', { validAfter: String(now() + 60), validBefore: String(now() + 120) })).header, 402, 'not_yet_valid'],
  ['signed by somebody else', async (r) => (await receiptFor(r, '/premium-data', { from: accounts[3].address })).header, 402, 'bad_signature'],
];

for (const [why, make, status, error] of refusals) {
  test(`6. Error semantics: ${why}: ${status} ${error}`, async () => {
    const before = await world.witness.hits('/paid');
    const response = await world.get('/premium-data', { 'X-Payment': await make(await world.get('/premium-data')) });
    assert.equal(response.status, status);
    assert.equal(response.headers['x-payment-error'], error);
    assert.equal(await world.witness.hits('/paid'), before);
    assert.equal('x-payment-required' in response.headers, status === 402);
  });
}

test('6. "Servers SHOULD NOT charge for failed requests."', async () => {
  const { witness, payer } = world;
  const unlucky = accounts[6];
  const before = await witness.balance(unlucky.address);
  const failed = await receiptFor(await world.get('/premium-broken'), '/premium-broken', {}, unlucky);
  const response = await world.get('/premium-broken', { 'X-Payment': failed.header });
  assert.equal(response.status, 500);

  // A later payment is settled: the failed one would have been, by then.
  const good = await receiptFor(await world.get('/premium-data'), '/premium-data');
  assert.equal((await world.get('/premium-data', { 'X-Payment': good.header })).status, 200);
  await until('settlement', 10_000, () => witness.used(payer, good.nonce));
  assert.equal(await witness.used(unlucky, failed.nonce), false);
  assert.equal(await witness.balance(unlucky.address), before);
});
