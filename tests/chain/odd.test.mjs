// SPDX-License-Identifier: Apache-2.0
// A token that changed its ways, a chain that changes its mind, and money for
// gas.  After each: what the ledger calls paid is what the payee got, and what
// was doomed cost little gas or none.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { MODE, call, makeOdd } from './contracts.mjs';
import { OUTCOME, PAYEE, STATE, USDC, World, accounts, pause, payment, sleep } from './world.mjs';

let world, daemon;
let port = 15830;

beforeEach(async () => { world = await World.start(port++); });
afterEach(() => world.stop());

const send = async (from, to, data) =>
  world.rpc.receipt(await world.rpc.call('eth_sendTransaction', { from, to, data, gas: '0x100000' }));
const become = (mode) => send(accounts[8].address, USDC, call('OddUsdc', 'set', mode));
const blacklist = (who, yes) => send(accounts[8].address, USDC, call('OddUsdc', 'blacklist', who, yes));
const earned = () => world.rpc.balance(USDC, PAYEE);
const sent = async () => Number(await world.rpc.call('eth_getTransactionCount', accounts[0].address, 'latest'));

async function odd(over = {}) {
  await makeOdd(world.rpc);
  daemon = await world.daemon({ batchWait: 100, ...over });
  await daemon.ready();
}
async function pay(p, more) {
  const answer = await daemon.pay(p, more);
  assert.equal(answer.err, 'OK');
  return answer.payment;
}
async function mined(id, timeout = 20000) {
  const { outcome, row } = await daemon.watch(id, timeout);
  assert.equal(outcome, OUTCOME.MINED, `not mined: ${JSON.stringify(row)}\n${daemon.log}`);
  return row;
}

test('a paused token: refused before it is taken; what was taken costs no gas and waits', { timeout: 60000 }, async () => {
  await odd();
  const start = await earned();
  await become(MODE.PAUSED);
  const before = await sent();
  assert.equal((await daemon.simulate(await payment(accounts[1]))).err, 'ERR_SIMULATION');
  const id = await pay(await payment(accounts[1]));
  await pause(10_000);
  assert.equal(await sent(), before, 'nothing was sent');
  assert.equal((await daemon.row(id)).state, STATE.CAPTURED);
  await become(MODE.HONEST);
  await mined(id);
  assert.equal(await earned() - start, 1000n);
});

test('payer, payee or signer blacklisted: no gas, and nobody else suffers', { timeout: 60000 }, async () => {
  await odd();
  for (const who of [accounts[3].address, PAYEE, accounts[0].address]) {
    await blacklist(who, true);
    const before = await sent();
    const bad = await pay(await payment(accounts[3]));
    await pause(8000);
    assert.equal(await sent(), before, 'nothing was sent');
    assert.equal((await daemon.row(bad)).state, STATE.CAPTURED);
    if (who === accounts[3].address) {
      const others = await Promise.all([1, 2, 4].map(async (i) => pay(await payment(accounts[i]))));
      await Promise.all(others.map((id) => mined(id)));
    }
    await blacklist(who, false);
    await mined(bad, 30000);
  }
});

test('a token that uses the authorization and moves nothing: one transaction, then failed with proof', { timeout: 60000 }, async () => {
  await odd();
  const start = await earned();
  await become(MODE.LIES);
  const before = await sent();
  const id = await pay(await payment(accounts[1]));
  await daemon.rowUntil(id, (r) => r.batch > 0);
  await pause(10_000);
  assert.notEqual((await daemon.row(id)).state, STATE.MINED);
  assert.notEqual((await daemon.row(id)).state, STATE.FAILED, 'not before it is final');
  await world.rpc.mine(70);
  await daemon.rowUntil(id, (r) => r.state === STATE.FAILED, 30000);
  assert.equal(await sent() - before, 1);
  assert.equal(await earned(), start);
});

test('a fee on transfer: less than the price is not the price', { timeout: 60000 }, async () => {
  await odd();
  const start = await earned();
  await become(MODE.FEE);
  const id = await pay(await payment(accounts[1]));
  await daemon.rowUntil(id, (r) => r.batch > 0);
  await world.rpc.mine(70);
  await daemon.rowUntil(id, (r) => r.state === STATE.FAILED, 30000);
  assert.equal(await earned() - start, 990n);
});

