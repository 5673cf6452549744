// SPDX-License-Identifier: Apache-2.0
// Permit2 on the test chain: Uniswap's own source, compiled as it was for its
// deployment, at its own address, and the two x402 proxies at theirs.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { encodeFunctionData, maxUint256, parseAbi, toEventSelector } from 'viem';
import { MULTICALL3, USDC, construct } from '../../devnet/chain.mjs';
import { cached, contracts } from '../../devnet/compile.mjs';
import { TOPIC } from '../../devnet/rpc.mjs';

export const PERMIT2 = '0x000000000022D473030F116dDEE9F6B43aC78BA3';
export const EXACT_PROXY = '0x402085c248EeA27D92E8b30b2C58ed07f9E20001';
export const UPTO_PROXY = '0x4020A4f3b7b90ccA423B9fabCc0CE57C6C240002';
export const PROXIES = [EXACT_PROXY, UPTO_PROXY];

const ABI = parseAbi([
  'function approve(address spender, uint256 value) returns (bool)',
  'function allowance(address owner, address spender) view returns (uint256)',
  'function nonceBitmap(address owner, uint256 word) view returns (uint256)',
  'function invalidateUnorderedNonces(uint256 word, uint256 mask)',
]);

const require = createRequire(import.meta.url);
const ROOT = join(dirname(require.resolve('@uniswap/v4-periphery/package.json')), 'lib', 'permit2');
// foundry.toml of Permit2; 0.8.17 is solc-permit2's version
const SETTINGS = {
  viaIR: true,
  optimizer: { enabled: true, runs: 1_000_000 },
  metadata: { bytecodeHash: 'none' },
  outputSelection: { '*': { Permit2: ['evm.bytecode.object'] } },
};

const source = (path) => readFileSync(join(ROOT, path), 'utf8');

/* solmate/… is a folder of Permit2's own lib/ */
function findImport(path) {
  const inside = path.startsWith('solmate/') ? path.replace('solmate/', 'lib/solmate/') : path;
  return { contents: source(inside) };
}

/* Takes half a minute, once. */
function compile() {
  const solc = require('solc-permit2');
  const input = {
    language: 'Solidity',
    sources: { 'src/Permit2.sol': { content: source('src/Permit2.sol') } },
    settings: SETTINGS,
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: findImport }));
  const errors = (output.errors ?? []).filter((e) => e.severity === 'error');
  if (errors.length > 0)
    throw new Error(errors.map((e) => e.formattedMessage).join('\n'));
  return { initcode: `0x${output.contracts['src/Permit2.sol'].Permit2.evm.bytecode.object}` };
}

/** Puts all three in their places. */
export async function installPermit2(rpc) {
  const version = readFileSync(require.resolve('@uniswap/v4-periphery/package.json'), 'utf8');
  const permit2 = cached('permit2', [version, JSON.stringify(SETTINGS)], compile);
  const { ExactPermit2Proxy, UptoPermit2Proxy } = contracts();
  await construct(rpc, PERMIT2, permit2.initcode);
  await construct(rpc, EXACT_PROXY, ExactPermit2Proxy.initcode);
  await construct(rpc, UPTO_PROXY, UptoPermit2Proxy.initcode);
}

/** An account that anvil may act for: nobody's signature is needed. */
async function sendAs(rpc, from, to, functionName, args) {
  await rpc.call('anvil_impersonateAccount', from);
  await rpc.call('anvil_setBalance', from, '0xde0b6b3a7640000');
  const data = encodeFunctionData({ abi: ABI, functionName, args });
  const hash = await rpc.call('eth_sendTransaction', { from, to, data, gas: '0x30d40' });
  await rpc.call('anvil_stopImpersonatingAccount', from);
  return rpc.receipt(hash);
}

/** The payer's one-time approval of Permit2. */
export const approve = (rpc, owner, value = maxUint256, spender = PERMIT2) =>
  sendAs(rpc, owner, USDC, 'approve', [spender, value]);

/** The payer takes a nonce back. */
export const invalidate = (rpc, owner, nonce) =>
  sendAs(rpc, owner, PERMIT2, 'invalidateUnorderedNonces', [BigInt(nonce) >> 8n, 1n << (BigInt(nonce) & 255n)]);

async function read(rpc, to, functionName, args) {
  const data = encodeFunctionData({ abi: ABI, functionName, args });
  return BigInt(await rpc.call('eth_call', { to, data }, 'latest'));
}

export const allowance = (rpc, owner) => read(rpc, USDC, 'allowance', [owner, PERMIT2]);

export async function nonceUsed(rpc, owner, nonce) {
  const word = await read(rpc, PERMIT2, 'nonceBitmap', [owner, BigInt(nonce) >> 8n]);
  return ((word >> (BigInt(nonce) & 255n)) & 1n) === 1n;
}

const SETTLED = ['Settled()', 'SettledWithPermit()'].map((name) => toEventSelector(name));
const person = (topic) => `0x${topic.slice(26)}`;

/** What the proxies have settled: each Settled with the Transfer before it. */
export async function settledLogs(rpc) {
  const logs = await rpc.call('eth_getLogs', { fromBlock: 'earliest', toBlock: 'latest', address: [USDC, ...PROXIES] });
  return logs.flatMap((log, i) => {
    if (!SETTLED.includes(log.topics[0]))
      return [];
    const before = logs.slice(0, i).findLast(({ topics, transactionHash }) =>
      topics[0] === TOPIC.Transfer && transactionHash === log.transactionHash);
    return [{
      proxy: log.address, tx: log.transactionHash, value: BigInt(before.data),
      payer: person(before.topics[1]), payee: person(before.topics[2]),
    }];
  });
}

const SETTLE = parseAbi([
  'struct Permitted { address token; uint256 amount; }',
  'struct Permit { Permitted permitted; uint256 nonce; uint256 deadline; }',
  'struct Witness { address to; uint256 validAfter; }',
  'function settle(Permit permit, address owner, Witness witness, bytes signature)',
  'struct Call3 { address target; bool allowFailure; bytes callData; }',
  'function aggregate3(Call3[] calls) payable',
]);

/** Somebody's transaction with several exact payments, each of which may fail. */
export async function settleTogether(rpc, from, payloads) {
  const calls = payloads.map(({ permit2Authorization: a, signature }) => ({
    target: EXACT_PROXY, allowFailure: true,
    callData: encodeFunctionData({ abi: SETTLE, functionName: 'settle',
      args: [{ permitted: a.permitted, nonce: BigInt(a.nonce), deadline: BigInt(a.deadline) }, a.from, { to: a.witness.to, validAfter: BigInt(a.witness.validAfter) }, signature] }),
  }));
  const data = encodeFunctionData({ abi: SETTLE, functionName: 'aggregate3', args: [calls] });
  return rpc.receipt(await rpc.call('eth_sendTransaction', { from, to: MULTICALL3, data, gas: '0x7a120' }));
}
