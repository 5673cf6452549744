// SPDX-License-Identifier: Apache-2.0
// From captured to final, against a real node, through everything that goes
// wrong on the way.  After each test: what the ledger says was paid is what the
// payee got, to the unit.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, afterEach, beforeEach, test } from 'node:test';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { holdLedger } from '../harness/ledger.mjs';
import { lossy } from './lossy.mjs';
import { OUTCOME, PAYEE, STATE, USDC, World, accounts, cancelData, now, pause, payment, sleep, transferData } from './world.mjs';

let world;
let port = 15660;
const nodes = [];

beforeEach(async () => { world = await World.start(port++, { signers: [] }); });
afterEach(async () => {
  await world.stop();
  nodes.splice(0).forEach((node) => node.close());
});

const word = (v) => BigInt(v).toString(16).padStart(64, '0');
const fresh = () => privateKeyToAccount(generatePrivateKey());
const send = async (from, to, data) =>
  world.rpc.receipt(await world.rpc.call('eth_sendTransaction', { from, to, data, gas: '0x100000' }));
const give = (to, value) => send(accounts[1].address, USDC, `0xa9059cbb${word(to)}${word(value)}`);
const earned = () => world.rpc.balance(USDC, PAYEE);
const count = async (daemon, state) => (await daemon.ask('stats')).count[state];
async function node() {
  const n = await lossy(port + 20, world.chain.url);
  nodes.push(n);
  return n;
}
/** Pay, and the row's id. */
async function pay(daemon, p, more) {
  const answer = await daemon.pay(p, more);
  assert.equal(answer.err, 'OK');
  return answer.payment;
}
async function mined(daemon, id, timeout) {
  const { outcome, row } = await daemon.watch(id, timeout);
  assert.equal(outcome, OUTCOME.MINED, `not mined: ${JSON.stringify(row)}\n${daemon.log}`);
  return row;
}

test('one payment, a batch, and settle-first, in time', async () => {
  const daemon = await world.daemon();
  await daemon.ready();
  let begin = Date.now();
  const first = await mined(daemon, await pay(daemon, await payment(accounts[1])));
  assert.ok(Date.now() - begin < 5000);
  const single = await world.rpc.receipt(first.tx);
  assert.equal(single.to.toLowerCase(), USDC.toLowerCase());

  begin = Date.now();
  const urgent = await pay(daemon, await payment(accounts[2]), { mode: 'before' });
  await mined(daemon, urgent);
  assert.ok(Date.now() - begin < 1000, 'settle-first takes under a second');

  const crowd = await Promise.all(Array.from({ length: 40 }, (_, i) => payment(accounts[1 + i % 8])));
  const ids = await Promise.all(crowd.map((p) => pay(daemon, p)));
  const rows = await Promise.all(ids.map((id) => mined(daemon, id)));
  assert.equal(new Set(rows.map((r) => r.tx)).size, 1, 'one transaction');
  const batch = await world.rpc.receipt(rows[0].tx);
  const each = Number(batch.gasUsed) / 40;
  assert.ok(each < 0.65 * Number(single.gasUsed), `${each} of ${Number(single.gasUsed)}`);
  assert.equal(await earned(), 42_000n);

  await world.rpc.mine(70);
  await daemon.until('stats', (s) => s.count[STATE.FINAL] === 42 && s.openBatches === 0);
  assert.equal((await daemon.ask('stats')).transactions, 3);
  assert.equal(await daemon.close(), 0);
});

test('two signers share the work', async () => {
  await world.stop();
  world = await World.start(port++, { signers: [7] });
  const daemon = await world.daemon({ batchMax: 5, batchWait: 100 });
  await daemon.ready();
  const crowd = await Promise.all(Array.from({ length: 100 }, (_, i) => payment(accounts[1 + i % 6])));
  const ids = await Promise.all(crowd.map((p) => pay(daemon, p)));
  const rows = await Promise.all(ids.map((id) => mined(daemon, id)));
  const senders = new Set();
  for (const tx of new Set(rows.map((r) => r.tx)))
    senders.add((await world.rpc.receipt(tx)).from);
  assert.equal(senders.size, 2);
  assert.equal(await earned(), 100_000n);
});

