// SPDX-License-Identifier: Apache-2.0
// `x402d check FILE --online`: what the nodes say of the signers and payees.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { account } from '../../devnet/accounts.mjs';
import { MULTICALL3, USDC, startChain } from '../../devnet/chain.mjs';
import { authorize } from '../harness/payment.mjs';
import { approve } from '../harness/permit2.mjs';
import { submit, transfer } from '../harness/token.mjs';
import { X402D, freshDir, ports } from './daemon.mjs';
import { requirementV2 } from './payments.mjs';

const { facilitator: port, rpc: rpcPort, third: nobody } = await ports(32);
const chain = await startChain({ port: rpcPort, dir: freshDir() });
after(() => chain.process.stop());
const { rpc } = chain;
const dir = freshDir();
const payee = account(6);

/** What it prints, for a signer of its own. */
async function check(signerKey, { url = chain.url, online = ['--online'] } = {}) {
  writeFileSync(join(dir, 'signer.key'), `${signerKey.slice(2)}\n`, { mode: 0o600 });
  writeFileSync(join(dir, 'x402d.yaml'), `ledger: ledger.db
till: {socket: till.sock, group: root}
http: {listen: "127.0.0.1:${port}"}
payees: [{network: base-sepolia, address: "${payee.address}"}]
networks:
  - network: base-sepolia
    rpc: [${JSON.stringify(url)}]
    rpc_timeout: 1000
    signers: [{key_file: signer.key}]
`);
  const child = spawn(X402D, ['check', 'x402d.yaml', ...online], { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  child.stdout.on('data', (data) => { out += data; });
  child.stderr.on('data', (data) => { out += data; });
  const code = await new Promise((done) => { child.once('close', done); });
  return { code, out, warnings: out.split('\n').filter((line) => line.startsWith('warning:')) };
}
async function signer(gas = '0x2386f26fc10000') {
  const key = generatePrivateKey();
  const { address } = privateKeyToAccount(key);
  await rpc.call('anvil_setBalance', address, gas);
  return { key, address };
}

test('a signer with gas and nothing else: not a word', async () => {
  const { key } = await signer();
  const { code, out, warnings } = await check(key);
  assert.deepEqual([code, warnings], [0, []], out);
});

test('without gas', async () => {
  const { key, address } = await signer('0x0');
  const { warnings } = await check(key);
  assert.match(warnings.join('\n'), new RegExp(`^warning: x402d.yaml:6: networks\\[0\\]: signer ${address} has nothing to pay gas with$`, 'm'));
  assert.deepEqual((await check(key, { online: [] })).warnings, [], 'offline nobody is asked');
});

test('with tokens', async () => {
  const { key, address } = await signer();
  await transfer(rpc, account(8), address, 1n);
  const { code, warnings } = await check(key);
  assert.equal(code, 0);
  assert.match(warnings.join('\n'), /signer 0x[0-9a-fA-F]{40} holds USDC/);
});

test('with allowances, to Permit2 and to whoever calls Multicall3', async () => {
  const { key, address } = await signer();
  await approve(rpc, address, 5n);
  await approve(rpc, address, 5n, MULTICALL3);
  const text = (await check(key)).warnings.join('\n');
  assert.match(text, /has given an allowance of USDC to Permit2;/);
  assert.match(text, /has given an allowance of USDC to Multicall3, which anybody/);
  assert.equal(text.split('\n').length, 2, text);
});

test('with code', async () => {
  const { key, address } = await signer();
  await rpc.call('anvil_setCode', address, `0xef0100${USDC.slice(2)}`);
  assert.match((await check(key)).warnings.join('\n'), /has code \(EIP-7702\)/);
});

test('a payee for whom another ledger collects; a plain transfer is nobody\'s', async () => {
  const { key } = await signer();
  await transfer(rpc, account(8), payee.address, 7n);
  assert.deepEqual((await check(key)).warnings, []);
  const payload = await authorize(account(2), requirementV2({ payTo: payee.address }));
  const hash = await submit(rpc, account(3), payload);
  assert.equal((await rpc.receipt(hash)).status, '0x1');
  const { code, warnings } = await check(key);
  assert.equal(code, 0);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0], new RegExp(`^warning: x402d.yaml:4: payees: 1 payments by authorization came to ${payee.address} lately`));
});

test('no node: it says that it does not know', async () => {
  const { key } = await signer();
  const { out } = await check(key, { url: `http://127.0.0.1:${nobody}` });
  assert.match(out, /no usable answer of a node: what does the signer hold\?/);
  assert.match(out, /no usable answer of a node: who was paid lately\?/);
});

test('--online goes with check', () => new Promise((done, fail) => {
  spawn(X402D, ['--config', 'x402d.yaml', '--online'], { cwd: dir }).once('close', (code) => (code === 2 ? done() : fail(new Error(`${code}`))));
}));
