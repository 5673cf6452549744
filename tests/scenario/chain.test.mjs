// SPDX-License-Identifier: Apache-2.0
// What others do on the chain between our answer and our settlement, and what
// the chain itself does.  The seller is owed what he delivered, and no more.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { account } from '../../devnet/accounts.mjs';
import { USDC } from '../../devnet/chain.mjs';
import { sleep } from '../../devnet/process.mjs';
import { useStack } from '../harness/stack.mjs';
import { cancel, newPayer, submit, transfer } from '../harness/token.mjs';
import { until } from '../harness/witness.mjs';

const world = useStack();
const DEAR_TIP = { maxPriorityFeePerGas: '0x174876e800', maxFeePerGas: '0x2e90edd000' }; // 100 gwei: mined first

const stateOf = (nonce) => world.witness.ledger(`select state, hex(tx) as tx from payment where nonce = x'${nonce.slice(2)}'`)[0];
const FINAL = 6;
const FAILED = 7;

/* Answered while nothing is mined, so that somebody can come first. */
async function boughtUnmined(payer, path = '/paid') {
  const { stack } = world;
  await stack.rpc.call('evm_setAutomine', false);
  const payment = await world.pay(path, { payer });
  const response = await world.get(path, payment.header('v2'));
  assert.equal(response.status, 200);
  return payment;
}

async function mineOn() {
  const { stack } = world;
  await stack.rpc.mine(1);
  await stack.rpc.call('evm_setAutomine', true);
}

test('somebody else settles our authorization first: we are paid, once, and know it', async () => {
  const { stack, witness } = world;
  const payer = await newPayer(stack.rpc, 1_000_000n);
  const had = await witness.payee();
  const payment = await boughtUnmined(payer);
  const hash = await submit(stack.rpc, account(7), payment, DEAR_TIP);
  await mineOn();
  assert.equal(await witness.payee() - had, 1000n);
  assert.equal((await stack.rpc.receipt(hash)).status, '0x1');
  await sleep(1500);
  await stack.rpc.mine(80);
  const row = await until('FINAL', 30_000, () => stateOf(payment.nonce), ({ state }) => state === FINAL);
  assert.equal(`0x${row.tx.toLowerCase()}`, hash, 'with the transaction that did it');
  assert.equal(await witness.payee() - had, 1000n);
});

test('an authorization that another gateway has used already buys nothing here', async () => {
  const { stack, witness } = world;
  const payer = await newPayer(stack.rpc, 1_000_000n);
  for (const path of ['/strict', '/paid']) {
    const payment = await world.pay(path, { payer });
    const hash = await submit(stack.rpc, account(7), payment, DEAR_TIP);
    assert.equal((await stack.rpc.receipt(hash)).status, '0x1');
    const hits = await witness.hits(path);
    const { status, headers } = await world.get(path, payment.header('v2'));
    assert.deepEqual([status, headers['x-payment-error']], [402, 'replayed'], path);
    assert.equal(await witness.hits(path), hits);
  }
});

test('the payer cancels after his answer: FAILED with proof, and settle-first from then on', async () => {
  const { stack, witness } = world;
  const payer = await newPayer(stack.rpc, 1_000_000n);
  const had = await witness.payee();
  const payment = await boughtUnmined(payer);
  await cancel(stack.rpc, account(7), payer, payment.nonce, DEAR_TIP);
  await mineOn();
  assert.equal(await witness.used(payer, payment.nonce), true);
  await until('FAILED', 60_000, async () => {
    await stack.rpc.mine(40); // only a final block proves it
    await sleep(500);
    return stateOf(payment.nonce);
  }, ({ state }) => state === FAILED);
  assert.equal(await witness.payee(), had);

  const next = await world.pay('/paid', { payer });
  assert.equal((await world.get('/paid', next.header('v2'))).status, 200);
  assert.equal(await witness.used(payer, next.nonce), true, 'mined before it was answered');
});

test('the payer drains his balance after his answer: never a wrong FAILED, paid when he can', async () => {
  const { stack, witness } = world;
  const payer = await newPayer(stack.rpc, 1000n);
  const had = await witness.payee();
  const payment = await boughtUnmined(payer);
  await stack.rpc.call('anvil_setBalance', payer.address, '0xde0b6b3a7640000');
  await stack.rpc.call('anvil_impersonateAccount', payer.address);
  const data = `0xa9059cbb${account(8).address.slice(2).toLowerCase().padStart(64, '0')}${(1000n).toString(16).padStart(64, '0')}`;
  await stack.rpc.call('eth_sendTransaction', { from: payer.address, to: USDC, data, gas: '0x30d40', ...DEAR_TIP });
  await mineOn();
  assert.equal(await witness.balance(payer.address), 0n);
  await sleep(3000);
  assert.notEqual(stateOf(payment.nonce).state, FAILED, 'it can still be settled');
  await transfer(stack.rpc, account(8), payer.address, 1000n);
  await until('paid after all', 60_000, async () => await witness.payee() - had, (moved) => moved === 1000n);
});

test('a payer with money for one answer cannot buy two at once', async () => {
  const { stack, witness } = world;
  const payer = await newPayer(stack.rpc, 1500n);
  const payments = await Promise.all(Array.from({ length: 8 }, () => world.pay('/paid', { payer })));
  const hits = await witness.hits('/paid');
  const responses = await Promise.all(payments.map((payment) => world.get('/paid', payment.header('v2'))));
  assert.deepEqual(responses.map(({ status }) => status).sort(), [200, 402, 402, 402, 402, 402, 402, 402]);
  for (const { status, headers } of responses)
    assert.equal(headers['x-payment-error'], status === 402 ? 'insufficient_funds' : undefined);
  assert.equal(await witness.hits('/paid'), hits + 1);
  await until('settled', 10_000, () => witness.balance(payer.address), (left) => left === 500n);
});

test('a reorg takes the transfer away: it is brought back', async () => {
  const { stack, witness } = world;
  const payer = await newPayer(stack.rpc, 1_000_000n);
  const had = await witness.payee();
  await stack.rpc.mine(3);
  const payment = await world.pay('/paid', { payer });
  assert.equal((await world.get('/paid', payment.header('v2'))).status, 200);
  await witness.settled([payment]);
  await sleep(1500); // it was seen as mined
  // the last three blocks never were: others take their place, empty
  await stack.rpc.call('anvil_reorg', 3, []);
  assert.equal(await witness.used(payer, payment.nonce), false, 'the reorg did take it away');
  await until('brought back', 60_000, async () => {
    await stack.rpc.mine(1);
    await sleep(300);
    return witness.used(payer, payment.nonce);
  });
  assert.equal(await witness.payee() - had, 1000n);
});

test('the node is away for a while: reserve says 503, answered payments are settled later', async () => {
  const { stack, witness } = world;
  const payer = account(6);
  const had = await witness.payee();
  const payment = await boughtUnmined(payer);
  const other = await world.pay('/paid', { payer });
  process.kill(stack.chain.process.pid, 'SIGSTOP');
  const hanging = world.get('/paid', other.header('v2'), { timeout: 60_000 });
  await sleep(3000);
  process.kill(stack.chain.process.pid, 'SIGCONT');
  const { status } = await hanging;
  assert.ok(status === 200 || status === 503, String(status));
  await mineOn();
  await witness.settled(status === 200 ? [payment, other] : [payment], 30_000);
  assert.equal(await witness.payee() - had, status === 200 ? 2000n : 1000n);
});
