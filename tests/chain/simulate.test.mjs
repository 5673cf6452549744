// SPDX-License-Identifier: Apache-2.0
// Is this payment good now?  Asked of a real node, one by one and in crowds.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { privateKeyToAccount, generatePrivateKey } from 'viem/accounts';
import { lossy } from './lossy.mjs';
import { STATE, Tool, USDC, World, accounts, cancelData, now, pause, payment, sleep, transferData } from './world.mjs';

const YES_WALLET = `0x7f1626ba7e${'0'.repeat(56)}60005260206000f3`; // isValidSignature: always
const LOOP_WALLET = '0x5b600056'; // burns all the gas it is given
let world, daemon;

before(async () => {
  world = await World.start(15652);
  daemon = await world.daemon({ ledger: undefined });
  await daemon.ready();
});
after(() => world.stop());

const fresh = () => privateKeyToAccount(generatePrivateKey());
const send = async (from, to, data) =>
  world.rpc.receipt(await world.rpc.call('eth_sendTransaction', { from, to, data, gas: '0x100000' }));
const word = (v) => BigInt(v).toString(16).padStart(64, '0');
const give = (to, value) => send(accounts[1].address, USDC, `0xa9059cbb${word(to)}${word(value)}`);
const err = async (p) => (await daemon.simulate(p)).err;

test('a good one, with balance and block', async () => {
  const answer = await daemon.simulate(await payment(accounts[1]));
  assert.deepEqual([answer.err, answer.code, answer.balance], ['OK', false, '1000000000000']);
  assert.equal(answer.block, Number(await world.rpc.call('eth_blockNumber')));
});

test('each way of being bad has its name', async (t) => {
  const poor = fresh();
  const used = await payment(accounts[2]);
  await send(accounts[0].address, USDC, transferData(used));
  await give(poor.address, 999);
  const good = await payment(accounts[3]);
  const rows = {
    NONCE_USED: used,
    FUNDS: await payment(poor),
    SIGNATURE: { ...good, signature: (await payment(accounts[4])).signature },
    EXPIRED: await payment(accounts[1], { validBefore: now() - 1 }),
    NOT_YET_VALID: await payment(accounts[1], { validAfter: now() + 60 }),
    ASSET: { ...good, asset: accounts[5].address },
  };
  for (const [name, p] of Object.entries(rows))
    await t.test(name, async () => assert.equal(await err(p), `ERR_${name}`));
  await t.test('a nonce that was cancelled', async () => {
    const p = await payment(accounts[6]);
    const receipt = await send(accounts[0].address, USDC, await cancelData(accounts[6], p.nonce));
    assert.equal(receipt.status, '0x1');
    assert.equal(await err(p), 'ERR_NONCE_USED');
  });
  await t.test('exactly the balance is enough', async () => {
    assert.equal(await err(await payment(poor, { value: '999' })), 'OK');
  });
});

test('time is now, not the idle head\'s', async () => {
  await sleep(2500);
  const head = await world.rpc.call('eth_getBlockByNumber', 'latest', false);
  assert.ok(Number(head.timestamp) < now() - 1, 'the head is old');
  assert.equal(await err(await payment(accounts[1], { validAfter: now() - 1 })), 'OK');
});

test('a node without block overrides is asked without them', async () => {
  const node = await lossy(15653, world.chain.url);
  node.edit = (call, answer) => call.method === 'eth_call' && call.params.length > 2
    ? { jsonrpc: '2.0', id: call.id, error: { code: -32602, message: 'too many arguments, want at most 2' } } : answer;
  const other = new Tool(process.env);
  world.tools.push(other);
  other.send({ op: 'open', rpc: [node.url], keys: world.keys });
  await other.opened;
  await other.ready();
  await world.rpc.mine(1);
  assert.equal((await other.simulate(await payment(accounts[1], { validAfter: 0 }))).err, 'OK');
  assert.ok(node.seen.length > 0);
  await other.close();
  node.close();
});

test('a crowd is asked together', async () => {
  const crowd = await Promise.all(Array.from({ length: 500 }, (_, i) => payment(accounts[1 + i % 8])));
  const answers = await Promise.all(crowd.map((p) => daemon.simulate(p)));
  assert.deepEqual([...new Set(answers.map((a) => a.err))], ['OK']);
});

test('bad ones in a crowd do not spoil the good', async () => {
  const poor = fresh();
  await give(poor.address, 1500);
  const crowd = await Promise.all(Array.from({ length: 60 }, (_, i) => payment(accounts[1 + i % 8])));
  const bad = [await payment(poor, { value: '1501' }),
    { ...await payment(accounts[3]), signature: crowd[0].signature }];
  // each of the two is good by itself: their sum is the ledger's business
  const twins = [await payment(poor), await payment(poor)];
  const answers = await Promise.all([...crowd, ...bad, ...twins].map((p) => daemon.simulate(p)));
  assert.deepEqual(answers.map((a) => a.err),
    [...Array(60).fill('OK'), 'ERR_FUNDS', 'ERR_SIGNATURE', 'OK', 'OK']);
  assert.equal(answers.at(-1).balance, '1500');
});

