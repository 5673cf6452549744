// SPDX-License-Identifier: Apache-2.0
// Two endpoints of one chain, one of which lies, sleeps or is gone: what
// proves something must be said by both.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { TOPIC } from '../../devnet/rpc.mjs';
import { lossy } from './lossy.mjs';
import { OUTCOME, PAYEE, STATE, USDC, World, accounts, now, pause, payment, sleep } from './world.mjs';

let world, liar, honest;
let port = 15870;

beforeEach(async () => {
  world = await World.start(port++);
  liar = await lossy(port++, world.chain.url);
  honest = await lossy(port++, world.chain.url);
});
afterEach(async () => {
  await world.stop();
  liar.close();
  honest.close();
});

const earned = () => world.rpc.balance(USDC, PAYEE);
const pad = (hex) => `0x${hex.slice(2).padStart(64, '0')}`;
const BLOCK = `0x${'b1'.repeat(32)}`;

/** Says of every unmined transaction that it is mined and paid this. */
const forge = (p) => (question, answer) => {
  if (question.method === 'eth_getBlockByNumber' && question.params[0].startsWith('0x'))
    return { ...answer, result: { ...answer.result, hash: BLOCK } };
  if (question.method !== 'eth_getTransactionReceipt' || answer.result)
    return answer;
  const [transactionHash] = question.params;
  const common = { address: USDC, transactionHash, blockHash: BLOCK, blockNumber: '0x1', removed: false };
  return { ...answer, result: {
    transactionHash, blockHash: BLOCK, blockNumber: '0x1', status: '0x1',
    logs: [
      { ...common, topics: [TOPIC.AuthorizationUsed, pad(p.from), p.nonce], data: '0x' },
      { ...common, topics: [TOPIC.Transfer, pad(p.from), pad(p.to)], data: pad(`0x${BigInt(p.value).toString(16)}`) },
    ],
  } };
};

async function start(over = {}) {
  const daemon = await world.daemon({ rpc: [liar.url, honest.url], batchWait: 100, ...over });
  await daemon.ready();
  return daemon;
}

test('one that forges a receipt is not believed', { timeout: 60000 }, async () => {
  const daemon = await start();
  await world.rpc.call('evm_setAutomine', false);
  const p = await payment(accounts[1]);
  liar.edit = forge(p);
  const { payment: id } = await daemon.pay(p);
  await daemon.rowUntil(id, (r) => r.state === STATE.SUBMITTED);
  await pause(10_000);
  assert.equal((await daemon.row(id)).state, STATE.SUBMITTED);
  assert.equal(await earned(), 0n);
  assert.match(daemon.log, /endpoints_disagree/);
  liar.edit = (question, answer) => answer;
  await world.rpc.mine(1);
  await world.rpc.call('evm_setAutomine', true);
  assert.equal((await daemon.watch(id, 20000)).outcome, OUTCOME.MINED);
  assert.equal(await earned(), 1000n);
});

test('one that says the authorization has ended proves no failure', { timeout: 90000 }, async () => {
  const daemon = await start();
  const p = await payment(accounts[1], { validBefore: now() + 4 });
  // no one's signature: it waits until its end
  const { payment: id } = await daemon.pay({ ...p, signature: (await payment(accounts[2])).signature });
  // as if final blocks were far ahead: the end of the authorization is past for the liar alone
  liar.edit = (question, answer) => {
    if (question.method !== 'eth_call' || question.params[1] !== 'finalized' || !answer.result)
      return answer;
    const late = (now() + 100000).toString(16).padStart(64, '0');
    const words = answer.result.slice(2).match(/.{64}/g);
    // aggregate3's first result is the block's time
    const at = words.findIndex((word) => /^0{56}[0-9a-f]{8}$/.test(word) && parseInt(word, 16) > 1_600_000_000);
    words[at] = late;
    return { ...answer, result: `0x${words.join('')}` };
  };
  await sleep(6000);
  await pause(20_000);
  assert.notEqual((await daemon.row(id)).state, STATE.FAILED);
  liar.edit = (question, answer) => answer;
  await world.rpc.mine(70);
  await daemon.rowUntil(id, (r) => r.state === STATE.FAILED, 60000);
});

