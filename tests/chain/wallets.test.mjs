// SPDX-License-Identifier: Apache-2.0
// Payers that are contracts: ERC-1271, ERC-6492, EIP-7702, honest and hostile.
// What was paid is read from the node.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decodeFunctionData, parseAbi } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { MAGIC, call, deploy, wrap } from './contracts.mjs';
import { lossy } from './lossy.mjs';
import { MULTICALL3, OUTCOME, PAYEE, STATE, Tool, USDC, World, accounts, pause, payment } from './world.mjs';

const SALT = `0x${'07'.repeat(32)}`;
const word = (v) => BigInt(v).toString(16).padStart(64, '0');
const fresh = () => privateKeyToAccount(generatePrivateKey());
let world, daemon, factory;

before(async () => {
  world = await World.start(15800);
  factory = await deploy(world.rpc, accounts[8].address, 'Factory');
  daemon = await world.daemon({ factories: [factory], batchWait: 100 });
  await daemon.ready();
});
after(() => world.stop());

const send = async (from, to, data) =>
  world.rpc.receipt(await world.rpc.call('eth_sendTransaction', { from, to, data, gas: '0x200000' }));
const give = (to, value) => send(accounts[1].address, USDC, `0xa9059cbb${word(to)}${word(value)}`);
const earned = () => world.rpc.balance(USDC, PAYEE);
const err = async (p) => (await daemon.simulate(p)).err;
const code = (address) => world.rpc.call('eth_getCode', address, 'latest');

/** A wallet that is not deployed yet: its address, what would deploy it, who signs for it. */
async function undeployed() {
  const owner = fresh();
  const address = `0x${(await world.rpc.call('eth_call', { to: factory, data: call('Factory', 'at', owner.address, SALT) }, 'latest')).slice(26)}`;
  await give(address, 10000);
  const create = call('Factory', 'create', owner.address, SALT);
  const signed = (over) => payment({ address, signTypedData: (data) => owner.signTypedData(data) }, over);
  /** A payment with its signature wrapped. */
  const wrapped = async (by = factory, data = create) => {
    const p = await signed();
    return { ...p, signature: wrap(by, data, p.signature) };
  };
  return { address, owner, create, signed, wrapped };
}

/** Pays settle-first; the row once it is mined. */
async function settle(p) {
  const { err: refused, payment: id } = await daemon.pay(p, { mode: 'before', alone: true });
  assert.equal(refused, 'OK');
  const { outcome, row } = await daemon.watch(id);
  assert.equal(outcome, OUTCOME.MINED, JSON.stringify(row) + daemon.log);
  return row;
}

test('ERC-1271: the first word says yes, exactly, whoever looks', async (t) => {
  const moody = await deploy(world.rpc, accounts[8].address, 'Moody');
  await give(moody, 10000);
  const rows = [
    ['yes', 0, 'OK'], ['yes, and a tail', 4, 'OK'],
    ['yes only where no gas is paid', 1, 'ERR_SIGNATURE'],
    ['yes when the token asks', 2, 'OK', USDC], ['yes when somebody else asks', 2, 'ERR_SIGNATURE', PAYEE],
    ['a dirty word', 5, 'ERR_SIGNATURE'], ['31 bytes', 6, 'ERR_SIGNATURE'], ['nothing', 7, 'ERR_SIGNATURE'],
    ['a revert', 8, 'ERR_SIGNATURE'], ['a revert with 64 KiB', 9, 'ERR_SIGNATURE'],
    ['a loop', 11, 'ERR_SIGNATURE'],
  ];
  for (const [name, mode, expect, who = PAYEE] of rows) {
    await t.test(name, async () => {
      await send(accounts[8].address, moody, call('Moody', 'set', BigInt(mode), who));
      const begin = Date.now();
      const answers = await Promise.all([
        daemon.simulate(await payment({ address: moody }, { signature: `0x${'5a'.repeat(97)}` })),
        daemon.simulate(await payment(accounts[1])),
      ]);
      assert.deepEqual(answers.map((a) => [a.err, a.code]), [[expect, true], ['OK', false]]);
      assert.ok(Date.now() - begin < 3000, 'it is bounded');
    });
  }
  await t.test('256 KiB of answer are bounded by gas and time', async () => {
    await send(accounts[8].address, moody, call('Moody', 'set', 10n, PAYEE));
    const begin = Date.now();
    await daemon.simulate(await payment({ address: moody }, { signature: `0x${'5a'.repeat(97)}` }));
    assert.ok(Date.now() - begin < 3000);
    assert.equal(await err(await payment(accounts[1])), 'OK');
  });
});

