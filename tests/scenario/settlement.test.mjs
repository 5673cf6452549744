// SPDX-License-Identifier: Apache-2.0
// Tokens really move: seen on the node, in its log, and at last in the ledger.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { account, accounts } from '../../devnet/accounts.mjs';
import { USDC } from '../../devnet/chain.mjs';
import { TOPIC } from '../../devnet/rpc.mjs';
import { RECEIPT, now, unbase64 } from '../harness/payment.mjs';
import { useStack } from '../harness/stack.mjs';
import { until } from '../harness/witness.mjs';

const world = useStack();

test('the devnet is as promised: balances, domain, nobody can mint', async () => {
  const { witness, stack } = world;
  for (const [index, { address }] of accounts.entries())
    assert.equal(await witness.balance(address), index >= 1 && index <= 8 ? 1_000_000_000_000n : 0n, `account ${index}`);
  assert.equal(await stack.rpc.call('eth_chainId'), '0x14a34');
  // Base Sepolia USDC's own domain separator
  assert.equal(await stack.rpc.call('eth_call', { to: USDC, data: '0x3644e515' }, 'latest'),
    '0x71f17a3b2ff373b803d70a5a07c046c1a2bc8e89c09ef722fcb047abe94c9818');
});

for (const wire of ['v2', 'seed000', 'seed001', 'v1']) {
  for (const path of ['/paid', '/paid-v1', '/strict', '/stream']) {
    test(`${path} takes ${wire}, and the tokens move once`, async () => {
      const { witness, stack, payer } = world;
      const hits = await witness.hits(path);
      const had = await witness.balance(payer.address);
      const paid = await witness.payee();
      const payment = await world.pay(path);
      const response = await world.get(path, payment.header(wire));
      assert.equal(response.status, 200);
      const receipt = unbase64(response.headers[RECEIPT[wire]]);
      assert.equal(receipt.success, true);
      assert.equal(receipt.payer.toLowerCase(), payer.address.toLowerCase());
      assert.equal(await witness.hits(path), hits + 1);

      await witness.settled([payment], 5000); // "mined within 5 s"
      assert.equal(had - await witness.balance(payer.address), 1000n);
      assert.equal(await witness.payee() - paid, 1000n);
      // AuthorizationUsed, then Transfer, in one successful transaction
      const used = (await stack.rpc.authorizationsUsed(USDC, payer.address)).filter((u) => u.nonce === payment.nonce);
      assert.equal(used.length, 1);
      const mined = await stack.rpc.call('eth_getTransactionReceipt', used[0].transaction);
      assert.equal(mined.status, '0x1');
      const at = mined.logs.findIndex((log) => log.topics[2] === payment.nonce);
      assert.equal(mined.logs[at + 1].topics[0], TOPIC.Transfer);
    });
  }
}

test('/strict is mined before it is answered, and the receipt names the transaction', async () => {
  const payment = await world.pay('/strict');
  const response = await world.get('/strict', payment.header('v2'));
  assert.equal(response.status, 200);
  assert.equal(await world.witness.used(world.payer, payment.nonce), true);
  const { transaction } = unbase64(response.headers['payment-response']);
  const mined = await world.stack.rpc.call('eth_getTransactionReceipt', transaction);
  assert.equal(mined.status, '0x1');
  assert.ok(mined.logs.some((log) => log.topics[2] === payment.nonce));
});

test('/dear costs more than the credit of a payer: settled first, not refused', async () => {
  const payment = await world.pay('/dear');
  const response = await world.get('/dear', payment.header('v2'));
  assert.equal(response.status, 200);
  assert.equal(await world.witness.used(world.payer, payment.nonce), true);
});

test('a chain that was idle for a while: its last block is older than the payment', async () => {
  // latest is then older than validAfter, and a careless simulation at latest
  // would call the payment not yet valid
  const payment = await world.pay('/paid', { change: { validAfter: String(now() - 1) } });
  const { timestamp } = await world.stack.rpc.call('eth_getBlockByNumber', 'latest', false);
  await until('an old head', 10_000, () => now() - Number(timestamp) > 3);
  const fresh = await world.pay('/paid', { change: { validAfter: String(now() - 1) } });
  assert.equal((await world.get('/paid', fresh.header('v2'))).status, 200);
  assert.equal((await world.get('/paid', payment.header('v2'))).status, 200);
  await world.witness.settled([payment, fresh]);
});

test('the ledger says FINAL once the chain does', async () => {
  const { stack, witness } = world;
  await stack.rpc.mine(80); // anvil calls head - 64 final
  const transfers = await witness.transfers();
  const nonces = await until('every payment FINAL', 20_000, () => witness.finalNonces(),
    (rows) => rows.length === transfers.length);
  assert.deepEqual(nonces.sort(), [...(await witness.usedCounts()).keys()].sort());
  assert.equal(await witness.payee(), transfers.reduce((sum, { value }) => sum + value, 0n));
});

test('a payer without tokens: 402 insufficient_funds, nothing served', async () => {
  const before = await world.witness.hits('/paid');
  const payment = await world.pay('/paid', { payer: account(0) });
  const response = await world.get('/paid', payment.header('v2'));
  assert.equal(response.status, 402);
  assert.equal(response.headers['x-payment-error'], 'insufficient_funds');
  assert.equal(await world.witness.hits('/paid'), before);
});
