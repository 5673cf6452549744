// SPDX-License-Identifier: Apache-2.0
// A local chain that looks like Base Sepolia: anvil with its chain id, a test
// USDC and a Multicall3 at their own addresses.
import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { encodeAbiParameters } from 'viem';
import { HOLDERS, SETTLER, accounts } from './accounts.mjs';
import { contracts } from './compile.mjs';
import { Process, listening } from './process.mjs';
import { Rpc } from './rpc.mjs';

export const CHAIN_ID = 84532;
export const NETWORK = `eip155:${CHAIN_ID}`;
export const USDC = '0x036CbD53842c5426634e7929541eC2318f3dCF7e';
export const MULTICALL3 = '0xcA11bde05977b3631167028862bE2a173976CA11';
const EACH = 1_000_000_000_000n; // 1,000,000 USDC

const require = createRequire(import.meta.url);

function anvilBinary() {
  const cpu = { x64: 'amd64', arm64: 'arm64' }[process.arch];
  const manifest = require.resolve(`@foundry-rs/anvil-linux-${cpu}/package.json`);
  return join(dirname(manifest), 'bin', 'anvil');
}

/** Starts anvil; {rpc, process, url} once the contracts are there. */
export async function startChain({ port, dir }) {
  const cache = join(dir, 'anvil');
  mkdirSync(cache, { recursive: true });
  const anvil = new Process({
    name: 'anvil',
    command: anvilBinary(),
    args: ['--host', '127.0.0.1', '--port', String(port), '--chain-id', String(CHAIN_ID),
      '--quiet', '--cache-path', cache],
    log: join(dir, 'anvil.log'),
    env: { HOME: cache }, // it keeps old states below its home
  }).start();
  try {
    await listening(anvil, { host: '127.0.0.1', port });
    const rpc = new Rpc(`http://127.0.0.1:${port}`);
    await install(rpc);
    return { rpc, process: anvil, url: rpc.url };
  } catch (error) {
    await anvil.stop();
    throw error;
  }
}

async function install(rpc) {
  const { Usdc, Multicall3 } = contracts();
  const args = encodeAbiParameters([{ type: 'address[]' }, { type: 'uint256' }], [HOLDERS, EACH]);
  await construct(rpc, USDC, Usdc.initcode + args.slice(2));
  await construct(rpc, MULTICALL3, Multicall3.initcode);
}

/* A constructor runs where its contract shall live: with the creation code in
 * place of the code, a call answers with the finished code (its immutables,
 * EIP-712's domain among them, computed for this very address), and a
 * transaction leaves what the constructor writes in the contract's storage. */
export async function construct(rpc, address, initcode) {
  await rpc.call('anvil_setCode', address, initcode);
  const code = await rpc.call('eth_call', { to: address }, 'latest');
  const from = accounts[SETTLER].address;
  const hash = await rpc.call('eth_sendTransaction', { from, to: address, gas: '0xf42400' });
  const receipt = await rpc.receipt(hash);
  if (receipt.status !== '0x1')
    throw new Error(`the constructor of ${address} failed`);
  await rpc.call('anvil_setCode', address, code);
}
