// SPDX-License-Identifier: Apache-2.0
// /verify and /settle on a chain: tokens move once, whoever asks, however often
// and whatever happens to the daemon meanwhile.  Witness is the node.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { account } from '../../devnet/accounts.mjs';
import { NETWORK, USDC, startChain } from '../../devnet/chain.mjs';
import { sleep } from '../../devnet/process.mjs';
import { until } from '../harness/witness.mjs';
import { Daemon, PAY_TO, freshDir, ports, yaml } from './daemon.mjs';
import { body, post } from './payments.mjs';

const SIGNER = account(0).address;
const { facilitator: port, rpc: rpcPort } = await ports(3);
const chain = await startChain({ port: rpcPort, dir: freshDir() });
after(() => chain.process.stop());
const { rpc } = chain;
const text = (more = '') => yaml({
  port, rpc: chain.url, network: '    rpc_timeout: 1000\n    poll: 200', http: `any_payee: true${more}`,
});
const daemon = await new Daemon({ port, text: text() }).start();
after(() => daemon.stop());

const verify = (request) => post(`${daemon.url}/verify`, request);
const settle = (request) => post(`${daemon.url}/settle`, request);
const nonceOf = (request) => request.paymentPayload.payload.authorization.nonce;
const balance = (address) => rpc.balance(USDC, address);

async function uses(nonce) {
  const logs = await rpc.authorizationsUsed(USDC);
  return logs.filter((log) => log.nonce === nonce);
}

async function metric(name) {
  const page = await (await fetch(`${daemon.url}/metrics`)).text();
  return Number(new RegExp(`^${name}(?:{[^}]*})? (\\d+)$`, 'm').exec(page)[1]);
}

const health = async () => (await fetch(`${daemon.url}/health`)).status;
const kinds = async () => (await (await fetch(`${daemon.url}/supported`)).json()).kinds;
await until('the daemon sees its chain', 10_000, health, (status) => status === 200);

test('/supported: both versions, and who signs', async () => {
  assert.deepEqual(await (await fetch(`${daemon.url}/supported`)).json(), {
    kinds: [
      { x402Version: 2, scheme: 'exact', network: NETWORK },
      { x402Version: 1, scheme: 'exact', network: 'base-sepolia' },
    ],
    extensions: [],
    signers: { 'eip155:*': [SIGNER] },
  });
});

for (const version of [1, 2]) {
  test(`version ${version}: verified, nothing moves; settled, the tokens move`, async () => {
    const payer = account(2);
    const request = await body(version, { payer });
    const had = [await balance(payer.address), await balance(PAY_TO)];

    const verified = await verify(request);
    assert.deepEqual([verified.status, verified.json], [200, { isValid: true, payer: payer.address }]);
    assert.deepEqual([await balance(payer.address), await balance(PAY_TO)], had);

    const { status, json } = await settle(request);
    assert.equal(status, 200);
    assert.deepEqual({ ...json, transaction: null }, {
      success: true, transaction: null, network: version === 1 ? 'base-sepolia' : NETWORK, payer: payer.address, amount: '1000',
    });
    const receipt = await rpc.receipt(json.transaction);
    assert.equal(receipt.status, '0x1');
    assert.equal(receipt.from.toLowerCase(), SIGNER.toLowerCase());
    assert.deepEqual([await balance(payer.address), await balance(PAY_TO)], [had[0] - 1000n, had[1] + 1000n]);
    assert.deepEqual((await uses(nonceOf(request))).map((log) => log.transaction), [json.transaction]);
  });

  test(`version ${version}: settled again: the same answer; verified again: used`, async () => {
    const request = await body(version);
    const first = await settle(request);
    const second = await settle(request);
    assert.equal(first.json.success, true);
    assert.deepEqual(second, { ...first, headers: second.headers });
    const verified = await verify(request);
    assert.equal(verified.json.invalidReason, version === 1 ? 'invalid_transaction_state' : 'invalid_exact_evm_nonce_already_used');
    assert.equal((await uses(nonceOf(request))).length, 1);
  });
}