test('what a payer is paid in the same look is not his balance', async () => {
  const poor = fresh();
  const rich = await payment(accounts[1], { to: poor.address, value: '5000' });
  const answers = await Promise.all([rich, await payment(poor, { value: '5000' })].map((p) => daemon.simulate(p)));
  assert.deepEqual(answers.map((a) => a.err), ['OK', 'ERR_FUNDS']);
});

test('a payer with code', async (t) => {
  const wallet = fresh();
  await give(wallet.address, 10000);
  await t.test('an account as long as it has none', async () => {
    const answer = await daemon.simulate(await payment(wallet));
    assert.deepEqual([answer.err, answer.code], ['OK', false]);
  });
  await world.rpc.call('anvil_setCode', wallet.address, YES_WALLET);
  await t.test('is believed when its contract says yes, beside others', { timeout: 20000 }, async () => {
    await pause(11_000); // that it had no code is remembered for ten seconds
    const any = await payment(wallet, { signature: `0x${'11'.repeat(80)}` });
    const answers = await Promise.all([await payment(accounts[1]), any, await payment(accounts[2])].map((p) => daemon.simulate(p)));
    assert.deepEqual(answers.map((a) => [a.err, a.code]), [['OK', false], ['OK', true], ['OK', false]]);
    assert.equal(answers[1].balance, '10000');
  });
  await t.test('its nonce, money and time are looked at all the same', async () => {
    assert.equal(await err(await payment(wallet, { value: '10001' })), 'ERR_FUNDS');
  });
  await t.test('a delegated account (EIP-7702) is judged by its contract, not its key', async () => {
    const delegated = fresh();
    await give(delegated.address, 10000);
    const none = fresh();
    await world.rpc.call('anvil_setCode', none.address, '0x6000');
    await world.rpc.call('anvil_setCode', delegated.address, `0xef0100${none.address.slice(2)}`);
    const answer = await daemon.simulate(await payment(delegated));
    assert.deepEqual([answer.err, answer.code], ['ERR_SIGNATURE', true]);
  });
  await t.test('one that burns gas hurts only itself', async () => {
    const burner = fresh();
    await give(burner.address, 10000);
    await world.rpc.call('anvil_setCode', burner.address, LOOP_WALLET);
    const crowd = await Promise.all(Array.from({ length: 40 }, (_, i) => payment(accounts[1 + i % 8])));
    crowd.splice(3, 0, await payment(burner));
    const answers = await Promise.all(crowd.map((p) => daemon.simulate(p)));
    assert.notEqual(answers[3].err, 'OK');
    answers.splice(3, 1);
    assert.deepEqual([...new Set(answers.map((a) => a.err))], ['OK']);
  });
});

test('a node that hangs: a bounded queue, then busy, then unavailable, then well again', { timeout: 30000 }, async () => {
  const p = await payment(accounts[1]);
  const begin = Date.now();
  process.kill(world.chain.process.pid, 'SIGSTOP');
  const answers = await Promise.all(Array.from({ length: 6000 }, () => daemon.simulate(p)))
    .finally(() => process.kill(world.chain.process.pid, 'SIGCONT'));
  const count = {};
  for (const a of answers)
    count[a.err] = (count[a.err] ?? 0) + 1;
  assert.ok(count.ERR_BUSY >= 6000 - 4096 - 8 * 64, JSON.stringify(count));
  assert.equal(count.ERR_BUSY + count.ERR_UNAVAILABLE, 6000);
  assert.ok(Date.now() - begin < 8000, 'nobody waits longer than two calls may last');
  await daemon.ready();
  assert.equal(await err(p), 'OK');
});

test('a lying node', async (t) => {
  const node = await lossy(15654, world.chain.url);
  const other = new Tool(process.env);
  world.tools.push(other);
  other.send({ op: 'open', rpc: [node.url], keys: world.keys, poll: 200 });
  await other.opened;
  await other.ready();
  const p = await payment(accounts[1]);
  const good = async () => (await other.simulate(p)).err;
  const onCall = (change) => (call, answer) => (call.method === 'eth_call' ? change(answer) : answer);
  const lies = {
    'an error': (a) => ({ jsonrpc: '2.0', id: a.id, error: { code: -32000, message: 'header not found' } }),
    'no data': (a) => ({ ...a, result: '0x' }),
    'cut short': (a) => ({ ...a, result: a.result.slice(0, -64) }),
    'odd digits': (a) => ({ ...a, result: a.result.slice(0, -1) }),
    'null': (a) => ({ ...a, result: null }),
    'a number': (a) => ({ ...a, result: 1 }),
    'an endless offset': (a) => ({ ...a, result: `0x${'f'.repeat(a.result.length - 2)}` }),
  };
  assert.equal(await good(), 'OK');
  for (const [why, change] of Object.entries(lies)) {
    await t.test(why, async () => {
      node.edit = onCall(change);
      assert.equal(await good(), 'ERR_UNAVAILABLE');
    });
  }
  await t.test('the truth again', async () => {
    node.edit = (call, answer) => answer;
    assert.equal(await good(), 'OK');
  });
  await other.close();
  node.close();
});