test('somebody else sends it first: we are paid', async () => {
  const daemon = await world.daemon({ batchWait: 600 });
  await daemon.ready();
  const after = await payment(accounts[1]);
  const id = await pay(daemon, after);
  const theirs = await send(accounts[8].address, USDC, transferData(after));
  const row = await mined(daemon, id);
  assert.deepEqual([row.tx, row.state], [theirs.transactionHash, STATE.MINED]);

  const before = await payment(accounts[2]);
  const promise = daemon.pay(before, { mode: 'before' });
  const theirs2 = await send(accounts[8].address, USDC, transferData(before));
  const row2 = await mined(daemon, (await promise).payment);
  assert.equal(row2.state, STATE.MINED);
  assert.ok([theirs2.transactionHash, row2.tx].includes(row2.tx));
  assert.equal(await earned(), 2000n);
  await world.rpc.mine(70);
  await daemon.until('stats', (s) => s.count[STATE.FINAL] === 2);
});

test('in the same block before ours: our transaction fails, we are paid', async () => {
  const daemon = await world.daemon({ batchWait: 200 });
  await daemon.ready();
  await world.rpc.call('evm_setAutomine', false);
  const p = await payment(accounts[1]);
  const mate = await payment(accounts[2]);
  const ids = [await pay(daemon, p), await pay(daemon, mate)];
  await daemon.rowUntil(ids[0], (r) => r.state === STATE.SUBMITTED);
  await world.rpc.call('eth_sendTransaction', {
    from: accounts[8].address, to: USDC, data: transferData(p), gas: '0x100000',
    maxFeePerGas: '0x174876e800', maxPriorityFeePerGas: '0x174876e800',
  });
  await sleep(300);
  await world.rpc.mine(1);
  await world.rpc.call('evm_setAutomine', true);
  const rows = [await mined(daemon, ids[0]), await mined(daemon, ids[1])];
  assert.notEqual(rows[0].tx, rows[1].tx);
  assert.equal(await earned(), 2000n);
});

test('the nonce went to another payee', async () => {
  const daemon = await world.daemon({ batchWait: 600 });
  await daemon.ready();
  const p = await payment(accounts[1]);
  const elsewhere = await payment(accounts[1], { nonce: p.nonce, to: accounts[7].address });
  const id = await pay(daemon, p);
  await send(accounts[8].address, USDC, transferData(elsewhere));
  await pause(10_000);
  assert.equal((await daemon.row(id)).state, STATE.CAPTURED, 'no proof before it is final');
  await world.rpc.mine(70);
  await daemon.rowUntil(id, (r) => r.state === STATE.FAILED && r.reason === 'ERR_NONCE_USED');
  assert.equal(await earned(), 0n);

  const first = await payment(accounts[2]);
  const twin = await payment(accounts[2], { nonce: first.nonce, to: accounts[7].address });
  await send(accounts[8].address, USDC, transferData(twin));
  const { payment: second } = await daemon.pay(first, { mode: 'before' });
  const told = await daemon.watch(second);
  assert.deepEqual([told.outcome, told.row.state, told.row.reason], [OUTCOME.REFUSED, STATE.RELEASED, 'ERR_NONCE_USED']);
});

test('cancelled by the payer', async () => {
  const daemon = await world.daemon({ batchWait: 600 });
  await daemon.ready();
  const p = await payment(accounts[1]);
  const id = await pay(daemon, p);
  await send(accounts[8].address, USDC, await cancelData(accounts[1], p.nonce));
  await pause(10_000);
  assert.equal((await daemon.row(id)).state, STATE.CAPTURED);
  await world.rpc.mine(70);
  await daemon.rowUntil(id, (r) => r.state === STATE.FAILED && r.reason === 'ERR_NONCE_USED');
});

