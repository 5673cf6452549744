// SPDX-License-Identifier: Apache-2.0
// RLP of ethereum/tests, from the npm package ethereum-tests, as the rows of
// ethers/rlp.json: texts, numbers and lists become bytes and lists of bytes.
import { createRequire } from 'node:module';
import { write } from './common.mjs';

const rows = createRequire(import.meta.url)('ethereum-tests/BasicTests/rlptest.json');

function number(value) {
  const hex = BigInt(value).toString(16);
  return value === 0n ? '0x' : `0x${hex.length % 2 ? '0' : ''}${hex}`;
}

function bytes(value) {
  if (Array.isArray(value))
    return value.map(bytes);
  if (typeof value === 'number')
    return number(BigInt(value));
  if (value.startsWith('#'))
    return number(BigInt(value.slice(1)));
  return `0x${Buffer.from(value, 'latin1').toString('hex')}`;
}

write('ethereum/rlp.json', Object.entries(rows).map(([name, row]) =>
  ({ name, decoded: bytes(row.in), encoded: `0x${row.out.toLowerCase()}` })));