test('a wallet that says no when it matters: mined, not paid, not released, not tried for ever', { timeout: 60000 }, async () => {
  const moody = await deploy(world.rpc, accounts[8].address, 'Moody');
  await give(moody, 10000);
  await send(accounts[8].address, moody, call('Moody', 'set', 12n, PAYEE));
  if (Number(await world.rpc.call('eth_blockNumber')) % 2)
    await world.rpc.mine(1);
  const payee = fresh().address;
  const { payment: id } = await daemon.pay(await payment({ address: moody }, { signature: '0x5a5a', to: payee }), { mode: 'before', alone: true });
  const { outcome } = await daemon.watch(id, 4000);
  assert.notEqual(outcome, OUTCOME.MINED);
  assert.equal(await world.rpc.balance(USDC, payee), 0n);
  const sent = (await daemon.ask('stats')).transactions;
  await world.rpc.mine(1); // even again: the call says yes
  await pause(10_000);
  assert.ok((await daemon.ask('stats')).transactions - sent <= 2, 'no loop of reverting transactions');
});

test('a last byte that is no v, as Safe marks an eth_sign, goes through the bytes overload', async () => {
  const wallet = await undeployed();
  await send(accounts[8].address, factory, wallet.create);
  const p = await wallet.signed();
  const v = parseInt(p.signature.slice(-2), 16) + 4;
  const row = await settle({ ...p, signature: p.signature.slice(0, -2) + v.toString(16) });
  const { input } = await world.rpc.call('eth_getTransactionByHash', row.tx);
  assert.equal(input.slice(0, 10), '0xcf092995');
});

test('ERC-6492: deployed and paid in one transaction', async () => {
  const wallet = await undeployed();
  const p = await wallet.wrapped();
  const start = await earned();
  const verdict = await daemon.simulate(p);
  assert.deepEqual([verdict.err, verdict.code, verdict.deploys, verdict.balance], ['OK', true, true, '10000']);
  const row = await settle(p);
  assert.equal(await earned() - start, 1000n);
  assert.notEqual(await code(wallet.address), '0x');
  const tx = await world.rpc.call('eth_getTransactionByHash', row.tx);
  assert.equal(tx.to, MULTICALL3.toLowerCase());
  assert.equal(BigInt(tx.value), 0n);
  const [calls] = decodeFunctionData({
    abi: parseAbi(['struct Call { address target; bool allowFailure; bytes callData; }', 'function aggregate3(Call[] calls)']),
    data: tx.input,
  }).args;
  assert.deepEqual(calls.map((c) => [c.target.toLowerCase(), c.allowFailure]), [[factory, true], [USDC.toLowerCase(), false]]);
  assert.equal(calls[0].callData, wallet.create);
  assert.equal(calls[1].callData.slice(0, 10), '0xe3ee160e');
  assert.ok(Number(tx.gas) <= 1_500_000);
});

test('ERC-6492: somebody deploys it first; the wrapper stays good afterwards', async () => {
  const wallet = await undeployed();
  await world.rpc.call('evm_setAutomine', false);
  const { payment: id } = await daemon.pay(await wallet.wrapped(), { mode: 'before', alone: true });
  await daemon.rowUntil(id, (r) => r.state === STATE.SUBMITTED);
  await world.rpc.call('anvil_dropAllTransactions');
  await world.rpc.call('evm_setAutomine', true);
  await send(accounts[8].address, factory, wallet.create);
  const { outcome } = await daemon.watch(id, 45000);
  assert.equal(outcome, OUTCOME.MINED, daemon.log);
  const again = await daemon.simulate(await wallet.wrapped());
  assert.deepEqual([again.err, again.deploys], ['OK', false]);
  // a deployed wallet's factory is not called: anybody may stand there
  const other = await daemon.simulate(await wallet.wrapped(USDC, '0x'));
  assert.deepEqual([other.err, other.deploys], ['OK', false]);
});