test('a drained payer: others are paid, he is tried again, in the end it failed', async () => {
  const poor = fresh(), late = fresh();
  await give(poor.address, 1000);
  await give(late.address, 1000);
  const daemon = await world.daemon({ batchWait: 600 });
  await daemon.ready();
  const ends = now() + 5;
  const never = await pay(daemon, await payment(poor, { validBefore: ends }));
  const refilled = await pay(daemon, await payment(late));
  const good = await pay(daemon, await payment(accounts[1]));
  for (const account of [poor, late]) {
    await world.rpc.call('anvil_impersonateAccount', account.address);
    await world.rpc.call('anvil_setBalance', account.address, '0xde0b6b3a7640000');
    await send(account.address, USDC, `0xa9059cbb${word(accounts[7].address)}${word(1000)}`);
  }
  await mined(daemon, good);
  assert.equal((await daemon.row(refilled)).state, STATE.CAPTURED);
  await give(late.address, 1000);
  await mined(daemon, refilled, 15000);
  while (now() <= ends + 1)
    await sleep(100);
  assert.equal((await daemon.row(never)).state, STATE.CAPTURED, 'the final block is older than its end');
  await world.rpc.mine(70);
  await daemon.rowUntil(never, (r) => r.state === STATE.FAILED && r.reason === 'ERR_FUNDS', 40000);
  assert.equal(await earned(), 2000n);
  const spent = await world.rpc.authorizationsUsed(USDC, poor.address);
  assert.equal(spent.length, 0);
});

test('payments that cannot go yet do not hide those that can', async () => {
  const daemon = await world.daemon({ batchWait: 100, batchMax: 1 });
  await daemon.ready();
  const early = { validAfter: now() + 600, validBefore: now() + 1200 };
  const waiting = await Promise.all(Array.from({ length: 30 }, async (_, i) =>
    pay(daemon, await payment(accounts[1 + i % 8], early))));
  const id = await pay(daemon, await payment(accounts[3], { validBefore: now() + 1300 }));
  await mined(daemon, id);
  assert.equal((await daemon.row(waiting[0])).state, STATE.CAPTURED);
});

test('settle-first of a drained payer is refused at once', async () => {
  const poor = fresh();
  const daemon = await world.daemon();
  await daemon.ready();
  const { payment: id } = await daemon.pay(await payment(poor), { mode: 'before' });
  const begin = Date.now();
  const told = await daemon.watch(id);
  assert.deepEqual([told.outcome, told.row.state, told.row.reason], [OUTCOME.REFUSED, STATE.RELEASED, 'ERR_FUNDS']);
  assert.ok(Date.now() - begin < 2000);
  assert.equal((await daemon.ask('stats')).transactions, 0, 'no gas for the doomed');
});

test('together they are too much, one by one the first is paid', async () => {
  const poor = fresh();
  await give(poor.address, 1500);
  const daemon = await world.daemon({ batchWait: 500 });
  await daemon.ready();
  const pair = [await pay(daemon, await payment(poor)), await pay(daemon, await payment(poor))];
  const crowd = await Promise.all(Array.from({ length: 10 }, (_, i) => payment(accounts[1 + i % 8])));
  const ids = await Promise.all(crowd.map((p) => pay(daemon, p)));
  await Promise.all(ids.map((id) => mined(daemon, id)));
  await daemon.until('stats', (s) => s.count[STATE.MINED] === 11);
  const states = await Promise.all(pair.map(async (id) => (await daemon.row(id)).state));
  assert.deepEqual(states.sort(), [STATE.CAPTURED, STATE.MINED]);
  assert.equal(await earned(), 11_000n);
});

test('killed after the ledger has it, before the network has: sent at the start', async () => {
  const n = await node();
  n.on = (methods) => (methods.includes('eth_sendRawTransaction') ? 'drop' : 'pass');
  let daemon = await world.daemon({ rpc: [n.url], batchWait: 100 });
  await daemon.ready();
  const ids = [await pay(daemon, await payment(accounts[1])), await pay(daemon, await payment(accounts[2]))];
  const before = await daemon.rowUntil(ids[1], (r) => r.state === STATE.SUBMITTED);
  await daemon.kill();
  assert.equal(await earned(), 0n);
  n.on = () => 'pass';
  daemon = await world.daemon({ rpc: [n.url] });
  const row = await mined(daemon, ids[1]);
  assert.equal(row.tx, before.tx, 'the same transaction');
  await mined(daemon, ids[0]);
  assert.equal(await earned(), 2000n);
  assert.equal(Number(await world.rpc.call('eth_getTransactionCount', accounts[0].address, 'latest')) >= 1, true);
});