test('settled again when its time is over: the same answer, and nothing new', async () => {
  const end = Math.floor(Date.now() / 1000) + 9;
  const request = await body(2, { change: { validBefore: String(end) } });
  const late = await body(2, { change: { validBefore: String(end) } });
  const first = await settle(request);
  assert.equal(first.json.success, true, first.text);
  await sleep(end * 1000 + 1000 - Date.now());
  const again = await settle(request);
  assert.deepEqual([again.status, again.json], [first.status, first.json]);
  const refused = await settle(late);
  assert.equal(refused.json.success, false);
  assert.match(refused.json.errorReason, /valid_before/);
  const forged = structuredClone(request);
  forged.paymentPayload.payload.signature = late.paymentPayload.payload.signature;
  assert.match((await settle(forged)).json.errorReason, /signature/, 'the answer is for who signed it');
  assert.equal((await uses(nonceOf(request))).length, 1);
  assert.equal((await uses(nonceOf(late))).length, 0);
});

test('one payment, another requirement: refused, however it is put', async () => {
  const request = await body(2);
  assert.equal((await settle(request)).json.success, true);
  for (const [change, reason] of [
    [{ amount: '999' }, /value_mismatch/], [{ amount: '1001' }, /value_mismatch/], [{ payTo: account(5).address }, /recipient_mismatch/],
  ]) {
    const other = structuredClone(request);
    Object.assign(other.paymentRequirements, change);
    Object.assign(other.paymentPayload.accepted, change);
    const { json } = await settle(other);
    assert.equal(json.success, false);
    assert.match(json.errorReason, reason);
  }
  // signed anew with the same nonce: two authorizations, of which one can be used
  const nonce = nonceOf(request);
  for (const requirement of [{ amount: '5' }, { payTo: account(5).address }]) {
    const { json } = await settle(await body(2, { change: { nonce }, requirement }));
    assert.deepEqual([json.success, json.transaction], [false, '']);
  }
  assert.equal((await uses(nonce)).length, 1);
});

for (const times of [2, 100]) {
  test(`the same payment ${times} times at once: one transaction, one answer`, async () => {
    const request = await body(2, { payer: account(3) });
    const answers = await Promise.all(Array.from({ length: times }, () => settle(request)));
    assert.deepEqual([...new Set(answers.map(({ status, text: t }) => `${status} ${t}`))].length, 1);
    assert.equal(answers[0].json.success, true);
    assert.equal((await uses(nonceOf(request))).length, 1);
  });
}

test('100 payments at once: each settled once, several to a transaction', async () => {
  const requests = await Promise.all(Array.from({ length: 100 }, (_, i) => body(1 + (i % 2), { payer: account(2 + (i % 7)) })));
  const had = await balance(PAY_TO);
  const answers = await Promise.all(requests.map(settle));
  assert.deepEqual([...new Set(answers.map(({ json }) => json.success))], [true]);
  assert.equal(await balance(PAY_TO), had + 100_000n);
  const used = new Map((await rpc.authorizationsUsed(USDC)).map((log) => [log.nonce, log.transaction]));
  requests.forEach((request, i) => assert.equal(used.get(nonceOf(request)), answers[i].json.transaction));
  const transactions = new Set(answers.map(({ json }) => json.transaction)).size;
  assert.ok(transactions < 50, `${transactions} transactions for 100 payments`);
});

test('verify and settle of one payment at the same time', async () => {
  const request = await body(2);
  const answers = await Promise.all([verify(request), settle(request), verify(request), settle(request)]);
  assert.ok(answers.every(({ status }) => status === 200));
  assert.equal(answers[1].json.success, true);
  assert.equal(answers[1].text, answers[3].text);
});

test('a payer without tokens', async () => {
  for (const [version, reason] of [[1, 'insufficient_funds'], [2, 'invalid_exact_evm_insufficient_balance']]) {
    const request = await body(version, { payer: account(0) });
    const verified = await verify(request);
    assert.deepEqual([verified.status, verified.json.isValid, verified.json.invalidReason, verified.json.payer],
      [200, false, reason, SIGNER]);
    const settled = await settle(request);
    assert.deepEqual([settled.status, settled.json.success, settled.json.errorReason, settled.json.transaction],
      [200, false, reason, '']);
  }
});