test('ERC-6492: who may be called, and with what result', async (t) => {
  const wallet = await undeployed();
  const approve = `0x095ea7b3${word(accounts[8].address)}${word(10n ** 18n)}`;
  const rows = {
    'the token': [USDC, approve, 'ERR_FACTORY'],
    'Multicall3': [MULTICALL3, '0x', 'ERR_FACTORY'],
    'an account': [accounts[8].address, '0x', 'ERR_FACTORY'],
    'a precompile': [`0x${'0'.repeat(39)}4`, '0x', 'ERR_FACTORY'],
    'no calldata': [factory, '0x', 'ERR_DEPLOYMENT'],
    'a call that reverts': [factory, '0x12345678', 'ERR_DEPLOYMENT'],
    'a call that does nothing': [factory, call('Factory', 'nothing'), 'ERR_SIGNATURE'],
    'somebody else\'s wallet': [factory, call('Factory', 'create', accounts[8].address, SALT), 'ERR_SIGNATURE'],
  };
  for (const [name, [by, data, expect]] of Object.entries(rows))
    await t.test(name, async () => assert.equal(await err(await wallet.wrapped(by, data)), expect));
  await t.test('a factory that burns gas', async () => {
    const begin = Date.now();
    assert.equal(await err(await wallet.wrapped(factory, call('Factory', 'burn'))), 'ERR_DEPLOYMENT');
    assert.ok(Date.now() - begin < 3000);
  });
  await t.test('nothing of it is left in the token', async () => {
    for (const owner of [accounts[0].address, MULTICALL3]) {
      const allowance = await world.rpc.call('eth_call', { to: USDC, data: `0xdd62ed3e${word(owner)}${word(accounts[8].address)}` }, 'latest');
      assert.equal(BigInt(allowance), 0n);
    }
  });
  await t.test('an empty list allows nobody', async () => {
    const other = new Tool(process.env);
    world.tools.push(other);
    other.send({ op: 'open', rpc: [world.chain.url], keys: world.keys });
    await other.opened;
    await other.ready();
    assert.equal((await other.simulate(await wallet.wrapped())).err, 'ERR_FACTORY');
    await other.close();
  });
});

test('no chain is asked about what cannot be a wallet\'s signature', async (t) => {
  const node = await lossy(15801, world.chain.url);
  const other = new Tool(process.env);
  world.tools.push(other);
  other.send({ op: 'open', rpc: [node.url], keys: world.keys, factories: [factory] });
  await other.opened;
  await other.ready();
  const wallet = await undeployed();
  const p = await wallet.signed();
  const good = wrap(factory, wallet.create, p.signature);
  const rows = {
    'a wrapper in a wrapper': { signature: wrap(factory, wallet.create, good) },
    'the magic alone': { signature: `0x${MAGIC}` },
    'nothing inside': { signature: wrap(factory, wallet.create, '0x') },
    'cut short': { signature: `0x${good.slice(66)}` },
    'a byte too many': { signature: good.slice(0, -64) + '00' + MAGIC },
    'the token pays': { from: USDC },
    'Multicall3 pays': { from: MULTICALL3 },
    ...Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`precompile ${i + 1}`, { from: `0x${(i + 1).toString(16).padStart(40, '0')}` }])),
  };
  for (const [name, over] of Object.entries(rows)) {
    await t.test(name, async () => {
      node.seen.splice(0);
      assert.equal((await other.simulate({ ...p, ...over })).err, 'ERR_SIGNATURE');
      assert.deepEqual(node.seen.filter((method) => method === 'eth_call'), []);
    });
  }
  await other.close();
  node.close();
});

test('EIP-7702: the path the token takes, never both', async (t) => {
  const wallet = await undeployed();
  await send(accounts[8].address, factory, wallet.create);
  const delegated = fresh();
  await give(delegated.address, 10000);
  await world.rpc.call('anvil_setCode', delegated.address, `0xef0100${wallet.address.slice(2)}`);
  await t.test('its own key does not sign for it any more', async () => {
    assert.equal(await err(await payment(delegated)), 'ERR_SIGNATURE');
  });
  await t.test('its contract does', async () => {
    const p = await payment({ address: delegated.address, signTypedData: (data) => wallet.owner.signTypedData(data) });
    const verdict = await daemon.simulate(p);
    assert.deepEqual([verdict.err, verdict.code], ['OK', true]);
    await settle(p);
    assert.equal(await world.rpc.balance(USDC, delegated.address), 9000n);
  });
  await t.test('delegated after it paid: its company is settled, it waits', { timeout: 60000 }, async () => {
    const late = fresh();
    await give(late.address, 10000);
    const start = await earned();
    const [a, b] = [await payment(late), await payment(accounts[2])];
    await world.rpc.call('anvil_setCode', late.address, `0xef0100${wallet.address.slice(2)}`);
    const ids = await Promise.all([daemon.pay(a), daemon.pay(b)]);
    const { outcome } = await daemon.watch(ids[1].payment);
    assert.equal(outcome, OUTCOME.MINED);
    assert.equal(await earned() - start, 1000n);
    assert.equal((await daemon.row(ids[0].payment)).state, STATE.CAPTURED);
    await world.rpc.call('anvil_setCode', late.address, '0x');
    assert.equal((await daemon.watch(ids[0].payment, 40000)).outcome, OUTCOME.MINED);
    assert.equal(await earned() - start, 2000n);
  });
});
