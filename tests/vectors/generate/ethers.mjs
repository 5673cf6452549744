// SPDX-License-Identifier: Apache-2.0
// Picks what the tests use from @ethersproject/testcases (MIT).
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { dirname, join } from 'node:path';
import { write } from './common.mjs';

const require = createRequire(import.meta.url);
const folder = dirname(require.resolve('@ethersproject/testcases/package.json'));

function load(name) {
  const packed = readFileSync(join(folder, 'testcases', `${name}.json.gz`));
  return JSON.parse(gunzipSync(packed));
}

function pick(row, names) {
  return Object.fromEntries(names.map((name) => [name, row[name]]));
}

/** Evenly spread over a file: its first row, its last row, `count` in all. */
function spread(rows, count) {
  const step = (rows.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, i) => rows[Math.round(i * step)]);
}

write('ethers/hashes.json',
  spread(load('hashes'), 257).map((r) => pick(r, ['data', 'keccak256'])));

write('ethers/accounts.json',
  spread(load('accounts'), 260).map((r) =>
    pick(r, ['name', 'privateKey', 'address', 'checksumAddress'])));

// 130 over all shapes, and every one whose domain has the four members that a
// token's has.
const typedData = load('eip712');
const four = 'chainId,name,verifyingContract,version';
const chosen = new Set([
  ...spread(typedData, 130),
  ...typedData.filter((r) => Object.keys(r.domain).sort().join() === four),
]);
write('ethers/eip712.json',
  [...chosen].map((r) =>
    pick(r, ['name', 'domain', 'primaryType', 'types', 'data', 'encoded',
      'digest', 'privateKey', 'signature'])));

write('ethers/rlp.json', load('rlp-coder').filter((r) => r.encoded.length < 4096));

write('ethers/transactions.json',
  spread(load('transactions'), 200).map((r) =>
    pick(r, ['name', 'accountAddress', 'unsignedTransaction',
      'unsignedTransactionChainId5', 'signedTransaction',
      'signedTransactionChainId5'])));

// Type 2 transactions.  Ours never have an access list; some that do are here
// because the reader must refuse them.
const typed = load('typed-transactions').filter((r) => r.tx.type === 2);
const plain = typed.filter((r) => (r.tx.accessList ?? []).length === 0);
const listed = typed.filter((r) => (r.tx.accessList ?? []).length > 0);
write('ethers/type2.json',
  [...spread(plain, Math.min(plain.length, 150)), ...spread(listed, 10)].map(
    (r) => pick(r, ['name', 'address', 'key', 'tx', 'unsigned', 'signed'])));