test('a payer who signs more than he has, at once: never more than he has', async () => {
  const payer = account(8);
  const all = await balance(payer.address);
  const requests = await Promise.all(Array.from({ length: 5 }, () => body(2, {
    payer, requirement: { amount: String(all / 2n - 1n) },
  })));
  const answers = await Promise.all(requests.map(settle));
  assert.equal(answers.filter(({ json }) => json.success).length, 2);
  for (const { json } of answers.filter(({ json: j }) => !j.success))
    assert.equal(json.errorReason, 'invalid_exact_evm_insufficient_balance');
  assert.equal(await balance(payer.address), all - 2n * (all / 2n - 1n));
});

test('a wrong signature costs one recovery and no question to the node', async () => {
  const request = await body(2);
  const other = await body(2);
  request.paymentPayload.payload.signature = other.paymentPayload.payload.signature;
  const [calls, recoveries] = [await metric('x402_simulations_total'), await metric('x402_recoveries_total')];
  for (const ask of [verify, settle]) {
    const { status, json } = await ask(request);
    assert.equal(status, 200);
    assert.equal(json.invalidReason ?? json.errorReason, 'invalid_exact_evm_signature');
  }
  assert.equal(await metric('x402_simulations_total'), calls);
  assert.equal(await metric('x402_recoveries_total'), recoveries + 2);
});

test('a payment that somebody else carried out', async () => {
  const request = await body(2, { payer: account(4) });
  const { authorization: a, signature } = request.paymentPayload.payload;
  const word = (hex) => hex.replace(/^0x/, '').toLowerCase().padStart(64, '0');
  const number = (value) => BigInt(value).toString(16).padStart(64, '0');
  // transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)
  const data = `0xe3ee160e${word(a.from)}${word(a.to)}${number(a.value)}${number(a.validAfter)}${number(a.validBefore)}` +
    `${a.nonce.slice(2)}${number(`0x${signature.slice(130)}`)}${signature.slice(2, 66)}${signature.slice(66, 130)}`;
  const hash = await rpc.call('eth_sendTransaction', { from: account(7).address, to: USDC, data });
  assert.equal((await rpc.receipt(hash)).status, '0x1');
  assert.equal((await verify(request)).json.invalidReason, 'invalid_exact_evm_nonce_already_used');
  const settled = await settle(request);
  assert.equal(settled.status, 200);
  // paid is paid, with the transaction that did it, and once
  assert.deepEqual([settled.json.success, settled.json.transaction], [true, hash]);
  assert.equal((await settle(request)).text, settled.text);
  assert.equal((await uses(a.nonce)).length, 1);
});

test('a smart wallet: refused, unless the configuration lets the chain judge', async () => {
  // any call answers ERC-1271's magic value
  const wallet = '0x00000000000000000000000000000000000a11e7';
  await rpc.call('anvil_setCode', wallet, '0x631626ba7e60e01b60005260206000f3');
  const transfer = `0xa9059cbb${wallet.slice(2).padStart(64, '0')}${(5000).toString(16).padStart(64, '0')}`;
  await rpc.receipt(await rpc.call('eth_sendTransaction', { from: account(6).address, to: USDC, data: transfer }));
  const asked = async (signature) => {
    const request = await body(2, { change: { from: wallet } });
    request.paymentPayload.payload.signature = signature;
    return request;
  };
  const long = `0x${'5a'.repeat(97)}`;
  assert.equal((await settle(await asked(long))).json.errorReason, 'invalid_exact_evm_signature');

  // ERC-6492 behind a list that is empty unless the operator fills it
  const word = (hex) => hex.padStart(64, '0');
  const wrapped = `0x${word('fac')}${word('60')}${word('80')}${word('0')}${word('1')}${'ab'.padEnd(64, '0')}${'6492'.repeat(16)}`;
  assert.equal((await verify(await asked(wrapped))).json.invalidReason, 'eip6492_factory_not_allowed');
  assert.equal((await settle(await asked(wrapped))).json.errorReason, 'eip6492_factory_not_allowed');

  await daemon.stop();
  daemon.reconfigure(text(', smart_wallets: true'));
  await daemon.start();
  await until('the daemon is back', 10_000, health, (status) => status === 200);
  const request = await asked(long);
  assert.equal((await verify(request)).json.isValid, true);
  const { json } = await settle(request);
  assert.equal(json.success, true, JSON.stringify(json));
  assert.equal(await balance(wallet), 4000n);
  // and no EOA gets away with a wrong signature
  const forged = await body(2);
  forged.paymentPayload.payload.signature = (await body(2)).paymentPayload.payload.signature;
  assert.equal((await verify(forged)).json.isValid, false);
  assert.equal((await settle(forged)).json.success, false);
  assert.equal((await uses(nonceOf(forged))).length, 0);

  await daemon.stop();
  daemon.reconfigure(text());
  await daemon.start();
  await until('the daemon is back', 10_000, health, (status) => status === 200);
});