test('killed after it was mined, before the ledger knew', async () => {
  const n = await node();
  n.on = (methods) => (methods.includes('eth_getTransactionReceipt') ? 'drop' : 'pass');
  let daemon = await world.daemon({ rpc: [n.url], batchWait: 100, timeout: 500 });
  await daemon.ready();
  const id = await pay(daemon, await payment(accounts[1]));
  await daemon.rowUntil(id, (r) => r.state === STATE.SUBMITTED);
  await sleep(500);
  assert.equal(await earned(), 1000n);
  await daemon.kill();
  n.on = () => 'pass';
  daemon = await world.daemon({ rpc: [n.url] });
  await mined(daemon, id);
  assert.equal(await earned(), 1000n);
  assert.equal((await world.rpc.authorizationsUsed(USDC)).length, 1);
});

test('a broadcast whose answer is lost', async () => {
  const n = await node();
  n.on = (methods) => (methods.includes('eth_sendRawTransaction') ? 'mute' : 'pass');
  const daemon = await world.daemon({ rpc: [n.url], batchWait: 100 });
  await daemon.ready();
  const id = await pay(daemon, await payment(accounts[1]));
  await mined(daemon, id);
  assert.equal((await world.rpc.authorizationsUsed(USDC)).length, 1);
  assert.equal((await daemon.ask('stats')).transactions, 1);
});

test('a broadcast that says already known', async () => {
  const n = await node();
  const daemon = await world.daemon({ rpc: [n.url], batchWait: 100 });
  await daemon.ready();
  n.edit = (call, answer) => (call.method === 'eth_sendRawTransaction'
    ? { jsonrpc: '2.0', id: answer.id, error: { code: -32000, message: 'already known' } } : answer);
  await mined(daemon, await pay(daemon, await payment(accounts[1])));
  assert.equal(n.seen.filter((m) => m === 'eth_sendRawTransaction').length, 1);
});

test('a receipt that is forged is not believed', async () => {
  const n = await node();
  const daemon = await world.daemon({ rpc: [n.url], batchWait: 100 });
  await daemon.ready();
  n.on = (methods) => (methods.includes('eth_sendRawTransaction') ? 'drop' : 'pass');
  // somebody else's receipt, given for ours
  const other = await send(accounts[8].address, USDC, transferData(await payment(accounts[3])));
  n.edit = (call, answer) => (call.method === 'eth_getTransactionReceipt' ? { ...answer, result: other } : answer);
  const id = await pay(daemon, await payment(accounts[1]));
  await daemon.rowUntil(id, (r) => r.state === STATE.SUBMITTED);
  await pause(5000);
  // and one that has our hash, but no log of ours
  const forged = (hash) => ({ ...other, transactionHash: hash });
  n.edit = (call, answer) => (call.method === 'eth_getTransactionReceipt'
    ? { ...answer, result: forged(call.params[0]) } : answer);
  await sleep(1000);
  assert.equal((await daemon.row(id)).state, STATE.SUBMITTED);
  n.edit = (call, answer) => answer;
  n.on = () => 'pass';
  await mined(daemon, id);
});

test('the signer\'s key was used by others, seen in time', async () => {
  const daemon = await world.daemon({ batchWait: 100 });
  await daemon.ready();
  await mined(daemon, await pay(daemon, await payment(accounts[1])));
  await world.rpc.call('eth_sendTransaction', { from: accounts[0].address, to: accounts[0].address });
  await mined(daemon, await pay(daemon, await payment(accounts[2])));
  assert.doesNotMatch(daemon.log, /account_nonce_taken/);
});