test('money and fees are checked before, not after', async (t) => {
  const start = async (over) => {
    const other = new Tool(process.env);
    world.tools.push(other);
    other.send({ op: 'open', rpc: [world.chain.url], keys: world.keys, poll: 100, ...over });
    await other.opened;
    await other.until('health', (h) => h.reachable);
    await sleep(300);
    return other;
  };
  await t.test('fees over the cap', async () => {
    await world.rpc.call('anvil_setNextBlockBaseFeePerGas', `0x${(3_000_000_000n).toString(16)}`);
    await world.rpc.mine(1);
    const other = await start({ maxFee: 1 });
    assert.equal((await other.simulate(await payment(accounts[1]))).err, 'ERR_FEES');
    assert.equal((await other.ask('health')).canSettle, false);
    await other.close();
  });
  await t.test('a signer without money', async () => {
    const money = await world.rpc.call('eth_getBalance', accounts[0].address, 'latest');
    await world.rpc.call('anvil_setBalance', accounts[0].address, '0x1000');
    const other = await start({});
    assert.equal((await other.simulate(await payment(accounts[1]))).err, 'ERR_UNAVAILABLE');
    assert.equal((await other.ask('health')).canSettle, false);
    await other.close();
    await world.rpc.call('anvil_setBalance', accounts[0].address, money);
  });
  await t.test('no signer at all: others settle', async () => {
    const other = await start({ keys: [] });
    assert.equal((await other.simulate(await payment(accounts[1]))).err, 'OK');
    assert.equal((await other.ask('health')).canSettle, false);
    await other.close();
  });
});

test('another chain is refused at the start', async () => {
  const other = new Tool(process.env);
  other.send({ op: 'open', rpc: [world.chain.url], keys: world.keys, chain: 8453 });
  const answer = await other.opened;
  assert.match(answer.refused, /eip155:8453/);
});

test('a token with another domain is no asset', async (t) => {
  const code = await world.rpc.call('eth_getCode', USDC, 'latest');
  const node = await lossy(15655, world.chain.url);
  t.after(() => node.close());
  const verdict = async () => {
    const other = new Tool(process.env);
    world.tools.push(other);
    other.send({ op: 'open', rpc: [node.url], keys: world.keys, poll: 100 });
    await other.opened;
    await other.until('health', (h) => h.canSettle);
    const { err: said } = await other.simulate(await payment(accounts[1]));
    await other.close();
    return said;
  };
  assert.equal(await verdict(), 'OK', 'as it is');
  await world.rpc.call('anvil_setCode', USDC, '0x');
  assert.equal(await verdict(), 'ERR_ASSET', 'no code');
  await world.rpc.call('anvil_setCode', USDC, code);
  node.edit = (call, answer) => (JSON.stringify(call.params).includes('0x3644e515')
    ? { ...answer, result: `0x${'77'.repeat(32)}` } : answer);
  assert.equal(await verdict(), 'ERR_ASSET', 'another DOMAIN_SEPARATOR()');
});

// E03: keys made for it, valid signatures, no money, without end
test('a flood of strangers does not stop who has paid before', { timeout: 60000 }, async (t) => {
  const node = await lossy(15655, world.chain.url);
  t.after(() => node.close());
  const other = await world.daemon({ rpc: [node.url] });
  await other.ready();
  const regular = accounts[4];
  const { payment: paid } = await other.pay(await payment(regular));
  await other.rowUntil(paid, ({ state }) => state >= STATE.MINED);

  node.hold = 200; // what each call takes now: the flood waits for the node
  const good = await payment(regular);
  const address = () => ({ address: `0x${randomBytes(20).toString('hex')}` });
  const flood = await Promise.all(Array.from({ length: 6000 }, () => payment(address(), { signature: good.signature })));
  const begin = Date.now();
  const strangers = Promise.all(flood.map((p) => other.simulate(p)));
  const took = [];
  for (let i = 0; i < 5; i += 1) {
    const since = Date.now();
    const answer = await other.simulate(await payment(regular));
    took.push(Date.now() - since);
    assert.equal(answer.err, 'OK', `after ${Date.now() - begin} ms`);
  }
  const errs = (await strangers).map(({ err: one }) => one);
  const of = (one) => errs.filter((e) => e === one).length;
  assert.ok(of('ERR_BUSY') > 4000, 'most are turned away at once');
  assert.ok(of('ERR_FUNDS') >= 512, 'and strangers are served too');
  assert.equal(of('OK'), 0);
  assert.ok(Math.max(...took) < 3000, `${took}`);
  node.hold = 0;
  await other.close();
});