test('stopped and started: the same payment gets the same answer', async () => {
  const request = await body(2);
  const first = await settle(request);
  assert.equal(await daemon.stop(), 'exit code 0');
  await daemon.start();
  await until('the daemon is back', 10_000, health, (status) => status === 200);
  const second = await settle(request);
  assert.equal(second.text, first.text);
  assert.equal((await uses(nonceOf(request))).length, 1);
});

test('killed at random moments of a settlement: asked again, settled once', { timeout: 180_000 }, async () => {
  for (let round = 0; round < 12; round += 1) {
    const requests = await Promise.all(Array.from({ length: 8 }, (_, i) => body(2, { payer: account(2 + (i % 6)) })));
    const asked = Promise.allSettled(requests.map(settle));
    await sleep(round * 20);
    process.kill(daemon.process.pid, 'SIGKILL');
    await daemon.process.exited;
    const early = (await asked).filter(({ value }) => value?.json.success).map(({ value }) => value);
    await daemon.start();
    await until('the daemon is back', 10_000, health, (status) => status === 200);
    const answers = await Promise.all(requests.map(settle));
    assert.deepEqual(answers.map(({ json }) => json.success), requests.map(() => true), JSON.stringify(answers.map(({ json }) => json)));
    for (const { json } of early)
      assert.ok(answers.some((answer) => answer.json.transaction === json.transaction));
    for (const request of requests)
      assert.equal((await uses(nonceOf(request))).length, 1, `round ${round}`);
  }
});

test('a signer without gas: said before anything is taken, and healed by itself', async () => {
  const rich = await rpc.call('eth_getBalance', SIGNER, 'latest');
  await rpc.call('anvil_setBalance', SIGNER, '0x1');
  await until('/health is red', 15_000, health, (status) => status === 503);
  assert.deepEqual(await kinds(), []);
  const request = await body(2);
  for (const ask of [verify, settle]) {
    const { status, json } = await ask(request);
    assert.equal(status, 503);
    assert.equal(json.isValid ?? json.success, false);
  }
  await rpc.call('anvil_setBalance', SIGNER, rich);
  await until('/health is green', 15_000, health, (status) => status === 200);
  assert.equal((await kinds()).length, 2);
  assert.equal((await settle(request)).json.success, true);
});

test('a node that does not answer: said in time, healed by itself', { timeout: 60_000 }, async () => {
  const request = await body(2);
  process.kill(chain.process.pid, 'SIGSTOP');
  try {
    const began = Date.now();
    const { status, json } = await verify(request);
    assert.equal(status, 503);
    assert.equal(json.isValid, false);
    assert.equal(json.invalidReason, 'unexpected_verify_error');
    assert.ok(Date.now() - began < 15_000, `${Date.now() - began} ms`);
    await until('/health is red', 15_000, health, (now) => now === 503);
  } finally {
    process.kill(chain.process.pid, 'SIGCONT');
  }
  await until('/health is green', 15_000, health, (status) => status === 200);
  // a node that was stopped has a pile to work off: it may be late once more,
  // which is 503, and the same payment is asked again
  const { json } = await until('an answer', 15_000, () => settle(request), ({ status }) => status !== 503);
  assert.equal(json.success, true);
});

test('the ledger is for its owner alone', () => {
  assert.equal(statSync(join(daemon.dir, 'ledger.db')).mode & 0o777, 0o600);
});

test('a second daemon on the same ledger refuses to start', async () => {
  const second = new Daemon({ port, dir: daemon.dir, text: text() });
  second.log = join(daemon.dir, 'second.log');
  await second.start().catch(() => {});
  await second.process.exited;
  assert.equal(second.process.how, 'exit code 1');
  assert.match(second.logText(), /"event":"start_failed"/);
});
