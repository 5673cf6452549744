// SPDX-License-Identifier: Apache-2.0
// The tests' own contracts: wallets of payers, and a USDC that misbehaves.
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeAbiParameters, encodeDeployData, encodeFunctionData } from 'viem';
import { HOLDERS } from '../../devnet/accounts.mjs';
import { USDC, construct } from '../../devnet/chain.mjs';
import { compiled } from '../../devnet/compile.mjs';

const HERE = join(dirname(fileURLToPath(import.meta.url)), 'contracts');
const DEVNET = join(HERE, '../../../devnet/contracts/Usdc.sol');
const all = compiled([...readdirSync(HERE).map((name) => join(HERE, name)), DEVNET]);

/** Calldata. */
export const call = (contract, functionName, ...args) =>
  encodeFunctionData({ abi: all[contract].abi, functionName, args });

/** What stands on the chain, of one without immutables. */
export const code = (contract) => all[contract].code;

/** Deployed by this account; its address. */
export async function deploy(rpc, from, contract, ...args) {
  const data = encodeDeployData({ abi: all[contract].abi, bytecode: all[contract].initcode, args });
  const receipt = await rpc.receipt(await rpc.call('eth_sendTransaction', { from, data, gas: '0x500000' }));
  return receipt.contractAddress;
}

/** From now on the token is an odd one, with everybody's money as at the start. */
export async function makeOdd(rpc) {
  const args = encodeAbiParameters([{ type: 'address[]' }, { type: 'uint256' }], [HOLDERS, 0n]);
  await construct(rpc, USDC, all.OddUsdc.initcode + args.slice(2));
}
export const MODE = { HONEST: 0, LIES: 1, SILENT: 2, FEE: 3, PAUSED: 4, TRAP: 5 };

/** ERC-6492's wrapper. */
export const MAGIC = '6492'.repeat(16);
export const wrap = (factory, data, signature) => encodeAbiParameters(
  [{ type: 'address' }, { type: 'bytes' }, { type: 'bytes' }], [factory, data, signature]) + MAGIC;