for (const [name, mode] of [['says yes and does nothing', MODE.SILENT], ['fails only where gas is paid', MODE.TRAP]]) {
  test(`a token that ${name}: the settler stops, says so, and goes on when it is well`, { timeout: 120000 }, async () => {
    await odd({ batchMax: 1 });
    const start = await earned();
    await become(mode);
    const before = await sent();
    const ids = await Promise.all(Array.from({ length: 12 }, async (_, i) => pay(await payment(accounts[1 + i % 8]))));
    await daemon.until('health', (h) => h.stopped, 20000);
    assert.equal((await daemon.simulate(await payment(accounts[1]))).err, 'ERR_UNAVAILABLE', 'nothing new is taken');
    const atStop = await sent();
    assert.ok(atStop - before <= 8, `${atStop - before} transactions`);
    await pause(8000);
    assert.ok(await sent() - atStop <= 1, 'no loop of them');
    assert.equal(await earned(), start);
    await become(MODE.HONEST);
    await Promise.all(ids.map((id) => mined(id, 80000)));
    assert.equal(await earned() - start, 12000n);
    await daemon.until('health', (h) => !h.stopped);
    assert.equal((await daemon.simulate(await payment(accounts[1]))).err, 'OK');
  });
}

for (const depth of [1, 2, 7, 65]) { // 65 undoes more than anvil calls final, but not this payment
  test(`a reorg of depth ${depth}: followed, paid once`, { timeout: 60000 }, async () => {
    daemon = await world.daemon({ batchWait: 100 });
    await daemon.ready();
    await world.rpc.mine(70);
    const row = await mined(await pay(await payment(accounts[1])));
    if (depth > 1)
      await world.rpc.mine(Math.min(depth - 1, 62));
    assert.equal(await earned(), 1000n);
    await world.rpc.call('anvil_reorg', depth, []);
    assert.equal(await earned(), 0n, 'the reorg took the money back');
    await daemon.rowUntil(row.payment, (r) => r.state === STATE.MINED && r.block !== row.block, 40000);
    assert.equal(await earned(), 1000n);
    await world.rpc.mine(70);
    await daemon.rowUntil(row.payment, (r) => r.state === STATE.FINAL, 40000);
    assert.equal((await world.rpc.authorizationsUsed(USDC)).length, 1);
  });
}

test('a dropped transaction is sent again', { timeout: 90000 }, async () => {
  daemon = await world.daemon({ batchWait: 100 });
  await daemon.ready();
  await world.rpc.call('evm_setAutomine', false);
  const id = await pay(await payment(accounts[1]));
  const row = await daemon.rowUntil(id, (r) => r.state === STATE.SUBMITTED);
  await sleep(500);
  await world.rpc.call('anvil_dropTransaction', row.tx);
  await world.rpc.call('evm_setAutomine', true);
  await mined(id, 60000);
  assert.equal(await earned(), 1000n);
});

test('base fee times 1000: nothing new is taken, what was taken waits within the cap', { timeout: 90000 }, async () => {
  daemon = await world.daemon({ batchWait: 100, maxFee: 50 });
  await daemon.ready();
  const gwei = async (n) => { await world.rpc.call('anvil_setNextBlockBaseFeePerGas', `0x${(BigInt(n) * 1_000_000_000n).toString(16)}`); await world.rpc.mine(1); };
  await gwei(1);
  await gwei(1000);
  const before = await sent();
  const id = await pay(await payment(accounts[1]));
  await daemon.until('health', (h) => !h.canSettle);
  assert.equal((await daemon.simulate(await payment(accounts[2]))).err, 'ERR_FEES');
  await pause(10_000);
  assert.equal(await sent(), before);
  await gwei(1);
  const row = await mined(id, 30000);
  const { effectiveGasPrice, gasUsed } = await world.rpc.receipt(row.tx);
  assert.ok(BigInt(effectiveGasPrice) <= 50_000_000_000n);
  assert.ok(BigInt(gasUsed) <= 250_000n);
});

test('the day\'s gas is spent: 503 at reserve, what was captured is settled all the same', { timeout: 90000 }, async () => {
  daemon = await world.daemon({ batchWait: 100, maxDay: 100 }); // gwei: one settlement costs far more
  await daemon.ready();
  assert.equal((await daemon.simulate(await payment(accounts[1]))).err, 'OK');
  await mined(await pay(await payment(accounts[1])));
  await daemon.until('health', (h) => !h.canSettle);
  assert.equal((await daemon.simulate(await payment(accounts[2]))).err, 'ERR_FEES');
  await mined(await pay(await payment(accounts[2])), 30000);
  assert.equal(await earned(), 2000n);
  // and after a restart it still knows
  await daemon.close();
  daemon = await world.daemon({ batchWait: 100, maxDay: 100 });
  await daemon.until('health', (h) => h.reachable);
  await sleep(1000);
  assert.equal((await daemon.simulate(await payment(accounts[2]))).err, 'ERR_FEES');
  assert.equal((await daemon.ask('health')).canSettle, false);
});
