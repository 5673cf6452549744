// SPDX-License-Identifier: Apache-2.0
// Payers that are contracts, at the gateway: what they buy is settled before it
// is served.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { account } from '../../devnet/accounts.mjs';
import { call, code, deploy, wrap } from '../chain/contracts.mjs';
import { ROUTES } from '../../devnet/gateway.mjs';
import { pay, unbase64 } from '../harness/payment.mjs';
import { useStack } from '../harness/stack.mjs';
import { transfer } from '../harness/token.mjs';

const FACTORY = '0x00000000000000000000000000000000fac70000';
const SALT = `0x${'07'.repeat(32)}`;
const WALLETS = { path: '/wallets', price: '0.001', to: '/paid', more: ['x402_smart_wallets on;'] };
const world = useStack({
  conf: { routes: [...ROUTES, WALLETS] },
  yaml: { network: `    eip6492_factories: ["${FACTORY}"]` },
}, { ready: ({ stack }) => stack.rpc.call('anvil_setCode', FACTORY, code('Factory')) });

/** A wallet nobody has deployed, with 5,000 units. */
async function undeployed() {
  const { rpc } = world.stack;
  const owner = privateKeyToAccount(generatePrivateKey());
  const word = await rpc.call('eth_call', { to: FACTORY, data: call('Factory', 'at', owner.address, SALT) }, 'latest');
  const address = `0x${word.slice(26)}`;
  await transfer(rpc, account(8), address, 5000n);
  return { address, create: call('Factory', 'create', owner.address, SALT), signTypedData: (data) => owner.signTypedData(data) };
}

/** The header of a payment whose signature is another one. */
async function header(payer, change) {
  const payment = await pay(payer, await world.offer('/wallets'));
  const value = unbase64(payment.header('v2')['PAYMENT-SIGNATURE']);
  value.payload.signature = change(value.payload.signature);
  return { 'PAYMENT-SIGNATURE': Buffer.from(JSON.stringify(value)).toString('base64') };
}

test('a wallet that is not there yet is deployed and pays before it is served', async () => {
  const { witness, stack } = world;
  const wallet = await undeployed();
  const had = await witness.payee();
  const response = await world.get('/wallets', await header(wallet, (s) => wrap(FACTORY, wallet.create, s)));
  assert.equal(response.status, 200, response.headers['x-payment-error']);
  assert.equal(await witness.payee() - had, 1000n, 'mined before the answer');
  const receipt = unbase64(response.headers['payment-response']);
  assert.equal((await stack.rpc.receipt(receipt.transaction)).status, '0x1');
  assert.notEqual(await stack.rpc.call('eth_getCode', wallet.address, 'latest'), '0x');
  // and once more, as a contract that is there
  const again = await world.get('/wallets', await header(wallet, (s) => s));
  assert.equal(again.status, 200);
  assert.equal(await witness.payee() - had, 2000n);
});

test('where wallets are not on: 402, and nobody asks the chain', async () => {
  const wallet = await undeployed();
  const payment = await pay(wallet, await world.offer('/paid'));
  const response = await world.get('/paid', payment.header('v2'));
  assert.equal(response.status, 402);
  assert.equal(response.headers['x-payment-error'], 'bad_signature');
});

test('a factory that is not on the list: 402 with the reason', async () => {
  const wallet = await undeployed();
  const response = await world.get('/wallets', await header(wallet, (s) => wrap(account(7).address, wallet.create, s)));
  assert.equal(response.status, 402);
  assert.equal(response.headers['x-payment-error'], 'factory_not_allowed');
});

test('a wallet that says yes to a call and no to a transaction is not served', { timeout: 60_000 }, async () => {
  const { witness, stack } = world;
  const moody = await deploy(stack.rpc, account(8).address, 'Moody');
  await transfer(stack.rpc, account(8), moody, 5000n);
  await stack.rpc.receipt(await stack.rpc.call('eth_sendTransaction',
    { from: account(8).address, to: moody, data: call('Moody', 'set', 12n, moody), gas: '0x30d40' }));
  if (Number(await stack.rpc.call('eth_blockNumber')) % 2)
    await stack.rpc.mine(1);
  const had = await witness.payee();
  const signer = { address: moody, signTypedData: async () => `0x${'5a'.repeat(80)}` };
  const response = await world.get('/wallets', await header(signer, (s) => s));
  assert.ok([402, 503].includes(response.status), `${response.status}`);
  assert.equal(await witness.payee(), had);
});