test('the signer\'s key was used by others, seen too late: another nonce, paid once', async () => {
  const n = await node();
  const daemon = await world.daemon({ rpc: [n.url], batchWait: 100 });
  await daemon.ready();
  await mined(daemon, await pay(daemon, await payment(accounts[1])));
  const stale = await world.rpc.call('eth_getTransactionCount', accounts[0].address, 'latest');
  n.edit = (call, answer) => (call.method === 'eth_getTransactionCount' ? { ...answer, result: stale } : answer);
  await world.rpc.call('eth_sendTransaction', { from: accounts[0].address, to: accounts[0].address });
  const id = await pay(daemon, await payment(accounts[2]));
  await daemon.rowUntil(id, (r) => r.state === STATE.SUBMITTED);
  await sleep(1000);
  assert.equal((await daemon.row(id)).state, STATE.SUBMITTED);
  n.edit = (call, answer) => answer;
  await sleep(1000);
  assert.equal((await daemon.row(id)).state, STATE.SUBMITTED, 'not before it is final');
  await world.rpc.mine(70);
  await mined(daemon, id, 20000);
  assert.match(daemon.log, /account_nonce_taken/);
  assert.equal(await earned(), 2000n);
});

/** While `act` takes place the ledger cannot be written. */
async function withoutLedger(daemon, act) {
  const lock = await holdLedger(join(world.dir, 'ledger.db'));
  try {
    await act();
    for (const end = Date.now() + 20_000; !/"ledger_unavailable"/.test(daemon.log) && Date.now() < end;)
      await sleep(50);
    assert.match(daemon.log, /"ledger_unavailable"/);
  } finally {
    await lock.release();
  }
}

test('a ledger that cannot be written is told again: final', async () => {
  const daemon = await world.daemon({ batchWait: 100 });
  await daemon.ready();
  const { payment: id } = await mined(daemon, await pay(daemon, await payment(accounts[1])));
  await withoutLedger(daemon, () => world.rpc.mine(70));
  await daemon.rowUntil(id, (r) => r.state === STATE.FINAL);
});

test('a ledger that cannot be written is told again: the account nonce is taken', async () => {
  const n = await node();
  const daemon = await world.daemon({ rpc: [n.url], batchWait: 100 });
  await daemon.ready();
  const stale = await world.rpc.call('eth_getTransactionCount', accounts[0].address, 'latest');
  n.edit = (call, answer) => (call.method === 'eth_getTransactionCount' ? { ...answer, result: stale } : answer);
  await world.rpc.call('eth_sendTransaction', { from: accounts[0].address, to: accounts[0].address });
  const id = await pay(daemon, await payment(accounts[2]));
  await daemon.rowUntil(id, (r) => r.state === STATE.SUBMITTED);
  await withoutLedger(daemon, async () => {
    n.edit = (call, answer) => answer;
    await world.rpc.mine(70);
  });
  await mined(daemon, id, 20000);
  assert.equal(await earned(), 1000n);
});

test('a ledger that cannot be written is told again: a reorg', async () => {
  const daemon = await world.daemon({ batchWait: 100 });
  await daemon.ready();
  await world.rpc.mine(5);
  const row = await mined(daemon, await pay(daemon, await payment(accounts[1])));
  await withoutLedger(daemon, () => world.rpc.call('anvil_reorg', 2, []));
  await daemon.rowUntil(row.payment, (r) => r.state === STATE.MINED && r.block !== row.block);
  assert.equal(await earned(), 1000n);
});

test('a reorg replaces its block: the same transaction again', async () => {
  const daemon = await world.daemon({ batchWait: 100 });
  await daemon.ready();
  await world.rpc.mine(5);
  const row = await mined(daemon, await pay(daemon, await payment(accounts[1])));
  await world.rpc.call('anvil_reorg', 2, []);
  assert.equal(await earned(), 0n, 'the reorg took the money back');
  const again = await daemon.rowUntil(row.payment, (r) => r.state === STATE.MINED && r.block !== row.block);
  assert.equal(again.tx, row.tx);
  assert.equal(await earned(), 1000n);
  await world.rpc.mine(70);
  await daemon.rowUntil(row.payment, (r) => r.state === STATE.FINAL);
  assert.equal((await world.rpc.authorizationsUsed(USDC)).length, 1);
});

