// SPDX-License-Identifier: Apache-2.0
// The gateway sells by Permit2 and by upto: to the official client, and to
// payments made by hand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ExactEvmScheme as ExactClient, UptoEvmScheme as UptoClient } from '@x402/evm';
import { decodePaymentResponseHeader, wrapFetchWithPaymentFromConfig } from '@x402/fetch';
import { SETTLER, account, privateKey } from '../../devnet/accounts.mjs';
import { NETWORK } from '../../devnet/chain.mjs';
import { newUser } from '../client/harness.mjs';
import { unbase64 } from '../harness/payment.mjs';
import { header, permit2, sponsored } from '../harness/pay-permit2.mjs';
import { allowance, approve, installPermit2 } from '../harness/permit2.mjs';
import { useStack } from '../harness/stack.mjs';
import { newPayer } from '../harness/token.mjs';
import { until } from '../harness/witness.mjs';

const facilitator = account(SETTLER).address;
const routes = [
  { path: '/paid', price: '0.001' },
  { path: '/permit2', price: '0.001', to: '/paid', more: ['x402_transfer_method permit2;'] },
  { path: '/metered', price: '0.02', more: [`x402_scheme upto ${facilitator};`] },
];
const payer = account(5);
const ground = async (rpc) => {
  await installPermit2(rpc);
  await approve(rpc, payer.address);
};
const world = useStack({ ground, conf: { routes } }, {
  allowed: [/upstream sent "Settlement-Overrides/],
});

const offer = async (path) => {
  const response = await world.get(path);
  assert.equal(response.status, 402);
  return unbase64(response.headers['payment-required']);
};

async function buy(path, more = {}) {
  const { accepts: [accepted] } = await offer(path);
  const payload = await permit2(more.payer ?? payer, accepted, more);
  const response = await world.get(path, header(accepted, payload, more.extensions));
  const receipt = response.headers['payment-response'];
  return { response, payload, accepted, receipt: receipt && unbase64(receipt) };
}

/* `act` moves so much to the payee in the end. */
async function costs(amount, act) {
  const had = await world.witness.payee();
  const result = await act();
  await until(`${amount} more`, 8000, () => world.witness.payee(), (has) => has - had === amount);
  return result;
}

test('the offer names method, proxy scheme and facilitator; the seeds are left out', async () => {
  const response = await world.get('/permit2');
  const { accepts: [exact] } = unbase64(response.headers['payment-required']);
  assert.equal(exact.scheme, 'exact');
  assert.equal(exact.extra.assetTransferMethod, 'permit2');
  assert.equal(response.headers['x-payment-required'], undefined);
  assert.deepEqual(JSON.parse(response.body).accepts, []);
  const { accepts: [upto] } = await offer('/metered');
  assert.equal(upto.scheme, 'upto');
  assert.equal(upto.amount, '20000');
  assert.equal(upto.extra.facilitatorAddress, facilitator);
});

test('without an allowance: 412 with the reason and the offer; nothing reaches the upstream', async () => {
  const hits = await world.witness.hits('/paid');
  const poor = await newPayer(world.stack.rpc, 1_000_000n);
  const { response } = await buy('/permit2', { payer: poor });
  assert.equal(response.status, 412);
  assert.equal(response.headers['x-payment-error'], 'allowance_required');
  assert.equal(unbase64(response.headers['payment-required']).error, 'permit2_allowance_required');
  assert.equal(await world.witness.hits('/paid'), hits);
});

test('the official client pays by permit2 and by upto', async () => {
  const send = wrapFetchWithPaymentFromConfig(fetch, {
    schemes: [{ network: NETWORK, client: new ExactClient(payer) }, { network: NETWORK, client: new UptoClient(payer) }],
  });
  for (const [path, amount] of [['/permit2', 1000n], ['/metered', 20000n]]) {
    const response = await costs(amount, () => send(world.stack.url('gateway') + path));
    assert.equal(response.status, 200);
    const receipt = decodePaymentResponseHeader(response.headers.get('payment-response'));
    assert.equal(receipt.amount, String(amount));
  }
});

test('by hand: paid once, then replayed', async () => {
  const { response, accepted, payload } = await costs(1000n, () => buy('/permit2'));
  assert.equal(response.status, 200);
  const again = await world.get('/permit2', header(accepted, payload));
  assert.equal(again.status, 402);
  assert.equal(again.headers['x-payment-error'], 'replayed');
});

const PARTS = [['{"amount":"1858"}', 1858n], ['{"amount":"12.5%25"}', 2500n], ['{"amount":"$0.0001"}', 100n]];

test('upto: the upstream says what it costs, and no client sees it say so', async () => {
  for (const [say, amount] of PARTS) {
    const { response, receipt } = await costs(amount, () => buy(`/metered?say=${say}`));
    assert.equal(response.status, 200);
    assert.equal(receipt.amount, String(amount));
    assert.equal(response.headers['settlement-overrides'], undefined);
  }
});

test('upto: 0 is success, nothing is sent, and the payment buys nothing more', async () => {
  const { response, receipt, accepted, payload } = await costs(0n, () => buy('/metered?say={"amount":"0"}'));
  assert.equal(response.status, 200);
  assert.equal(receipt.amount, '0');
  assert.equal(receipt.transaction, '');
  const again = await world.get('/metered?say={"amount":"0"}', header(accepted, payload));
  assert.equal(again.status, 402);
  assert.equal(again.headers['x-payment-error'], 'replayed');
});

for (const say of ['{"amount":"20001"}', '{"amount":"101%25"}', '{"amount":"-1"}', 'much', '{"amount":"1"}&say={"amount":"2"}']) {
  test(`upto: an upstream that says ${say} is the seller's error: 502, not charged`, async () => {
    const { response } = await costs(0n, () => buy(`/metered?say=${say}`));
    assert.equal(response.status, 502);
    assert.equal(response.headers['x-payment-error'], 'upstream_amount');
    assert.equal(response.headers['settlement-overrides'], undefined);
    assert.doesNotMatch(response.body, /answer/);
  });
}

test('upto: a failed request is free, whatever it says', async () => {
  const { response } = await costs(0n, () => buy('/metered?status=500&say={"amount":"7"}'));
  assert.equal(response.status, 500);
  assert.equal(response.headers['settlement-overrides'], undefined);
});

test('upto for another facilitator, or signed for the other proxy, buys nothing', async () => {
  const another = await buy('/metered', { witness: { facilitator: account(3).address } });
  assert.equal(another.response.headers['x-payment-error'], 'wrong_facilitator');
  const spender = await buy('/metered', { change: { spender: account(3).address } });
  assert.equal(spender.response.headers['x-payment-error'], 'wrong_spender');
});

test('with an EIP-2612 permit nothing has to be approved before', async () => {
  const fresh = await newPayer(world.stack.rpc, 1_000_000n);
  const extensions = await sponsored(fresh, { amount: '1000' });
  const { response } = await costs(1000n, () => buy('/permit2', { payer: fresh, extensions }));
  assert.equal(response.status, 200);
  assert.equal(await allowance(world.stack.rpc, fresh.address), 0n);
});

test('payments at once: never more than the allowance, and every sold one is paid', async () => {
  const fresh = await newPayer(world.stack.rpc, 1_000_000n);
  await approve(world.stack.rpc, fresh.address, 5000n);
  const { accepts: [accepted] } = await offer('/permit2');
  const payloads = await Promise.all(Array.from({ length: 20 }, () => permit2(fresh, accepted)));
  const answers = await costs(5000n, () => Promise.all(payloads.map((p) => world.get('/permit2', header(accepted, p)))));
  assert.equal(answers.filter((a) => a.status === 200).length, 5);
  assert.deepEqual([...new Set(answers.map((a) => a.status))].sort(), [200, 412]);
});

test('payments at once: never more than the balance', async () => {
  const fresh = await newPayer(world.stack.rpc, 5500n);
  await approve(world.stack.rpc, fresh.address);
  const { accepts: [accepted] } = await offer('/permit2');
  const payloads = await Promise.all(Array.from({ length: 20 }, () => permit2(fresh, accepted)));
  const answers = await costs(5000n, () => Promise.all(payloads.map((p) => world.get('/permit2', header(accepted, p)))));
  assert.equal(answers.filter((a) => a.status === 200).length, 5);
  assert.deepEqual([...new Set(answers.map((a) => a.status))].sort(), [200, 402]);
});

const x402 = (...args) => newUser({ key: privateKey(6) }).run(['get', '--network', 'base-sepolia', '--key-file', 'key', ...args]);

test('x402 get: says what is missing, pays by permit2, and upto only when asked', async () => {
  const url = (path) => world.stack.url('gateway') + path;
  const missing = await x402(url('/permit2'));
  assert.notEqual(missing.code, 0);
  assert.match(missing.err, /approve 0x000000000022D473030F116dDEE9F6B43aC78BA3/);
  await approve(world.stack.rpc, account(6).address);
  const paid = await costs(1000n, () => x402(url('/permit2')));
  assert.equal(paid.code, 0, paid.err);
  assert.match(paid.out, /42/);
  const upto = await x402(url('/metered?say={"amount":"7"}'));
  assert.notEqual(upto.code, 0);
  assert.match(upto.err, /--upto/);
  const metered = await costs(7n, () => x402('--upto', url('/metered?say={"amount":"7"}')));
  assert.equal(metered.code, 0, metered.err);
  const dear = await x402('--upto', '--max-amount', '0.019', url('/metered'));
  assert.match(dear.err, /max-amount/);
});
