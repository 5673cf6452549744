// SPDX-License-Identifier: Apache-2.0
// Permit2 for payers that are contracts: the contract is asked by Permit2
// itself (ERC-1271), also a delegated account's (EIP-7702), and nobody else's
// yes counts.  Such a payment goes alone and is settled before it is served.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { PAYEE, SETTLER, account } from '../../devnet/accounts.mjs';
import { NETWORK, USDC } from '../../devnet/chain.mjs';
import { unbase64 } from '../harness/payment.mjs';
import { approving, header, permit2, v2 } from '../harness/pay-permit2.mjs';
import { approve, installPermit2 } from '../harness/permit2.mjs';
import { useStack } from '../harness/stack.mjs';
import { transfer } from '../harness/token.mjs';
import { call, deploy } from './contracts.mjs';

const more = ['x402_smart_wallets on;'];
const routes = [
  { path: '/paid', price: '0.001' },
  { path: '/permit2', price: '0.001', to: '/paid', more: ['x402_transfer_method permit2;', ...more] },
  { path: '/metered', price: '0.001', to: '/paid', more: [`x402_scheme upto ${account(SETTLER).address};`, ...more] },
];
const world = useStack({ ground: installPermit2, conf: { routes }, yaml: { http: '  smart_wallets: true' } });
const EXACT = {
  scheme: 'exact', network: NETWORK, amount: '1000', asset: USDC, payTo: account(PAYEE).address, maxTimeoutSeconds: 300,
  extra: { name: 'USDC', version: '2', assetTransferMethod: 'permit2' },
};
const UPTO = { ...EXACT, scheme: 'upto', extra: { ...EXACT.extra, facilitatorAddress: account(SETTLER).address } };

async function post(path, payload, requirement = EXACT, accepted = requirement) {
  const response = await fetch(`${world.stack.url('facilitator')}${path}`, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ x402Version: 2, paymentPayload: v2(accepted, payload), paymentRequirements: requirement }),
  });
  return { status: response.status, ...await response.json() };
}

/** A contract at an address, with money and an allowance; its owner signs. */
async function funded(address, owner) {
  await transfer(world.stack.rpc, account(8), address, 5000n);
  await approve(world.stack.rpc, address);
  return { address, signTypedData: (data) => owner.signTypedData(data) };
}
async function wallet() {
  const owner = privateKeyToAccount(generatePrivateKey());
  return funded(await deploy(world.stack.rpc, account(3).address, 'Wallet', owner.address), owner);
}
/** An account that has given its execution to a wallet of another key. */
async function delegated() {
  const { rpc } = world.stack;
  const self = privateKeyToAccount(generatePrivateKey());
  const owner = privateKeyToAccount(generatePrivateKey());
  const target = await deploy(rpc, account(3).address, 'Wallet', owner.address);
  const payer = await funded(self.address, owner);
  await rpc.call('anvil_setCode', self.address, `0xef0100${target.slice(2)}`);
  return { ...payer, self };
}

const KINDS = { 'ERC-1271': wallet, 'EIP-7702': delegated };

for (const [kind, make] of Object.entries(KINDS)) {
  test(`${kind}: verified, settled, and the same answer again`, async () => {
    const payer = await make();
    const payload = await permit2(payer, EXACT);
    const had = await world.witness.payee();
    assert.deepEqual((await post('/verify', payload)).isValid, true);
    const first = await post('/settle', payload);
    assert.equal(first.success, true, JSON.stringify(first));
    assert.equal((await post('/settle', payload)).transaction, first.transaction);
    assert.equal(await world.witness.payee() - had, 1000n);
  });

  test(`${kind}: another key's signature is refused`, async () => {
    const payer = await make();
    const thief = privateKeyToAccount(generatePrivateKey());
    const payload = await permit2({ address: payer.address, signTypedData: (data) => thief.signTypedData(data) }, EXACT);
    assert.equal((await post('/verify', payload)).isValid, false);
    assert.equal((await post('/settle', payload)).success, false);
  });

  test(`${kind}: bought at the gateway, settled before it is served`, async () => {
    const payer = await make();
    const { accepts: [accepted] } = unbase64((await world.get('/permit2')).headers['payment-required']);
    const had = await world.witness.payee();
    const response = await world.get('/permit2', header(accepted, await permit2(payer, accepted)));
    assert.equal(response.status, 200, response.headers['x-payment-error']);
    assert.equal(await world.witness.payee() - had, 1000n);
  });

  test(`${kind}: upto at /settle, never on credit at the gateway`, async () => {
    const payer = await make();
    const answer = await post('/settle', await permit2(payer, UPTO), { ...UPTO, amount: '700' }, UPTO);
    assert.equal(answer.success, true, JSON.stringify(answer));
    const { accepts: [accepted] } = unbase64((await world.get('/metered')).headers['payment-required']);
    const response = await world.get('/metered', header(accepted, await permit2(payer, accepted)));
    assert.equal(response.status, 503);
    assert.equal(response.headers['x-payment-error'], 'credit_limit');
  });
}

test('EIP-7702: the account\'s own key is no signature, Permit2 asks the code', async () => {
  const { self } = await delegated();
  assert.equal((await post('/verify', await permit2(self, EXACT))).isValid, false);
});

test('a contract signs no approval: the allowance is required', async () => {
  const owner = privateKeyToAccount(generatePrivateKey());
  const address = await deploy(world.stack.rpc, account(3).address, 'Wallet', owner.address);
  await transfer(world.stack.rpc, account(8), address, 5000n);
  const payer = { address, signTypedData: (data) => owner.signTypedData(data) };
  const extensions = await approving({ ...payer, signTransaction: (tx) => owner.signTransaction(tx) });
  const paymentPayload = { ...v2(EXACT, await permit2(payer, EXACT)), extensions };
  const response = await fetch(`${world.stack.url('facilitator')}/verify`, {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ x402Version: 2, paymentPayload, paymentRequirements: EXACT }),
  });
  assert.equal((await response.json()).invalidReason, 'erc20_approval_tx_signer_mismatch');
});

test('a wallet that takes its yes back after /verify: refused at /settle, nothing sent', async () => {
  const { rpc } = world.stack;
  const moody = await deploy(rpc, account(3).address, 'Moody');
  const owner = privateKeyToAccount(generatePrivateKey());
  const payer = await funded(moody, owner);
  const payload = await permit2(payer, EXACT);
  assert.equal((await post('/verify', payload)).isValid, true);
  const data = call('Moody', 'set', 8n, moody);
  await rpc.receipt(await rpc.call('eth_sendTransaction', { from: account(3).address, to: moody, data, gas: '0x100000' }));
  const had = await world.witness.payee();
  assert.equal((await post('/settle', payload)).success, false);
  assert.equal(await world.witness.payee(), had);
});