test('a reorg makes the chain shorter: the same transaction again', async () => {
  const daemon = await world.daemon({ batchWait: 100 });
  await daemon.ready();
  const point = await world.rpc.call('evm_snapshot');
  const ids = [await pay(daemon, await payment(accounts[1])), await pay(daemon, await payment(accounts[2]))];
  await Promise.all(ids.map((id) => mined(daemon, id)));
  await world.rpc.call('evm_revert', point);
  assert.equal(await earned(), 0n);
  for (const end = Date.now() + 15000; Date.now() < end && await earned() !== 2000n;)
    await sleep(50);
  assert.equal(await earned(), 2000n);
  await world.rpc.mine(70);
  await daemon.until('stats', (s) => s.count[STATE.FINAL] === 2);
  assert.equal((await world.rpc.authorizationsUsed(USDC)).length, 2);
});

test('a reorg undoes what somebody else paid: ours goes instead', async () => {
  const daemon = await world.daemon({ batchWait: 600 });
  await daemon.ready();
  await world.rpc.mine(3);
  const p = await payment(accounts[1]);
  const id = await pay(daemon, p);
  const theirs = await send(accounts[8].address, USDC, transferData(p));
  assert.equal((await mined(daemon, id)).tx, theirs.transactionHash);
  await world.rpc.call('anvil_reorg', 1, []);
  assert.equal(await earned(), 0n);
  const row = await daemon.rowUntil(id, (r) => r.state === STATE.MINED && r.tx !== theirs.transactionHash);
  assert.ok(row.batch > 0, 'our own transaction');
  assert.equal(await earned(), 1000n);
});

test('a stuck transaction gets a higher fee', { timeout: 60000 }, async () => {
  const daemon = await world.daemon({ batchWait: 100 });
  await daemon.ready();
  await world.rpc.call('evm_setAutomine', false);
  const id = await pay(daemon, await payment(accounts[1]));
  const first = await daemon.rowUntil(id, (r) => r.state === STATE.SUBMITTED);
  await daemon.until('stats', (s) => s.bumps === 1, 30000);
  const second = await daemon.row(id);
  assert.notEqual(second.tx, first.tx);
  const [a, b] = [await world.rpc.call('eth_getTransactionByHash', second.tx), first.tx];
  assert.ok(a, `the replacement of ${b} is in the pool`);
  await world.rpc.mine(1);
  await world.rpc.call('evm_setAutomine', true);
  const row = await mined(daemon, id);
  assert.equal(row.tx, second.tx);
  assert.equal(await earned(), 1000n);
});

test('stuck until nothing in it can be paid: its nonce is freed, then it failed', { timeout: 90000 }, async () => {
  const daemon = await world.daemon({ batchWait: 100, hurry: 1 });
  await daemon.ready();
  const high = `0x${(5_000_000_000_000n).toString(16)}`;
  const block = async (fee) => { await world.rpc.call('anvil_setNextBlockBaseFeePerGas', fee); await world.rpc.mine(1); };
  await world.rpc.call('evm_setAutomine', false);
  const id = await pay(daemon, await payment(accounts[1], { validBefore: now() + 5 }));
  const first = await daemon.rowUntil(id, (r) => r.state === STATE.SUBMITTED);
  for (let i = 0; i < 7; i++) { // blocks come, ours is too cheap for them
    await sleep(1000);
    await block(high);
  }
  await daemon.until('stats', (s) => s.bumps === 1, 30000);
  await block('0x1');
  await world.rpc.call('evm_setAutomine', true);
  await daemon.rowUntil(id, (r) => r.state === STATE.CAPTURED);
  assert.equal(await world.rpc.call('eth_getTransactionReceipt', first.tx), null);
  await world.rpc.mine(70);
  await daemon.rowUntil(id, (r) => r.state === STATE.FAILED && r.reason === 'ERR_EXPIRED', 70000);
  assert.equal(await earned(), 0n);
  await mined(daemon, await pay(daemon, await payment(accounts[2])));
});