test('the second is gone: proofs wait for it with rpc_agree 2 and not otherwise', { timeout: 60000 }, async () => {
  let daemon = await start();
  honest.on = () => 'drop';
  const { payment: id } = await daemon.pay(await payment(accounts[1]));
  await daemon.rowUntil(id, (r) => r.state === STATE.SUBMITTED);
  await pause(10_000);
  assert.equal(await earned(), 1000n, 'it is sent and mined');
  assert.equal((await daemon.row(id)).state, STATE.SUBMITTED, 'but not proven');
  honest.on = () => 'pass';
  assert.equal((await daemon.watch(id, 40000)).outcome, OUTCOME.MINED);
  await daemon.close();
  for (const agree of [0, 1]) {
    honest.on = () => 'pass';
    daemon = await start({ agree });
    honest.on = () => 'drop';
    const { payment: other } = await daemon.pay(await payment(accounts[1]));
    assert.equal((await daemon.watch(other, 20000)).outcome, OUTCOME.MINED, `agree ${agree}`);
    await daemon.close();
  }
});

test('while both are well they must agree, also when nothing is said of it', { timeout: 60000 }, async () => {
  const daemon = await start({ agree: 0 });
  liar.edit = (question, answer) => question.method === 'eth_getTransactionReceipt' && answer.result
    ? { ...answer, result: { ...answer.result, logs: [] } } : answer;
  const { payment: id } = await daemon.pay(await payment(accounts[1]));
  await daemon.rowUntil(id, (r) => r.state === STATE.SUBMITTED);
  await pause(10_000);
  assert.equal((await daemon.row(id)).state, STATE.SUBMITTED);
  assert.match(daemon.log, /endpoints_disagree/);
  liar.edit = (question, answer) => answer;
  await daemon.rowUntil(id, (r) => r.state === STATE.MINED, 40000);
});

test('one whose head stands still is not asked while the other is there', { timeout: 60000 }, async () => {
  await world.rpc.mine(1);
  const old = await world.rpc.call('eth_getBlockByNumber', 'latest', false);
  liar.edit = (question, answer) => question.method === 'eth_getBlockByNumber' && question.params[0] === 'latest'
    ? { ...answer, result: { ...old, timestamp: `0x${(Number(old.timestamp) - 3600).toString(16)}` } } : answer;
  const daemon = await start();
  for (const end = Date.now() + 20000; Date.now() < end && !/rpc_endpoint_behind/.test(daemon.log);)
    await sleep(100);
  await sleep(500);
  liar.seen.splice(0);
  honest.seen.splice(0);
  assert.equal((await daemon.simulate(await payment(accounts[1]))).err, 'OK');
  assert.ok(honest.seen.includes('eth_call'), 'the other answers');
  assert.ok(!liar.seen.includes('eth_call'));
});

test('a stand-in of another chain is found before it is needed', { timeout: 30000 }, async () => {
  honest.edit = (question, answer) => (question.method === 'eth_chainId' ? { ...answer, result: '0x1' } : answer);
  const daemon = await world.daemon({ rpc: [liar.url, honest.url], agree: 1 });
  await daemon.ready();
  for (const end = Date.now() + 20000; Date.now() < end && !honest.seen.includes('eth_chainId');)
    await sleep(100);
  for (const end = Date.now() + 5000; Date.now() < end && !/rpc_wrong_chain/.test(daemon.log);)
    await sleep(100);
  assert.match(daemon.log, /rpc_wrong_chain/);
  liar.on = () => 'drop';
  assert.equal((await daemon.simulate(await payment(accounts[1]))).err, 'ERR_UNAVAILABLE');
});
