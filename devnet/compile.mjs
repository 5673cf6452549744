// SPDX-License-Identifier: Apache-2.0
// Compiles the contracts with solc from npm.  Loading the compiler takes
// longer than everything else in a start, so its output is kept in the cache
// folder under the hash of everything that went in.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { CACHE, DEVNET } from './paths.mjs';

const require = createRequire(import.meta.url);
const OURS = ['Usdc.sol', 'Multicall3.sol', 'Permit2Proxy.sol', 'ExactPermit2Proxy.sol',
  'UptoPermit2Proxy.sol'].map((name) => join(DEVNET, 'contracts', name));
const SETTINGS = {
  optimizer: { enabled: true, runs: 1_000_000 },
  evmVersion: 'cancun',
  outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
};

const lock = () => readFileSync(join(DEVNET, 'package-lock.json'), 'utf8');

/** {Usdc: {abi, initcode}, Multicall3: {abi, initcode}, …} */
export const contracts = () => compiled(OURS);

/** Every contract of these files, {name: {abi, initcode, code}}.  They may import each other and what npm holds. */
export function compiled(files) {
  const sources = Object.fromEntries(files.map((file) => [basename(file), { content: readFileSync(file, 'utf8') }]));
  return cached('contracts', [lock(), JSON.stringify(SETTINGS), JSON.stringify(sources)], () => compile(sources));
}

/** What make() returns, kept in the cache folder under the hash of `parts`. */
export function cached(name, parts, make) {
  const key = createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 16);
  const file = join(CACHE, `${name}-${key}.json`);
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    const fresh = make();
    mkdirSync(CACHE, { recursive: true });
    const temporary = `${file}.${process.pid}`;
    writeFileSync(temporary, JSON.stringify(fresh));
    renameSync(temporary, file);
    return fresh;
  }
}

function compile(sources) {
  const solc = require('solc');
  const input = { language: 'Solidity', sources, settings: SETTINGS };
  const findImport = (path) => ({ contents: readFileSync(require.resolve(path), 'utf8') });
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: findImport }));
  const errors = (output.errors ?? []).filter((e) => e.severity === 'error');
  if (errors.length > 0)
    throw new Error(errors.map((e) => e.formattedMessage).join('\n'));
  const ours = Object.keys(sources).flatMap((name) => Object.entries(output.contracts[name] ?? {}));
  return Object.fromEntries(ours.map(([name, { abi, evm }]) => [
    name, { abi, initcode: `0x${evm.bytecode.object}`, code: `0x${evm.deployedBytecode.object}` },
  ]));
}