test('the node goes away and comes back', async () => {
  const n = await node();
  const daemon = await world.daemon({ rpc: [n.url], batchWait: 100, timeout: 500 });
  await daemon.ready();
  n.on = () => 'drop';
  const ids = await Promise.all(Array.from({ length: 5 }, async (_, i) => pay(daemon, await payment(accounts[1 + i]))));
  await sleep(2500);
  assert.equal(await count(daemon, STATE.CAPTURED), 5);
  assert.equal((await daemon.ask('health')).reachable, false);
  n.on = () => 'pass';
  await Promise.all(ids.map((id) => mined(daemon, id)));
  assert.equal(await earned(), 5000n);
});

test('a restart follows what is mined to its end', async () => {
  let daemon = await world.daemon({ batchWait: 100 });
  await daemon.ready();
  const id = await pay(daemon, await payment(accounts[1]));
  await mined(daemon, id);
  assert.equal(await daemon.close(), 0);
  await world.rpc.mine(70);
  daemon = await world.daemon();
  await daemon.rowUntil(id, (r) => r.state === STATE.FINAL);
  assert.equal((await daemon.ask('stats')).openBatches, 0);
});

test('a smart wallet is settled by itself, beside a batch', async () => {
  const wallet = fresh();
  await give(wallet.address, 5000);
  await world.rpc.call('anvil_setCode', wallet.address, `0x7f1626ba7e${'0'.repeat(56)}60005260206000f3`);
  const daemon = await world.daemon({ batchWait: 500 });
  await daemon.ready();
  const ids = [
    await pay(daemon, await payment(accounts[1])), await pay(daemon, await payment(accounts[2])),
    await pay(daemon, await payment(wallet, { signature: `0x${'22'.repeat(96)}` }), { mode: 'before', alone: true }),
    await pay(daemon, await payment(wallet, { signature: `0x${'33'.repeat(64)}1b` })),
  ];
  const rows = await Promise.all(ids.map((id) => mined(daemon, id)));
  assert.equal(new Set(rows.map((r) => r.tx)).size, 3);
  assert.equal(await earned(), 4000n);
});

test('fees over the cap: payments wait, and go when they fall', { timeout: 60000 }, async () => {
  const daemon = await world.daemon({ batchWait: 100, maxFee: 5 });
  await daemon.ready();
  await world.rpc.call('anvil_setNextBlockBaseFeePerGas', `0x${(50_000_000_000n).toString(16)}`);
  await world.rpc.mine(1);
  const id = await pay(daemon, await payment(accounts[1]));
  await pause(10_000);
  assert.equal((await daemon.row(id)).state, STATE.CAPTURED);
  await world.rpc.call('anvil_setNextBlockBaseFeePerGas', `0x${(1_000_000_000n).toString(16)}`);
  await world.rpc.mine(1);
  await mined(daemon, id, 20000);
});

test('killed again and again: everything is paid once', { timeout: 120000 }, async () => {
  const crowd = await Promise.all(Array.from({ length: 120 }, (_, i) => payment(accounts[1 + i % 8])));
  const ids = new Set();
  let daemon;
  for (let round = 0; round < 12; round++) {
    daemon = await world.daemon({ batchMax: 7, batchWait: 20, poll: 50 });
    const mine = crowd.slice(round * 10, round * 10 + 10);
    const paid = await Promise.all(mine.map((p) => pay(daemon, p)));
    paid.forEach((id) => ids.add(id));
    await sleep(20 + 37 * round);
    await daemon.kill();
  }
  daemon = await world.daemon({ batchMax: 7 });
  await Promise.all([...ids].map((id) => mined(daemon, id, 30000)));
  assert.equal(ids.size, 120);
  assert.equal(await earned(), 120_000n);
  assert.equal((await world.rpc.authorizationsUsed(USDC)).length, 120);
});
